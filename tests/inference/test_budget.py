"""A ceiling that holds while many questions are under way."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.errors import SettingsError
from haikuft.inference import Budget
from haikuft.inference.budget import most_input_tokens


def test_reserve_when_there_is_no_ceiling_then_all_is_given_and_the_spending_counted() -> None:
    """0 stands for none."""
    budget = Budget()

    assert budget.reserve(1e9)
    budget.settle(1e9, 2.0)

    assert budget.spent == 2.0


def test_reserve_when_this_alone_could_pass_the_ceiling_then_it_is_refused_at_once() -> None:
    """Nothing is under way that could make room."""
    budget = Budget(1.0)

    assert not budget.reserve(1.1)
    assert budget.reserve(1.0)


def test_reserve_when_another_may_turn_out_cheaper_then_it_waits_for_that_one() -> None:
    """What is set aside is the largest cost; the true one leaves room."""
    budget, answers = Budget(1.0), []
    budget.reserve(0.8)
    waiting = threading.Thread(target=lambda: answers.append(budget.reserve(0.8)))
    waiting.start()
    assert answers == []

    budget.settle(0.8, 0.1)
    waiting.join(5)

    assert answers == [True]


def test_reserve_when_the_other_took_all_then_who_waited_is_refused() -> None:
    """Waiting ends, whatever it ends with."""
    budget, answers = Budget(1.0), []
    budget.reserve(0.8)
    waiting = threading.Thread(target=lambda: answers.append(budget.reserve(0.8)))
    waiting.start()

    budget.settle(0.8, 0.8)
    waiting.join(5)

    assert answers == [False]


@given(st.floats(0.01, 10), st.lists(st.tuples(st.floats(0, 5), st.floats(0, 1)), max_size=30))
def test_spent_when_questions_cost_at_most_what_was_set_aside_then_never_passes_the_ceiling(
    ceiling: float, questions: list[tuple[float, float]]
) -> None:
    """Whatever their order and their true cost."""
    budget = Budget(ceiling)
    for largest, share in questions:
        if budget.reserve(largest):
            budget.settle(largest, largest * share)

    assert budget.spent <= ceiling


@pytest.mark.parametrize("ceiling", [-1.0, float("nan"), float("inf")])
def test_budget_when_the_ceiling_is_no_amount_then_it_is_refused(ceiling: float) -> None:
    """A slip must not spend without end."""
    with pytest.raises(SettingsError, match="max_dollars"):
        Budget(ceiling)


def test_most_input_tokens_when_counted_then_every_byte_of_every_turn_counts() -> None:
    """Four bytes of emoji may be four tokens; the marks between turns are some more."""
    turns = [{"role": "user", "content": "\U0001f600"}, {"role": "assistant", "content": "ab"}]

    assert most_input_tokens("xyz", turns) == 3 + 4 + 2 + 3 * 16
