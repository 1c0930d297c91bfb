"""Problems of data files: every code with its severity, and one finding with its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from haikuft.package_data import read_toml

ROLES = ("user", "assistant")

Severity = Literal["error", "warning"]
Basis = Literal["refused", "stricter", "advice"]


class Rule(NamedTuple):
    """One row of `rules.toml`, which says what each column holds."""

    basis: Basis
    message: str = ""
    fix: str = ""

    @property
    def severity(self) -> Severity:
        """An "error" must be fixed, a "warning" should be looked at."""
        return "warning" if self.basis == "advice" else "error"


@cache
def load_rules() -> Mapping[str, Rule]:
    """Read the rules; code -> its rule."""
    return {code: Rule(**row) for code, row in read_toml(__package__, "rules.toml").items()}


class Finding(NamedTuple):
    """A problem whose file and line are not yet known.

    Attributes:
        code: One of `rules.toml`.
        place: Inside the record, e.g. "messages[3].content"; "" for all of it.
        message: What is wrong, as a sentence without its full stop.
        fix: How to fix it, as one or more sentences.
    """

    code: str
    place: str
    message: str
    fix: str


def make_finding(code: str, place: str = "", **values: object) -> Finding:
    """Make a finding in the words of its rule, the names in braces replaced by values."""
    _, message, fix = load_rules()[code]
    return Finding(code, place, message.format_map(values), fix.format_map(values))


def is_error(finding: Finding) -> bool:
    """Whether a finding is an error, not a warning; what only conversion finds is one."""
    rule = load_rules().get(finding.code)
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
        code: A stable name, one of `rules.toml`.
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
