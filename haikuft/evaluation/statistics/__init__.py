"""Statistics: models compared on the same records, with intervals, tests and a free baseline."""
