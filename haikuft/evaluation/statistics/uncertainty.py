"""Uncertainty of scores and differences: intervals, paired tests, detectable differences.

Two models answer the same records, so every comparison is paired: it looks at the change of each
record. Resampling is seeded and done for all columns at once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

RESAMPLES = 10_000
CONFIDENCE = 0.95
LEVEL = 0.05  # a test whose p-value is below counts as a difference
POWER = 0.80  # how often a true difference of the smallest size would be detected
FEWEST = 10  # with fewer records there is no verdict
NO_VERDICT = "not distinguishable"
MCNEMAR, BOOTSTRAP = "McNemar's exact test", "paired bootstrap"
_NEEDED = 6  # records changed one way and none the other: p = 2 × 0.5⁶ = 0.03
_ZERO = 1e-9  # a smaller difference is rounding
_BLOCK = 1_000_000  # numbers drawn at a time, to bound the memory
_MOST_KEPT = 40_000_000  # counts that are kept for the next figure, mostly a byte each


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap_means(columns: "ArrayLike", *, seed: int) -> list[Interval]:
    """Mean and percentile bootstrap interval of each column, rows drawn with replacement.

    Give it differences of two models on the same records and the bootstrap is paired.

    Args:
        columns: Records down, one or more columns across; a single row of numbers is one column.
        seed: The same seed, the same intervals.
    """
    values = _as_columns(columns)
    drawn = np.concatenate([weights @ values for weights in draw_weights(len(values), seed)])
    return intervals_of(values.mean(axis=0), drawn)


def intervals_of(values: "Numbers", drawn: "Numbers") -> list[Interval]:
    """Give values the intervals of what resampling drew: columns alike, one resample a row.

    A resample in which a value is not defined (NaN) is left out for that value.
    """
    tail = (1 - CONFIDENCE) / 2
    lows, highs = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, row)) for row in zip(values, lows, highs, strict=True)]


def share_interval(values: Sequence[float]) -> Interval:
    """Share of ones with Wilson's interval, which is valid where all or none are right, too.

    A bootstrap of ten right of ten is 100 % to 100 %; Wilson's interval is 72 % to 100 %.
    """
    from scipy.stats import binomtest

    right = round(sum(values))
    found = binomtest(right, len(values)).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(right / len(values), float(found.low), float(found.high))


def is_right_or_wrong(values: "ArrayLike") -> bool:
    """Whether every score is 0 or 1."""
    return bool(np.isin(np.asarray(values, dtype=float), (0.0, 1.0)).all())


def mcnemar(before: "ArrayLike", after: "ArrayLike") -> float:
    """P-value of McNemar's exact test: of the records that changed, did as many improve as worsen?

    Args:
        before: 0 or 1 for each record.
        after: The same records in the same order.
    """
    from scipy.stats import binomtest

    change = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    improved, changed = int((change > 0).sum()), int((change != 0).sum())
    return float(binomtest(improved, changed).pvalue) if changed else 1.0


def paired_bootstrap(differences: "ArrayLike", *, seed: int) -> "Numbers":
    """Two-sided p-value of each column's mean being 0, by the studentised paired bootstrap.

    The mean is measured in its own standard errors, in the data and in each resample, as scores
    of few records need; a plain percentile bootstrap rejects too often there.

    Args:
        differences: As for `bootstrap_means`.
        seed: Of the resampling.
    """
    values = _as_columns(differences)
    n = len(values)
    means, errors = _standardise(values.mean(axis=0), (values**2).mean(axis=0), n)
    seen = _divide(means, errors)
    beyond = np.zeros(values.shape[1])
    for weights in draw_weights(n, seed):
        drawn, spread = _standardise(weights @ values, weights @ values**2, n)
        beyond += (_divide(drawn - means, spread) >= seen - _ZERO).sum(axis=0)
    p = (1 + beyond) / (1 + RESAMPLES)
    # The same difference on every record cannot be resampled; the sign test remains.
    return np.where(errors > 0, p, np.where(np.abs(means) > _ZERO, 2 * 0.5**n, 1.0))


def smallest_difference(differences: "ArrayLike", *, right_or_wrong: bool) -> float | None:
    """Compute the smallest difference of means that so many records detect 4 times in 5.

    From the spread of the paired differences: (1.96 + 0.84) standard errors. Where scores are 0
    or 1 it is no smaller than what changes six records or more four times in five, since McNemar's
    exact test needs six that all changed one way. For one comparison, before any correction.

    Returns:
        The difference; None where no record differs, so that the spread is unknown.
    """
    from scipy.stats import beta, norm

    numbers = np.asarray(differences, dtype=float)
    n = len(numbers)
    error = float(numbers.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    size = float(norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER)) * error
    if right_or_wrong:  # P(Binomial(n, d) >= 6) = 0.8, solved for d
        least = float(beta.ppf(POWER, _NEEDED, n - _NEEDED + 1)) if n >= _NEEDED else 1.0
        return min(max(size, least), 1.0)
    return size if error > _ZERO else None


def correct_by_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several comparisons by Holm's method, in the order given."""
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return [float(p) for p in np.minimum(adjusted, 1.0)]


def decide(gain: float, p_value: float, n: int) -> str:
    """Decide on a gain (positive is good): "better", "worse" or "not distinguishable"."""
    if n < FEWEST or p_value >= LEVEL or abs(gain) <= _ZERO:
        return NO_VERDICT
    return "better" if gain > 0 else "worse"


def draw_weights(n: int, seed: int) -> Iterator["Numbers"]:
    """Draw `RESAMPLES` resamples of n records, block by block; their counts are kept.

    Returns:
        Resamples down, records across: the share that each record has in the resample.
    """
    counts = _keep_counts(n, seed) if RESAMPLES * n <= _MOST_KEPT else _draw_counts(n, seed)
    return (np.divide(block, n, dtype=float) for block in counts)


@lru_cache(maxsize=4)  # all records and three groups of them, which many figures resample
def _keep_counts(n: int, seed: int) -> list["NDArray[np.integer[Any]]"]:
    return [block.astype(np.min_scalar_type(block.max())) for block in _draw_counts(n, seed)]


def _draw_counts(n: int, seed: int) -> Iterator["NDArray[np.integer[Any]]"]:
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for start in range(0, RESAMPLES, block):
        size = min(block, RESAMPLES - start)
        places = generator.integers(0, n, (size, n))
        places += n * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * n).reshape(size, n)


def _as_columns(values: "ArrayLike") -> "Numbers":
    columns = np.asarray(values, dtype=float)
    return columns[:, None] if columns.ndim == 1 else columns


def _standardise(means: "Numbers", squares: "Numbers", n: int) -> tuple["Numbers", "Numbers"]:
    """Give means and their standard errors, where rounding alone counts as no spread."""
    spread = squares - means**2
    return means, np.sqrt(np.where(spread > _ZERO * (squares + _ZERO), spread, 0.0) / n)


def _divide(means: "Numbers", errors: "Numbers") -> Any:
    """Means in standard errors, without their sign; infinite where there is no error at all."""
    size = np.abs(means)
    without = np.where(size > _ZERO, np.inf, 0.0)
    return np.divide(size, errors, out=without, where=errors > 0)
