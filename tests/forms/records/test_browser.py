"""The records of data files: what they can be filtered by, and each problem in its place."""

import json
import re
from pathlib import Path

import pytest

from haikuft import forms
from haikuft.browsing import Browser
from haikuft.dataset import validate_file
from haikuft.errors import DataError
from haikuft.forms.records import browser as record_browser
from haikuft.forms.records.browser import load_rows
from haikuft.forms.records.chat_view import draw_record, texts_of


def record(prompt: str, answer: str, **more: object) -> dict[str, object]:
    """Make a record of one question and one answer."""
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {**more, "messages": turns}


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    """Twelve sound records of two labels, one with an empty answer, one line that is no JSON."""
    path = tmp_path / "train.jsonl"
    records = [record(f"question {n}{'x' * n}", ("yes", "no")[n % 2]) for n in range(12)]
    records.append(record("no answer", "", system="Be brief."))
    path.write_text("\n".join([*map(json.dumps, records), "<script>alert(1)</script>"]) + "\n")
    return forms.browse_records({"training": path}, validate_file(path))


def lines_of(browser: Browser) -> list[int]:
    """List the line of each record, in the order shown."""
    return [*map(int, re.findall(r"<b>train\.jsonl, line (\d+)</b>", browser._repr_html_()))]


def column(browser: Browser, name: str) -> list[object]:
    """List the cells of a column."""
    return [row[browser.headings.index(name)] for row in browser.rows]


def test_browser_when_shown_then_the_records_are_chats_those_with_a_problem_first(
    browser: Browser,
) -> None:
    """Under their roles, so that nothing is said by place or colour alone."""
    html = browser._repr_html_()

    assert lines_of(browser) == [13, 14, *range(1, 13)]
    assert '<div class="haikuft-turn user"><b>user</b><div>question 0</div>' in html
    assert '<div class="haikuft-turn assistant"><b>assistant</b><div>yes</div>' in html
    assert "line 1: question 0 yes" in repr(browser)


def test_browser_when_records_differ_then_they_can_be_chosen_by_problem_and_label(
    browser: Browser,
) -> None:
    """A file is no choice where there is only one."""
    assert browser.choices == ["problem", "label"]
    assert column(browser, "problem") == ["empty-text", "not-json", *["none"] * 12]
    assert column(browser, "label") == ["", "", *["yes", "no"] * 6]
    assert column(browser, "characters")[2:4] == [len("question 0yes"), len("question 1xno")]


def test_browser_when_there_are_several_files_then_they_can_be_chosen_by_file(
    tmp_path: Path,
) -> None:
    """Under the name that the notebook gives each."""
    files = {"training": tmp_path / "train.jsonl", "test": tmp_path / "test.jsonl"}
    for path in files.values():
        path.write_text(json.dumps(record("a", "b")) + "\n")

    browser = forms.browse_records(files)

    assert browser.choices == ["file"]
    assert column(browser, "file") == ["training", "test"]


def test_browser_when_a_file_is_long_then_its_first_lines_and_all_problems_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a sentence says so, because the rest is not to be seen."""
    monkeypatch.setattr(record_browser, "MOST_LINES", 3)
    path = tmp_path / "train.jsonl"
    lines = [json.dumps(record(f"q{n}", "a")) for n in range(6)]
    path.write_text("\n".join([*lines, "{", ""]))

    browser = forms.browse_records({"training": path}, validate_file(path))

    assert lines_of(browser) == [7, 1, 2, 3]
    assert "Here are each file's first 3 lines, and those with a problem." in repr(browser)


def test_browser_when_a_turn_has_a_problem_then_it_is_marked_there_and_told(
    browser: Browser,
) -> None:
    """At the answer's turn, not the question's."""
    html = browser._repr_html_()

    assert '<div class="haikuft-turn assistant problem"><b>assistant</b><div>(empty)</div>' in html
    assert '<p class="problem-text">⚠ error: messages[1].content: ' in html
    assert '<div class="haikuft-turn user"><b>user</b>' in html
    assert '<div class="haikuft-turn system"><b>system</b><div>Be brief.</div></div>' in html


def test_browser_when_data_holds_html_then_it_is_shown_as_text(browser: Browser) -> None:
    """In the chat view, and in a line that is not a record."""
    assert "<script>alert" not in browser._repr_html_()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in browser._repr_html_()


@pytest.mark.parametrize("field", ["content", "role", "label"])
def test_record_when_any_text_holds_html_then_none_reaches_the_page(
    tmp_path: Path, field: str
) -> None:
    """Whatever key it stands in."""
    bad = '"><img src=x onerror=alert(1)>\u202e\x00'
    turns = record("p", bad if field == "label" else "a")["messages"]
    assert isinstance(turns, list)
    if field != "label":
        turns[0][field] = bad
    path = tmp_path / "a.jsonl"
    path.write_text((json.dumps({"messages": turns}) + "\n") * 3)

    html = draw_record(load_rows("training", path, validate_file(path).problems)[0])

    assert "<img" not in html
    assert "\u202e" not in html
    assert "\x00" not in html


@pytest.mark.parametrize("line", ["7", "[]", '{"messages": 1}', '{"messages": [1, {}]}', "{", "é"])
def test_record_when_it_is_no_record_then_the_line_is_shown_all_the_same(
    tmp_path: Path, line: str
) -> None:
    """Whoever fixes it must see it."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(line.encode() + b"\n\xff\n")

    first, second = load_rows("training", path, validate_file(path).problems)

    assert "haikuft-turn" in draw_record(first)
    assert "\\xff" in draw_record(second)


def test_texts_when_of_the_converse_shape_then_they_are_read_too() -> None:
    """Nova's records have lists of texts."""
    value = {
        "system": [{"text": "s"}],
        "messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}],
    }

    assert texts_of(value) == [("system", "system", "s"), ("messages[0]", "user", "a\nb")]


def test_rows_when_of_the_converse_shape_then_they_have_labels_too(tmp_path: Path) -> None:
    """The filter is for Nova's files as well."""
    path = tmp_path / "a.jsonl"
    for_one = [
        {
            "messages": [
                {"role": "user", "content": [{"text": f"q{n}"}]},
                {"role": "assistant", "content": [{"text": ("yes", "no")[n % 2]}]},
            ]
        }
        for n in range(8)
    ]
    path.write_text("\n".join(map(json.dumps, for_one)) + "\n")

    assert column(forms.browse_records({"training": path}), "label") == ["yes", "no"] * 4


def test_rows_when_labels_are_many_then_a_small_file_has_those_of_all_files(
    tmp_path: Path,
) -> None:
    """In the test part of 90 records alone the 30 labels would be free text."""
    for kind, numbers in {"training": range(70), "test": range(70, 90)}.items():
        lines = [
            {
                "messages": [
                    {"role": "user", "content": f"q{n}"},
                    {"role": "assistant", "content": f"label {n % 30}"},
                ]
            }
            for n in numbers
        ]
        (tmp_path / kind).write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    shown = forms.browse_records({kind: tmp_path / kind for kind in ("training", "test")})

    assert column(shown, "label") == [f"label {n % 30}" for n in range(90)]


def test_browser_when_a_problem_is_of_the_whole_file_then_it_stands_above(tmp_path: Path) -> None:
    """It has no record to stand at."""
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record("a", "b")) + "\n")

    html = forms.browse_records({"training": path}, validate_file(path))._repr_html_()

    assert "[too-few-records]" in html


def test_browser_when_the_file_is_not_there_then_it_says_so(tmp_path: Path) -> None:
    """A name, and what to do."""
    with pytest.raises(DataError, match="there is no such file"):
        forms.browse_records({"training": tmp_path / "none.jsonl"})
