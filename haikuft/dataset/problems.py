"""What can be wrong with a data file, and the report that says so."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal, NamedTuple

from haikuft.dataset.tokens import TokenRange, add_tokens
from haikuft.errors import DataError

Severity = Literal["error", "warning"]
Basis = Literal["refused", "stricter", "advice"]
Kind = Literal["training", "validation", "test"]

SHOWN = 20  # rows of a report, and problems kept of each code in each file; the rest is counted


class Rule(NamedTuple):
    """What a code stands for.

    Attributes:
        severity: "error" must be mended, "warning" wants a look.
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
    "not-all-compared": _ADVICE,
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
    "null-system": _STRICTER,
    "wrong-role": _REFUSED,
    "too-few-messages": _REFUSED,
    "first-not-user": _REFUSED,
    "not-alternating": _REFUSED,
    "last-not-assistant": _REFUSED,
    # their texts
    "empty-text": _STRICTER,
    "invisible-text": _STRICTER,
    "reserved-string": _REFUSED,
    "nul": _STRICTER,
    "lone-surrogate": _REFUSED,
    "too-many-tokens": _REFUSED,
    "perhaps-too-many-tokens": _ADVICE,
    "outer-white-space": _ADVICE,
    # one record beside another
    "answer-equals-prompt": _ADVICE,
    "duplicate-record": _ADVICE,
    "different-answers": _ADVICE,
    "overlap": _ADVICE,
}


class Finding(NamedTuple):
    """A problem before it is known in which file and line it stands.

    Attributes:
        code: One of `RULES`.
        place: Inside the record, e.g. "messages[3].content"; "" for the whole of it.
        message: What is wrong, as a sentence without its full stop.
        mend: How to mend it, as one or more sentences.
    """

    code: str
    place: str
    message: str
    mend: str


def describe(finding: Finding) -> str:
    """Write a finding as sentences, its place first, e.g. `system: the text is empty. …`."""
    place = f"{finding.place}: " if finding.place else ""
    return f"{place}{finding.message}. {finding.mend}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: The file, as it was named to us.
        line: Its line, counted from 1; None where the whole file is meant.
        place: Inside the record, e.g. "messages[3].content"; "" for the whole of it.
        code: A stable name, one of `RULES`.
        severity: "error" or "warning".
        message: What is wrong.
        mend: How to mend it.
        basis: "refused" by Bedrock, "stricter" than Bedrock, or "advice".
    """

    file: str
    line: int | None
    place: str
    code: str
    severity: Severity
    message: str
    mend: str
    basis: Basis

    @property
    def where(self) -> str:
        """File, line and place, e.g. `train.jsonl, line 3, system`."""
        line = "" if self.line is None else f", line {self.line}"
        return quotable(self.file) + line + (f", {self.place}" if self.place else "")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.mend}"


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What one file holds.

    Attributes:
        file: The file, as it was named to us.
        kind: "training", "validation" or "test".
        records: Lines that are not blank, good or bad.
        bytes: Bytes read.
        tokens: Of all records that are in order.
    """

    file: str
    kind: Kind
    records: int
    bytes: int
    tokens: TokenRange

    def __str__(self) -> str:
        return (
            f"{quotable(self.file)} ({self.kind}): {count(self.records, 'record')}, "
            f"{count(self.bytes, 'byte')}, {self.tokens}"
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found in one file or several. Reads well as text and as a notebook's table.

    Attributes:
        files: One summary for each file.
        problems: In order of files and lines; of each code the first 20 in each file.
        counts: Code -> how often it was found, those not kept among them.
    """

    files: tuple[FileSummary, ...]
    problems: tuple[Problem, ...]
    counts: Mapping[str, int] = field(hash=False)

    @property
    def ok(self) -> bool:
        """True when there is no error; warnings may be there."""
        return not any(problem.severity == "error" for problem in self.problems)

    @property
    def errors(self) -> int:
        """How many errors were found."""
        return self._count("error")

    @property
    def warnings(self) -> int:
        """How many warnings were found."""
        return self._count("warning")

    @property
    def records(self) -> int:
        """Records in all files together."""
        return sum(file.records for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.bytes for file in self.files)

    @property
    def tokens(self) -> TokenRange:
        """Tokens of all files together."""
        return add_tokens(file.tokens for file in self.files)

    def raise_if_errors(self) -> None:
        """Stop here if there is any error.

        Raises:
            DataError: holds the report as text.
        """
        if not self.ok:
            raise DataError(str(self))

    def to_dict(self) -> dict[str, Any]:
        """Give the whole report as plain values, ready for JSON."""
        return {
            "ok": self.ok,
            "files": [asdict(file) for file in self.files],
            "problems": [asdict(problem) for problem in self.problems],
            "counts": dict(self.counts),
        }

    def __str__(self) -> str:
        shown, rest = self._shown()
        rows = [f"{problem.severity}: {problem} [{problem.code}]" for problem in shown]
        return "\n".join([*map(str, self.files), *rows, *([rest] if rest else []), self._total()])

    def _repr_html_(self) -> str:
        shown, rest = self._shown()
        files = "".join(f"<p>{escape(str(file))}</p>" for file in self.files)
        last = f"<p>{escape(rest)}</p>" if rest else ""
        return f"{files}{_html_table(shown)}{last}<p><b>{escape(self._total())}</b></p>"

    def _count(self, severity: Severity) -> int:
        return sum(n for code, n in self.counts.items() if RULES[code].severity == severity)

    def _total(self) -> str:
        if not self.counts:
            return "No problems found."
        return f"{count(self.errors, 'error')}, {count(self.warnings, 'warning')}."

    def _shown(self) -> tuple[list[Problem], str]:
        """Errors before warnings, as many as are shown, and a sentence on the others."""
        ordered = sorted(self.problems, key=lambda problem: problem.severity != "error")
        shown = ordered[:SHOWN]
        rest = dict(self.counts)
        for problem in shown:
            rest[problem.code] -= 1
        words = ", ".join(f"{code} {n:,}" for code, n in rest.items() if n)
        return shown, f"And {sum(rest.values()):,} more: {words}." if words else ""


def count(number: int, noun: str) -> str:
    """Write a number with its noun, e.g. `1 record` or `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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


def _html_table(problems: list[Problem]) -> str:
    if not problems:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("", "where", "what", "how to mend it", "code"))
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:left">{escape(text)}</td>'
            for text in (
                problem.severity,
                problem.where,
                problem.message,
                problem.mend,
                problem.code,
            )
        )
        + "</tr>"
        for problem in problems
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
