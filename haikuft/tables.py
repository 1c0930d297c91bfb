"""What a notebook's page shows: tables, cards and folded texts. Each is readable as text, too."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haikuft import html

if TYPE_CHECKING:
    import pandas as pd

Cell = str | tuple[str, str]  # a text, or a text and what stands below it in small type
WIDTH = 88  # characters of a line of plain text; JupyterLab breaks longer lines inside words
# Of what AWS and the checks say -> the mark before the word.
_MARKS = {
    "✓": ("ok", "exists", "Completed", "InService", "Active", "COMPLETED"),
    "✗": ("stop", "error", "Failed", "FAILED"),
    "!": ("warn", "warning", "not known", "Stopped", "not this run's"),
    "–": ("gone",),
}
MOST_LINES = 100  # rows of a table's plain text; a notebook shows the whole table


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows under headings. A notebook shows it as the last line of a cell.

    Attributes:
        headings: One a column; where all are empty there is no heading row.
        rows: As many cells as there are headings.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __repr__(self) -> str:
        shown = self.rows[:MOST_LINES]
        lines = [[*map(_write_cell, row)] for row in (self.headings, *shown)]
        lines = lines if any(self.headings) else lines[1:]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        texts = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        rest = len(self.rows) - len(shown)
        return "\n".join([*texts, f"… {rest:,} more rows"] if rest else texts)

    def _repr_html_(self) -> str:
        return html.build_table(self.rows, self.headings, style=html.INLINE_STYLE)


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """A result at one glance; the arguments are those of `html.build_card`.

    As text it is lines of at most `WIDTH` characters, with the details last.
    """

    tone: str
    heading: str
    number: str = ""
    sentence: str = ""
    details: str = ""

    def __repr__(self) -> str:
        first = ": ".join(filter(None, (f"{html.MARKS[self.tone]} {self.heading}", self.number)))
        return "\n".join(wrap(text) for text in (first, self.sentence, self.details) if text)

    def _repr_html_(self) -> str:
        return html.build_card(
            self.tone,
            self.heading,
            number=self.number,
            sentence=self.sentence,
            details=self.details,
        )


@dataclass(frozen=True, slots=True, repr=False)
class Folded:
    """A long text below a title, shown on a click; as plain text it is whole."""

    title: str
    text: str

    def __repr__(self) -> str:
        return f"{html.visible(self.title)}:\n{html.visible(self.text)}"

    def _repr_html_(self) -> str:
        text = f'<pre style="white-space:pre-wrap">{html.escape(self.text)}</pre>'
        return html.build_block(html.build_fold(self.title, text))


def fold_json(title: str, value: object) -> Folded:
    """Fold a value as JSON, such as a policy or a request; what is not JSON is written as text."""
    return Folded(title, json.dumps(value, indent=2, ensure_ascii=False, default=str))


def mark_status(status: str) -> str:
    """Put a mark before a status; "…" where something is under way."""
    mark = next((mark for mark, words in _MARKS.items() if status in words), "…")
    return f"{mark}\N{NO-BREAK SPACE}{status}"


def wrap(text: str) -> str:
    """Break a text into lines of at most `WIDTH` characters, between words only."""
    lines = html.visible(text).splitlines()
    return "\n".join(
        textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def build_table(rows: Iterable[Sequence[object]], *headings: str) -> Table:
    """Make a table of rows of any values, or pairs of texts; without headings it has no such row.

    Example: `build_table([("epochs", 2)], "parameter", "value")`.
    """
    cells = tuple(
        tuple(cell if isinstance(cell, tuple) else str(cell) for cell in row) for row in rows
    )
    return Table(headings or ("",) * (len(cells[0]) if cells else 0), cells)


def tabulate_values(values: Mapping[str, object]) -> Table:
    """Make a table of names and values, such as a form's."""
    return build_table(((name, repr(value)) for name, value in values.items()))


def tabulate_frame(frame: "pd.DataFrame", *, longest: int = 300) -> Table:
    """Make a table of a data frame: numbers to 3 places, texts of at most `longest` characters."""
    rows = [[_shorten(cell, longest) for cell in row] for row in frame.itertuples(index=False)]
    return Table(tuple(map(str, frame.columns)), tuple(map(tuple, rows)))


def _write_cell(cell: Cell) -> str:
    return html.visible(cell if isinstance(cell, str) else f"{cell[0]} ({cell[1]})".strip())


def _shorten(cell: object, longest: int) -> str:
    if isinstance(cell, float):
        return html.format_number(cell)
    text = str(cell)
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
