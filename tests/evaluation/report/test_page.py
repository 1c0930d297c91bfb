"""The sections of a report about an evaluation: the first screen, every number, every record."""

import re
from pathlib import Path
from typing import Any

from haikuft.dataset.records import record_id
from haikuft.evaluation import (
    FREE,
    compare,
    summarise_usage,
    weigh_serving,
    write_evaluation,
)
from haikuft.evaluation.report.files import CSV_FILE, read_evaluation
from haikuft.evaluation.report.page import build_details, build_summary
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


def build(directory: Path) -> tuple[str, str]:
    """Build the first screen, and the sections below it."""
    found, table = read_evaluation(directory), directory / CSV_FILE
    return "".join(build_summary(found, table)), "".join(build_details(found, table))


def test_summary_when_built_then_it_answers_recommends_shows_three_records_and_the_cost(
    tmp_path: Path,
) -> None:
    """Who decides needs one screen."""
    page, _ = build(evaluated(tmp_path, worse=12))

    order = ["Is tuned better than base on 40 test records?", "Cannot tell: tuned against base"]
    order += ["Recommendation", "Try the free baseline first", "fixed", "got worse"]
    order += ["US$20.00 an hour, however many requests", "requests an hour ("]
    places = [page.index(text) for text in order]
    assert places == sorted(places)
    assert page.count("&lt;i&gt;ticket&lt;/i&gt;") == 3


def test_details_when_built_then_they_have_every_number_and_every_record(tmp_path: Path) -> None:
    """Each section is folded below its title."""
    _, page = build(evaluated(tmp_path, worse=12))

    titles = ["Scores", "Differences", "Outcomes of the records", "Groups of records"]
    titles += ["Tokens and seconds", "All records"]
    found = re.findall(r"<details><summary>([A-Z][^<]+)</summary>", page)
    assert [title for title in found if title != "How this was computed"] == titles
    assert "McNemar&#x27;s exact test" in page
    records = page.partition("All records")[2]
    assert len(re.findall(r"&lt;i&gt;ticket&lt;/i&gt;", records)) == 40
    assert "<i>" not in page
    assert not re.search(r"https?:|src=|@import", page)


def test_page_when_the_texts_were_forgotten_then_its_numbers_stay(tmp_path: Path) -> None:
    """The table of records is gone from disk."""
    evaluated(tmp_path, worse=12)
    (tmp_path / CSV_FILE).unlink()

    summary, details = build(tmp_path)

    assert "Cannot tell: tuned against base" in summary
    assert "ticket" not in summary + details


def test_sections_when_test_records_are_copies_then_both_say_how_many(tmp_path: Path) -> None:
    """They are no further evidence, so the page counts the others alone."""
    right = [LABELS[n % 2] for n in range(40)]
    by_name = {"base": answer([*right[:20], *["?"] * 20]), "tuned": answer(right)}
    write_evaluation(tmp_path, compare([record(n) for n in range(40)] * 2, by_name))

    first, details = build(tmp_path)

    assert "on 40 test records?" in first
    assert "The test records hold 40 copies of others; each is counted once." in first
    assert "<p>40 copies of test records are not counted.</p>" in details
