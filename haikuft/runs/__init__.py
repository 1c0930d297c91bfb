"""A run: its record, the checks before it, what it needs from earlier notebooks, and what is its own."""
