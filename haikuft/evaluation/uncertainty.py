"""How sure a difference is: paired bootstrap, seeded, and the verdict it allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE = 0.95
FEWEST = 10  # with fewer records no interval is worth its name
_ZERO = 1e-9  # what rounding may leave of nothing
_BLOCK = 1_000_000  # numbers drawn at a time, so that memory stays small


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap_mean(values: Sequence[float], *, seed: int) -> Interval:
    """Mean and percentile bootstrap interval, records drawn with replacement.

    Give it the differences of two models on the same records and the bootstrap is paired.
    """
    numbers = np.asarray(values, dtype=float)
    generator = np.random.default_rng(seed)
    means: list[NDArray[np.float64]] = []
    block = max(1, _BLOCK // len(numbers))
    for start in range(0, RESAMPLES, block):
        size = (min(block, RESAMPLES - start), len(numbers))
        means.append(numbers[generator.integers(0, len(numbers), size)].mean(axis=1))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return Interval(float(numbers.mean()), float(low), float(high))


def decide(gain: Interval, n: int) -> str:
    """Judge a gain (positive is good): "better", "worse" or "not told apart"."""
    if n < FEWEST:
        return "not told apart"
    if gain.low > _ZERO:
        return "better"
    return "worse" if gain.high < -_ZERO else "not told apart"
