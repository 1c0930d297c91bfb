"""Hyperparameters: ranges are kept, AWS's strings come back whole, early stopping is exact."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.errors import SettingsError
from haikuft.hyperparameters import (
    WORKED_EXAMPLE,
    EarlyStop,
    build_hyperparameters,
    count_steps,
    decide_early_stop,
    from_aws,
    to_aws,
)

RANGES = CLAUDE_3_HAIKU.hyperparameters
VALUES = st.fixed_dictionaries(
    {
        name: st.integers(int(allowed.minimum), int(allowed.maximum))
        if allowed.kind == "int"
        else st.floats(allowed.minimum, allowed.maximum)
        for name, allowed in RANGES.items()
    }
)


def test_build_when_nothing_is_given_then_aws_defaults():
    """The ranges and AWS agree on the defaults."""
    assert build_hyperparameters() == {name: allowed.default for name, allowed in RANGES.items()}
    assert build_hyperparameters() == from_aws({})


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_build_when_value_is_an_end_of_its_range_then_accepted(name, end):
    """Both ends belong to the range."""
    value = getattr(RANGES[name], end)
    assert build_hyperparameters(**{name: value})[name] == value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "epoch_count",
            0,
            "epoch_count = 0 is out of range; allowed is a whole number from 1 to 10",
        ),
        ("epoch_count", 2.5, "epoch_count = 2.5 is not a whole number"),
        ("epoch_count", "3", "epoch_count = '3' is not a whole number"),
        ("epoch_count", True, "epoch_count = True is not a whole number"),
        ("batch_size", 257, r"from 4 to 256 \(default 32\)"),
        ("learning_rate_multiplier", 0.05, "allowed is a number from 0.1 to 2"),
        ("learning_rate_multiplier", math.nan, "nan is out of range"),
        ("early_stopping_threshold", -0.001, "from 0 to 0.1"),
        ("early_stopping_patience", math.inf, "inf is not a whole number"),
        ("epochs", 3, '"epochs" is no hyperparameter of this model; did you mean "epoch_count"'),
    ],
)
def test_build_when_value_cannot_be_then_error_names_range_and_default(name, value, words):
    """A refusal says which value, what is wrong with it, and what may stand there."""
    with pytest.raises(SettingsError, match=words):
        build_hyperparameters(**{name: value})


def test_build_when_several_values_are_wrong_then_all_are_named_at_once():
    """Nobody has to fix one to be told of the next."""
    with pytest.raises(SettingsError) as refusal:
        build_hyperparameters(epoch_count=11, batch_size=2, learning_rate=1)
    assert len(str(refusal.value).splitlines()) == 3


def test_build_when_a_whole_number_is_written_as_float_then_it_is_an_int():
    """A slider that gives 3.0 means 3, and AWS must be told "3"."""
    assert to_aws(build_hyperparameters(epoch_count=3.0))["epochCount"] == "3"


def test_to_aws_when_written_then_all_are_text_without_exponents():
    """AWS's map is from text to text; an exponent is a risk not worth taking."""
    text = to_aws(build_hyperparameters(early_stopping_threshold=0.00001))
    assert text == {
        "epochCount": "2",
        "batchSize": "32",
        "learningRateMultiplier": "1.0",
        "earlyStoppingThreshold": "0.00001",
        "earlyStoppingPatience": "2",
    }


@given(values=VALUES)
def test_from_aws_when_given_what_to_aws_wrote_then_the_same_values(values):
    """The way to AWS and back is the identity, to the last digit."""
    hyperparameters = build_hyperparameters(**values)
    assert from_aws(to_aws(hyperparameters)) == hyperparameters


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"epochCount": "11"}, "epochCount = '11' is out of range"),
        ({"epochCount": "two"}, "epochCount = 'two' is not a whole number"),
        ({"epochCount": "2.5"}, "is not a whole number"),
        ({"batchSize": "1_6"}, "is not a whole number"),
        ({"learningRateMultiplier": "nan"}, "is not a number"),
        ({"learningRateMultiplier": ""}, "is not a number"),
        ({"epochCount": 2}, "epochCount = 2 is not a whole number"),
        ({"learningRate": "1"}, '"learningRate" is no hyperparameter .* "learningRateMultiplier"'),
    ],
)
def test_from_aws_when_text_cannot_be_used_then_error_names_aws_key(mapping, words):
    """What comes in AWS's names is refused in AWS's names."""
    with pytest.raises(SettingsError, match=words):
        from_aws(mapping)


@pytest.mark.parametrize(
    ("threshold", "patience", "expected"),
    [
        (0.0, 2, EarlyStop(stopped_epoch=7, best_epoch=5, best_loss=0.64)),
        (0.05, 1, EarlyStop(stopped_epoch=4, best_epoch=4, best_loss=0.66)),
    ],
)
def test_early_stop_when_given_the_worked_example_then_its_published_outcomes(
    threshold, patience, expected
):
    """The lesson's two rows come out as it says."""
    assert decide_early_stop(WORKED_EXAMPLE, threshold=threshold, patience=patience) == expected


def test_early_stop_when_improvement_equals_the_threshold_but_for_rounding_then_it_counts():
    """0.85 - 0.8 is 0.04999… in floating point and still an improvement of 0.05."""
    losses = (0.85, 0.8, 0.75, 0.7)
    assert decide_early_stop(losses, threshold=0.05, patience=1).stopped_epoch is None


def test_early_stop_when_losses_keep_falling_then_runs_through():
    """Without a stop the last epoch is the best one."""
    assert decide_early_stop((3.0, 2.0, 1.0), threshold=0.1, patience=1) == EarlyStop(None, 3, 1.0)


def test_early_stop_when_an_epoch_improves_again_then_patience_starts_anew():
    """Only stagnating epochs in a row count."""
    losses = (1.0, 1.1, 0.9, 1.0, 0.8)
    assert decide_early_stop(losses, threshold=0.05, patience=2).stopped_epoch is None


def test_early_stop_when_loss_creeps_down_by_less_than_the_threshold_then_lowest_is_kept():
    """Small steps stagnate, and yet the last of them is the one kept."""
    losses = (1.0, 0.99, 0.98, 0.97)
    assert decide_early_stop(losses, threshold=0.05, patience=2) == EarlyStop(3, 3, 0.98)


def test_early_stop_when_losses_are_no_numbers_then_they_stagnate_and_are_never_best():
    """A training that blew up ends by the same rule."""
    losses = (math.nan, 0.9, math.nan, math.nan)
    assert decide_early_stop(losses, threshold=0.0, patience=2) == EarlyStop(4, 2, 0.9)


@pytest.mark.parametrize(
    ("losses", "threshold", "patience", "words"),
    [
        ((), 0.0, 1, "was given none"),
        ((1.0,), 0.0, 0, "patience 0"),
        ((1.0,), -1.0, 1, "threshold -1.0"),
        ((1.0,), math.nan, 1, "threshold nan"),
    ],
)
def test_early_stop_when_it_cannot_be_decided_then_error_says_why(
    losses, threshold, patience, words
):
    """Nothing to look at and senseless settings are refused."""
    with pytest.raises(SettingsError, match=words):
        decide_early_stop(losses, threshold=threshold, patience=patience)


@given(
    losses=st.lists(st.floats(0, 10), min_size=1, max_size=12),
    threshold=st.floats(0, 0.1),
    patience=st.integers(1, 10),
)
def test_early_stop_when_decided_then_best_is_the_lowest_up_to_the_stop(
    losses, threshold, patience
):
    """Whatever the curve, the kept epoch has the lowest loss of those trained."""
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)
    trained = losses[: stop.stopped_epoch]
    assert stop.best_loss == min(trained) == losses[stop.best_epoch - 1]
    assert stop.stopped_epoch is None or stop.stopped_epoch > patience


@pytest.mark.parametrize(
    ("records", "batch_size", "steps"), [(0, 32, 0), (1, 32, 1), (64, 32, 2), (65, 32, 3)]
)
def test_steps_when_the_last_batch_is_small_then_it_counts(records, batch_size, steps):
    """An epoch takes every record, so a last small batch is a step too."""
    assert count_steps(records, batch_size) == steps


def test_steps_when_batch_size_is_zero_then_error():
    """No batch can be empty."""
    with pytest.raises(SettingsError, match="batch_size = 0"):
        count_steps(10, 0)
