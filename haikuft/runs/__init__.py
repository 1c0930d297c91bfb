"""A run: its record, the checks before it, what earlier notebooks must have made, what is its own."""
