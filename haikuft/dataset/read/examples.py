"""Raw examples of any format, one after the other, each with its line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haikuft.dataset.formats import TABLES, UNKNOWN, recognise
from haikuft.dataset.problems import Finding, describe, quotable
from haikuft.dataset.read.json_lines import (
    Example,
    naming_os_errors,
    open_file,
    parse_line,
    read_values,
)
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK, recognise_table
from haikuft.dataset.read.tables import read_table
from haikuft.errors import DataError

_HEAD_BYTES = 10_000  # enough to recognise a format, or a table's columns
_MAX_LIST_BYTES = 512 * 2**20  # a JSON list must be read whole


def detect_format(path: str | os.PathLike[str]) -> str:
    """Name the format of a file by its first bytes and its first example.

    Returns:
        A name of `haikuft.dataset.formats.FORMATS` or `TABLES`, such as "messages" or "csv", or
        "unknown".

    Raises:
        DataError: the file cannot be read or is empty.
    """
    name = os.fsdecode(path)
    with naming_os_errors(path):
        head = _read_head(path)
        if table := recognise_table(head, Path(name).suffix.lower()):
            return table
        for _, value, findings in _read_objects(path, head):
            return UNKNOWN if value is None and findings else recognise(value)
    raise DataError(
        f"{quotable(name)}: the file is empty. Put one example on each line, as a JSON object."
    )


def first_example(
    path: str | os.PathLike[str], *, sheet: str = "", separator: str = ""
) -> dict[str, Any]:
    """Give the first example of a file as it is written there; a table's row by column names.

    Args:
        path: As for `read_examples`.
        sheet: As for `read_examples`.
        separator: As for `read_examples`.

    Raises:
        DataError: the file cannot be read, is empty, or begins with something else.
    """
    name = quotable(os.fsdecode(path))
    for line, value, findings in read_examples(
        path, detect_format(path), sheet=sheet, separator=separator
    ):
        if isinstance(value, dict):
            return value
        words = (
            describe(findings[0])
            if findings
            else "this is not an object. Write each example as one."
        )
        raise DataError(f"{name}, line {line}: {words}")
    raise DataError(f"{name}: there are no examples in it. Put one on each line.")


def read_examples(
    path: str | os.PathLike[str], format_name: str, *, sheet: str = "", separator: str = ""
) -> Iterator[Example]:
    """Read a file's examples.

    Args:
        path: JSON Lines, one JSON list, CSV, TSV, Parquet or Excel.
        format_name: What `detect_format` says, or another format that the caller knows.
        sheet: The sheet of an Excel workbook; "" takes the only one that has rows.
        separator: Between the columns of a CSV or TSV file; "" finds it.

    Yields:
        Line number, example, and what is wrong with the line; an example of None with findings
        could not be read.

    Raises:
        DataError: the file cannot be read at all.
    """
    with naming_os_errors(path):
        if format_name in TABLES:
            yield from read_table(path, format_name, sheet=sheet, separator=separator)
        else:
            yield from _read_objects(path, _read_head(path))


def _read_head(path: str | os.PathLike[str]) -> bytes:
    with open_file(path) as file:
        if not file.seekable():
            raise DataError(
                f"{quotable(os.fsdecode(path))}: this is a pipe, and the file is read twice. "
                "Save it first."
            )
        return file.read(_HEAD_BYTES)


def _read_objects(path: str | os.PathLike[str], head: bytes) -> Iterator[Example]:
    """Read JSON Lines, or one JSON list of objects, as ShareGPT and Alpaca are often published."""
    start = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b""):
        return _read_list(path)
    return read_values(path)


def _read_list(path: str | os.PathLike[str]) -> Iterator[Example]:
    with open_file(path) as file:
        data = file.read(_MAX_LIST_BYTES + 1)
    if len(data) > _MAX_LIST_BYTES:
        raise OSError(f"a JSON list larger than {_MAX_LIST_BYTES // 2**20} MiB")
    try:
        text = data.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        yield line, None, [Finding("not-utf8", "", "a byte is not UTF-8", "Save it as UTF-8.")]
        return
    decoder = json.JSONDecoder()
    line, counted, position = 1, 0, _skip_space(text, text.index("[") + 1)
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            yield line, None, [_BROKEN_LIST]
            return
        # Parsed again by our own reader, which also finds doubled keys and NaN.
        yield line, *parse_line(text[position:end].replace("\n", " ").encode())
        position = _skip_space(text, end)
        if text[position : position + 1] == ",":
            position = _skip_space(text, position + 1)
        elif text[position : position + 1] != "]":
            break
    if text[position : position + 1] != "]" or text[position + 1 :].strip():
        yield line + text.count("\n", counted, position), None, [_BROKEN_LIST]


def _skip_space(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\r", "\n"):
        position += 1
    return position


_BROKEN_LIST = Finding(
    "not-json",
    "",
    "the list cannot be read from here on",
    "Write it with a JSON library, or each example on a line of its own.",
)
