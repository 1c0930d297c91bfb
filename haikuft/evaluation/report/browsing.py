"""A table of records to sort, search and filter, in a notebook and in an exported page.

HTML with a short script that loads nothing. Without the script (an untrusted notebook, a mail
program) every row is shown in its order; only the controls are missing.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from haikuft import html
from haikuft.evaluation.report.errors_table import examples
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.tables import build_table

_STYLE = """
.haikuft-browser table { border-collapse: collapse; font-size: .85rem; }
.haikuft-browser table th, .haikuft-browser table td { text-align: left !important;
  vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid #ddd; }
.haikuft-browser td > div { max-height: 9rem; max-width: 22rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: break-word; }
.haikuft-browser .controls > * { margin: 0 .6rem .4rem 0; font: inherit; }
.haikuft-browser th button { font: inherit; font-weight: bold; background: none; border: 0;
  padding: 0; cursor: pointer; color: inherit; text-align: left; }
.haikuft-browser th[aria-sort=ascending] button::after { content: " ▲"; }
.haikuft-browser th[aria-sort=descending] button::after { content: " ▼"; }
"""

# Finds its own table, adds the controls, and changes nothing else on the page.
_SCRIPT = """
(function () {
  var box = document.getElementById("ID");
  if (!box || box.dataset.ready) { return; }
  box.dataset.ready = "yes";
  var body = box.querySelector("tbody"), rows = Array.from(body.rows);
  var controls = document.createElement("div"), filters = [];
  controls.className = "controls";
  function rank(a, b) {
    if (a.dataset.key && b.dataset.key) { return a.dataset.key - b.dataset.key; }
    return a.textContent.localeCompare(b.textContent, undefined, { numeric: true });
  }
  function show() {
    var shown = 0;
    rows.forEach(function (row) {
      var keep = filters.every(function (test) { return test(row); });
      row.style.display = keep ? "" : "none";
      shown += keep ? 1 : 0;
    });
    count.textContent = shown + " of " + rows.length + " records";
  }
  var search = document.createElement("input"), count = document.createElement("span");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", "Search the records");
  search.addEventListener("input", show);
  filters.push(function (row) {
    return row.textContent.toLowerCase().indexOf(search.value.toLowerCase()) >= 0;
  });
  controls.appendChild(search);
  Array.from(box.querySelectorAll("th")).forEach(function (head, at) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.appendChild(button);
    button.addEventListener("click", function () {
      var down = head.getAttribute("aria-sort") === "ascending";
      box.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort(function (a, b) {
        var order = rank(a.cells[at], b.cells[at]);
        return down ? -order : order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
    });
    if (!head.hasAttribute("data-choose")) { return; }
    var choice = document.createElement("select"), seen = {};
    choice.setAttribute("aria-label", "Show only one " + button.textContent);
    choice.add(new Option("any " + button.textContent, ""));
    rows.forEach(function (row) {
      var text = row.cells[at].textContent;
      if (!seen["=" + text]) { seen["=" + text] = true; choice.add(new Option(text, "=" + text)); }
    });
    choice.addEventListener("change", show);
    filters.push(function (row) {
      return !choice.value || choice.value === "=" + row.cells[at].textContent;
    });
    controls.appendChild(choice);
  });
  controls.appendChild(count);
  box.insertBefore(controls, box.firstChild);
  show();
})();
"""


@dataclass(frozen=True, slots=True, repr=False)
class Browser:
    """Rows under headings; a notebook shows them with controls to sort and filter.

    Attributes:
        headings: One a column.
        rows: As many cells as there are headings; numbers sort as numbers.
        choices: The columns that can be filtered by one of their values.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    choices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Write as text, each cell shortened to one line."""
        texts = [
            [cell if isinstance(cell, str) else _format_number(cell) for cell in row]
            for row in self.rows
        ]
        shortened = [[" ".join(text.split())[:40] for text in row] for row in texts]
        return repr(build_table(shortened, *self.headings))

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Build the HTML of the table, its style and its script."""
        table = html.build_table(
            self.rows, self.headings, filters=self.choices, number=_format_number
        )
        digest = hashlib.blake2b(table.encode(errors="backslashreplace"), digest_size=6)
        name = f"haikuft-{digest.hexdigest()}"
        return (
            f'<style>{_STYLE}</style><div class="haikuft-browser" id="{name}">{table}</div>'
            f"<script>{_SCRIPT.replace('ID', name)}</script>"
        )


def browse(evaluation: Evaluation, model: str = "") -> Browser:
    """Show every record with the baseline's and one model's reply, those that got worse first.

    Args:
        evaluation: From `compare`.
        model: Which model; "" takes the first after the baseline.
    """
    frame = examples(evaluation, model)
    choices = ["outcome", *(["reference"] if evaluation.labels else []), *evaluation.metadata]
    return build_browser(list(frame.columns), frame.itertuples(index=False), choices=choices)


def build_browser(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, choices: Sequence[str] = ()
) -> Browser:
    """Make a browser of rows of any values: numbers stay numbers, others become texts."""
    cells = tuple(
        tuple(float(cell) if isinstance(cell, int | float) else str(cell) for cell in row)
        for row in rows
    )
    return Browser(tuple(headings), cells, tuple(choices))


def _format_number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
