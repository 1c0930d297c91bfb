"""The safe mends of a repair: each changes nothing that a model could learn, and is told."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from haikuft.dataset.formats.content import HARMLESS_KEYS
from haikuft.dataset.problems import SHOWN, join_place, quote
from haikuft.dataset.read.json_lines import BYTE_ORDER_MARK, open_file, read_lines
from haikuft.dataset.records import Record


class Mend(NamedTuple):
    """One thing that a repair did.

    Attributes:
        line: In the source, counted from 1; None where the whole file is meant.
        place: Inside the example, e.g. "messages[1].content"; "" for the whole of it.
        code: What kind of mend it is, such as "outer-white-space"; where `haikuft validate` has a
            problem for it, they share their name.
        message: What was done, as a sentence without its full stop.
    """

    line: int | None
    place: str
    code: str
    message: str

    def __str__(self) -> str:
        line = "" if self.line is None else f"line {self.line}"
        where = ", ".join(part for part in (line, self.place) if part) or "whole file"
        return f"{where}: {self.message}"


class MendTally:
    """What a repair did so far: the first 20 of each kind, and how many there were."""

    def __init__(self) -> None:
        self.mends: list[Mend] = []
        self.counts: Counter[str] = Counter()

    def add(self, *mends: Mend) -> None:
        """Count mends, and keep them unless there are enough of their kind."""
        for mend in mends:
            self.counts[mend.code] += 1
            if self.counts[mend.code] <= SHOWN:
                self.mends.append(mend)


def find_line_mends(path: str | os.PathLike[str]) -> Iterator[Mend]:
    """Find what a new file will not have: a byte order mark, CR LF, blank lines.

    Raises:
        OSError: the file cannot be opened or read.
    """
    windows = 0
    with open_file(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            if data is None:
                continue
            if number == 1 and data.startswith(BYTE_ORDER_MARK):
                data = data.removeprefix(BYTE_ORDER_MARK)
                yield Mend(1, "", "byte-order-mark", "byte order mark removed")
            windows += data.endswith(b"\r\n")
            if not data.strip():
                yield Mend(number, "", "blank-line", "blank line removed")
    if windows:
        words = f"CR LF at the end of {windows:,} line{'s' if windows > 1 else ''} is now LF"
        yield Mend(None, "", "windows-line-ends", words)


def mend_example(example: Mapping[str, Any], line: int) -> tuple[dict[str, Any], list[Mend]]:
    """Take away keys known to be harmless, and a system prompt that is null.

    They are looked for at the top and in the turns; a harmless key that holds a list or an object
    is left for a person to judge.
    """
    mended, mends = _without_harmless(example, "", line)
    if "system" in mended and mended["system"] is None:
        del mended["system"]
        mends.append(Mend(line, "system", "null-system", "system prompt of null removed"))
    for key in ("messages", "conversations"):
        if not isinstance(turns := mended.get(key), list):
            continue
        mended[key] = []
        for number, turn in enumerate(turns):
            if isinstance(turn, dict):
                turn, more = _without_harmless(turn, join_place(key, number), line)
                mends += more
            mended[key].append(turn)
    return mended, mends


def mend_texts(record: Record, line: int) -> tuple[Record, list[Mend]]:
    """Take white space from the ends of a record's texts; one that is nothing else stays."""
    mends: list[Mend] = []

    def strip(text: Any, place: str) -> Any:
        if not isinstance(text, str) or text.strip() in ("", text):
            return text
        mends.append(Mend(line, place, "outer-white-space", "outer white space removed"))
        return text.strip()

    mended = dict(record)
    if "system" in mended:
        mended["system"] = strip(mended["system"], "system")
    if isinstance(mended.get("messages"), list):
        mended["messages"] = [
            {**turn, "content": strip(turn["content"], f"messages[{number}].content")}
            if isinstance(turn, dict) and "content" in turn
            else turn
            for number, turn in enumerate(mended["messages"])
        ]
    return mended, mends


def _without_harmless(
    value: Mapping[str, Any], place: str, line: int
) -> tuple[dict[str, Any], list[Mend]]:
    gone = [
        key
        for key, inner in value.items()
        if key in HARMLESS_KEYS and not isinstance(inner, list | dict)
    ]
    mends = [
        Mend(line, join_place(place, key), "harmless-key", f"key {quote(key)} removed")
        for key in gone
    ]
    return {key: inner for key, inner in value.items() if key not in gone}, mends
