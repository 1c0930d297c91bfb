"""Convert raw examples to Messages records and files of them, with safe repairs on request."""
