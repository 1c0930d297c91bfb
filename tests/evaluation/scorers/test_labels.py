"""A reply that is a label is that label; what is folded together is read as neither."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.evaluation.scorers.labels import NO_LABEL, exact_match, read_label

ALIKE = [
    ("<10", ">10"),
    ("*", "**", "***"),
    (".", ",", "?"),
    ("Billing", "billing"),
    ("(a)", "a"),
    (":)", ":("),
    ("straße", "strasse"),
    ("C", "C++", "C#"),
]


def record(reference: str) -> dict[str, Any]:
    """Build a record with this reference."""
    turns = [("user", "which?"), ("assistant", reference)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.mark.parametrize("labels", ALIKE)
def test_read_label_when_labels_differ_in_case_or_marks_then_each_is_itself(
    labels: tuple[str, ...],
) -> None:
    """A perfect model gets every record, with white space around its replies."""
    assert [read_label(f" {label}\n", labels) for label in labels] == list(labels)


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("10", ("<10", ">10"), NO_LABEL),
        ("<10.", ("<10", ">10"), "<10"),
        ("It is >10 mugs", ("<10", ">10"), ">10"),
        ("I think 10 mugs", ("<10", ">10"), NO_LABEL),
        ("BILLING", ("Billing", "billing"), NO_LABEL),
        ("Billing.", ("Billing", "billing"), "Billing"),
        ("This is billing", ("Billing", "billing"), "billing"),
        ("It is (a).", ("(a)", "(b)"), "(a)"),
        ("The answer: b", ("(a)", "(b)"), "(b)"),
        ("I use C++ here", ("C", "C++"), "C++"),
        ("C++", ("C", "Java"), NO_LABEL),
        ("Good.", (".", ","), NO_LABEL),
        ("!", ("a", "*"), NO_LABEL),
        ("Card lost, not billing", ("card lost", "billing"), NO_LABEL),
        ("**<10**", ("<10", ">10"), "<10"),
        ("**10**", ("<10", ">10"), NO_LABEL),
        ("**Billing**", ("Billing", "billing"), "Billing"),
    ],
)
def test_read_label_when_folded_then_it_counts_where_one_candidate_is_left(
    text: str, labels: tuple[str, ...], label: str
) -> None:
    """What could be two labels is none of them."""
    assert read_label(text, labels) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        *(("1.5", NO_LABEL), ("1,5", NO_LABEL), ("-1", NO_LABEL), ("−1", NO_LABEL)),
        *(("It is -1.", NO_LABEL), ("Rated 1.5 of 5", NO_LABEL), ("It is 2.15", NO_LABEL)),
        *(
            ("It is 1.", "1"),
            ("1, I think", "1"),
            ("Rating:1", "1"),
            ("- 1", "1"),
            ("grade-1", "1"),
        ),
    ],
)
def test_read_label_when_labels_are_numbers_then_a_part_of_another_number_is_none(
    text: str, label: str
) -> None:
    """A rating of 1.5 is not the rating 1, and -1 is not 1."""
    assert read_label(text, ("0", "1", "15")) == label


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("我认为这是账单问题。", ("账单", "配送"), "账单"),
        ("账单和配送", ("账单", "配送"), NO_LABEL),
        ("これは請求に関する質問です", ("請求", "配送"), "請求"),
        ("これはサーバー障害です", ("障害", "請求"), "障害"),
        ("คำตอบคือบัญชีครับ", ("บัญชี", "จัดส่ง"), "บัญชี"),
        ("이것은 배송입니다.", ("배송", "청구"), "배송"),
        ("재배송", ("배송", "청구"), NO_LABEL),
        ("यह बिलिंग है", ("बिलिंग", "डिलीवरी"), "बिलिंग"),
        ("标签是card吧", ("card", "billing"), "card"),
    ],
)
def test_read_label_when_the_script_has_no_spaces_then_it_is_found_in_a_sentence(
    text: str, labels: tuple[str, ...], label: str
) -> None:
    """Between other letters; in Korean before a particle."""
    assert read_label(text, labels) == label


@given(st.sets(st.text(min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=6))
def test_read_label_when_the_reply_is_any_label_then_it_is_never_another(labels: set[str]) -> None:
    """But for white space, and for letters that Unicode calls the same."""
    for label in labels:
        joined = " ".join(unicodedata.normalize("NFC", label).split())
        assert read_label(label, sorted(labels)) == joined


def test_exact_match_when_a_mark_is_a_character_of_its_own_then_the_text_is_the_same() -> None:
    """Keyboards write one form, files from macOS the other."""
    assert exact_match(record("Größe"), "Gro\u0308ße") == 1.0
