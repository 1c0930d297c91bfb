"""Files that are written in one step, and JSON Lines files that are only added to."""

import json
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import fields
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from haikuft.errors import ConflictError, DataError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value")


def write_whole(path: Path, text: str, *, new: bool = False) -> Path:
    """Write a UTF-8 text file in one step, so that no reader finds a part of it; return the path.

    The file's folder is made where there is none. Half a surrogate pair is written as an escape.

    Args:
        path: The file.
        text: All that it is to hold.
        new: Refuse to replace a file that is there.

    Raises:
        FileExistsError: the file was to be new, and there is one.
        OSError: the disk refuses; the file is as it was before.
    """
    write_together({path: text}, new=new)
    return path


def write_together(texts: Mapping[Path, str], *, new: bool = False) -> None:
    """Write several files as `write_whole` does; none replaces an old one before all are written.

    Raises:
        FileExistsError: the files were to be new, and there is one.
        OSError: the disk refuses.
    """
    partials = {path: path.with_name(f".{path.name}.{uuid4().hex[:8]}") for path in texts}
    try:
        for path, partial in partials.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(texts[path].encode(errors="backslashreplace"))
        for path, partial in partials.items():
            if new:
                os.link(partial, path)  # unlike a rename, it never replaces another's file
            else:
                partial.replace(path)
    finally:
        for partial in partials.values():
            with suppress(OSError):  # such as a folder that could not be made
                partial.unlink()


def read_json_lines(
    path: Path, kind: type[Value], *, what: str, fix: str = "Delete the line."
) -> list[Value]:
    """Read a file of values, one JSON object a line, in their order; an absent file has none.

    An incomplete last line is skipped: its writer may be at work. The file is left as it is.

    Args:
        path: The file.
        kind: The dataclass that each line holds.
        what: The name of such a value in an error, such as "a reply".
        fix: What to do about a line that holds something else.

    Raises:
        DataError: a line holds something else, or the file cannot be read; names file and line.
    """
    import msgspec  # late: whoever only writes needs none

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _refused(path, "read", error) from error
    values = []
    for number, line in enumerate(content[: _complete_length(content)].split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            values.append(msgspec.convert(json.loads(line), kind))
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors, too
            raise DataError(f"{path}, line {number}: not {what} ({error}). {fix}") from None
    return values


class JsonLinesFile(AbstractContextManager["JsonLinesFile"]):
    """A JSON Lines file opened to add to it. Threads may share it.

    Args:
        path: The file; it and its folder are made where there are none. An incomplete last line is
            cut off, one that lacks only its line feed is completed.
        conflict: What an error says where another process has locked the file, which stays locked
            until `close` or the end of this process, however it ends. "" takes no lock.

    Raises:
        ConflictError: another process has locked the file.
        DataError: the file cannot be opened or locked.
    """

    def __init__(self, path: Path, *, conflict: str = "") -> None:
        self.path = path
        self._appending = Lock()
        self._waiting = deque[tuple[bytes, Future[None]]]()  # lines, and when they are on the disk
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        except OSError as error:
            raise _refused(path, "opened", error) from error
        try:
            if conflict:
                import fcntl  # not on Windows, where such files can be read all the same

                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._repair_end()
        except BlockingIOError:
            self.close()
            raise ConflictError(f"{path}: {conflict}") from None
        except OSError as error:
            self.close()
            raise _refused(path, "locked", error) from error

    def append(self, value: "DataclassInstance") -> None:
        """Write one line, and return only when it is on the disk.

        The lines of threads that wait for the disk at the same time are written together.

        Raises:
            DataError: the disk refuses; the file is as it was before.
        """
        line = json.dumps(value, ensure_ascii=False, default=_members) + "\n"
        written = Future[None]()
        # Half a surrogate pair is written as JSON's escape.
        self._waiting.append((line.encode(errors="backslashreplace"), written))
        with self._appending:
            if not written.done():  # else another thread has written it with its own
                self._write_waiting()
        try:
            written.result()
        except OSError as error:
            raise _refused(self.path, "written", error) from error

    def _write_waiting(self) -> None:
        before = os.fstat(self._file.fileno()).st_size
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        failure: OSError | None = InterruptedError("interrupted")
        try:
            rest = b"".join(line for line, _ in lines)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
            failure = None
        except OSError as error:
            failure = error
            with suppress(OSError):
                self._file.truncate(before)
        finally:
            for _, written in lines:
                written.set_exception(failure) if failure else written.set_result(None)

    def close(self) -> None:
        """Close and unlock the file."""
        self._file.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repair_end(self) -> None:
        content = self.path.read_bytes()
        length = _complete_length(content)
        if length < len(content):
            os.truncate(self.path, length)
        elif content and not content.endswith(b"\n"):
            self._file.write(b"\n")


def _members(value: "DataclassInstance") -> dict[str, Any]:
    """Give the members of a dataclass; `asdict` also copies the value of each, which is slow."""
    return {member.name: getattr(value, member.name) for member in fields(value)}


def _complete_length(content: bytes) -> int:
    """Count the bytes up to the end of the last complete line, which may lack its line feed."""
    start = content.rfind(b"\n") + 1
    try:
        json.loads(content[start:])
    except (ValueError, RecursionError):
        return start
    return len(content)


def _refused(path: Path, action: str, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be {action} ({error.strerror or error}). Check the folder, its permissions "
        "and the room on the disk."
    )
