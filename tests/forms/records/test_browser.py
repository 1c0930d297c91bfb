"""The browser of records: pages, filters, and each problem in its place."""

import json
from pathlib import Path

import pytest

from haikuft import forms
from haikuft.dataset import validate_file
from haikuft.errors import DataError
from haikuft.forms.records.browser import RecordBrowser
from haikuft.forms.records.chat_view import draw_record
from haikuft.forms.records.rows import load_rows, texts_of


def record(prompt: str, answer: str, **more: object) -> dict[str, object]:
    """Make a record of one question and one answer."""
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return {**more, "messages": turns}


@pytest.fixture
def browser(tmp_path: Path) -> RecordBrowser:
    """Twelve sound records of two labels, one with an empty answer, one line that is no JSON."""
    path = tmp_path / "train.jsonl"
    records = [record(f"question {n}{'x' * n}", ("yes", "no")[n % 2]) for n in range(12)]
    records.append(record("no answer", "", system="Be brief."))
    path.write_text("\n".join([*map(json.dumps, records), "<script>alert(1)</script>"]) + "\n")
    return forms.browse_records({"training": path}, validate_file(path))


def test_browser_when_shown_then_the_first_records_are_shown_as_chats(
    browser: RecordBrowser,
) -> None:
    """Under their roles, so that nothing is said by place or colour alone."""
    html = browser._repr_html_()

    assert "Records 1 to 5 of 14 chosen (14 in all); 2 of those chosen with a problem." in html
    assert '<div class="haikuft-turn user"><b>user</b><div>question 0</div>' in html
    assert '<div class="haikuft-turn assistant"><b>assistant</b><div>yes</div>' in html
    assert "train.jsonl, line 5" in html
    assert "train.jsonl, line 6" not in html


def test_browser_when_paged_then_it_goes_on_and_stops_at_the_ends(
    browser: RecordBrowser,
) -> None:
    """The buttons tell where there is no more."""
    assert browser.previous.disabled

    browser.next.click()
    browser.next.click()

    assert "Records 11 to 14 of 14" in repr(browser)
    assert browser.next.disabled
    browser.previous.click()
    assert "Records 6 to 10 of 14" in repr(browser)


@pytest.mark.parametrize(
    ("name", "value", "lines"),
    [
        ("problem", "with a problem", [13, 14]),
        ("problem", "not-json", [14]),
        ("problem", "without a problem", list(range(1, 13))),
        ("label", "no", [2, 4, 6, 8, 10, 12]),
        ("kind", "training", list(range(1, 15))),
    ],
)
def test_browser_when_filtered_then_only_those_records_are_chosen(
    browser: RecordBrowser, name: str, value: object, lines: list[int]
) -> None:
    """By problem, label and file; from the first page on."""
    browser.next.click()

    browser.controls[name].value = value

    assert [row.line for row in browser.chosen] == lines
    assert browser.controls["page"].value == 1


def test_browser_when_nothing_passes_then_it_says_so(browser: RecordBrowser) -> None:
    """An empty page would look broken."""
    browser.controls["label"].value = "no"
    browser.controls["problem"].value = "not-json"

    assert "None of 14 records passes these filters." in repr(browser)


def test_browser_when_a_turn_has_a_problem_then_it_is_marked_there_and_told(
    browser: RecordBrowser,
) -> None:
    """At the answer's turn, not the question's."""
    browser.controls["problem"].value = "empty-text"

    html = browser._repr_html_()

    assert '<div class="haikuft-turn assistant problem"><b>assistant</b><div>(empty)</div>' in html
    assert '<p class="problem-text">⚠ error: messages[1].content: ' in html
    assert '<div class="haikuft-turn user"><b>user</b>' in html
    assert '<div class="haikuft-turn system"><b>system</b><div>Be brief.</div></div>' in html


def test_browser_when_data_holds_html_then_it_is_shown_as_text(
    browser: RecordBrowser,
) -> None:
    """In the chat view, and in a line that is not a record."""
    browser.controls["problem"].value = "not-json"

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

    html = draw_record(load_rows({"training": path}, validate_file(path))[0])

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

    first, second = load_rows({"training": path}, validate_file(path))

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

    assert {row.label for row in load_rows({"training": path})} == {"yes", "no"}


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

    rows = load_rows({kind: tmp_path / kind for kind in ("training", "test")})

    assert [row.label for row in rows] == [f"label {n % 30}" for n in range(90)]


def test_browser_when_looked_at_then_every_control_has_a_label(
    browser: RecordBrowser,
) -> None:
    """These are the names that a screen reader says."""
    assert [control.description for control in browser.controls.values()] == [
        "File",
        "Problem",
        "Label",
        "Page",
    ]
    assert (browser.previous.description, browser.next.description) == (
        "Previous page",
        "Next page",
    )


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
