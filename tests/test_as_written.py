"""User text on a notebook's page is text: no mathematics, markup, markdown or terminal colours.

JupyterLab typesets what stands between dollars in any HTML, unless an element around it says no.
"""

import importlib
import inspect
import pkgutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import haikuft
from haikuft import html, plots
from haikuft.browsing import Browser
from haikuft.dataset.problems import Problem
from haikuft.dataset.records import write_records
from haikuft.dataset.report import Report
from haikuft.evaluation.report.browsing import build_reply
from haikuft.forms import browse_records
from haikuft.forms.showing import build_text
from haikuft.inference.replies import Reply
from haikuft.live.history import Exchange
from haikuft.live.interactive import build_bundle
from haikuft.plots.style import describe
from haikuft.tables import Card, Folded, build_table

TEXT = (
    "The basket said $118. The bank says $131.40. `code` **bold** # head <b>tag</b> "
    r"&amp; \(x\) \[y\] \begin{equation}z\end{equation} $$w$$"
)
COLOUR = "\x1b[31mred\x1b[0m\x07"
MESSAGES = [{"role": "user", "content": TEXT + COLOUR}, {"role": "assistant", "content": TEXT}]
REPLY = Reply("", "m", TEXT + COLOUR, "end_turn", 1, 1, 0.1, "stand-in", None, "", "{}")


class Texts(HTMLParser):
    """Reads the texts of a page, each with whether mathematics is typeset in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []
        self.around: list[tuple[str, set[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag not in ("br", "img", "col", "meta"):
            self.around.append((tag, set((dict(attrs).get("class") or "").split())))

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        assert self.around.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if not any(tag in ("script", "style") for tag, _ in self.around):
            classes = set().union(*(names for _, names in self.around))
            self.found.append((data, classes >= {"mathjax_ignore", "tex2jax_ignore"}))


def draw(folder: Path) -> Any:
    """Make a figure with the text in its sentence."""
    _, ax = plt.subplots()
    describe(ax, TEXT)
    return plots.show_figure(ax, folder / "figure.png")


PRODUCERS = {
    "Table": lambda folder: build_table([(TEXT + COLOUR,)], TEXT),
    "Browser of replies": lambda folder: Browser(
        ["prompt", "tuned"], [[TEXT + COLOUR, build_reply(TEXT, 1.0, TEXT)]], note=TEXT + COLOUR
    ),
    "Browser of records": lambda folder: browse_records(
        {"training": write_records(folder / "train.jsonl", [{"messages": MESSAGES}])}
    ),
    "Card": lambda folder: Card("note", TEXT, TEXT, TEXT + COLOUR, TEXT),
    "Folded": lambda folder: Folded(TEXT, TEXT + COLOUR),
    "Exchange": lambda folder: Exchange("", TEXT, "", {TEXT: REPLY}, reference=TEXT),
    "Report": lambda folder: Report(
        (), (Problem(TEXT, 1, TEXT, "code", "error", TEXT, TEXT, "advice"),), {"code": 1}
    ),
    "Picture": draw,
}
# What gives its HTML by one of those above, or has no user text but through them.
BY_TABLE = {"Form", "Preflight", "Run", "Samples"}


@pytest.mark.parametrize("name", PRODUCERS)
def test_output_when_it_holds_user_text_then_it_stands_as_written(
    name: str, tmp_path: Path
) -> None:
    """In HTML and in the plain text beside it."""
    output = PRODUCERS[name](tmp_path)
    page = output._repr_html_()

    texts = Texts(page).found
    assert any(TEXT in text for text, _ in texts)
    assert all(kept for text, kept in texts if text.strip())
    assert not {"\x1b", "\x07"} & set(page + repr(output))


def test_output_when_there_is_a_new_kind_then_a_test_is_asked_for() -> None:
    """Every class with HTML of its own is in one of the lists above."""
    found = set()
    for module in pkgutil.walk_packages(haikuft.__path__, "haikuft."):
        if module.name.startswith(("haikuft.sandbox", "haikuft.__main__")):
            continue
        for _, one in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if one.__module__.startswith("haikuft") and "_repr_html_" in vars(one):
                found.add(one.__name__)
    assert found == {name.partition(" ")[0] for name in PRODUCERS} | BY_TABLE


@pytest.mark.parametrize(
    "page",
    [
        build_text("x", f"<p>{html.escape(TEXT)}</p>"),
        build_bundle(TEXT, f"<p>{html.escape(TEXT)}</p>")["text/html"],
        html.build_page("Page", [f"<p>{html.escape(TEXT)}</p>"]).partition("</head>")[2],
    ],
    ids=["the text of a form", "the text of what moves", "a page"],
)
def test_frame_when_it_holds_html_then_no_mathematics_is_typeset_in_it(page: str) -> None:
    """Forms, the playground, running costs, the monitor; the report and the evaluation's page."""
    texts = Texts(page.removesuffix("</html>\n")).found
    assert (TEXT, True) in texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r\nd", "a\tb\nc\r\nd"),
        ("überall, 東京, 👨‍👩‍👧, 12\u00a0%", "überall, 東京, 👨‍👩‍👧, 12\u00a0%"),
        ("\x1b[1A\r\x00\x9b\ud83d", r"\x1b[1A\r\x00\x9b\ud83d"),
    ],
)
def test_visible_when_a_text_has_control_characters_then_they_alone_are_escaped(
    text: str, shown: str
) -> None:
    """What people write stays, in every script."""
    assert html.visible(text) == shown
