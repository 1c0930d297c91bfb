"""The bytes of S3's objects: a file each, read when someone asks for them."""

import re
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import IO

from haikuft.errors import SandboxError

_NAME = re.compile(r"[0-9a-f]{32}")
_BLOCK = 1024 * 1024  # bytes copied at a time


class StoredBytes:
    """A stored file that reads like the buffer in which moto keeps an object's bytes.

    No file stays open between two reads, so a thousand objects need no thousand handles.
    A closed one says ValueError, as a closed buffer does.
    """

    def __init__(self, path: Path | None, size: int) -> None:
        self._path = path
        self._at = 0
        self.size = size

    @property
    def name(self) -> str | None:
        """The file's name; None when this is closed, and the bytes are nobody's any more."""
        return None if self._path is None else self._path.name

    def seek(self, offset: int) -> int:
        """Go to a byte, counted from the beginning."""
        self._open_path()
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or all that are left.

        Raises SandboxError when the file is not there as it was written.
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
        """Let go of the file, without deleting it."""
        self._path = None

    def _open_path(self) -> Path:
        if self._path is None:
            raise ValueError("I/O operation on closed file")
        return self._path


class ObjectFiles:
    """The directory of these files. Their names are its own, never taken from a request."""

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
        """Return the file that `write` made under this name; whether it is there, reading tells.

        Raises SandboxError for a name that is none of this directory's.
        """
        if not _NAME.fullmatch(name):
            raise SandboxError(f"{name!r} is no name of a file in {self._directory}.")
        return StoredBytes(self._directory / name, size)

    def remove(self, names: Collection[str]) -> None:
        """Delete files; it does no harm when one is gone."""
        for name in names:
            (self._directory / name).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str]) -> None:
        """Delete what no entry names: files whose change never came to be."""
        found = [path.name for path in self._directory.iterdir()]
        self.remove([name for name in found if _NAME.fullmatch(name) and name not in kept])
