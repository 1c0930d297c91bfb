"""Tables: what a page shows of rows."""

from datetime import datetime, timedelta, timezone

import pandas as pd

from haikuft.tables import (
    Card,
    build_table,
    fold_json,
    mark_status,
    tabulate_frame,
)


def test_table_as_text_aligns_its_columns():
    """It reads well where nothing draws HTML."""
    table = build_table([("role", "exists"), ("custom model", "gone")], "kind", "status")
    assert repr(table).splitlines() == [
        "kind          status",
        "role          exists",
        "custom model  gone",
    ]


def test_table_as_html_escapes_what_it_holds_and_cuts_nothing():
    """A cell is text, whatever stands in it."""
    html = build_table([("<b>", "x" * 500)], "name", "value")._repr_html_()
    assert "&lt;b&gt;" in html
    assert "x" * 500 in html
    assert html.count("<th") == 2 + html.count("<thead")


def test_table_without_headings_draws_none():
    """Names and values need no heading."""
    table = build_table([("epoch_count", 2), ("commitment", "none")])
    assert "<thead>" not in table._repr_html_()
    assert repr(table).splitlines() == ["epoch_count  2", "commitment   none"]


def test_table_of_nothing_is_empty():
    """No rows are no error."""
    assert repr(build_table([])) == ""
    assert "<tbody></tbody>" in build_table([], "kind")._repr_html_()


def test_table_of_a_frame_rounds_numbers():
    """What is missing stays empty; a count stays whole."""
    frame = pd.DataFrame({"n": [3, 4], "score": [2 / 3, float("nan")], "prompt": ["x", "y"]})
    table = tabulate_frame(frame)
    assert table.headings == ("n", "score", "prompt")
    assert table.rows == (("3", "0.667", "x"), ("4", "", "y"))


def test_table_when_large_then_its_text_is_short_and_its_html_whole():
    """The text is a twin for places that draw no HTML; nobody reads ten thousand lines there."""
    table = build_table([(number, "x") for number in range(10_003)], "n", "text")
    assert repr(table).splitlines()[-1] == "… 9,903 more rows"
    assert len(repr(table)) < 3_000
    assert table._repr_html_().count("<tr>") == 10_004


def test_table_of_pairs_shows_the_second_text_in_small_type():
    """As text it stands in brackets."""
    table = build_table([(("50 %", "40 to <60"), "x")], "score", "model")
    assert repr(table).splitlines()[1] == "50 % (40 to <60)  x"
    assert "50 %<small style='display:block'>40 to &lt;60</small>" in table._repr_html_()


def test_card_as_text_is_lines_that_no_page_breaks_inside_words():
    """The mark, the heading and the number; then the sentence; the details last."""
    card = Card("bad", "Worse", "-5 points", " ".join(["word"] * 40), "a p value")
    lines = repr(card).splitlines()
    assert (lines[0], lines[-1]) == ("✗ Worse: -5 points", "a p value")
    assert max(map(len, lines)) <= 88
    assert "<details><summary>How this was computed</summary>" in card._repr_html_()


def test_folded_json_is_whole_as_text_and_folded_as_html():
    """No script is needed to open it."""
    folded = fold_json("Policy", {"Action": "s3:GetObject"})
    assert '"Action": "s3:GetObject"' in repr(folded)
    assert "<details><summary>Policy</summary>" in folded._repr_html_()
    assert "<script" not in folded._repr_html_()


def test_status_has_a_mark_and_its_word():
    """What is under way has a mark of its own; what is no word has none."""
    words = ("exists", "Failed", "not known", "gone", "InProgress")
    assert [mark_status(word)[0] for word in words] == ["✓", "✗", "!", "–", "…"]
    assert mark_status("Failed").endswith("Failed")
    assert mark_status("6, 0.3 MB") == "6, 0.3 MB"


def test_build_table_when_a_cell_is_a_moment_or_none_then_it_is_utc_or_nothing() -> None:
    """Whatever the zone that a client gives a moment in."""
    moment = datetime(2026, 1, 2, 4, 5, 6, 789, tzinfo=timezone(timedelta(hours=1)))

    assert build_table([(moment, None)]).rows == (("2026-01-02 03:05:06 UTC", ""),)
