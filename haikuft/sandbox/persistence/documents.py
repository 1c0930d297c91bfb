"""JSON documents in the database, written when they change, and the files that they name.

The bytes of S3's objects are in these files, one file each, and are read when they are needed.
"""

import json
import re
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import Database, Write

_NAME = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1024 * 1024  # bytes copied at a time


class StoredBytes:
    """A stored file with the methods of the buffer in which moto keeps an object's bytes.

    No file stays open between two reads, so many objects do not need many handles. A closed one
    raises ValueError, as a closed buffer does.
    """

    def __init__(self, path: Path | None, size: int) -> None:
        self._path = path
        self._at = 0
        self.size = size

    @property
    def name(self) -> str | None:
        """The file's name; None when this is closed."""
        return None if self._path is None else self._path.name

    def seek(self, offset: int) -> int:
        """Move to a byte, counted from the beginning."""
        self._open_path()
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all that are left.

        Raises SandboxError when the file is missing or has another size.
        """
        path = self._open_path()
        if not path.is_file() or path.stat().st_size != self.size:
            raise SandboxError(
                f"The file {path} should hold {self.size:,} bytes of an object, and does not. Put "
                "it back, or upload the object again."
            )
        with path.open("rb") as file:
            file.seek(self._at)
            data = file.read(size)
        self._at += len(data)
        return data

    def close(self) -> None:
        """Release the file, without deleting it."""
        self._path = None

    def _open_path(self) -> Path:
        if self._path is None:
            raise ValueError("I/O operation on closed file")
        return self._path


class ObjectFiles:
    """The directory of these files. Their names are random, never taken from a request."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def write(self, source: IO[bytes]) -> StoredBytes:
        """Copy a buffer, from its beginning, into a new file."""
        path = self._directory / uuid.uuid4().hex
        size = 0
        source.seek(0)
        with path.open("xb") as file:
            while block := source.read(_BLOCK):
                size += file.write(block)
        return StoredBytes(path, size)

    def open(self, name: str, size: int) -> StoredBytes:
        """Return the file with a name that `write` gave; reading finds out whether it exists.

        Raises SandboxError for a name that `write` cannot give.
        """
        if not _NAME.fullmatch(name):
            raise SandboxError(f"{name!r} is no name of a file in {self._directory}.")
        return StoredBytes(self._directory / name, size)

    def remove(self, names: Collection[str]) -> None:
        """Delete files; a missing one is ignored."""
        for name in names:
            (self._directory / name).unlink(missing_ok=True)

    def delete_others(self, kept: Collection[str]) -> None:
        """Delete the files that are not named: those of changes that were never written."""
        found = [path.name for path in self._directory.iterdir()]
        self.remove([name for name in found if _NAME.fullmatch(name) and name not in kept])


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
