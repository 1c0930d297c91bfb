"""Tables of records in the database: values by key, written before a response is sent.

    tables = Tables(database, root)
    jobs = tables.add("bedrock.jobs", Job)
    with tables:
        jobs[job.arn] = job  # in the database when the block ends

Values are replaced, never changed in place. They are written by msgspec in MessagePack: records
are frozen dataclasses, and paths in them are stored relative to a root that may be moved.
"""

import threading
from collections import UserDict
from collections.abc import Callable, ValuesView
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from haikuft.sandbox.persistence.database import Database, Write

Value = TypeVar("Value")


class Table(UserDict[str, Value]):
    """One kind of values; made by `Tables.add`. Only a thread in `with tables` may change.

    Args:
        read: Reads all entries from the database.
        write: Writes or, for None, deletes an entry in the open transaction.
    """

    def __init__(
        self,
        read: Callable[[], dict[str, Value]],
        write: Callable[["Table[Any]", str, Value | None], None],
    ) -> None:
        self._read = read
        self._write = write
        super().__init__()
        self.data = read()

    def reload(self) -> None:
        """Read all entries again, after a transaction that was not written."""
        self.data = self._read()

    def values(self) -> ValuesView[Value]:
        """Return the values, at the speed of a dict's."""
        return self.data.values()

    def __setitem__(self, key: str, value: Value) -> None:
        self._write(self, key, value)
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self.data:
            raise KeyError(key)
        self._write(self, key, None)
        del self.data[key]


class Tables:
    """The tables of one database, and the lock around them, which is also a transaction.

    `with tables:` may be nested. When the outermost block ends, its changes are written, all or
    none; when it raised, or the database cannot be written (SandboxError), the tables are again
    what the database has.

    Args:
        database: Where they are stored.
        root: What paths in the values are relative to.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        self._encoder = msgspec.msgpack.Encoder(enc_hook=lambda value: _relative(value, root))
        self._lock = threading.RLock()
        self._holder = 0
        self._depth = 0
        self._transaction: AbstractContextManager[Write] | None = None
        self._write_entry: Write | None = None
        self._changed: list[Table[Any]] = []

    def __enter__(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()
        self._depth += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._depth == 1 and self._transaction is not None:
                self._end(kind, error, traceback)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._holder = 0
            self._lock.release()

    def add(self, kind: str, value_type: type[Value]) -> Table[Value]:
        """Make a table with what the database has of that kind.

        Raises SandboxError, naming the file, for an entry that is not such a value.
        """
        decoder = msgspec.msgpack.Decoder(value_type, dec_hook=lambda _, text: self._root / text)

        def read() -> dict[str, Value]:
            entries: dict[str, Value] = {}
            for key, data in self._database.read(kind).items():
                try:
                    entries[key] = decoder.decode(data)
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise self._database.damaged(f"{key} among {kind}: {error}") from error
            return entries

        def write(table: Table[Any], key: str, value: Value | None) -> None:
            if self._holder != threading.get_ident():
                raise RuntimeError(
                    f"{kind} is changed without the lock, so the change would be lost."
                )
            self._begin(table)(kind, key, None if value is None else self._encoder.encode(value))

        return Table(read, write)

    def _begin(self, table: Table[Any]) -> Write:
        """Begin the transaction with the first change; return what writes in it."""
        if self._write_entry is None:
            self._transaction = self._database.transaction()
            self._write_entry = self._transaction.__enter__()
        self._changed.append(table)
        return self._write_entry

    def _end(self, *error: Any) -> None:
        transaction, changed = self._transaction, self._changed
        self._transaction, self._write_entry, self._changed = None, None, []
        written = False
        try:
            if transaction is not None:
                transaction.__exit__(*error)
            written = error[0] is None
        finally:
            if not written:
                for table in changed:
                    table.reload()


def _relative(value: object, root: Path) -> str:
    if isinstance(value, Path):
        return str(value.relative_to(root))
    raise NotImplementedError(f"The database cannot hold a {type(value).__name__}.")
