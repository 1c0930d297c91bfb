"""The page about a run: verdict, scores, figures and facts in one file."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from haikuft.inference.replies import NOTICE
from haikuft.plots import show_figure
from haikuft.plots.style import describe
from haikuft.runs.record_file import RunRecord, write_record
from haikuft.series.report import build_report, write_report

VOID = {"meta", "img", "br", "col"}


class Page(HTMLParser):
    """Reads a page: its text, its images, what it would load, and whether its tags close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(found)
        self.links += [str(found[name]) for name in ("src", "href") if name in found]

    def handle_endtag(self, tag: str) -> None:
        """Close a tag."""
        assert self.open.pop() == tag


@pytest.fixture
def directory(tmp_path: Path, evaluate: Callable[[Path], None]) -> Path:
    """Give a run a record, an evaluation, an assessment and a figure."""
    evaluate(tmp_path)
    record = RunRecord(run="first", target="sandbox", dataset="support_tickets", bucket="b")
    write_record(tmp_path / "run.json", record)
    text = '{"verdict": "stopped well", "sentence": "Training & validation agree."}'
    (tmp_path / "assessment.json").write_text(text)
    axes = describe(Figure().subplots(), 'Losses fall from 2 to 1 "at last".')
    show_figure(axes, tmp_path / "figures" / "losses.png")
    return tmp_path


def test_report_when_all_is_there_then_the_verdict_comes_first(directory: Path) -> None:
    """Who reads one line reads the answer."""
    page = build_report(directory)

    verdict = page.index("Better: tuned against base")
    for later in ("support_tickets", "Scores", "By label", "Training &amp; validation agree."):
        assert verdict < page.index(later)
    assert "sandbox-stand-in" in page  # who answered


def test_report_when_opened_then_it_loads_nothing_and_its_tags_close(directory: Path) -> None:
    """It can be sent by mail and opened on a phone."""
    text = build_report(directory)
    page = Page(text)

    assert page.open == []
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert "default-src 'none'" in text  # and the browser sees to it
    assert "://" not in re.sub(r"base64,[^\"]*", "", text)
    assert 'name="viewport"' in text
    assert [image["alt"] for image in page.images] == ['Losses fall from 2 to 1 "at last".']


def test_report_when_records_got_worse_then_they_are_shown_as_text(directory: Path) -> None:
    """What a record holds is never taken for HTML."""
    table = directory / "evaluation.csv"
    table.write_text(table.read_text().replace("right in both", "got worse"))

    page = build_report(directory)

    assert "&lt;b&gt;ticket&lt;/b&gt;" in page


def test_report_when_there_is_nothing_yet_then_it_says_so(tmp_path: Path) -> None:
    """A run that ended early has a page too."""
    path = write_report(tmp_path / "first")

    assert path.name == "report.html"
    assert "Not evaluated yet" in path.read_text(encoding="utf-8")
    assert [found.name for found in path.parent.iterdir()] == ["report.html"]


def test_report_when_a_sandbox_run_is_not_evaluated_then_it_says_first_whose_it_is(
    tmp_path: Path,
) -> None:
    """Its training was a stand-in's; a run on AWS says no such thing."""
    for target in ("sandbox", "aws"):
        write_record(tmp_path / "run.json", RunRecord(run="first", target=target))
        page = build_report(tmp_path)
        assert (NOTICE in page) == (target == "sandbox")
        assert page.find(NOTICE) < page.index("Not evaluated yet")
