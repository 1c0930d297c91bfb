"""A table of records to sort, search and filter, in a notebook and in an exported page.

HTML with a short script that loads nothing. Without the script (an untrusted notebook, a mail
program) every row is shown in its order; only the controls are missing.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from haikuft.evaluation.report.errors_table import sort_records
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.html import build_block, build_fold, escape
from haikuft.package_data import read_text
from haikuft.tables import build_table

PROMPT = "prompt"  # the column that is wide, and of whose texts the common parts are taken out
_STYLE = read_text(__package__, "browsing.css")
_SCRIPT = read_text(__package__, "browsing.js")
_LONG = 60  # characters from which a text may need more than two lines
_LEAST_SHARED = 40  # characters that all prompts share; fewer stay in each


@dataclass(frozen=True, slots=True)
class Scored:
    """A model's reply to one record.

    Attributes:
        text: The reply.
        score: By which its column is sorted.
        note: What stands below it in small type, such as the score.
    """

    text: str
    score: float
    note: str

    def __str__(self) -> str:
        return f"{self.text} ({self.note})"


Cell = str | float | Scored


@dataclass(frozen=True, slots=True, repr=False)
class Browser:
    """Rows under headings; a notebook shows them with controls to sort and filter.

    Attributes:
        headings: One a column.
        rows: As many cells as there are headings; numbers sort as numbers, replies by their score.
        choices: The columns that can be filtered by one of their values.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    choices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Write as text, each cell shortened to one line."""
        texts = [
            [_format_number(cell) if isinstance(cell, float) else str(cell) for cell in row]
            for row in self.rows
        ]
        shortened = [[" ".join(text.split())[:40] for text in row] for row in texts]
        return repr(build_table(shortened, *self.headings))

    def _repr_html_(self) -> str:
        """Build the HTML of the table, its style and its script."""
        at = self.headings.index(PROMPT) if PROMPT in self.headings else -1
        start, end = find_shared([str(row[at]) for row in self.rows] if at >= 0 else [])
        body = "".join(
            "<tr>"
            + "".join(
                _build_cell(cut_shared(str(cell), start, end) if number == at else cell)
                for number, cell in enumerate(row)
            )
            + "</tr>"
            for row in self.rows
        )
        head = "".join(
            f'<th scope="col"{" data-choose" if name in self.choices else ""}>{escape(name)}</th>'
            for name in self.headings
        )
        columns = "".join(f"<col{' class=wide' * (name == PROMPT)}>" for name in self.headings)
        table = (
            f"{_build_shared('begin', start)}{_build_shared('end', end)}"
            '<div class="rows" tabindex="0" role="region" aria-label="Records"><table>'
            f"<colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )
        digest = hashlib.blake2b(table.encode(errors="backslashreplace"), digest_size=6)
        name = f"haikuft-{digest.hexdigest()}"
        return build_block(
            f'<style>{_STYLE}</style><div class="haikuft-browser" id="{name}">{table}</div>'
            f"<script>{_SCRIPT.replace('ID', name)}</script>"
        )


def browse(evaluation: Evaluation) -> Browser:
    """Show every record with the first two models' replies, those that got worse first."""
    rows = sort_records(evaluation).to_dict("records")
    return browse_rows(
        rows, evaluation.models[:2], evaluation.metric, labels=bool(evaluation.labels)
    )


def browse_rows(
    rows: Iterable[Mapping[Any, Any]], models: Sequence[str], metric: str, *, labels: bool
) -> Browser:
    """Show records with models' replies; below each its score, of a free rival its outcome, too.

    Args:
        rows: One a record, as in evaluation.csv.
        models: Those to show, the baseline first.
        metric: Name of the deciding scorer.
        labels: Whether the references are labels, by which records can be chosen.
    """
    outcomes = [f"{model} outcome" for model in models[1:] if model not in RIVALS]

    def build_reply_of(model: str, row: Mapping[Any, Any]) -> Scored:
        more = [row[f"{model} outcome"]] if model in RIVALS else []
        return build_reply(row[f"{model} reply"], float(row[f"{model} {metric}"]), metric, *more)

    columns = [*outcomes, PROMPT, "reference"]
    cells = (
        [*(row[name] for name in columns), *(build_reply_of(model, row) for model in models)]
        for row in rows
    )
    choices = [*outcomes, *(["reference"] if labels else [])]
    return build_browser([*columns, *models], cells, choices=choices)


def build_reply(text: str, score: float, metric: str, *more: str) -> Scored:
    """Build the cell of a reply, with its score and further words below it."""
    return Scored(text, score, ", ".join([f"{metric} {_format_number(score)}", *more]))


def build_browser(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, choices: Sequence[str] = ()
) -> Browser:
    """Make a browser of rows of any values: numbers and replies stay, others become texts."""

    def to_cell(value: object) -> Cell:
        if isinstance(value, Scored):
            return value
        return float(value) if isinstance(value, int | float) else str(value)

    cells = tuple(tuple(map(to_cell, row)) for row in rows)
    return Browser(tuple(headings), cells, tuple(choices))


def _build_cell(cell: Cell) -> str:
    if isinstance(cell, float):
        return f'<td data-key="{cell:.6f}">{_format_number(cell)}</td>'
    if isinstance(cell, Scored):
        note = f"<small>{escape(cell.note)}</small>"
        return f'<td data-key="{cell.score:.6f}">{_fold(cell.text)}{note}</td>'
    return f"<td>{_fold(cell)}</td>"


def _fold(text: str) -> str:
    """Show two lines of a text, and the rest of it on a click."""
    shown = f"<div>{escape(text)}</div>"
    long = len(text) > _LONG or text.count("\n") > 1
    return f"<details><summary>{shown}</summary></details>" if long else shown


def find_shared(texts: Sequence[str]) -> tuple[str, str]:
    """Find how all texts begin and end, in whole words; "" for little, or where nothing is left."""
    if len(set(texts)) < 2:
        return "", ""
    start = _find_beginning(texts)
    end = _find_beginning([text[len(start) :][::-1] for text in texts])[::-1]
    left = (text[len(start) : len(text) - len(end)] for text in texts)
    return (start, end) if all(text.strip() for text in left) else ("", "")


def _find_beginning(texts: Sequence[str]) -> str:
    """Find what all texts begin with, up to a blank; "" for less than `_LEAST_SHARED`."""
    pairs = zip(min(texts), max(texts), strict=False)  # all others lie between these two
    same = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    words = same[: len(same) - len(re.split(r"\s", same)[-1])]
    return words if len(words) >= _LEAST_SHARED else ""


def cut_shared(text: str, start: str, end: str) -> str:
    """Write a prompt without what all share."""
    rest = text[len(start) : len(text) - len(end)].strip()
    return f"{'… ' if start else ''}{rest}{' …' if end else ''}"


def _build_shared(where: str, text: str) -> str:
    if not text:
        return ""
    title = f"All prompts {where} with the same {len(text):,} characters"
    return build_fold(title, f"<div>{escape(text)}</div>")


def _format_number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
