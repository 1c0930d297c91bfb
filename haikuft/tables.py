"""Small tables for a notebook's page: left-aligned, never cut short, and readable as text too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows under headings, all of them words. The last line of a cell shows it.

    Attributes:
        headings: One a column; all empty draws none.
        rows: As many cells as there are headings.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        lines = [self.headings, *self.rows] if any(self.headings) else [*self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        style = 'style="text-align:left; vertical-align:top; white-space:pre-wrap"'
        head = "".join(f'<th scope="col" {style}>{escape(text)}</th>' for text in self.headings)
        body = "".join(
            f"<tr>{''.join(f'<td {style}>{escape(cell)}</td>' for cell in row)}</tr>"
            for row in self.rows
        )
        head = f"<thead><tr>{head}</tr></thead>" if any(self.headings) else ""
        return f"<table>{head}<tbody>{body}</tbody></table>"


def build_table(rows: Iterable[Sequence[object]], *headings: str) -> Table:
    """Make a table of rows of anything; without headings it draws none.

    Example: `build_table([("epochs", 2)], "parameter", "value")`.
    """
    cells = tuple(tuple(str(cell) for cell in row) for row in rows)
    return Table(headings or ("",) * (len(cells[0]) if cells else 0), cells)


def tabulate_values(values: Mapping[str, object]) -> Table:
    """Make a table of names and values, such as a form's."""
    return build_table(((name, repr(value)) for name, value in values.items()))


def tabulate_frame(frame: "pd.DataFrame", *, longest: int = 300) -> Table:
    """Make a table of a data frame: numbers to three places, texts cut after `longest` letters."""
    rows = [[_shorten(cell, longest) for cell in row] for row in frame.itertuples(index=False)]
    return Table(tuple(map(str, frame.columns)), tuple(map(tuple, rows)))


def _shorten(cell: object, longest: int) -> str:
    if isinstance(cell, float):
        return "" if cell != cell else f"{cell:,.3f}"  # NaN is the only number unlike itself
    text = str(cell)
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
