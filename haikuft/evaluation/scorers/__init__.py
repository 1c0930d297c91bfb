"""Scorers: how right a reply is, by label, by text, by structure, and which suit a task."""
