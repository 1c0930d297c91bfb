"""The losses of a customization job, with its epochs and its early stop."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from types import MappingProxyType
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.metrics.assessment import align_epochs
from haikuft.metrics.files import Losses
from haikuft.plots.style import FAINT, INK, OTHERS, TUNED, describe, in_style, spread

if TYPE_CHECKING:
    from haikuft.hyperparameters import EarlyStop

_ROOM = 0.24  # for names right of the last step, as a share of the steps
_TOP, _BOTTOM = 0.88, 0.045  # where the names end and begin, as shares of the axis' height
_LINE = 0.085  # from one name to the next, as a share of the axis' height


@in_style
def plot_losses(
    training: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    *,
    early_stop: "EarlyStop | None" = None,
    further: Mapping[str, Losses] = MappingProxyType({}),
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw training loss by step and validation loss by epoch over one axis of steps.

    A validation loss stands at the step that its file names, where the training file has this step
    in the same epoch; else at the end of its epoch. A single step is told in words alone.

    Args:
        training: Columns step_number, epoch_number and loss, from `metrics.read_metrics`.
        validation: The same by epoch, some of which may be missing; None without such a file.
        early_stop: What the early-stopping rule decides; its epochs are marked.
        further: Name of another run -> its training and validation losses, drawn thin.
        logarithmic: Whether the axis of the losses is logarithmic.
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
    labels = [("training", float(by_step.iloc[-1]))]
    by_epoch = _place_validation(training, validation)
    if not by_epoch.empty:
        last = float(by_epoch["loss"].iloc[-1])
        ax.plot(by_epoch["step"], by_epoch["loss"], "--o", color=INK, label="validation")
        labels.append(("validation", last))
        sentence += f"; validation loss from {by_epoch['loss'].iloc[0]:.3g} to {last:.3g}"
        lowest = by_epoch["loss"].idxmin()
        sentence += f", lowest after epoch {lowest} ({by_epoch['loss'].min():.3g})"
        labels.append((f"gap {last - labels[0][1]:.3g}", (last + labels[0][1]) / 2))
        sentence += f"; the gap between them at the end is {last - labels[0][1]:.3g}"
    if early_stop is not None and early_stop.stopped_epoch:
        ended = "would have stopped" if early_stop.simulated else "ended the training"
        sentence += f"; early stopping {ended} after epoch {early_stop.stopped_epoch}"
    for (name, losses), color in zip(further.items(), cycle(OTHERS)):
        sentence += f"; {_overlay(ax, name, losses, color)}"
        labels.append((name, losses[0]["loss"].iloc[-1]))
    tables = [pair for losses in further.values() for pair in losses]
    ax.set(
        title="Does the model generalise or overfit?",
        xlabel="step (thin lines: ends of epochs)",
        ylabel=f"loss{' (log scale)' if logarithmic else ''}",
        ylim=(0, _highest(training, validation, *tables) * 1.15),  # room for the epochs' numbers
    )
    if logarithmic:
        ax.set_yscale("log")
        ax.autoscale(axis="y")
        ax.margins(y=0.12)
    ticks = MaxNLocator(integer=True).tick_values(0, int(by_step.index[-1]))
    ax.set_xticks([tick for tick in ticks if 0 <= tick <= by_step.index[-1]])
    _mark_epochs(ax, dict(zip(ends.index.tolist(), ends.tolist(), strict=True)), early_stop)
    _label_ends(ax, labels, int(by_step.index[-1]), by_epoch)
    return describe(ax, f"{sentence}.", shown=len(by_step) > 1)


def _place_validation(training: pd.DataFrame, validation: pd.DataFrame | None) -> pd.DataFrame:
    """Give each epoch's last validation loss the step at which it is drawn; by epoch."""
    validation = align_epochs(training, validation)
    if validation is None:
        return pd.DataFrame({"loss": [], "step": []})
    ends = training.groupby("epoch_number")["step_number"].max()
    of_epoch = set(zip(training["epoch_number"], training["step_number"], strict=True))
    last = validation.groupby("epoch_number")[["loss", "step_number"]].last()
    last["step"] = [
        int(step if (epoch, step) in of_epoch else ends.get(epoch, step))
        for epoch, step in last["step_number"].items()
    ]
    return last


def _overlay(ax: Axes, name: str, losses: Losses, color: str) -> str:
    """Draw the losses of another run thin, in one colour, and describe them."""
    training, validation = losses
    by_step = training.groupby("step_number")["loss"].mean()
    ax.plot(by_step.index, by_step, color=color, linewidth=1)
    words = f"run {name} from {by_step.iloc[0]:.3g} to {by_step.iloc[-1]:.3g}"
    by_epoch = _place_validation(training, validation)
    if not by_epoch.empty:
        ax.plot(by_epoch["step"], by_epoch["loss"], "--o", color=color, linewidth=1, markersize=3)
        words += f", its validation loss to {by_epoch['loss'].iloc[-1]:.3g}"
    return words


def _label_ends(
    ax: Axes, labels: Sequence[tuple[str, float]], last: int, by_epoch: pd.DataFrame
) -> None:
    """Name each line inside the axes, at the height of its end and clear of the other names.

    The gap between both curves is a line from one end to the other, with its name beside it.
    """
    first, right = ax.get_xlim()[0], last + max(1, last) * _ROOM
    ax.set_xlim(first, right)
    if not by_epoch.empty:
        heights = [labels[0][1], labels[1][1]]
        ax.plot([last + (right - last) * 0.07] * 2, heights, color=INK, lw=0.8, label="gap")
    axis, bottom = ax.transData, ax.transAxes.inverted()
    points = [(last, y) for _, y in labels]
    shares = [float(bottom.transform(axis.transform(point))[1]) for point in points]
    # A loss that is not finite stands at the top, one of 0 on a logarithmic axis at the bottom.
    shares = [_TOP if math.isnan(share) else min(max(share, _BOTTOM), _TOP) for share in shares]
    for (name, _), height in zip(labels, spread(shares, _LINE, _TOP, _BOTTOM), strict=True):
        where = (last + (right - last) * 0.14, height)
        ax.annotate(name, where, xycoords=("data", "axes fraction"), va="center", fontsize=9)


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
