"""The page about an evaluation stands alone, with every number and every record."""

import re
from pathlib import Path
from typing import Any

import pytest

from haikuft.dataset.records import record_id
from haikuft.errors import NotFoundError
from haikuft.evaluation import (
    FREE,
    compare,
    summarise_usage,
    weigh_serving,
    write_evaluation,
    write_page,
)
from haikuft.inference.replies import Reply
from haikuft.pricing.table import THROUGHPUT_TOKENS, Price, TokenPrice

PRICES = {"base": TokenPrice(0.001, 0.005, "as given"), "tuned": THROUGHPUT_TOKENS}
HOURS = {"tuned": Price("throughput", "", 20.0, "per hour", "", "as given")}
LABELS = ("yes", "no")


def record(number: int) -> dict[str, Any]:
    """Build a record whose label alternates."""
    turns = [("user", f"<i>ticket</i> {number}"), ("assistant", LABELS[number % 2])]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def answer(texts: list[str]) -> dict[str, Reply]:
    """Answer forty records with these texts."""
    ids = [record_id(record(n)) for n in range(40)]
    return {
        key: Reply(key, "m", text, "end_turn", 100, 4, 0.2, "stand-in", None, "", "{}")
        for key, text in zip(ids, texts, strict=True)
    }


def evaluated(directory: Path, worse: int) -> Path:
    """Write an evaluation in which tuned mends some records and loses others."""
    right = [LABELS[n % 2] for n in range(40)]
    by_name = {
        "base": answer([*right[:20], *["?"] * 20]),
        "tuned": answer([*["?"] * worse, *right[worse:]]),
        FREE: answer(right),
    }
    usage = summarise_usage(by_name, PRICES, HOURS)
    write_evaluation(
        directory,
        compare([record(n) for n in range(40)], by_name),
        usage=usage,
        break_even=weigh_serving(usage, PRICES, HOURS),
    )
    return directory


def test_page_when_written_then_it_has_verdict_numbers_money_and_every_record(
    tmp_path: Path,
) -> None:
    """Who gets it by mail needs nothing else."""
    page = write_page(evaluated(tmp_path, worse=12)).read_text(encoding="utf-8")

    assert page.index("Tuned is worse than the free baseline") < page.index("<h2>Scores</h2>")
    assert "McNemar&#x27;s exact test" in page
    assert "US$20.00 an hour, however many requests" in page
    assert "requests an hour" in page
    assert "2 more in evaluation.csv." in page  # twelve got worse, of which ten are shown
    records = page.partition("<h2>All records</h2>")[2]
    assert len(re.findall(r"&lt;i&gt;ticket&lt;/i&gt;", records)) == 40
    assert "<i>" not in page
    assert not re.search(r"https?:|src=|@import", page)


def test_page_when_nothing_got_worse_then_it_says_so(tmp_path: Path) -> None:
    """The statement that none did."""
    page = write_page(evaluated(tmp_path, worse=0)).read_text(encoding="utf-8")

    assert "<h2>What got worse with tuned</h2><p>No record got worse.</p>" in page
    assert "What got worse with free baseline" not in page


def test_page_when_there_is_no_evaluation_then_it_names_notebook_six(tmp_path: Path) -> None:
    """Nothing to show yet."""
    with pytest.raises(NotFoundError, match="Run notebook 6 first"):
        write_page(tmp_path)
