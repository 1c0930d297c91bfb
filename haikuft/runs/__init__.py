"""A run: its record, the checks before it, what it needs of earlier notebooks, and what it owns."""
