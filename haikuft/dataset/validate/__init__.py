"""Validate the files of a job: find every problem, where it is, and how to fix it."""
