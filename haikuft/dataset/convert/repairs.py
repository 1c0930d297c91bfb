"""The safe repairs: each changes nothing that a model could learn, and is listed."""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from haikuft.dataset.content import HARMLESS_KEYS
from haikuft.dataset.problems import count, join_place, quote
from haikuft.dataset.read.json_lines import open_unpacked, read_lines
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK
from haikuft.dataset.records import Record


class Repair(NamedTuple):
    """One thing that was repaired.

    Attributes:
        line: In the source, counted from 1; None where the whole file is meant.
        place: Inside the example, e.g. "messages[1].content"; "" for all of it.
        code: What was repaired, such as "outer-white-space"; if `haikuft validate` has a problem
            for it, they share their name.
        message: What was done, as a sentence without its full stop.
        file: The file in a folder of several; "" where there is one.
    """

    line: int | None
    place: str
    code: str
    message: str
    file: str = ""

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}"
        where = ", ".join(part for part in (self.file, line, self.place) if part) or "whole file"
        return f"{where}: {self.message}"


def find_line_repairs(path: str | os.PathLike[str]) -> Iterator[Repair]:
    """Find what a new file will not have: a byte order mark, CR LF, blank lines.

    Raises:
        OSError: the file cannot be opened or read.
    """
    windows = 0
    with open_unpacked(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            if data is None:
                continue
            if number == 1 and data.startswith(BYTE_ORDER_MARK):
                data = data.removeprefix(BYTE_ORDER_MARK)
                yield Repair(1, "", "byte-order-mark", "byte order mark removed")
            windows += data.endswith(b"\r\n")
            if not data.strip():
                yield Repair(number, "", "blank-line", "blank line removed")
    if windows:
        message = f"CR LF at the end of {count(windows, 'line')} replaced by LF"
        yield Repair(None, "", "windows-line-ends", message)


def repair_example(example: Mapping[str, Any], line: int) -> tuple[dict[str, Any], list[Repair]]:
    """Remove harmless keys from an example and its turns.

    A harmless key that holds a list or an object stays.
    """
    repaired, repairs = _remove_harmless(example, "", line)
    for key in ("messages", "conversations", "contents"):
        if not isinstance(turns := repaired.get(key), list):
            continue
        repaired[key] = []
        for number, turn in enumerate(turns):
            if isinstance(turn, dict):
                turn, more = _remove_harmless(turn, join_place(key, number), line)
                repairs += more
            repaired[key].append(turn)
    return repaired, repairs


def repair_texts(record: Record, line: int) -> tuple[Record, list[Repair]]:
    """Remove white space from the ends of a record's texts; a text of white space alone stays."""
    turns, repairs = [dict(turn) for turn in record["messages"]], []
    repaired = {**record, "messages": turns}
    texts = [(turn, "content", f"messages[{n}].content") for n, turn in enumerate(turns)]
    texts += [(repaired, "system", "system")] if "system" in record else []
    for owner, key, place in texts:
        text = owner[key]
        if text.strip() not in ("", text):
            owner[key] = text.strip()
            repairs.append(Repair(line, place, "outer-white-space", "outer white space removed"))
    return repaired, repairs


def _remove_harmless(
    value: Mapping[str, Any], place: str, line: int
) -> tuple[dict[str, Any], list[Repair]]:
    kept = {
        key: inner
        for key, inner in value.items()
        if key not in HARMLESS_KEYS or isinstance(inner, list | dict)
    }
    repairs = [
        Repair(line, join_place(place, key), "harmless-key", f"key {quote(key)} removed")
        for key in value
        if key not in kept
    ]
    return kept, repairs
