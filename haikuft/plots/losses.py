"""The losses of a customization job, with its epochs and its early stop."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.metrics.assessment import align_epochs
from haikuft.plots.style import FAINT, INK, TUNED, describe, in_style

if TYPE_CHECKING:
    from haikuft.hyperparameters import EarlyStop

_NEAR = 0.1  # share of the axis' height below which a name would meet the ticks' numbers
_CLEAR = 12  # points by which it is raised then


@in_style
def plot_losses(
    training: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    *,
    early_stop: "EarlyStop | None" = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw training loss by step and validation loss by epoch over one axis of steps.

    A validation loss stands at the step that its file names, where the training file has this step
    in the same epoch; else at the end of its epoch.

    Args:
        training: Columns step_number, epoch_number and loss, from `metrics.read_metrics`.
        validation: The same by epoch, some of which may be missing; None without such a file.
        early_stop: What the early-stopping rule decides; its epochs are marked.
        ax: Where to draw; None makes a figure.
    """
    ax = ax or plt.subplots()[1]
    by_step = training.groupby("step_number")["loss"].mean()
    ends = training.groupby("epoch_number")["step_number"].max()
    sentence = (
        f"Training loss over {len(by_step)} steps in {len(ends)} epochs, from "
        f"{by_step.iloc[0]:.3g} to {by_step.iloc[-1]:.3g}"
    )
    ax.plot(by_step.index, by_step, color=TUNED, label="training")
    labels = [("training", by_step.index[-1], by_step.iloc[-1])]
    validation = align_epochs(training, validation)
    if validation is not None and not validation.empty:
        last = validation.groupby("epoch_number")[["loss", "step_number"]].last()
        by_epoch, written = last["loss"], last["step_number"]
        of_epoch = set(zip(training["epoch_number"], training["step_number"], strict=True))
        steps = [
            int(step if (epoch, step) in of_epoch else ends.get(epoch, step))
            for epoch, step in written.items()
        ]
        ax.plot(steps, by_epoch, color=INK, linestyle="--", marker="o", label="validation")
        labels.append(("validation", steps[-1], by_epoch.iloc[-1]))
        sentence += f"; validation loss from {by_epoch.iloc[0]:.3g} to {by_epoch.iloc[-1]:.3g}"
        sentence += f", lowest after epoch {by_epoch.idxmin()} ({by_epoch.min():.3g})"
    if early_stop is not None and early_stop.stopped_epoch:
        ended = "would have stopped" if early_stop.simulated else "ended the training"
        sentence += f"; early stopping {ended} after epoch {early_stop.stopped_epoch}"
    ax.set(
        title="Does the model generalise or overfit?",
        xlabel="step (thin lines: ends of epochs)",
        ylabel="loss",
        ylim=(0, _highest(training, validation) * 1.15),  # room for the epochs' numbers
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    _label_ends(ax, labels)
    _mark_epochs(ax, dict(zip(ends.index.tolist(), ends.tolist(), strict=True)), early_stop)
    return describe(ax, f"{sentence}.")


def _label_ends(ax: Axes, labels: Sequence[tuple[str, float, float]]) -> None:
    """Name each line at its right end, the higher one above and the lower one below its end.

    Where a line ends near the axis, the names are higher, clear of the numbers of the ticks.
    """
    order = sorted(labels, key=lambda label: label[2])
    raised = _CLEAR if order[0][2] < _NEAR * ax.get_ylim()[1] else 0
    for lift, (name, x, y) in zip((-5, 5) if len(order) > 1 else (0,), order, strict=True):
        place = (6, lift + raised)
        ax.annotate(name, (x, y), place, textcoords="offset points", va="center")


def _mark_epochs(ax: Axes, ends: Mapping[int, int], early_stop: "EarlyStop | None") -> None:
    """Draw a thin line at each epoch's end, with its number, and what the rule says of it."""
    words: dict[int, list[str]] = {epoch: [str(epoch)] for epoch in ends}
    if early_stop is not None:
        words.get(early_stop.best_epoch, []).append("lowest")
        stopped = "would stop" if early_stop.simulated else "stopped"
        words.get(early_stop.stopped_epoch or 0, []).append(stopped)
    for epoch, step in ends.items():
        marked = len(words[epoch]) > 1
        ax.axvline(step, color=INK if marked else FAINT, linewidth=0.8, zorder=0)
        ax.annotate(
            "\n".join(words[epoch]),
            (step, 1),
            (-3, -1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8,
        )


def _highest(*tables: pd.DataFrame | None) -> float:
    """Find the highest finite loss; 1.0 where there is none."""
    losses = [loss for table in tables if table is not None for loss in table["loss"]]
    return max(filter(math.isfinite, losses), default=1.0) or 1.0
