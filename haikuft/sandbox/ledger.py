"""What survives the server: a SQLite file, written before an answer goes out.

The operating system has a change once `apply` returns, so a killed process loses nothing. (A
machine that loses its power may lose the last moments; the file stays whole.)
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

LEDGER_FILE = "ledger.sqlite"  # in the state directory

Change = tuple[str, str, bytes | None]
"""(kind, key, value); None for a value deletes the entry."""


class Ledger:
    """Entries by kind and key, each a value of bytes. One process at a time may have it open."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def read(self, kind: str) -> dict[str, bytes]:
        """Return all entries of a kind: key to value, in the order of the keys."""
        with self._lock:
            rows = self._database.execute(
                "SELECT key, value FROM entries WHERE kind = ? ORDER BY key", (kind,)
            )
            return {str(key): bytes(value) for key, value in rows}

    def apply(self, changes: Iterable[Change]) -> None:
        """Write and delete entries: all of them, or, when this fails, none."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for kind, key, value in changes:
                    if value is None:
                        self._database.execute(
                            "DELETE FROM entries WHERE kind = ? AND key = ?", (kind, key)
                        )
                    else:
                        self._database.execute(
                            "INSERT INTO entries VALUES (?, ?, ?) "
                            "ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value",
                            (kind, key, value),
                        )
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def close(self) -> None:
        """Close the file; what was applied is in it."""
        with self._lock:
            self._database.close()
