"""Two models compared by one scorer, and the verdict as a sentence."""

from dataclasses import astuple, dataclass

from haikuft.evaluation.scorers.scorer import Scorer
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.uncertainty import FEWEST, NO_VERDICT, Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model against another, by one scorer, on the records that all answered.

    Attributes:
        model: Name of the model, such as "tuned".
        baseline: Name of the model it is compared with, such as "base".
        scorer: What was measured, and which direction is good.
        n: Records scored.
        baseline_score: Mean score of the baseline.
        model_score: Mean score of the model.
        difference: Model minus baseline, with its 95 % interval (paired bootstrap).
        test: Name of the paired test: McNemar's for scores of 0 or 1, else the bootstrap's.
        p_value: Of that test.
        corrected_p: The same after Holm's correction; the verdict uses it.
        family: How many comparisons the correction covers.
        smallest: The smallest difference that so many records detect four times in five; None where
            the spread is unknown.
        verdict: "better", "worse" or "not distinguishable".
    """

    model: str
    baseline: str
    scorer: Scorer
    n: int
    baseline_score: float
    model_score: float
    difference: Interval
    test: str
    p_value: float
    corrected_p: float
    family: int
    smallest: float | None
    verdict: str

    @property
    def sentence(self) -> str:
        """The verdict in words: count, both scores, interval, test, detectable difference."""
        share = self.scorer.is_share
        model, baseline = (
            format_score(score, is_share=share) for score in (self.model_score, self.baseline_score)
        )
        scores = f"{self.scorer.title}: {self.model} {model}, {self.baseline} {baseline}"
        change, low, high = format_changes(*astuple(self.difference), is_share=share)
        unit = " points" if share else ""
        interval = f"difference {change}{unit}, 95 % interval {low} to {high}"
        sentence = f"{self._lead} ({scores}; {interval}; {self._tested})."
        return f"{sentence[0].upper()}{sentence[1:]}{self._power}"

    @property
    def _lead(self) -> str:
        records = f"{self.n} record{'' if self.n == 1 else 's'}"
        if self.n < FEWEST:
            return f"{NO_VERDICT} on {records}, which are too few"
        if self.verdict == NO_VERDICT:
            return f"{_the(self.model)} and {_the(self.baseline)} are {NO_VERDICT} on {records}"
        return f"{_the(self.model)} is {self.verdict} than {_the(self.baseline)} on {records}"

    @property
    def _tested(self) -> str:
        which = f"of a {'free rival' if self.model in RIVALS else 'model that was asked'}"
        corrected = f", corrected for {self.family} comparisons {which}" if self.family > 1 else ""
        return f"{format_p(self.corrected_p)} by {self.test}{corrected}"

    @property
    def _power(self) -> str:
        if self.verdict != NO_VERDICT or self.n < FEWEST or self.smallest is None:
            return ""
        size = format_score(self.smallest, is_share=self.scorer.is_share).replace(" %", " points")
        found = f"a difference of {size} would be found four times in five"
        return f" With this number of records, {found}."


def judge_rival(comparison: Comparison) -> str:
    """Say whether a model is better than a rival that costs nothing, with the numbers."""
    if comparison.verdict in ("better", "worse"):
        return comparison.sentence
    model = f"{comparison.model[0].upper()}{comparison.model[1:]}"
    return (
        f"{model} has no advantage over {_the(comparison.baseline)} that these records can detect: "
        f"{comparison.sentence}"
    )


def format_score(score: float, *, is_share: bool) -> str:
    """Write a mean score: a share as per cent, a number to three figures."""
    return f"{100 * score:.1f} %" if is_share else f"{score:.3g}"


def format_interval(low: float, high: float, *, is_share: bool) -> str:
    """Write the ends of a mean score's interval, with one unit: "40.1 to 60.2 %"."""
    lower, upper = (format_score(end, is_share=is_share) for end in (low, high))
    return f"{lower.removesuffix(' %')} to {upper}".replace(" %", "\N{NO-BREAK SPACE}%")


def format_changes(*changes: float, is_share: bool) -> list[str]:
    """Write differences with their signs: of shares in points, of numbers to three figures."""
    return [f"{100 * change:+.1f}" if is_share else f"{change:+.3g}" for change in changes]


def format_p(p_value: float) -> str:
    """Write a p-value to three places."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _the(model: str) -> str:
    return f"the {model}" if model in RIVALS else model
