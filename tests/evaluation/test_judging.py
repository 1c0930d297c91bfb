"""A judge's verdict, from scripted replies; no number here says anything about a model."""

import json
from typing import Any

import pytest
from fakes import ScriptedReply
from hypothesis import given
from hypothesis import strategies as st

from haikuft.dataset.records import record_id
from haikuft.errors import SettingsError
from haikuft.evaluation.judging import (
    Judging,
    Question,
    build_questions,
    check_judge,
    judge,
    read_winner,
)


def build_records(count: int) -> list[dict[str, Any]]:
    """Make so many different records."""
    return [
        {
            "system": "Answer in one word.",
            "messages": [
                {"role": "user", "content": f"What is {number} and {number}?"},
                {"role": "assistant", "content": str(2 * number)},
            ],
        }
        for number in range(count)
    ]


def replies(records: list[dict[str, Any]], text: str) -> dict[str, ScriptedReply]:
    """Let a model answer every record with its own text."""
    return {
        record_id(record): ScriptedReply(f"{text} {number}")
        for number, record in enumerate(records)
    }


def say(winner: str) -> ScriptedReply:
    """Answer as the judge was told to."""
    return ScriptedReply(json.dumps({"reason": "It is right.", "winner": winner}))


def hold(questions: list[Question], choose: Any) -> Judging:
    """Let a scripted judge answer every question: `choose(question) -> ScriptedReply`."""
    answers = {record_id(q.record): choose(q) for q in questions if q.record is not None}
    return judge(questions, answers, judge_model_id="a.judge")


@pytest.fixture
def questions() -> list[Question]:
    """Twenty records, two replies each."""
    records = build_records(20)
    return build_questions(records, replies(records, "base"), replies(records, "tuned"))


def prefer_tuned(question: Question) -> ScriptedReply:
    """Find the tuned model's reply wherever it stands."""
    return say("first" if question.exchanged else "second")


def test_build_questions_when_records_are_copies_asks_about_one_of_each() -> None:
    """White space makes no other record."""
    (record,) = build_records(1)
    (copy,) = build_records(1)
    copy["messages"][0]["content"] += "\n"
    records = [record, copy, record]
    asked = build_questions(records, replies(records, "base"), replies(records, "tuned"))
    assert [question.record_id for question in asked] == [record_id(record)] * 2


def test_build_questions_asks_each_pair_in_both_orders(questions: list[Question]) -> None:
    """The judge sees request, reference and both replies, once in each order."""
    straight, exchanged = questions[0], questions[1]
    assert straight.record is not None
    assert exchanged.record is not None
    shown = [json.loads(q.record["messages"][0]["content"]) for q in (straight, exchanged)]  # type: ignore[index]
    assert [(s["first_reply"], s["second_reply"]) for s in shown] == [
        ("base 0", "tuned 0"),
        ("tuned 0", "base 0"),
    ]
    assert shown[0]["instructions"] == "Answer in one word."
    assert shown[0]["request"] == [{"role": "user", "content": "What is 0 and 0?"}]
    assert shown[0]["reference"] == "0"
    assert len(questions) == 40


def test_build_questions_leaves_out_records_that_one_model_did_not_answer() -> None:
    """There is nothing to compare."""
    records = build_records(3)
    first, second = replies(records, "a"), replies(records, "b")
    first[record_id(records[0])] = ScriptedReply("", error="throttled")
    del second[record_id(records[1])]
    asked = build_questions(records, first, second)
    assert {question.record_id for question in asked} == {record_id(records[2])}


def test_same_replies_are_a_tie_that_nobody_is_asked_about() -> None:
    """Asking would cost money and could only mislead."""
    records = build_records(12)
    asked = build_questions(records, replies(records, "a"), replies(records, "a"))
    assert all(question.record is None for question in asked)
    assert hold(asked, None).counts["tie"] == 12


def test_judge_that_finds_the_tuned_reply_in_both_orders_calls_it_better(
    questions: list[Question],
) -> None:
    """Twenty wins of twenty, and a judge at one with itself."""
    found = hold(questions, prefer_tuned)
    assert found.counts["better"] == 20
    assert found.agreement == 1.0
    assert "tuned is better than base on 20 records" in found.verdict
    assert "agrees with itself in 100%" in found.verdict


def test_judge_that_always_likes_the_first_reply_decides_nothing(
    questions: list[Question],
) -> None:
    """A habit is not a judgement: every pair is split, and the agreement says so."""
    found = hold(questions, lambda question: say("first"))
    assert found.counts["split"] == 20
    assert found.agreement == 0.0
    assert "not distinguishable" in found.verdict


def test_judge_that_prefers_the_base_calls_the_tuned_model_worse(questions: list[Question]) -> None:
    """Both directions are possible."""
    found = hold(questions, lambda q: say("second" if q.exchanged else "first"))
    assert found.counts["worse"] == 20
    assert "tuned is worse than base" in found.verdict


def test_pair_with_an_unreadable_or_missing_reading_counts_for_nothing(
    questions: list[Question],
) -> None:
    """It is neither a tie nor a win; the verdict says how many there were."""
    lost = {q.record_id for q in questions[:10]}

    def choose(question: Question) -> ScriptedReply:
        if question.record_id in lost and question.exchanged:
            return ScriptedReply("Well, the first one, I think.")
        return prefer_tuned(question)

    found = hold(questions, choose)
    assert (found.counts["unreadable"], found.counts["better"]) == (5, 15)
    assert "on 15 records" in found.verdict
    assert "unreadable 5" in found.verdict
    failed = hold(questions, lambda question: ScriptedReply("", error="throttled"))
    assert failed.gain is None
    assert "no verdict" in failed.verdict


@pytest.mark.parametrize(
    "text",
    [
        "",
        "first",
        '{"winner": "first"}',
        '{"winner": "First", "reason": "x"}',
        '{"winner": "first", "reason": "x", "score": 1}',
        '{"winner": "first", "reason": null}',
        '["first", "x"]',
        'Here it is: {"winner": "first", "reason": "x"}',
        "[" * 100_000,
    ],
)
def test_read_winner_when_the_reply_is_not_what_was_asked_for_refuses_it(text: str) -> None:
    """Nothing is guessed from a reply that does not keep to the form."""
    assert read_winner(text) == ""


@given(st.text())
def test_read_winner_never_fails_otherwise(text: str) -> None:
    """Any reply names a winner or none."""
    assert read_winner(text) in ("", "first", "second", "tie")


def test_check_judge_on_the_sandbox_says_that_there_is_none() -> None:
    """Stand-ins judge nothing."""
    with pytest.raises(SettingsError, match="sandbox has no judge"):
        check_judge("a.judge", target="sandbox")
    with pytest.raises(SettingsError, match="judge_model_id is empty"):
        check_judge("", target="aws")
    check_judge("a.judge", target="aws")
