"""A JSON Lines file, line by line: any bytes, any size, never more than one line in memory."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from haikuft.dataset.problems import Finding, quote

MAX_LINE_BYTES = 16 * 2**20  # far beyond any model's token limit
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

LINE_TOO_LONG = Finding(
    "line-too-long",
    "",
    f"the line is longer than {MAX_LINE_BYTES // 2**20} MiB and was passed over",
    "Put each record on a line of its own, and shorten what is longer.",
)

# What a file starts with that is no JSON Lines file at all -> what it is, how to mend it.
_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it with `gunzip`."),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or export its rows."),
    (b"PAR1", "a Parquet file", "Export its rows as JSON Lines."),
    (b"\xff\xfe", "UTF-16 text", "Save it again as UTF-8."),
    (b"\xfe\xff", "UTF-16 text", "Save it again as UTF-8."),
)


class Line(NamedTuple):
    """One line of a file.

    Attributes:
        number: Counted from 1.
        data: Its bytes with the line end; None if it is too long to be held.
        end: Bytes of the file up to and with this line.
    """

    number: int
    data: bytes | None
    end: int


class DoubledKeys(dict[str, Any]):
    """A JSON object in which keys stood more than once; `names` says which."""

    names: list[str]


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes.

    Raises:
        OSError: it cannot be opened, or its name cannot be one.
    """
    try:
        return Path(os.fsdecode(path)).open("rb")
    except ValueError as error:  # a NUL in the name
        raise OSError(str(error)) from error


def read_lines(file: BinaryIO, *, max_bytes: int) -> Iterator[Line]:
    """Read a file line by line and stop after the line in which it passes `max_bytes`."""
    number, end = 0, 0
    while end <= max_bytes and (data := file.readline(MAX_LINE_BYTES + 1)):
        number += 1
        end += len(data)
        if len(data) <= MAX_LINE_BYTES:
            yield Line(number, data, end)
            continue
        while end <= max_bytes and not data.endswith(b"\n"):
            data = file.readline(2**20)
            if not data:
                break
            end += len(data)
        yield Line(number, None, end)


def read_values(path: str | os.PathLike[str]) -> Iterator[tuple[int, Any, list[Finding]]]:
    """Read and parse a file line by line, passing over blank lines.

    Yields:
        Line number, value, and what is wrong with the line, as `parse_line` gives them.

    Raises:
        OSError: the file cannot be opened or read.
    """
    with open_file(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            if data is None:
                yield number, None, [LINE_TOO_LONG]
                continue
            if number == 1:
                if finding := recognise_signature(data):
                    yield 1, None, [finding]
                    return
                data = data.removeprefix(BYTE_ORDER_MARK)
            if data.strip():
                yield number, *parse_line(data)


def recognise_signature(first: bytes) -> Finding | None:
    """Recognise by its first bytes a file that cannot be JSON Lines."""
    for signature, name, mend in _SIGNATURES:
        if first.startswith(signature):
            return Finding("not-text", "", f"the file is {name}, not JSON Lines", mend)
    return None


def parse_line(data: bytes) -> tuple[Any, list[Finding]]:
    """Decode one line as UTF-8 and JSON.

    Returns:
        The value and what is wrong. A value of None with findings could not be parsed; one with
        findings of doubled keys could, the last of each key standing.
    """
    try:
        text = data.rstrip(b"\r\n").decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [_explain_encoding(data, error)]
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return None, [_explain_json(text, error)]
    except RecursionError:
        return None, [
            Finding(
                "not-json", "", "brackets are nested too deeply", "Write the record as flat text."
            )
        ]
    except ValueError as error:
        # NaN and its like (see _refuse_constant), or an integer of thousands of digits.
        what = str(error) if str(error) in _CONSTANTS else "a number too long to be read"
        return None, [
            Finding("not-json", "", f"{what} is not allowed in JSON", "Write it as text.")
        ]
    return value, _find_doubled(value)


_CONSTANTS = frozenset({"NaN", "Infinity", "-Infinity"})


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _build_object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    doubled = DoubledKeys(value)
    seen: set[str] = set()
    names = [name for name, _ in pairs if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    doubled.names = list(dict.fromkeys(names))
    return doubled


_DECODER = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_refuse_constant)


def join_place(place: str, key: str | int) -> str:
    """Name a place inside a record, e.g. ("messages[0]", "role") -> "messages[0].role"."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    name = key if key.isidentifier() and len(key) <= 40 else f"[{quote(key)}]"
    return f"{place}.{name}" if place and not name.startswith("[") else f"{place}{name}"


def _find_doubled(value: Any) -> list[Finding]:
    findings = []
    todo: list[tuple[str, Any]] = [("", value)]
    while todo:
        place, item = todo.pop()
        if isinstance(item, DoubledKeys):
            findings += [
                Finding(
                    "double-key",
                    join_place(place, name),
                    f"the key {quote(name)} stands twice in one object, and only one of its "
                    "values can count",
                    "Keep the one that is meant.",
                )
                for name in item.names
            ]
        if isinstance(item, dict):
            todo += [(join_place(place, key), inner) for key, inner in item.items() if inner]
        elif isinstance(item, list):
            todo += [(join_place(place, n), inner) for n, inner in enumerate(item) if inner]
    return findings


def _explain_encoding(data: bytes, error: UnicodeDecodeError) -> Finding:
    column = len(data[: error.start].decode("utf-8")) + 1
    byte = data[error.start : error.start + 1]
    guess = byte.decode("cp1252", "ignore")
    meant = f" (perhaps {quote(guess)} in an old Windows encoding)" if guess.isalpha() else ""
    return Finding(
        "not-utf8",
        "",
        f"column {column}: the byte 0x{byte.hex().upper()} is not UTF-8{meant}",
        "Save the file as UTF-8.",
    )


def _explain_json(text: str, error: json.JSONDecodeError) -> Finding:
    position = error.pos
    before = text[:position].rstrip()
    near = text[position : position + 1]
    if near and near in "}]" and before.endswith(","):
        # Python 3.13 points at the comma, earlier ones at the bracket after it.
        position, near = len(before) - 1, ","
    elif not text[position:].strip():
        position = len(before)
    cause, mend = _explain_json_cause(text, position, near, error.msg)
    return Finding("not-json", "", f"column {position + 1}: not valid JSON, {cause}", mend)


def _explain_json_cause(text: str, position: int, near: str, words: str) -> tuple[str, str]:
    if near == "\ufeff":
        return "a byte order mark stands here", "Remove it; save as UTF-8 without one."
    if words.startswith("Extra data"):
        if "\r" in text:
            return (
                "a second value follows, after a carriage return alone",
                "End lines with a line feed (LF), as editors call the Unix way.",
            )
        return "a second value follows the first", "Put each record on a line of its own."
    if near == "," and text[position + 1 :].lstrip()[:1] in ("}", "]"):
        return "a comma stands before a closing bracket", "Remove the comma."
    if near == "'":
        return "single quotes", "Write all keys and texts in double quotes."
    if words.startswith("Invalid control character"):
        return (
            f"a bare control character (U+{ord(near or ' '):04X}) inside a text",
            r"Write it as an escape, such as \n or \t, or remove it.",
        )
    if words.startswith("Invalid \\"):
        return "a backslash that escapes nothing", "Write a backslash itself as two of them."
    if words.startswith("Unterminated string"):
        return "a text that starts here has no closing quote", (
            r"Close it; a double quote inside a text is written \", a line break \n."
        )
    if not text[position:].strip():
        return "it breaks off here", (
            "Close all brackets, and write each record whole on one line."
        )
    word = text[position : position + 5]
    for name in ("None", "True", "False"):
        if word.startswith(name):
            return f"{name} is Python's word", "Write the file with json.dumps."
    return f"{quote(near)} is not expected here", "Write each record with a JSON library."
