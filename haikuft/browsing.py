"""A table of records to page through, search, sort and filter, in a notebook and in a page.

HTML with a short script that loads nothing. Without the script (an untrusted notebook, a mail
program) every row is shown in its order; only the controls are missing.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from haikuft.html import build_block, build_fold, escape, visible
from haikuft.package_data import read_text
from haikuft.tables import build_table

PROMPT = "prompt"  # a column that is wide, and of whose texts the common parts are taken out
RECORD = "record"  # a column that is wider still
_STYLE = read_text(__package__, "browsing.css")
_SCRIPT = read_text(__package__, "browsing.js")
_WIDE = {PROMPT: " class=wide", RECORD: " class=wider"}
_LONG = 60  # characters from which a text may need more than two lines
_LEAST_SHARED = 40  # characters that all prompts share; fewer stay in each


@dataclass(frozen=True, slots=True)
class RichCell:
    """A cell with HTML of its own, such as a reply with its score below it.

    Attributes:
        text: The same as plain text.
        html: The HTML, in which every text is escaped.
        key: A number by which the column is sorted; None sorts by the text.
    """

    text: str
    html: str
    key: float | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, repr=False)
class Browser:
    """Rows under headings; a notebook shows them with controls to sort and filter.

    Attributes:
        headings: One a column.
        rows: As many values as there are headings: numbers, which sort as such, rich cells, and
            anything else as text.
        choices: The columns that can be filtered by one of their values.
        note: Sentences above the rows, a line each; "" for none.
        style: CSS for the cells' own HTML; "" for none.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[object]]
    choices: Sequence[str] = ()
    note: str = ""
    style: str = ""

    def __repr__(self) -> str:
        """Write as text, each cell shortened to one line."""
        shortened = [[*map(_write_cell, row)] for row in self.rows]
        return f"{visible(self.note)}\n{build_table(shortened, *self.headings)}".lstrip("\n")

    def _repr_html_(self) -> str:
        """Build the HTML of the table, its style and its script."""
        rows, start, end = self.rows, "", ""
        if PROMPT in self.headings:
            at = self.headings.index(PROMPT)
            start, end = find_shared([str(row[at]) for row in rows])
            cut = [cut_shared(str(row[at]), start, end) for row in rows]
            rows = [[*row[:at], text, *row[at + 1 :]] for row, text in zip(rows, cut, strict=True)]
        body = "".join(f"<tr>{''.join(map(_build_cell, row))}</tr>" for row in rows)
        head = "".join(
            f'<th scope="col"{" data-choose" if name in self.choices else ""}>{escape(name)}</th>'
            for name in self.headings
        )
        columns = "".join(f"<col{_WIDE.get(name, '')}>" for name in self.headings)
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        table = (
            f"{note}{_build_shared('begin', start)}{_build_shared('end', end)}"
            '<div class="rows" tabindex="0" role="region" aria-label="Records"><table>'
            f"<colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>"
        )
        digest = hashlib.blake2b(table.encode(errors="backslashreplace"), digest_size=6)
        name = f"haikuft-{digest.hexdigest()}"
        return build_block(
            f"<style>{_STYLE}{self.style}</style>"
            f'<div class="haikuft-browser" id="{name}">{table}</div>'
            f"<script>{_SCRIPT.replace('ID', name)}</script>"
        )


def _write_cell(value: object) -> str:
    """Write a cell as text, shortened to one line."""
    text = shorten_number(value) if isinstance(value, int | float) else str(value)
    return " ".join(text.split())[:40]


def _build_cell(value: object) -> str:
    if isinstance(value, int | float):
        value = RichCell("", shorten_number(value), value)
    if isinstance(value, RichCell):
        key = "" if value.key is None else f' data-key="{value.key:.6f}"'
        return f"<td{key}>{value.html}</td>"
    return f"<td>{fold_text(str(value))}</td>"


def fold_text(text: str) -> str:
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


def shorten_number(value: float) -> str:
    """Write a number to three places, without zeros at its end."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
