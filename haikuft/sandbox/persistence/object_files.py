"""The bytes of S3's objects: one file each, read on demand."""

import re
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import IO

from haikuft.errors import SandboxError

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
