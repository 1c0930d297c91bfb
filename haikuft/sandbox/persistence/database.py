"""What survives the server: a SQLite file, written before an answer goes out.

The operating system has a change once `apply` returns, so a killed process loses nothing. (A
machine that loses its power may lose the last moments; the file stays whole.)
"""

import shlex
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from haikuft.errors import SandboxError

FORMAT = 1  # of the file; one with a higher number was written by a newer haikuft
LEDGER_FILE = "ledger.sqlite"  # in the state directory

Change = tuple[str, str, bytes | None]
"""(kind, key, value); None for a value deletes the entry."""


class Ledger:
    """Entries by kind and key, each a value of bytes. One process at a time may have it open.

    Everything raises SandboxError when the file is damaged, written by a newer haikuft, or cannot
    be read or written; the message names it, and nothing is changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def read(self, kind: str) -> dict[str, bytes]:
        """Return all entries of a kind: key to value, in the order of the keys."""
        with self._lock, self._explained():
            rows = self._database.execute(
                "SELECT key, value FROM entries WHERE kind = ? ORDER BY key", (kind,)
            )
            return {str(key): bytes(value) for key, value in rows}

    def apply(self, changes: Iterable[Change]) -> None:
        """Write and delete entries: all of them, or, when this fails, none."""
        with self._lock, self._explained():
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
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # SQLite itself ends one when the disk is full
                    self._database.execute("ROLLBACK")
                raise

    def damaged(self, reason: object) -> SandboxError:
        """Say that the file is damaged, for whoever finds an entry that cannot be read."""
        return SandboxError(
            f"The sandbox's ledger {self.path} is damaged: {reason}. Nothing in it was changed. "
            f"Put a good copy in its place, or empty the sandbox: {self._reset_command()}"
        )

    def close(self) -> None:
        """Close the file; what was applied is in it."""
        with self._lock:
            self._database.close()

    def _prepare(self) -> None:
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        if found > FORMAT:
            raise SandboxError(
                f"The sandbox's ledger {self.path} was written by a newer haikuft (format {found}, "
                f"this one reads {FORMAT}). Nothing in it was changed. Install the newer one, or "
                f"empty the sandbox: {self._reset_command()}"
            )
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        if found < FORMAT:
            self._database.execute(f"PRAGMA user_version = {FORMAT}")

    def _reset_command(self) -> str:
        return f"haikuft sandbox reset --state {shlex.quote(str(self.path.parent))}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into words that name the file and the mend."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise SandboxError(
                f"The sandbox cannot use its ledger {self.path}: {error}. It belongs on a local "
                "disk with room, in a directory that you may write to; nothing else may have it "
                "open."
            ) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise  # a mistake of the caller's
            raise self.damaged(error) from error
