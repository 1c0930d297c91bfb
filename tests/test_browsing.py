"""A table to sort, search and filter: whole without script, and nothing in it is taken for HTML."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from haikuft.browsing import Browser, RichCell

ROWS = [
    ("got worse", "a <b>bold</b> prompt", "</script><script>x()", 0.5),
    ("still wrong", "ID of the order?", "two\nlines", 0.25),
    ("still wrong", "third", "reply", 10.0),
]


@pytest.fixture
def browser() -> Browser:
    """Make a browser of three rows."""
    return Browser(["outcome", "prompt", "tuned", "score"], ROWS, choices=["outcome"])


class Cells(HTMLParser):
    """Reads the texts of a table's cells, as a browser without script shows them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a cell."""
        if tag in ("td", "th"):
            self.cells.append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        """End a cell."""
        if tag in ("td", "th"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        """Add to a cell."""
        if self.inside:
            self.cells[-1] += data


def test_browser_when_there_is_no_script_then_every_row_is_there(browser: Browser) -> None:
    """An untrusted notebook or a mail program drops the script, and nothing else."""
    cells = Cells(browser._repr_html_().partition("<script>")[0]).cells

    assert cells[:4] == ["outcome", "prompt", "tuned", "score"]
    assert cells[4:8] == ["got worse", "a <b>bold</b> prompt", "</script><script>x()", "0.5"]
    assert len(cells) == 4 * 4


def test_browser_when_shown_then_it_loads_nothing_and_no_text_becomes_script(
    browser: Browser,
) -> None:
    """What a model said is text; the one script is ours."""
    page = browser._repr_html_()

    assert page.count("<script>") == page.count("</script>") == 1
    assert not re.search(r"https?:|src=|href=|@import|innerHTML", page)


def test_browser_when_shown_twice_then_each_table_is_found_by_its_own_name() -> None:
    """Two tables on one page do not answer for each other; one table has one name."""
    names = [
        re.findall(r'id="(haikuft-\w+)"', Browser(["a"], [[text]])._repr_html_())[0]
        for text in ("x", "y", "x")
    ]

    assert names[0] == names[2] != names[1]


def test_browser_when_it_has_a_note_then_that_stands_above_the_rows() -> None:
    """As it was written, in HTML and as text."""
    browser = Browser(["a"], [["x"]], note="first <line>\nsecond")

    assert "<p>first &lt;line&gt;\nsecond</p>" in browser._repr_html_().partition("<table>")[0]
    assert repr(browser).startswith("first <line>\nsecond\na")


def test_browser_when_a_cell_has_html_of_its_own_then_it_stands_as_it_is() -> None:
    """With a key it sorts by that, without one by its text."""
    cells = [[RichCell("x (1)", "<i>x</i>", 1.0), RichCell("y", "<b>y</b>")]]

    page = Browser(["a", "b"], cells)

    assert '<td data-key="1.000000"><i>x</i></td><td><b>y</b></td>' in page._repr_html_()
    assert "x (1)  y" in repr(page)


def test_browser_when_read_as_text_then_each_row_is_a_line(browser: Browser) -> None:
    """In a terminal, cells are on one line."""
    lines = repr(browser).splitlines()

    assert len(lines) == 4
    assert "two lines" in lines[2]


def test_browser_when_prompts_share_a_beginning_and_an_end_then_both_stand_once() -> None:
    """What differs is what one wants to see; the same instructions in every row hide it."""
    start, end = (
        "Name the queue of this ticket, one word:\n\n",
        "\n\nAnswer with one of the seven names, nothing else.",
    )
    prompts = ["My card was charged twice.", "The charger hums. " * 9]

    page = Browser(["prompt"], [[f"{start}{text}{end}"] for text in prompts])._repr_html_()

    assert page.count("Name the queue of this ticket") == page.count("Answer with one") == 1
    assert f"All prompts begin with the same {len(start)} characters" in page
    cells = Cells(page.partition("<script>")[0]).cells
    assert cells[1:] == [f"… {text.strip()} …" for text in prompts]
    assert page.count("<summary><div>…") == 1  # the short one needs no folding


@pytest.mark.parametrize(
    "prompts",
    [
        ["the same prompt in all of the records, which is long"] * 2,
        ["Short: a", "Short: b"],
        ["only one record, so nothing is shared by several of them"],
        ["", ""],
    ],
)
def test_browser_when_little_is_shared_then_every_prompt_stands_whole(prompts: list[str]) -> None:
    """A row is never left empty."""
    page = Browser(["prompt"], [[text] for text in prompts])._repr_html_()

    assert "All prompts" not in page
    assert Cells(page.partition("<script>")[0]).cells[1:] == prompts


def test_browser_when_the_script_runs_then_it_adds_search_choice_and_sorting(
    browser: Browser, tmp_path: Path
) -> None:
    """Run in a real browser, where there is one."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no browser on this machine")
    clicks = (
        "<script>var heads = document.querySelectorAll('th button'); heads[3].click();"
        "var s = document.querySelector('select'); s.value = '=still wrong';"
        "s.dispatchEvent(new Event('change'));</script>"
    )
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><meta charset='utf-8'>{browser._repr_html_()}{clicks}")

    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    shown = done.stdout.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr[^>]*>.*?</tr>", shown, flags=re.DOTALL)
    assert [row.split('data-key="')[1].split('"')[0] for row in rows] == [
        "0.250000",
        "0.500000",
        "10.000000",
    ]
    assert ["none" in row.partition("<td")[0] for row in rows] == [False, True, False]
    assert "2 of 3 records" in done.stdout
