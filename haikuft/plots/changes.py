"""Figures of changes between two models: differences with intervals, and slopes by group."""

from textwrap import fill

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from haikuft.errors import SettingsError
from haikuft.evaluation.report.errors_table import break_down
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.uncertainty import NO_VERDICT
from haikuft.evaluation.statistics.verdicts import Comparison
from haikuft.plots.style import BASE, FAINT, INK, OTHERS, PAPER, TUNED, describe, in_style, spread

_MOST_SLOPES = 14  # groups; of more, those that changed most
_WIDTH = 36  # characters of a name in one line
_LINE = 0.19  # inches from the name of one slope to the next, so that they do not touch
_AXES = 0.7  # about the share of a figure's height that the axes have


@in_style
def plot_differences(evaluation: Evaluation) -> Axes:
    """Draw what the first model gained or lost: differences in points, with 95 % intervals.

    A full mark is a verdict, a hollow one is "not distinguishable". The pale bar behind each covers
    the differences that so many records may fail to detect.

    Args:
        evaluation: From `compare`.

    Raises:
        SettingsError: no scorer of the evaluation gives shares.
    """
    shown = _pick(evaluation)
    ax = plt.subplots(figsize=(7.2, 1.4 + 0.46 * len(shown)))[1]
    for at, comparison in enumerate(shown):
        change = comparison.difference
        value, low, high = (100 * number for number in (change.value, change.low, change.high))
        if comparison.smallest is not None:
            unseen = 100 * comparison.smallest
            ax.barh(at, 2 * unseen, 0.62, -unseen, color=FAINT, edgecolor=BASE, linewidth=0.8)
        decided = comparison.verdict != NO_VERDICT
        ax.plot([low, high], [at, at], color=TUNED, linewidth=2.5, solid_capstyle="butt")
        face = TUNED if decided else PAPER
        ax.plot(value, at, "D", color=TUNED, markerfacecolor=face, markersize=8)
    ax.axvline(0, color=INK, linewidth=0.8)
    names = [fill(_name(comparison), _WIDTH) for comparison in shown]
    ax.set_yticks(range(len(shown)), names, fontsize=9)
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    name = shown[0].model
    ax.set_title(f"What did {name} gain or lose?")
    ax.set_xlabel(
        f"difference in points on {evaluation.n} records\n"
        "line: 95 % interval; grey box: changes often missed;\nhollow mark: cannot tell"
    )
    differences = "; ".join(
        f"{_name(c)} {100 * c.difference.value:+.1f} points, {c.verdict}" for c in shown
    )
    return describe(ax, f"Differences on {evaluation.n} records: {differences}.")


@in_style
def plot_slopes(evaluation: Evaluation) -> Axes:
    """Draw a slope from the baseline's to the first model's score for each group of records.

    Records are grouped by label where there are labels, else by length; of many groups those that
    changed most are drawn. What gained is solid and blue, what lost dashed and brown, what stayed
    is thin and grey.

    Args:
        evaluation: From `compare`.
    """
    by = "label" if evaluation.labels else "length"
    name, base = evaluation.models[1], evaluation.baseline
    groups = break_down(evaluation, by, name)
    scorer = evaluation.comparisons[0].scorer
    order = groups["difference"].abs().sort_values(ascending=False, kind="stable").index
    drawn = groups.loc[order[:_MOST_SLOPES]]
    factor = 100 if scorer.is_share else 1
    before, after = (factor * drawn[column].to_numpy(float) for column in (base, name))
    inches = 2.0 + 0.24 * len(drawn)
    ax = plt.subplots(figsize=(7.2, inches))[1]
    gains = (after - before) * (1 if scorer.higher_is_better else -1)
    for start, end, gain in zip(before, after, gains, strict=True):
        color, line, width = _look(gain)
        ax.plot([0, 1], [start, end], line, color=color, linewidth=width, marker="o", markersize=4)
    bottom, top = ax.get_ylim()
    gap = _LINE * (top - bottom) / (_AXES * inches)
    for at, height in enumerate(spread(after.tolist(), gap, top - gap / 2)):
        row = drawn.iloc[at]
        ax.text(1.06, height, f"{row[by]} ({row['n']})", va="center", fontsize=9)
    ax.set_xlim(-0.15, 1.9)
    ax.set_xticks([0, 1], [base, name])
    ax.set_ylabel(f"{scorer.title}{' (%)' if scorer.is_share else ''}")
    ax.set_title(f"Where did {name} gain, and where did it lose?")
    counts = [int((gains > 0).sum()), int((gains < 0).sum()), int((gains == 0).sum())]
    rest = f", {len(groups) - len(drawn)} more not drawn" if len(groups) > len(drawn) else ""
    sentence = (
        f"{scorer.title} by {by}, {base} to {name}: {counts[0]} better, {counts[1]} worse, "
        f"{counts[2]} the same{rest}."
    )
    return describe(ax, sentence)


def _pick(evaluation: Evaluation) -> list[Comparison]:
    name = evaluation.models[1]
    pairs = [*evaluation.comparisons, *evaluation.between, *evaluation.further]
    shown = [
        pair
        for pair in pairs
        if pair.model == name
        and pair.scorer.is_share
        and (pair.baseline == evaluation.baseline or pair.scorer.name == evaluation.metric)
    ]
    if not shown:
        raise SettingsError(
            f'There is no difference of "{name}" in points to draw. Score by a share.'
        )
    return shown


def _name(comparison: Comparison) -> str:
    less = "" if comparison.scorer.higher_is_better else " (less is better)"
    return f"{comparison.scorer.title}{less}, against {comparison.baseline}"


def _look(gain: float) -> tuple[str, str, float]:
    if gain > 0:
        return TUNED, "-", 1.8
    return (OTHERS[0], "--", 1.8) if gain < 0 else (BASE, "-", 1.0)
