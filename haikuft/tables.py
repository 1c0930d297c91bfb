"""What a notebook's page shows: tables, cards and folded texts. Each is readable as text, too."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from haikuft import html
from haikuft.errors import wrap

if TYPE_CHECKING:
    import pandas as pd

Cell = str | tuple[str, str]  # a text, or a text and what stands below it in small type
# Of what AWS and the checks say -> the mark before the word.
_MARKS = {
    "✓": ("ok", "exists", "Completed", "InService", "Active", "COMPLETED"),
    "✗": ("stop", "error", "Failed", "FAILED"),
    "!": ("warn", "warning", "not known", "Stopped", "not this run's"),
    "–": ("gone",),
    "…": ("InProgress", "Creating", "Updating", "Deleting", "Stopping"),
}
# What a card says at first sight -> its mark, and its colour in JupyterLab and elsewhere.
_TONES = {
    "good": ("✓", "success", "#2e7d32"),
    "bad": ("✗", "error", "#c62828"),
    "unclear": ("?", "warn", "#b26a00"),
    "note": ("i", "info", "#1f5fa8"),
}
_CARD_STYLE = (
    "border:1px solid var(--jp-border-color2, #ccc);padding:.4rem .8rem;margin:.3rem 0;"
    "max-width:56rem;overflow-wrap:anywhere;break-inside:avoid;"
    "font-family:var(--jp-ui-font-family, system-ui, sans-serif);border-left:6px solid"
)
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
    """A result at one glance: a mark and a heading, one number in large type, and a sentence.

    As text it is lines of at most `errors.WIDTH` characters, with the details last.

    Attributes:
        tone: "good", "bad", "unclear" or "note".
        heading: The result in a word or two, such as "better".
        number: The figure that the result rests on, with its unit; "" for none.
        sentence: What it means; "" for nothing.
        details: How it was computed, shown on a click; "" for nothing.
    """

    tone: str
    heading: str
    number: str = ""
    sentence: str = ""
    details: str = ""

    def __repr__(self) -> str:
        first = f"{_TONES[self.tone][0]} {self.heading}: {self.number}".removesuffix(": ")
        parts = (first, self.sentence, self.details)
        return "\n".join(wrap(html.visible(part)) for part in parts if part)

    def _repr_html_(self) -> str:
        mark, name, elsewhere = _TONES[self.tone]
        colour = f"var(--jp-{name}-color1, {elsewhere})"
        details = f"<div>{html.escape(self.details)}</div>" if self.details else ""
        more = html.build_fold("How this was computed", details) if details else ""
        return (
            f'<div class="{html.AS_WRITTEN}" style="{_CARD_STYLE} {colour}">'
            f'<div><b><span style="color:{colour}">{mark}</span> {html.escape(self.heading)}</b>'
            f'</div><div style="font-size:1.4em">{html.escape(self.number)}</div>'
            f"<div>{html.escape(self.sentence)}</div>{more}</div>"
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
    """Put a mark before a status, where it is a known word."""
    marks = (f"{mark}\N{NO-BREAK SPACE}" for mark, words in _MARKS.items() if status in words)
    return f"{next(marks, '')}{status}"


def build_table(rows: Iterable[Sequence[object]], *headings: str) -> Table:
    """Make a table of rows of any values, or pairs of texts; without headings it has no such row.

    A moment is written in UTC, and None as nothing.

    Example: `build_table([("epochs", 2)], "parameter", "value")`.
    """
    cells = tuple(tuple(map(_to_cell, row)) for row in rows)
    return Table(headings or ("",) * (len(cells[0]) if cells else 0), cells)


def tabulate_frame(frame: "pd.DataFrame") -> Table:
    """Make a table of a data frame, with numbers to 3 places."""
    rows = (map(_write_value, row) for row in frame.itertuples(index=False))
    return build_table(map(tuple, rows), *map(str, frame.columns))


def _to_cell(value: object) -> Cell:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return value if isinstance(value, tuple) else "" if value is None else str(value)


def _write_value(value: object) -> str:
    return html.format_number(value) if isinstance(value, float) else str(value)


def _write_cell(cell: Cell) -> str:
    return html.visible(cell if isinstance(cell, str) else f"{cell[0]} ({cell[1]})".strip())
