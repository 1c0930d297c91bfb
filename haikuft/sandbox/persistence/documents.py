"""JSON documents in the database, written when they change, and the files that they name."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from haikuft.sandbox.persistence.database import Database, Write
from haikuft.sandbox.persistence.object_files import ObjectFiles

_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
# A quotation mark inside a JSON string has a backslash before it, so this is never text.
_FILE = re.compile(rb'\{"file":\["([0-9a-f]{32})"')


def write_key(*names: str) -> str:
    """Write the names that make up a document's key as one text."""
    return json.dumps(names)


class Documents:
    """The documents of some kinds, in the order in which they were created.

    An entry of the database is [number, document] as JSON; numbers give the order.
    """

    def __init__(self, database: Database, files: ObjectFiles) -> None:
        self._database = database
        self._files = files
        self._next = 0
        self._loaded_files: set[str] = set()
        self._write: Write | None = None
        self._released: set[str] = set()
        self._named: set[str] = set()

    def load(self, kind: str) -> list[tuple[tuple[str, ...], Any]]:
        """Read all documents of a kind, each with the names of its key, in their order."""
        found = []
        for key, data in self._database.read(kind).items():
            number, document = json.loads(data)
            self._next = max(self._next, number + 1)
            self._loaded_files |= _file_names(data)
            found.append((number, tuple(json.loads(key)), document))
        return [(names, document) for _, names, document in sorted(found, key=lambda one: one[0])]

    def delete_unnamed_files(self) -> None:
        """Delete the files that no loaded document names: their change was never written."""
        self._files.delete_others(self._loaded_files)

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
        self._files.remove(self._released - self._named)

    def put(self, kind: str, key: str, document: Any) -> None:
        """Write a document if it differs from the one that is there; None deletes that."""
        if self._write is None:
            raise RuntimeError("A document is put outside a transaction.")
        old = self._database.find(kind, key)
        data = None
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
