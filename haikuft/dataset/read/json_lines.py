"""A JSON Lines file, line by line: any bytes, any size, never more than one line in memory."""

import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from typing import Any, BinaryIO, cast

from haikuft.dataset.problems import Finding, make_finding, quotable
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK, GZIP, recognise_signature
from haikuft.errors import DataError

BUFFER_BYTES = 2**18  # read at a time, so that few lines straddle two reads
MAX_LINE_BYTES = 16 * 2**20  # far beyond any model's token limit

# Line or row number from 1, example, what is wrong with it; None with findings: not readable.
Example = tuple[int, Any, list[Finding]]


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading bytes.

    Raises:
        OSError: it cannot be opened, or its name cannot be one.
    """
    try:
        return BufferedReader(FileIO(os.fsdecode(path)), BUFFER_BYTES)
    except ValueError as error:  # a NUL in the name
        raise OSError(str(error)) from error


def open_unpacked(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes; of one that gzip has compressed, those before that.

    Raises:
        OSError: as for `open_file`.
    """
    file = open_file(path)
    if not file.peek(2).startswith(GZIP):
        return file
    import gzip  # not loaded for other files

    file.close()
    return cast(BinaryIO, gzip.open(path))


def explain_os_error(error: Exception) -> str:
    """Say in two sentences why a file could not be read, and how to fix it."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file. Check the name and the folder you are in."
    if isinstance(error, IsADirectoryError):
        return "this is a folder. Name a file in it."
    if isinstance(error, PermissionError):
        return "you may not read it. Change its permissions."
    return f"it cannot be read ({getattr(error, 'strerror', None) or error}). Check the name."


@contextmanager
def naming_os_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError inside into a DataError that names the file and says how to fix it.

    So it does for gzip's errors of a file that is damaged or not whole.
    """
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{quotable(os.fsdecode(path))}: {explain_os_error(error)}") from error


def read_lines(file: BinaryIO, *, max_bytes: int) -> Iterator[tuple[int, bytes | None, int]]:
    """Read a file line by line and stop after the line in which it passes `max_bytes`.

    Yields:
        The line's number from 1; its bytes with the line end, None if it is too long to be held in
        memory; and the bytes of the file up to its end.
    """
    number, end = 0, 0
    while end <= max_bytes and (data := file.readline(MAX_LINE_BYTES + 1)):
        number += 1
        end += len(data)
        if len(data) <= MAX_LINE_BYTES:
            yield number, data, end
            continue
        while end <= max_bytes and not data.endswith(b"\n") and (data := file.readline(2**20)):
            end += len(data)
        yield number, None, end


def describe_long_line() -> Finding:
    """Describe a line that is too long to be held in memory."""
    return make_finding("line-too-long", most=MAX_LINE_BYTES // 2**20)


def read_values(path: str | os.PathLike[str], *, unpack: bool = False) -> Iterator[Example]:
    """Read and parse a file line by line, without its blank lines; `unpack` also takes gzip's.

    Yields:
        Line number, value, and what is wrong with the line, as `parse_line` gives them.

    Raises:
        OSError: the file cannot be opened or read.
    """
    from haikuft.dataset.read.json_values import parse_line  # loads json

    with open_unpacked(path) if unpack else open_file(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            if data is None:
                yield number, None, [describe_long_line()]
                continue
            if number == 1:
                if finding := recognise_signature(data):
                    yield 1, None, [finding]
                    return
                data = data.removeprefix(BYTE_ORDER_MARK)
            if data.strip():
                yield number, *parse_line(data)
