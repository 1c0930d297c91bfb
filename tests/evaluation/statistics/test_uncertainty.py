"""Intervals hold what they promise, tests cry wolf no more often than they may."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from haikuft.evaluation.statistics.uncertainty import (
    LEVEL,
    bootstrap_means,
    correct_by_holm,
    decide,
    draw_weights,
    mcnemar,
    paired_bootstrap,
    share_interval,
    smallest_difference,
)

PAIRS = 1000  # simulated comparisons of a model with itself
# 19 of 20 may not be told apart; so many pairs allow this much by chance (three standard errors)
ALLOWED = LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / PAIRS)


def test_bootstrap_mean_when_values_are_half_and_half_then_it_agrees_with_theory() -> None:
    """For 100 coin flips the normal approximation gives 0.402 to 0.598."""
    interval = bootstrap_means([0.0, 1.0] * 50, seed=1)[0]

    assert interval.value == 0.5
    assert (interval.low, interval.high) == (
        pytest.approx(0.402, abs=0.015),
        pytest.approx(0.598, abs=0.015),
    )


def test_bootstrap_mean_when_the_seed_is_the_same_then_so_is_the_interval() -> None:
    """A page printed twice shows the same numbers; other seeds differ a little."""
    values = [math.sin(n) for n in range(50)]

    assert bootstrap_means(values, seed=3)[0] == bootstrap_means(values, seed=3)[0]
    assert bootstrap_means(values, seed=3)[0] != bootstrap_means(values, seed=4)[0]


def test_bootstrap_means_when_compared_with_scipy_then_the_intervals_agree() -> None:
    """The same percentiles as scipy.stats.bootstrap, but for the draw."""
    values = np.random.default_rng(1).exponential(size=80)

    ours = bootstrap_means(values.tolist(), seed=1)[0]
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(2)
    ).confidence_interval

    assert (ours.low, ours.high) == (
        pytest.approx(theirs.low, abs=0.02),
        pytest.approx(theirs.high, abs=0.02),
    )


def test_bootstrap_means_when_there_are_columns_then_each_is_as_alone() -> None:
    """Many scorers are resampled at once, and none changes another's interval."""
    columns = np.random.default_rng(1).random((30, 3))

    together = bootstrap_means(columns, seed=5)

    for column, interval in zip(columns.T, together, strict=True):
        alone = bootstrap_means(column.tolist(), seed=5)[0]
        assert (alone.low, alone.high) == pytest.approx((interval.low, interval.high))


def test_draw_weights_when_drawn_then_each_resample_is_whole() -> None:
    """Shares add up to one, and no record is favoured."""
    weights = np.concatenate(list(draw_weights(7, 1)))

    assert weights.shape == (10_000, 7)
    assert weights.sum(axis=1) == pytest.approx(np.ones(10_000))
    assert weights.mean(axis=0) == pytest.approx(np.full(7, 1 / 7), abs=0.003)


def test_draw_weights_when_drawn_again_then_they_are_the_same_numbers() -> None:
    """What is kept is counts, from which the shares are computed each time."""
    first, again = (np.concatenate(list(draw_weights(300, 2))) for _ in range(2))

    assert np.array_equal(first, again)


def test_share_interval_when_all_are_right_then_it_still_has_width() -> None:
    """Ten of ten is no proof of perfection: Wilson's interval begins at 72 %."""
    interval = share_interval([1.0] * 10)

    assert (interval.value, interval.high) == (1.0, pytest.approx(1.0))
    assert interval.low == pytest.approx(0.7225, abs=0.0005)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_when_compared_with_the_binomial_then_it_is_exact(
    pairs: list[tuple[bool, bool]],
) -> None:
    """Twice the smaller tail of a fair coin, thrown once for each record that changed."""
    improved = sum(after and not before for before, after in pairs)
    worsened = sum(before and not after for before, after in pairs)
    tail = stats.binom.cdf(min(improved, worsened), improved + worsened, 0.5)

    p_value = mcnemar([before for before, _ in pairs], [after for _, after in pairs])

    assert p_value == pytest.approx(min(1.0, 2 * tail))


def test_paired_bootstrap_when_the_difference_is_plain_then_it_sees_it() -> None:
    """One standard deviation on fifty records, and none at all."""
    draw = np.random.default_rng(3).normal(size=50)
    centred = (draw - draw.mean()) / draw.std()

    shifted, level = paired_bootstrap(np.column_stack([centred + 1, centred]), seed=1)

    assert shifted < 0.001
    assert level > 0.9


def test_paired_bootstrap_when_no_record_differs_or_all_do_alike_then_it_has_an_answer() -> None:
    """Nothing to resample: equal is equal, and the same gain ten times over is the sign test's."""
    same, gain = paired_bootstrap(np.column_stack([np.zeros(10), np.full(10, 0.1)]), seed=1)

    assert (same, gain) == (1.0, pytest.approx(2 * 0.5**10))


@pytest.mark.parametrize("n", [10, 30, 120])
@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_mcnemar_when_both_models_are_one_then_it_rarely_tells_them_apart(
    n: int, rate: float
) -> None:
    """Right or wrong by chance, in a thousand pairs of models of one quality."""
    base, tuned = np.random.default_rng(n).random((2, PAIRS, n)) < rate

    alarms = [
        decide(float((b - a).mean()), mcnemar(a, b), n) != "not distinguishable"
        for a, b in zip(base.astype(float), tuned.astype(float), strict=True)
    ]

    assert np.mean(alarms) <= ALLOWED


@pytest.mark.parametrize("n", [10, 30, 120])
@pytest.mark.parametrize("shape", ["spread", "at the ends", "mostly equal", "with outliers"])
def test_paired_bootstrap_when_both_models_are_one_then_it_rarely_tells_them_apart(
    n: int, shape: str
) -> None:
    """Scores of any shape, in a thousand pairs of models of one quality."""
    draw = np.random.default_rng(n)
    scores = {
        "spread": draw.random((2, n, PAIRS)),
        "at the ends": draw.beta(0.3, 0.3, (2, n, PAIRS)),
        "mostly equal": draw.random((2, n, PAIRS)) * (draw.random((n, PAIRS)) < 0.2),
        "with outliers": draw.lognormal(0, 1.5, (2, n, PAIRS)),
    }[shape]

    p_values = paired_bootstrap(scores[1] - scores[0], seed=1)

    assert np.mean(p_values < LEVEL) <= ALLOWED


@pytest.mark.parametrize(("n", "sd"), [(40, 0.5), (200, 0.2)])
def test_smallest_difference_when_it_is_true_then_it_is_seen_four_times_in_five(
    n: int, sd: float
) -> None:
    """Models that differ by just as much are told apart in about 80 % of such test sets."""
    draw = np.random.default_rng(1).normal(0, sd, (n, PAIRS))
    sizes = [smallest_difference(column, right_or_wrong=False) for column in draw.T[:50]]

    seen = paired_bootstrap(draw + np.mean([size for size in sizes if size]), seed=1) < LEVEL

    assert 0.75 < seen.mean() < 0.85


def test_smallest_difference_when_no_record_differs_then_six_that_do_are_needed() -> None:
    """Of 50 right or wrong, a change of 15 in 100 gives six or more four times in five."""
    size = smallest_difference(np.zeros(50), right_or_wrong=True)

    assert size is not None
    assert stats.binom.sf(5, 50, size) == pytest.approx(0.8)
    assert smallest_difference(np.zeros(5), right_or_wrong=True) == 1.0
    assert smallest_difference(np.zeros(50), right_or_wrong=False) is None


def test_correct_by_holm_when_worked_by_hand_then_order_and_figures_agree() -> None:
    """Three times the smallest, twice the next, and none smaller than the one before."""
    assert correct_by_holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert correct_by_holm([0.04]) == [0.04]
    assert correct_by_holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=8))
def test_correct_by_holm_when_compared_with_bonferroni_then_it_lies_between(
    p_values: list[float],
) -> None:
    """Never below the p-value itself, never above Bonferroni's."""
    for raw, adjusted in zip(p_values, correct_by_holm(p_values), strict=True):
        assert raw <= adjusted <= min(1.0, raw * len(p_values)) or adjusted == pytest.approx(raw)


@pytest.mark.parametrize(
    ("gain", "p_value", "n", "verdict"),
    [
        (0.2, 0.01, 40, "better"),
        (-0.2, 0.01, 40, "worse"),
        (0.2, 0.05, 40, "not distinguishable"),
        (0.9, 0.001, 9, "not distinguishable"),
        (0.0, 0.001, 40, "not distinguishable"),
    ],
)
def test_decide_when_told_gain_p_and_n_then_it_names_the_verdict(
    gain: float, p_value: float, n: int, verdict: str
) -> None:
    """Few records decide nothing, whatever they show."""
    assert decide(gain, p_value, n) == verdict
