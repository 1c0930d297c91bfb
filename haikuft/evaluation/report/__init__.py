"""The report of an evaluation: its files, its page, and the records behind the scores."""
