"""Persistence: what the sandbox holds, in a SQLite file and in files of object bytes."""
