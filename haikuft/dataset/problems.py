"""Problems of data files: every code with its severity, and one finding with its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

ROLES = ("user", "assistant")

Severity = Literal["error", "warning"]
Basis = Literal["refused", "stricter", "advice"]


class Rule(NamedTuple):
    """What a code means.

    Attributes:
        severity: "error" must be fixed, "warning" should be looked at.
        basis: "refused" by Bedrock, "stricter" than Bedrock, or "advice".
    """

    severity: Severity
    basis: Basis


_REFUSED = Rule("error", "refused")
_STRICTER = Rule("error", "stricter")
_ADVICE = Rule("warning", "advice")

# Every code there is. They are stable: people write them into their own checks.
RULES: Mapping[str, Rule] = {
    # the file
    "cannot-read": _REFUSED,
    "not-text": _REFUSED,
    "file-too-large": _REFUSED,
    "too-few-records": _REFUSED,
    "too-many-records": _REFUSED,
    "too-many-records-together": _REFUSED,
    "few-records": _ADVICE,
    "gave-up": _STRICTER,
    "not-all-compared": _ADVICE,
    "label-imbalance": _ADVICE,
    "validation-not-taken": _STRICTER,
    # its lines
    "byte-order-mark": _ADVICE,
    "windows-line-ends": _ADVICE,
    "blank-last-line": _ADVICE,
    "blank-line": _REFUSED,
    "carriage-return": _STRICTER,
    "line-too-long": _REFUSED,
    "not-utf8": _REFUSED,
    "not-json": _REFUSED,
    # its records
    "wrong-format": _REFUSED,
    "not-object": _REFUSED,
    "double-key": _STRICTER,
    "unknown-key": _STRICTER,
    "missing-key": _REFUSED,
    "wrong-type": _REFUSED,
    "empty-key": _ADVICE,
    "null-system": _ADVICE,
    "empty-system": _ADVICE,
    "wrong-role": _REFUSED,
    "too-few-messages": _REFUSED,
    "first-not-user": _REFUSED,
    "not-alternating": _REFUSED,
    "last-not-assistant": _REFUSED,
    # their texts
    "not-plain-text": _STRICTER,
    "several-texts": _STRICTER,
    "empty-turn": _REFUSED,
    "empty-text": _STRICTER,
    "invisible-text": _STRICTER,
    "reserved-string": _REFUSED,
    "reserved-in-answer": _ADVICE,
    "nul": _STRICTER,
    "lone-surrogate": _REFUSED,
    "too-many-tokens": _REFUSED,
    "perhaps-too-many-tokens": _ADVICE,
    "outer-white-space": _ADVICE,
    # one record beside another
    "answer-equals-prompt": _ADVICE,
    "duplicate-record": _ADVICE,
    "different-answers": _ADVICE,
    "odd-system-prompt": _ADVICE,
    "overlap": _ADVICE,
}


class Finding(NamedTuple):
    """A problem whose file and line are not yet known.

    Attributes:
        code: One of `RULES`.
        place: Inside the record, e.g. "messages[3].content"; "" for all of it.
        message: What is wrong, as a sentence without its full stop.
        fix: How to fix it, as one or more sentences.
    """

    code: str
    place: str
    message: str
    fix: str


def is_error(finding: Finding) -> bool:
    """Whether a finding is an error, not a warning; what only conversion finds is one."""
    rule = RULES.get(finding.code)
    return rule is None or rule.severity == "error"


def describe(finding: Finding) -> str:
    """Write a finding as sentences, its place first, e.g. `system: the text is empty. …`."""
    place = f"{finding.place}: " if finding.place else ""
    return f"{place}{finding.message}. {finding.fix}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The file's name, as the caller gave it.
        line: Its line, counted from 1; None where the whole file is meant.
        place: Inside the record, e.g. "messages[3].content"; "" for all of it.
        code: A stable name, one of `RULES`.
        severity: "error" or "warning".
        message: What is wrong.
        fix: How to fix it.
        basis: "refused" by Bedrock, "stricter" than Bedrock, or "advice".
    """

    file: str
    line: int | None
    place: str
    code: str
    severity: Severity
    message: str
    fix: str
    basis: Basis

    @property
    def where(self) -> str:
        """File, line and place, e.g. `train.jsonl, line 3, system`."""
        line = "" if self.line is None else f", line {self.line}"
        return quotable(self.file) + line + (f", {self.place}" if self.place else "")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.fix}"


def count(number: int, noun: str) -> str:
    """Write a number with its noun, e.g. `1 record` or `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_place(place: str, key: str | int) -> str:
    """Name a place inside a record, e.g. ("messages[0]", "role") -> "messages[0].role"."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    name = key if key.isidentifier() and len(key) <= 40 else f"[{quote(key)}]"
    return f"{place}.{name}" if place and not name.startswith("[") else f"{place}{name}"


def quotable(text: str) -> str:
    """Make any text fit to be printed: what is not printable becomes an escape."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def quote(text: str, *, longest: int = 40) -> str:
    """Put a text from a file between quotes, escaped and shortened."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return f'"{quotable(cut)}"'
