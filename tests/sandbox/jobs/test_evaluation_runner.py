"""The metrics of evaluation jobs that need no model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.sandbox.jobs.evaluation_runner import METRICS, label_accuracy, word_f1


@pytest.mark.parametrize(
    ("response", "reference", "score"),
    [
        ("refund", "refund", 1.0),
        (" Refund\n", "refund", 1.0),
        ("refunds", "refund", 0.0),
        ("The label is refund", "refund", 0.0),
        ("", "refund", 0.0),
    ],
)
def test_label_accuracy_is_right_or_wrong(response: str, reference: str, score: float) -> None:
    """Case and surrounding space do not count; anything more does."""
    assert label_accuracy(response, reference) == score


@pytest.mark.parametrize(
    ("response", "reference", "score"),
    [
        ("The Eiffel Tower!", "an eiffel tower", 1.0),
        ("red and blue", "red", 2 * (1 / 3) / (1 / 3 + 1)),
        ("red red", "red", 2 * (1 / 2) / (1 / 2 + 1)),
        ("blue", "red", 0.0),
        ("", "red", 0.0),
        ("...", "the", 1.0),
    ],
)
def test_word_f1_weighs_precision_and_recall_of_words(
    response: str, reference: str, score: float
) -> None:
    """Punctuation, case and articles do not count; how often a word stands does."""
    assert word_f1(response, reference) == pytest.approx(score)


@given(st.text(), st.text())
def test_metrics_are_shares_whatever_the_texts(response: str, reference: str) -> None:
    """Every score is between 0 and 1, and that of a text against itself is 1."""
    for metric in METRICS.values():
        assert 0 <= metric(response, reference) <= 1
        assert metric(response, response) == 1
