"""What can be wrong with a data file, and the report that says so."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.rules import Basis, Severity
from haikuft.dataset.tokens import TokenRange, add_tokens
from haikuft.errors import DataError

Kind = Literal["training", "validation", "test"]

SHOWN = 20  # problems kept of each code in each file; the rest is counted

# What a program reads of each problem.
_COLUMNS = ("file", "line", "place", "code", "severity", "message", "mend")


class Finding(NamedTuple):
    """A problem before it is known in which file and line it stands.

    Attributes:
        code: One of `rules.RULES`.
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
        code: A stable name, one of `rules.RULES`.
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

    def as_strict(self) -> "Report":
        """Give the same report with every warning turned into an error."""
        problems = tuple(replace(problem, severity="error") for problem in self.problems)
        return replace(self, problems=problems)

    def to_dict(self) -> dict[str, Any]:
        """Give the whole report as plain values, ready for JSON."""
        return {
            "ok": self.ok,
            "files": [asdict(file) for file in self.files],
            "problems": [{name: getattr(p, name) for name in _COLUMNS} for p in self.problems],
            "counts": dict(self.counts),
        }

    def __str__(self) -> str:
        rows = [f"{problem.severity}: {problem} [{problem.code}]" for problem in self.problems]
        return "\n".join([*map(str, self.files), *rows, *self._rest(), self._total()])

    def _repr_html_(self) -> str:
        from html import escape

        files = "".join(f"<p>{escape(str(file))}</p>" for file in self.files)
        rest = "".join(f"<p>{escape(words)}</p>" for words in self._rest())
        return f"{files}{_html_table(self.problems)}{rest}<p><b>{escape(self._total())}</b></p>"

    def _count(self, severity: Severity) -> int:
        severities = {problem.code: problem.severity for problem in self.problems}
        return sum(n for code, n in self.counts.items() if severities.get(code) == severity)

    def _total(self) -> str:
        if not self.counts:
            return "No problems found."
        return f"{count(self.errors, 'error')}, {count(self.warnings, 'warning')}."

    def _rest(self) -> list[str]:
        """A sentence on those that were counted and not kept."""
        rest = Counter(self.counts)
        rest.subtract(problem.code for problem in self.problems)
        words = ", ".join(f"{code} {n:,}" for code, n in rest.items() if n > 0)
        return [f"And {rest.total():,} more: {words}."] if words else []


def count(number: int, noun: str) -> str:
    """Write a number with its noun, e.g. `1 record` or `2,000 records`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def describe_conversion(
    file: str, format_name: str, headings: Sequence[str] = (), *, base_model: BaseModel
) -> str:
    """Give the command that turns a file of another format into the model's records, as a mend.

    Where a table's headings do not say what is prompt and answer, its first two columns are taken.
    """
    import shlex

    from haikuft.dataset.formats import format_of

    path = PurePath(file)
    end = f".{format_of(base_model)}.jsonl" if path.suffix == ".jsonl" else ".jsonl"
    output = str(path.with_suffix(end)) if path.name else f"{file}{end}"
    name = format_name.replace("_", "-")
    words = ["haikuft", "convert", file, output, "--from", name]
    if headings and not {"prompt", "completion"} <= set(headings):
        words += ["--prompt-column", headings[0], "--completion-column", headings[1]]
    if base_model != DEFAULT:
        words += ["--base-model", base_model.id]
    return f"Turn the file into records: `{quotable(shlex.join(words))}`."


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


def _html_table(problems: Sequence[Problem]) -> str:
    from html import escape

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
