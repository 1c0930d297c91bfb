"""Raw examples of any format, one after the other, each with the line it stands in."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from haikuft.dataset.formats import (
    CSV,
    EXCEL,
    PARQUET,
    TABLES,
    TSV,
    UNKNOWN,
    recognise,
)
from haikuft.dataset.problems import Finding, describe, quotable, quote
from haikuft.dataset.read.json_lines import (
    BYTE_ORDER_MARK,
    explain_os_error,
    open_file,
    parse_line,
    read_values,
)
from haikuft.dataset.read.tables import Row, read_table
from haikuft.errors import DataError

_SUFFIXES = {".csv": CSV, ".tsv": TSV}
_HEAD_BYTES = 10_000  # enough to tell a format, or a table's columns
_MAX_LIST_BYTES = 512 * 2**20  # a JSON list must be read whole


def detect_format(path: str | os.PathLike[str]) -> str:
    """Name the format of a file by its first bytes and its first example.

    Returns:
        One of `haikuft.dataset.formats.FORMATS`, such as "messages" or "csv", or "unknown".

    Raises:
        DataError: the file cannot be read or is empty.
    """
    name = quotable(os.fsdecode(path))
    try:
        head = _read_head(path)
        if table := _recognise_table(head, os.fsdecode(path)):
            return table
        for _, value, findings in _read_objects(path, head):
            return UNKNOWN if value is None and findings else recognise(value)
    except OSError as error:
        raise DataError(f"{name}: {explain_os_error(error)}") from error
    raise DataError(f"{name}: the file is empty. Put one example on each line, as a JSON object.")


def first_example(path: str | os.PathLike[str], format_name: str = "") -> dict[str, Any]:
    """Show the first example of a file as it stands there, a table's row under its columns' names.

    Raises:
        DataError: the file cannot be read, is empty, or begins with something else.
    """
    name = quotable(os.fsdecode(path))
    for line, value, findings in read_examples(path, format_name or detect_format(path)):
        if isinstance(value, dict):
            return value
        words = describe(findings[0]) if findings else "this is no object. Put examples in it."
        raise DataError(f"{name}, line {line}: {words}")
    raise DataError(f"{name}: there are no examples in it. Put one on each line.")


def read_examples(
    path: str | os.PathLike[str],
    format_name: str,
    *,
    prompt_column: str = "",
    completion_column: str = "",
    left: dict[str, None] | None = None,
) -> Iterator[Row]:
    """Read a file's examples; named columns become its prompts and completions.

    Args:
        path: JSON Lines, one JSON list, CSV, TSV, Parquet or Excel.
        format_name: What `detect_format` says, or what you know better.
        prompt_column: The column, or key, of the prompts; "" takes examples as they are.
        completion_column: That of the answers.
        left: Gets the names of the columns that stay behind because others were named.

    Yields:
        Line number, example, and what is wrong with the line; an example of None with findings
        could not be read.

    Raises:
        DataError: the file cannot be read at all.
    """
    name = quotable(os.fsdecode(path))
    columns = (prompt_column, completion_column)
    try:
        if format_name in TABLES:
            rows = read_table(path, format_name)
        else:
            rows = _read_objects(path, _read_head(path))
        for number, value, findings in rows:
            if any(columns) and isinstance(value, dict):
                picked, faults = _pick(value, *columns)
                if left is not None:
                    left.update(dict.fromkeys(_left_behind(value, *columns)))
                yield number, picked, [*findings, *faults]
            else:
                yield number, value, findings
    except OSError as error:
        raise DataError(f"{name}: {explain_os_error(error)}") from error


def _left_behind(value: dict[str, Any], prompt_column: str, completion_column: str) -> list[str]:
    taken = {prompt_column or "prompt", completion_column or "completion", "system"}
    return [key for key in value if key not in taken]


def _pick(
    value: dict[str, Any], prompt_column: str, completion_column: str
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Take the named columns as prompt and completion, and one called "system" as that."""
    wanted = {"prompt": prompt_column or "prompt", "completion": completion_column or "completion"}
    faults = [
        Finding(
            "missing-key",
            column,
            f"there is no column {quote(column)}",
            f"There are {', '.join(map(quote, value)) or 'none'}.",
        )
        for column in wanted.values()
        if column not in value
    ]
    if faults:
        return None, faults
    picked = {key: value[column] for key, column in wanted.items()}
    if "system" in value and "system" not in wanted.values():
        picked["system"] = value["system"]
    return picked, []


def _read_head(path: str | os.PathLike[str]) -> bytes:
    with open_file(path) as file:
        if not file.seekable():
            raise DataError(
                f"{quotable(os.fsdecode(path))}: this is a pipe, and the file is read twice. "
                "Save it first."
            )
        return file.read(_HEAD_BYTES)


def _recognise_table(head: bytes, path: str) -> str:
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122 - a path may be any bytes
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith(b"PK\x03\x04") and (suffix in (".xlsx", ".xlsm") or b"xl/" in head):
        return EXCEL
    with suppress(UnicodeDecodeError):
        text = head.split(b"\n", 1)[0].removeprefix(BYTE_ORDER_MARK).decode("utf-8").strip("\r\n")
        if not text or text.strip().startswith(("{", "[")):
            return ""
        if suffix in _SUFFIXES:
            return _SUFFIXES[suffix]
        if text.replace("\t", "").isprintable() and any(mark in text for mark in "\t,;"):
            return TSV if "\t" in text else CSV
    return ""


def _read_objects(path: str | os.PathLike[str], head: bytes) -> Iterator[Row]:
    """Read JSON Lines, or one JSON list of objects as ShareGPT and Alpaca are often passed on."""
    start = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"{", b""):
        return _read_list(path)
    return read_values(path)


def _read_list(path: str | os.PathLike[str]) -> Iterator[Row]:
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
    position, line, counted = text.index("[") + 1, 1, 0
    while True:
        position = _skip(text, position, " \t\r\n")
        line, counted = line + text.count("\n", counted, position), position
        if text[position : position + 1] == "]":
            if text[position + 1 :].strip():
                yield line, None, [_BROKEN]
            return
        try:
            _, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            yield line, None, [_BROKEN]
            return
        # Once more by our own reader, which also finds doubled keys and NaN.
        yield line, *parse_line(text[position:end].replace("\n", " ").encode())
        position = _skip(text, end, " \t\r\n")
        if text[position : position + 1] == ",":
            position += 1
        elif text[position : position + 1] != "]":
            yield line + text.count("\n", counted, position), None, [_BROKEN]
            return


_BROKEN = Finding(
    "not-json",
    "",
    "the list cannot be read from here on",
    "Write it with a JSON library, or each example on a line of its own.",
)


def _skip(text: str, position: int, blanks: str) -> int:
    while text[position : position + 1] and text[position] in blanks:
        position += 1
    return position
