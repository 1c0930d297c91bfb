"""Figures of the scores of models, and of the labels they confuse."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.ticker import PercentFormatter

from haikuft.evaluation.scorers.labels import NO_LABEL
from haikuft.evaluation.statistics.classes import count_confusions, list_confusions
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.verdicts import format_interval, format_score
from haikuft.plots.style import BASE, FAINT, INK, MARKS, OTHERS, TUNED, describe, in_style

_MOST_LABELS = 20  # that a figure has room for


@in_style
def plot_comparison(evaluation: Evaluation) -> Axes:
    """Draw every model's score by the deciding scorer, with its 95 % interval."""
    scores = evaluation.scores[evaluation.scores["metric"] == evaluation.metric]
    scorer = evaluation.comparisons[0].scorer
    factor = 100 if scorer.is_share else 1
    ax = plt.subplots(figsize=(7.2, 1.3 + 0.5 * len(scores)))[1]
    scored = []
    for at, (model, *numbers) in enumerate(scores[["model", "score", "low", "high"]].to_numpy()):
        color, mark = _look(model, at)
        score, low, high = (factor * number for number in numbers)
        ax.plot([low, high], [at, at], color=color, linewidth=3, solid_capstyle="butt")
        ax.plot(score, at, color=color, marker=mark, markersize=9)
        text = format_score(numbers[0], is_share=scorer.is_share)
        ax.annotate(text, (score, at), (0, 9), textcoords="offset points", ha="center")
        interval = format_interval(*numbers[1:], is_share=scorer.is_share)
        scored.append(f"{model} {text} ({interval})")
    ax.set_yticks(range(len(scores)), list(scores["model"]))
    ax.set_ylim(len(scores) - 0.5, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    if scorer.is_share:
        ax.set_xlim(-3, 105)  # a mark at 0 is whole
        ax.xaxis.set_major_formatter(PercentFormatter(decimals=0, symbol=" %"))
    asked = [model for model in evaluation.models[1:] if model not in RIVALS]
    models = " or ".join(asked or evaluation.models[1:])
    ax.set_title(f"Is {models} better than {evaluation.baseline}?")
    ax.set_xlabel(f"{scorer.title} ({evaluation.n} records; bars: 95 % interval)")
    return describe(
        ax,
        f"{scorer.title} on {evaluation.n} records: {', '.join(scored)}; 95 % intervals.",
    )


@in_style
def plot_confusion(evaluation: Evaluation) -> Axes:
    """Draw which labels the first model gave to which records, counts in the cells.

    Of many labels those that are confused most are drawn; `list_confusions` has all pairs.

    Args:
        evaluation: From `compare`, of a label task.

    Raises:
        SettingsError: the task is not a label task.
    """
    whole = count_confusions(evaluation)
    shown = _pick_confused(whole)
    confusions = whole.loc[shown, [*shown, NO_LABEL]]
    counts = confusions.to_numpy()
    rows, columns = counts.shape
    ax = plt.subplots(figsize=(2.6 + min(12, 0.5 * columns), 2.2 + min(10, 0.4 * rows)))[1]
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    cells = np.argwhere(counts)[:, ::-1]  # (n, 2): column and row of each that is not empty
    numbers = counts[counts > 0]
    for (column, row), number in zip(cells, numbers, strict=True):
        ax.text(column, row, number, ha="center", va="center", in_layout=False)
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    shades = numbers / counts.max() / 2  # text is readable on all of them, on any page
    ax.add_collection(
        PolyCollection(cells[:, None] + square, facecolors=TUNED, alpha=shades, edgecolors="none")
    )
    ax.set_xticks(range(columns), list(confusions.columns), rotation=40, ha="right")
    ax.set_yticks(range(rows), list(confusions.index))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color=FAINT, linewidth=0.8)
    ax.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color=FAINT, linewidth=0.8)
    model = str(whole.columns.name)
    ax.set(title=f"Which labels does {model} confuse?", xlabel="label given", ylabel="reference")
    if len(shown) < len(whole):
        ax.set_xlabel(f"label given (the {len(shown)} of {len(whole)} labels confused most)")
    total, right = whole.to_numpy().sum(), np.trace(whole.to_numpy())
    sentence = f"Of {total} records {model} labels {right} as the reference does"
    confusions = list_confusions(evaluation)
    for label, given, count in confusions.head(1).to_numpy():
        ties = (confusions["n"] == count).sum() - 1
        same = f", and {ties} other pairs as often" if ties else ""
        sentence += f"; most often it answers {given} where {label} is right ({count}{same})"
    return describe(ax, f"{sentence}.")


def _pick_confused(confusions: pd.DataFrame) -> list[str]:
    """Pick the labels with the most records that were given another label or got it wrongly."""
    counts = confusions.to_numpy()[:, :-1]
    wrong = confusions.sum(axis=1) + counts.sum(axis=0) - 2 * counts.diagonal()
    most = wrong.sort_values(ascending=False, kind="stable").index[:_MOST_LABELS]
    return [label for label in confusions.index if label in set(most)]


def _look(model: str, at: int) -> tuple[str, str]:
    """Colour and mark of a model: baseline, tuned, further ones, and the free baseline."""
    if model in RIVALS:
        return INK, "PX"[RIVALS.index(model)]
    if at < 2:
        return ((BASE, "o"), (TUNED, "D"))[at]
    return OTHERS[at % len(OTHERS)], MARKS[at % len(MARKS)]
