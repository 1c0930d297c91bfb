"""Scoring calls of functions: by function, and by argument."""

import json

import pytest

from haikuft.evaluation.scorers.calls import read_call, right_arguments, right_function
from haikuft.evaluation.scorers.scorer import recognise_task, scorers_for

BOOK = {"name": "book_room", "arguments": {"room": "Elm", "minutes": 90, "equipment": ["camera"]}}


def record(call: object) -> dict[str, object]:
    """Make a record whose reference is a call."""
    turns = [("user", "Room Elm, an hour and a half"), ("assistant", json.dumps(call))]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.mark.parametrize("key", ["arguments", "input", "parameters"])
def test_read_call_when_the_arguments_have_a_usual_name_then_it_is_a_call(key: str) -> None:
    """OpenAI's, Anthropic's and AWS's names for them."""
    assert read_call(json.dumps({"name": "f", key: {"a": 1}})) == ("f", {"a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "book_room(Elm)",
        '["f", {}]',
        '{"name": "f"}',
        '{"name": 1, "arguments": {}}',
        '{"name": "f", "arguments": "x"}',
        '{"name": "f", "arguments": {}, "comment": "further member"}',
    ],
)
def test_read_call_when_the_text_is_no_call_then_none(text: str) -> None:
    """A program that makes the call would fail."""
    assert read_call(text) is None


@pytest.mark.parametrize(
    ("reply", "function", "arguments"),
    [
        (BOOK, 1, 1),
        ({"name": "book_room", "input": BOOK["arguments"]}, 1, 1),
        ({"name": "book_room", "arguments": {"room": "Elm", "minutes": 60}}, 1, 1 / 4),
        ({"name": "book_room", "arguments": {"room": "Elm", "minutes": 90}}, 1, 2 / 3),
        ({"name": "book_room", "arguments": {**BOOK["arguments"], "people": 4}}, 1, 3 / 4),
        ({"name": "find_room", "arguments": BOOK["arguments"]}, 0, 0),
        ("Room Elm is booked.", 0, 0),
    ],
)
def test_scores_when_a_reply_is_a_call_then_function_and_arguments_count_apart(
    reply: object, function: float, arguments: float
) -> None:
    """Missing, further and wrong arguments lower the second score alone."""
    text = json.dumps(reply)
    assert right_function(record(BOOK), text) == function
    assert right_arguments(record(BOOK), text) == pytest.approx(arguments)


def test_right_arguments_when_a_call_has_none_then_none_is_right() -> None:
    """An empty object agrees with itself, and with nothing else."""
    empty = {"name": "list_rooms", "arguments": {}}
    assert right_arguments(record(empty), json.dumps(empty)) == 1
    assert right_arguments(record(empty), '{"name": "list_rooms", "arguments": {"a": 1}}') == 0


def test_recognise_task_when_every_reference_is_a_call_then_calls() -> None:
    """One other JSON object makes it structured."""
    calls = [record(BOOK), record({"name": "list_rooms", "arguments": {}})]
    assert recognise_task(calls) == "calls"
    assert recognise_task([*calls, record({"name": "Elm", "seats": 4})]) == "structured"
    assert [s.name for s in scorers_for("calls")][:2] == ["right_arguments", "right_function"]
