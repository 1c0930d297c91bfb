"""The report on one data file or several: what they hold, and every problem in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from haikuft.dataset.problems import Problem, Severity, count, quotable
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import DataError

Kind = Literal["training", "validation", "test"]

SHOWN = 20  # of each code in each file; the rest is counted

SCHEMA_VERSION = 2  # of the report as JSON; in version 1 the key "fix" had another name
# What a program reads of each problem.
_COLUMNS = ("file", "line", "place", "code", "severity", "message", "fix")

T = TypeVar("T")


class FirstOfEach(Generic[T]):
    """The first 20 items of each code, and how many there were.

    Attributes:
        items: Those that were kept, in order.
        counts: Code -> how many were added.
    """

    def __init__(self) -> None:
        self.items: list[T] = []
        self.counts: Counter[str] = Counter()

    def add(self, code: str, item: T) -> None:
        """Count an item, and keep it if it is one of the first of its code."""
        self.counts[code] += 1
        if self.counts[code] <= SHOWN:
            self.items.append(item)


def describe_rest(counts: Mapping[str, int], shown: Iterable[str]) -> str:
    """Say how many more there are than those with these codes, e.g. `80 more: nul 80`; "" if none.

    Args:
        counts: Code -> how many there are.
        shown: The code of each that is shown.
    """
    rest = Counter(counts) - Counter(shown)
    words = ", ".join(f"{code} {number:,}" for code, number in rest.items())
    return f"{rest.total():,} more: {words}" if rest else ""


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What one file holds.

    Attributes:
        file: The file's name, as the caller gave it.
        kind: "training", "validation" or "test".
        records: Lines that are not blank, good or bad.
        bytes: Bytes read.
        tokens: Of all records that are in order, or of another format that can be converted.
    """

    file: str
    kind: Kind
    records: int
    bytes: int
    tokens: TokenRange

    def __str__(self) -> str:
        tokens = self.tokens if self.tokens.high else "no tokens counted"
        return (
            f"{quotable(self.file)} ({self.kind}): {count(self.records, 'record')}, "
            f"{count(self.bytes, 'byte')}, {tokens}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """All that was found in one file or several. A notebook shows it as a table.

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

    def raise_if_errors(self) -> None:
        """Stop here if there is any error.

        Raises:
            DataError: holds the report as text.
        """
        if not self.ok:
            raise DataError(str(self))

    def as_strict(self) -> "Report":
        """Give the same report with every warning turned into an error."""
        problems = tuple(replace(problem, severity="error") for problem in self.problems)
        return replace(self, problems=problems)

    def to_dict(self) -> dict[str, Any]:
        """Give the whole report as plain values, ready for JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "ok": self.ok,
            "files": [asdict(file) for file in self.files],
            "problems": [{name: getattr(p, name) for name in _COLUMNS} for p in self.problems],
            "counts": dict(self.counts),
        }

    def __repr__(self) -> str:
        rows = [f"{problem.severity}: {problem} [{problem.code}]" for problem in self.problems]
        return "\n".join([*map(str, self.files), *rows, *self._rest(), self._total()])

    def _repr_html_(self) -> str:
        from haikuft.html import build_block, escape
        from haikuft.tables import build_table

        headings = ("severity", "where", "what", "how to fix it", "code")
        rows = [(p.severity, p.where, p.message, p.fix, p.code) for p in self.problems]
        table = build_table(rows, *headings)._repr_html_() if rows else ""
        files = [replace(one, file=Path(one.file).name) for one in self.files]
        summaries, rest = (
            "".join(f"<p>{escape(line)}</p>" for line in lines)
            for lines in (map(str, files), self._rest())
        )
        return build_block(f"{summaries}{table}{rest}<p><b>{escape(self._total())}</b></p>")

    def _count(self, severity: Severity) -> int:
        severities = {problem.code: problem.severity for problem in self.problems}
        return sum(n for code, n in self.counts.items() if severities.get(code) == severity)

    def _total(self) -> str:
        if not self.counts:
            return "No problems found."
        return f"{count(self.errors, 'error')}, {count(self.warnings, 'warning')}."

    def _rest(self) -> list[str]:
        """Give a sentence on the problems that were counted and not kept, if there are any."""
        rest = describe_rest(self.counts, (problem.code for problem in self.problems))
        return [f"And {rest}."] if rest else []
