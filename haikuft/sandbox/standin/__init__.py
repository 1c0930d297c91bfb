"""The stand-in model: its features, its training as a process, and the baseline of base models."""
