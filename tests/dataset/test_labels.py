"""Labels: recognised where answers are few and short, and nowhere else."""

import pytest

from haikuft.dataset.labels import labels_of


def test_labels_when_few_short_answers_recur_then_one_for_each_record(make_record):
    """White space around a label is not part of it."""
    records = [make_record(n, answer=("yes", " no")[n % 2]) for n in range(6)]
    assert labels_of(records) == ["yes", "no"] * 3


def test_labels_when_brackets_hold_no_json_then_they_are_labels(make_record):
    """A mark at the beginning is no form of an answer."""
    records = [make_record(n, answer=("[urgent]", "{other}")[n % 2]) for n in range(6)]
    assert labels_of(records) == ["[urgent]", "{other}"] * 3


@pytest.mark.parametrize(
    "answers",
    [
        [],
        ["same"] * 30,
        ["a", "b", "c", "d"],
        ["a" * 61, "b"] * 10,
        ["two\nlines", "b"] * 10,
        ['{"a": 1}', '{"a": 2}'] * 10,
        *(
            ["[1]", "[2]"] * 10,
            ['["a"]', "[ ]"] * 10,
            ["[true]", "[[1]]"] * 10,
            ["{ }", "[{}]"] * 10,
        ),
        [" ", "b"] * 10,
    ],
)
def test_labels_when_answers_are_free_structured_or_all_the_same_then_none(answers, make_record):
    """Each of these is another kind of task, or no task of sorting."""
    records = [make_record(n, answer=answer) for n, answer in enumerate(answers)]
    assert labels_of(records) is None
