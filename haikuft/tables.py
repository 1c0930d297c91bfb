"""Small tables for a notebook's page: aligned left, never shortened, and readable as text, too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haikuft import html

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 100  # rows of a table's plain text; a notebook shows the whole table


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows under headings, all of them texts. A notebook shows it as the last line of a cell.

    Attributes:
        headings: One a column; where all are empty there is no heading row.
        rows: As many cells as there are headings.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        shown = self.rows[:MOST_LINES]
        lines = [[*map(html.visible, row)] for row in (self.headings, *shown)]
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


def build_table(rows: Iterable[Sequence[object]], *headings: str) -> Table:
    """Make a table of rows of any values; without headings it has no heading row.

    Example: `build_table([("epochs", 2)], "parameter", "value")`.
    """
    cells = tuple(tuple(str(cell) for cell in row) for row in rows)
    return Table(headings or ("",) * (len(cells[0]) if cells else 0), cells)


def tabulate_values(values: Mapping[str, object]) -> Table:
    """Make a table of names and values, such as a form's."""
    return build_table(((name, repr(value)) for name, value in values.items()))


def tabulate_frame(frame: "pd.DataFrame", *, longest: int = 300) -> Table:
    """Make a table of a data frame: numbers to 3 places, texts of at most `longest` characters."""
    rows = [[_shorten(cell, longest) for cell in row] for row in frame.itertuples(index=False)]
    return Table(tuple(map(str, frame.columns)), tuple(map(tuple, rows)))


def _shorten(cell: object, longest: int) -> str:
    if isinstance(cell, float):
        return html.format_number(cell)
    text = str(cell)
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
