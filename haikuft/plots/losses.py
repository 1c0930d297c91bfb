"""The losses of a customization job, with its epochs and its early stop."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.metrics.assessment import align_epochs
from haikuft.metrics.files import Losses
from haikuft.plots.style import (
    FAINT,
    INK,
    OTHERS,
    TUNED,
    describe,
    in_style,
    number_log_axis,
    spread,
)

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
    """
    ax = plt.subplots()[1]
    by_step, by_epoch = _draw(ax, (training, validation), (TUNED, INK))
    ends = training.groupby("epoch_number")["step_number"].max()
    first, last = by_step.iloc[0], float(by_step.iloc[-1])
    sentence = (
        f"Training loss over {len(by_step)} steps in {len(ends)} epochs, from {first:.3g} to "
        f"{last:.3g}"
    )
    labels = [("training", last)]
    if not by_epoch.empty:
        held_out = by_epoch["loss"]
        end = float(held_out.iloc[-1])
        labels += [("validation", end), (f"gap {end - last:.3g}", (end + last) / 2)]
        sentence += (
            f"; validation loss from {held_out.iloc[0]:.3g} to {end:.3g}, lowest after epoch "
            f"{held_out.idxmin()} ({held_out.min():.3g}); the gap between them at the end is "
            f"{end - last:.3g}"
        )
    if early_stop is not None and early_stop.stopped_epoch:
        ended = "would have stopped" if early_stop.simulated else "ended the training"
        sentence += f"; early stopping {ended} after epoch {early_stop.stopped_epoch}"
    for (name, losses), color in zip(further.items(), cycle(OTHERS)):
        other, other_epochs = _draw(ax, losses, (color, color), linewidth=1, markersize=3)
        labels.append((name, other.iloc[-1]))
        sentence += f"; run {name} from {other.iloc[0]:.3g} to {other.iloc[-1]:.3g}"
        if not other_epochs.empty:
            sentence += f", its validation loss to {other_epochs['loss'].iloc[-1]:.3g}"
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
        number_log_axis(ax.yaxis)
    ticks = MaxNLocator(integer=True).tick_values(0, int(by_step.index[-1]))
    ax.set_xticks([tick for tick in ticks if 0 <= tick <= by_step.index[-1]])
    _mark_epochs(ax, dict(zip(ends.index.tolist(), ends.tolist(), strict=True)), early_stop)
    _label_ends(ax, labels, int(by_step.index[-1]), by_epoch)
    return describe(ax, f"{sentence}.", shown=len(by_step) > 1)


def _draw(
    ax: Axes, losses: Losses, colors: tuple[str, str], **look: Any
) -> tuple["pd.Series[float]", pd.DataFrame]:
    """Draw both losses of a run; return those by step, and those by epoch with their steps."""
    training, validation = losses
    by_step = training.groupby("step_number")["loss"].mean()
    ax.plot(by_step.index, by_step, color=colors[0], label="training", **look)
    by_epoch = _place_validation(training, validation)
    if not by_epoch.empty:
        steps = by_epoch["step"]
        ax.plot(steps, by_epoch["loss"], "--o", color=colors[1], label="validation", **look)
    return by_step, by_epoch


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
        beside = last + (right - last) * 0.14
        ax.text(beside, height, name, va="center", fontsize=9, transform=ax.get_xaxis_transform())


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
