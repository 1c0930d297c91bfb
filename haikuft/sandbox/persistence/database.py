"""The database: a SQLite file, written before a response is sent, and the JSON documents in it.

The operating system has a change once its transaction has ended, so a killed process loses
nothing. (After a loss of power the last transactions may be missing; the file stays consistent.)
"""

import json
import re
import shlex
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from haikuft.errors import SandboxError

FORMAT = 1  # of the file; one with a higher number was written by a newer haikuft
DATABASE_FILE = "ledger.sqlite"  # in the state directory; named so since version 0.1.0

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# A quotation mark inside a JSON string has a backslash before it, so this is never text.
_FILE = re.compile(rb'\{"file":\["([0-9a-f]{32})"')

Write = Callable[[str, str, bytes | None], None]
"""Writes an entry: its kind, its key, and its value; None deletes it."""


class Database:
    """Entries by kind and key, each a value of bytes. One process at a time may have it open.

    All methods raise SandboxError when the file is damaged, written by a newer haikuft, or cannot
    be read or written; the message names it, and nothing is changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = RLock()
        with self._explained():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def read(self, kind: str) -> dict[str, bytes]:
        """Return all entries of a kind: key to value, in the order of the keys."""
        return dict(self._query("SELECT key, value FROM entries WHERE kind = ? ORDER BY key", kind))

    def keys(self, kind: str) -> list[str]:
        """Return the keys of a kind's entries, in order."""
        rows = self._query("SELECT key FROM entries WHERE kind = ? ORDER BY key", kind)
        return [key for (key,) in rows]

    def find(self, kind: str, key: str) -> bytes | None:
        """Return the value of one entry; None when there is none."""
        rows = self._query("SELECT value FROM entries WHERE kind = ? AND key = ?", kind, key)
        return rows[0][0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[Write]:
        """Write what the block writes: all of it or, when the block or SQLite fails, none.

        Until the block ends, other threads wait for the database, so the block must not wait for
        another lock meanwhile.
        """
        with self._lock:
            with self._explained():
                self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
                self._commit()
            finally:
                self._connection.rollback()  # no effect after a commit

    def _commit(self) -> None:
        with self._explained():
            self._connection.commit()

    def _query(self, query: str, *values: str) -> list[Any]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    def _write(self, kind: str, key: str, value: bytes | None) -> None:
        with self._explained():
            if value is None:
                query = "DELETE FROM entries WHERE kind = ? AND key = ?"
                self._connection.execute(query, (kind, key))
            else:
                entry = (kind, key, value)
                self._connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", entry)

    def damaged(self, reason: object) -> SandboxError:
        """Return the error for an entry that cannot be read."""
        return SandboxError(
            f"The sandbox's database {self.path} is damaged: {reason}. Nothing in it was changed. "
            f"Put a good copy in its place, or empty the sandbox: {self._reset_command()}"
        )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > FORMAT:
            raise SandboxError(
                f"The sandbox's database {self.path} was written by a newer haikuft (format "
                f"{found}, this one reads {FORMAT}). Nothing in it was changed. Install the newer "
                f"one, or empty the sandbox: {self._reset_command()}"
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS entries "
            "(kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        if found < FORMAT:
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _reset_command(self) -> str:
        return f"haikuft sandbox reset --state {shlex.quote(str(self.path.parent))}"

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn errors of SQLite and the disk into a SandboxError with the file and the fix."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise SandboxError(
                f"The sandbox cannot use its database {self.path}: {error}. It belongs on a local "
                "disk with room, in a directory that you may write to; nothing else may have it "
                "open."
            ) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise  # a programming error, not a fault of the file
            raise self.damaged(error) from error


def write_key(*names: str) -> str:
    """Write the names that make up a document's key as one text."""
    return json.dumps(names)


class Documents:
    """The documents of some kinds, in the order in which they were created.

    An entry of the database is [number, document] as JSON; numbers give the order.

    Args:
        database: Where they are.
        remove: Deletes the files of these names; called after a transaction.

    Attributes:
        loaded_files: The names of the files that a loaded document names.
    """

    def __init__(
        self, database: Database, remove: Callable[[Collection[str]], None] = lambda names: None
    ) -> None:
        self.loaded_files: set[str] = set()
        self._database = database
        self._remove = remove
        self._next = 0
        self._write: Write | None = None
        self._released: set[str] = set()
        self._named: set[str] = set()

    def load(self, kind: str) -> list[tuple[tuple[str, ...], Any]]:
        """Read all documents of a kind, each with the names of its key, in their order."""
        found = []
        for key, data in self._database.read(kind).items():
            number, document = json.loads(data)
            self._next = max(self._next, number + 1)
            self.loaded_files |= _file_names(data)
            found.append((number, tuple(json.loads(key)), document))
        return [(names, document) for _, names, document in sorted(found, key=lambda one: one[0])]

    def keys(self, kind: str) -> list[str]:
        """Return the keys of a kind's documents."""
        return self._database.keys(kind)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write what is put in the block, all or none; then delete files that nothing names now."""
        self._released, self._named = set(), set()
        try:
            with self._database.transaction() as self._write:
                yield
        finally:
            self._write = None
        self._remove(self._released - self._named)

    def put(self, kind: str, key: str, document: Any) -> None:
        """Write a document if it differs from the one that is there; None deletes that."""
        if self._write is None:
            raise RuntimeError("A document is put outside a transaction.")
        old, data = self._database.find(kind, key), None
        if document is not None:
            number = self._next if old is None else int(old[1 : old.index(b",")])
            data = _encode([number, document]).encode("ascii")
            self._next = max(self._next, number + 1)
        if data != old:
            self._write(kind, key, data)
            self._released |= _file_names(old or b"")
            self._named |= _file_names(data or b"")


def _file_names(data: bytes) -> set[str]:
    return {name.decode() for name in _FILE.findall(data)}
