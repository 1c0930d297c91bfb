"""A browser of records: chat views page by page, filtered by problem and label."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from haikuft.dataset.problems import count
from haikuft.dataset.report import Report
from haikuft.forms.records import chat_view
from haikuft.forms.records import rows as record_rows
from haikuft.forms.records.rows import ANY, WITH, WITHOUT, Row
from haikuft.forms.showing import Shown, build_grid
from haikuft.html import build_block, escape, visible

PAGE = 5  # records


class RecordBrowser:
    """Records with controls to page and filter. The last line of a cell shows it.

    Attributes:
        rows: All records there are to look at.
        controls: "kind", "problem", "label" and "page".

    """

    def __init__(self, rows: list[Row], report: Report | None = None) -> None:
        self.rows = rows
        self._of_files = (
            [p for p in report.problems if p.line is None] if report is not None else []
        )
        self.controls = _build_controls(rows)
        self.previous = widgets.Button(description="Previous page", icon="arrow-left")
        self.next = widgets.Button(description="Next page", icon="arrow-right")
        self._page_html = widgets.HTML()
        buttons = widgets.HBox([self.previous, self.next], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox(
            [
                widgets.HTML(f"<style>{chat_view.STYLE}</style><h4>Records</h4>"),
                build_grid([control] for control in self.controls.values()),
                buttons,
                self._page_html,
            ]
        )
        self._shown = Shown(self.box)
        self._refresh()
        for name, control in self.controls.items():
            control.observe(self._refresh if name == "page" else self._restart, names="value")
        self.previous.on_click(lambda _: self._turn(-1))
        self.next.on_click(lambda _: self._turn(1))

    @property
    def chosen(self) -> list[Row]:
        """The records that the filters let through."""
        filters = {name: box.value for name, box in self.controls.items() if name != "page"}
        return record_rows.choose_rows(self.rows, **filters)

    def __repr__(self) -> str:
        page, words = self._page()
        lines = [f"{row.file}, line {row.line}: {row.text[:120]}" for row in page]
        return "\n".join([words, *map(visible, lines)])

    def _repr_html_(self) -> str:
        return build_block(f"<style>{chat_view.STYLE}</style>{self._write()}")

    def _ipython_display_(self) -> None:
        self._shown.show(self._repr_html_(), repr(self))

    def _page(self) -> tuple[list[Row], str]:
        """Give the records of this page, and a sentence on where it stands among all."""
        chosen = self.chosen
        if not chosen:
            return [], f"None of {count(len(self.rows), 'record')} passes these filters."
        number = min(max(int(self.controls["page"].value), 1), self._count_pages())
        first = (number - 1) * PAGE
        page = chosen[first : first + PAGE]
        wrong = sum(bool(row.problems) for row in chosen)
        return page, (
            f"Records {first + 1:,} to {first + len(page):,} of {len(chosen):,} chosen "
            f"({len(self.rows):,} in all); {wrong:,} of those chosen with a problem."
        )

    def _write(self) -> str:
        page, words = self._page()
        of_files = chat_view.draw_problems(self._of_files)
        records = "".join(map(chat_view.draw_record, page))
        return f'<p role="status"><b>{escape(words)}</b></p>{of_files}{records}'

    def _count_pages(self) -> int:
        return max(1, -(-len(self.chosen) // PAGE))

    def _turn(self, pages: int) -> None:
        page = int(self.controls["page"].value) + pages
        self.controls["page"].value = min(max(page, 1), self._count_pages())

    def _restart(self, _change: object = None) -> None:
        """Begin at the first page of other records."""
        if self.controls["page"].value != 1:
            self.controls["page"].value = 1  # refreshes
        else:
            self._refresh()

    def _refresh(self, _change: object = None) -> None:
        last = self._count_pages()
        page = int(self.controls["page"].value)
        self.controls["page"].max = last
        self.previous.disabled, self.next.disabled = page <= 1, page >= last
        self._page_html.value = self._write()
        self._shown.update(self._repr_html_(), repr(self))


def browse_records(files: Mapping[str, Path], report: Report | None = None) -> RecordBrowser:
    """Make a browser of data files' records, each problem of the report in its place.

    Args:
        files: What a file is, such as "training" -> the file.
        report: From `validate_files` on the same files; None shows no problems.

    Raises:
        DataError: a file cannot be read.
    """
    return RecordBrowser(record_rows.load_rows(files, report), report)


def _build_controls(rows: list[Row]) -> dict[str, Any]:
    kinds = {"all files": "", **{kind: kind for kind in dict.fromkeys(row.kind for row in rows)}}
    problems = {"all records": ANY, WITH: WITH, WITHOUT: WITHOUT}
    for code, number in record_rows.count_problems(rows).items():
        problems[f"{code} ({count(number, 'record')})"] = code
    labels = {"all labels": ""}
    for label, number in record_rows.count_labels(rows).items():
        labels[f"{visible(label)} ({count(number, 'record')})"] = label
    return {
        "kind": widgets.Dropdown(options=kinds, description="File"),
        "problem": widgets.Dropdown(options=problems, description="Problem"),
        "label": widgets.Dropdown(options=labels, description="Label"),
        "page": widgets.BoundedIntText(value=1, min=1, description="Page"),
    }
