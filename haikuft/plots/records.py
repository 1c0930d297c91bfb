"""The records of a data set: how long they are, and how many each label has."""

from collections import Counter
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.dataset.records import Record
from haikuft.dataset.tokens import estimate_record_tokens
from haikuft.errors import DataError
from haikuft.plots.style import INK, SHADES, TUNED, describe, in_style


@in_style
def plot_lengths(records: Sequence[Record], *, limit: int, ax: Axes | None = None) -> Axes:
    """Draw how long the records are, as likely tokens, beside the limit for one record.

    Args:
        records: The records.
        limit: Most tokens of a record, from the base model's limits.
        ax: Where to draw; None makes a figure.

    Raises:
        DataError: no records.
    """
    if not records:
        raise DataError("plot_lengths: no records to draw. Read a file with records first.")
    ax = ax or plt.subplots()[1]
    tokens = [estimate_record_tokens(record) for record in records]
    likely = np.array([max(1, estimate.likely) for estimate in tokens])
    over = sum(estimate.high > limit for estimate in tokens)
    edges = np.geomspace(likely.min() * 0.98, likely.max() * 1.02, 30).tolist()
    ax.hist(likely, bins=edges, color=TUNED)
    ax.set_xscale("log")
    ax.axvline(limit, color=INK, linewidth=1)
    ax.annotate(
        f"limit {limit:,} ",
        (limit, 1),
        xycoords=("data", "axes fraction"),
        ha="right",
        va="top",
        color=INK,
    )
    ax.set_xlim(likely.min() / 1.3, max(limit, likely.max()) * 1.3)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        title="Do the records fit?",
        xlabel="tokens a record, likely estimate (log scale)",
        ylabel="records",
    )
    return describe(
        ax,
        f"{len(tokens):,} records of {likely.min():,} to {likely.max():,} likely tokens, half of "
        f"them up to {np.median(likely):,.0f}; {over:,} may exceed the limit of {limit:,}.",
    )


@in_style
def plot_labels(
    labels: Sequence[str] | Mapping[str, Sequence[str]], *, ax: Axes | None = None
) -> Axes:
    """Draw how many records each label has, in each split.

    Args:
        labels: One label a record; or such a list for each split's name, in order.
        ax: Where to draw; None makes a figure.

    Raises:
        DataError: no labels.
    """
    by_split = labels if isinstance(labels, Mapping) else {"records": labels}
    counts = {split: Counter(of_split) for split, of_split in by_split.items()}
    total = sum(counts.values(), Counter[str]())
    if not total:
        raise DataError("plot_labels: no labels to draw. Read a file with labels first.")
    names = sorted(total, key=lambda label: (-total[label], label))
    ax = ax or plt.subplots(figsize=(7.2, 1.4 + 0.28 * len(names)))[1]
    left = np.zeros(len(names))
    for at, (split, found) in enumerate(counts.items()):
        widths = np.array([found[name] for name in names])
        shade = SHADES[at % len(SHADES)]
        ax.barh(names, widths, left=left, color=shade, edgecolor="white", label=split)
        left += widths
    for at, name in enumerate(names):
        ax.annotate(f" {total[name]}", (left[at], at), va="center")
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.set(title="Has every label enough records?", xlabel="records")
    sentence = (
        f"{total.total():,} records with {len(names)} labels, from {names[0]} "
        f"({total[names[0]]}) to {names[-1]} ({total[names[-1]]})"
    )
    if len(counts) > 1:
        ax.legend(
            frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(counts), borderpad=0
        )
        parts = ", ".join(f"{split} {found.total():,}" for split, found in counts.items())
        sentence += f", split into {parts}"
    return describe(ax, f"{sentence}.")
