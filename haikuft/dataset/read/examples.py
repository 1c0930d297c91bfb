"""Raw examples of any format, one after the other, each with its line."""

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from haikuft.dataset.content import describe_no_object
from haikuft.dataset.formats import TABLES, UNKNOWN, recognise
from haikuft.dataset.problems import Finding, describe, quotable
from haikuft.dataset.read import json_lines
from haikuft.dataset.read.json_errors import explain_json
from haikuft.dataset.read.json_values import parse_line
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK, recognise_table, spans_lines
from haikuft.dataset.read.sources import list_files
from haikuft.dataset.read.tables import read_table
from haikuft.errors import DataError

_HEAD_BYTES = 10_000  # enough to recognise a format, or a table's columns
_LIST_START = re.compile(rb"\s*\[\s*(\{|\Z)")
_DECODER = json.JSONDecoder()
# What may stand between two examples, and what ends the file.
_IN_LIST = re.compile(r"[ \t\r\n]*,[ \t\r\n]*"), re.compile(r"[ \t\r\n]*\][ \t\r\n]*\Z")
_IN_SEQUENCE = re.compile(r"[ \t\r\n]*"), re.compile(r"[ \t\r\n]*\Z")
_MAX_WHOLE_BYTES = 512 * 2**20  # of JSON that is not JSON Lines, which must be read whole


def detect_format(path: str | os.PathLike[str]) -> str:
    """Name the format of a file by its first bytes and its first example.

    Returns:
        A name of `haikuft.dataset.formats.FORMATS` or `TABLES`, such as "messages" or "csv", or
        "unknown".

    Raises:
        DataError: the file cannot be read or is empty.
    """
    for file in list_files(path):
        with json_lines.naming_os_errors(file):
            head = _read_head(file)
            if table := recognise_table(head, file.suffix.lower()):
                return table
            for _, value, findings in _read_objects(file, head):
                return UNKNOWN if value is None and findings else recognise(value)
    raise DataError(
        f"{quotable(os.fsdecode(path))}: the file is empty. Put one example on each line, as a "
        "JSON object."
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
        found = findings[0] if findings else describe_no_object(value)
        raise DataError(f"{name}, line {line}: {describe(found)}")
    raise DataError(f"{name}: there are no examples in it. Put one on each line.")


def read_examples(
    path: str | os.PathLike[str], format_name: str, *, sheet: str = "", separator: str = ""
) -> Iterator[json_lines.Example]:
    """Read a file's examples.

    Args:
        path: JSON Lines, or JSON of one list or object, which gzip may have compressed; CSV, TSV,
            Parquet or Excel; or a folder of model invocation logs, as `list_files` finds them.
        format_name: What `detect_format` says, or another format that the caller knows.
        sheet: The sheet of an Excel workbook; "" takes the only one that has rows.
        separator: Between the columns of a CSV or TSV file; "" finds it.

    Yields:
        Line number, example, and what is wrong with the line; an example of None with findings
        could not be read.

    Raises:
        DataError: the file cannot be read at all.
    """
    for file in list_files(path):
        with json_lines.naming_os_errors(file):
            if format_name in TABLES:
                yield from read_table(file, format_name, sheet=sheet, separator=separator)
            else:
                yield from _read_objects(file, _read_head(file))


def _read_head(path: str | os.PathLike[str]) -> bytes:
    with json_lines.open_unpacked(path) as file:
        if not file.seekable():
            raise DataError(
                f"{quotable(os.fsdecode(path))}: this is a pipe, and the file is read twice. "
                "Save it first."
            )
        return file.read(_HEAD_BYTES)


def _read_objects(path: str | os.PathLike[str], head: bytes) -> Iterator[json_lines.Example]:
    """Read JSON Lines, or one JSON list of objects, or objects that are written over many lines."""
    whole = spans_lines(head) or _LIST_START.match(head.removeprefix(BYTE_ORDER_MARK))
    return _read_whole(path) if whole else json_lines.read_values(path, unpack=True)


def _read_whole(path: str | os.PathLike[str]) -> Iterator[json_lines.Example]:
    """Read a file that is one JSON list, or objects one after the other."""
    with json_lines.open_unpacked(path) as file:
        data = file.read(_MAX_WHOLE_BYTES + 1)
    if len(data) > _MAX_WHOLE_BYTES:
        raise OSError(f"JSON that is not JSON Lines, larger than {_MAX_WHOLE_BYTES // 2**20} MiB")
    try:
        text = data.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        yield line, None, [Finding("not-utf8", "", "a byte is not UTF-8", "Save it as UTF-8.")]
        return
    position = len(text) - len(text.lstrip(" \t\r\n["))
    between, end = _IN_LIST if "[" in text[:position] else _IN_SEQUENCE
    line, counted = 1, 0
    while not end.match(text, position):
        line, counted = line + text.count("\n", counted, position), position
        try:
            _, stop = _DECODER.raw_decode(text, position)
        except json.JSONDecodeError as error:
            yield error.lineno, None, [_explain_in_line(text, error)]
            return
        except (ValueError, RecursionError):
            yield line, None, [_BROKEN]
            return
        # Parsed again by our own reader, which also finds doubled keys and NaN.
        yield line, *parse_line(text[position:stop].replace("\n", " ").encode())
        gap = between.match(text, stop)
        position = gap.end() if gap else stop
        if not gap and not end.match(text, stop):
            yield line + text.count("\n", counted, stop), None, [_BROKEN]
            return


def _explain_in_line(text: str, error: json.JSONDecodeError) -> Finding:
    """Name column and cause of an error in the line in which it is."""
    start = error.pos - error.colno + 1
    line = "".join(text[start:].partition("\n")[:2])
    return explain_json(line, json.JSONDecodeError(error.msg, line, error.colno - 1))


_BROKEN = Finding(
    "not-json",
    "",
    "the list cannot be read from here on",
    "Write it with a JSON library, or each example on a line of its own.",
)
