"""Figures of a data set: lengths, turns, labels, and the cost of training."""

from collections import Counter
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.dataset.problems import count
from haikuft.dataset.records import Record
from haikuft.dataset.tokens import TokenRange, estimate_record_tokens
from haikuft.errors import DataError
from haikuft.plots.style import INK, SHADES, TUNED, describe, in_style, number_log_axis
from haikuft.pricing.amounts import format_precise
from haikuft.pricing.estimates import Estimate


@in_style
def plot_lengths(records: Sequence[Record], *, limit: int) -> Axes:
    """Draw the lengths of the records, in likely tokens, with the limit for one record.

    Bars are the likely estimate; the two thin lines are the same records by their low and their
    high estimate, which shows the uncertainty.

    Args:
        records: The records.
        limit: Most tokens of a record, from the base model's limits.

    Raises:
        DataError: no records.
    """
    if not records:
        raise DataError("plot_lengths: no records to draw. Read a file with records first.")
    ax = plt.subplots()[1]
    tokens = [estimate_record_tokens(record) for record in records]
    over = sum(estimate.high > limit for estimate in tokens)
    low, likely, high = (
        np.array([max(1, getattr(estimate, name)) for estimate in tokens])
        for name in ("low", "likely", "high")
    )
    edges = np.geomspace(low.min() * 0.98, high.max() * 1.02, 30)
    # Pale bars with an edge, so that the lines are visible on them.
    ax.hist(likely, edges.tolist(), label="likely", color=SHADES[1], edgecolor=TUNED, lw=0.6)
    for name, estimates, dashes in (("low", low, ":"), ("high", high, "--")):
        counts = np.histogram(estimates, bins=edges)[0]
        ax.stairs(counts, edges, label=name, color=INK, linestyle=dashes, lw=1)
    ax.set_xscale("log")
    ax.axvline(limit, color=INK, linewidth=1)
    above = ax.get_xaxis_transform()  # x as it is, y as a share of the axes' height
    ax.text(limit, 1, f"limit {limit:,} ", transform=above, ha="right", va="top", color=INK)
    ax.set_xlim(low.min() / 1.3, max(limit, high.max()) * 1.3)
    ax.legend(bbox_to_anchor=(1, 1), ncols=3)
    number_log_axis(ax.xaxis)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        title="Do the records fit?",
        xlabel="tokens a record, estimated from its characters (log scale)",
        ylabel="records",
    )
    return describe(
        ax,
        f"{len(tokens):,} records of {likely.min():,} to {likely.max():,} likely tokens, median "
        f"{np.median(likely):,.0f}; {over:,} may exceed the limit of {limit:,}.",
    )


@in_style
def plot_turns(records: Sequence[Record]) -> Axes:
    """Draw how many records have how many turns; where all have as many, that is told in words.

    Args:
        records: The records.

    Raises:
        DataError: no records.
    """
    if not records:
        raise DataError("plot_turns: no records to draw. Read a file with records first.")
    counts = dict(sorted(Counter(len(record["messages"]) for record in records).items()))
    ax = plt.subplots()[1]
    ax.bar([*map(str, counts)], [*counts.values()], color=TUNED)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(title="How long are the conversations?", xlabel="turns a record", ylabel="records")
    words = ", ".join(f"{number:,} of {turns} turns" for turns, number in counts.items())
    return describe(ax, f"{len(records):,} records: {words}.", shown=len(counts) > 1)


@in_style
def plot_costs(estimates: Mapping[int, Estimate], tokens: TokenRange) -> Axes:
    """Draw what training may cost, from low to high, for each number of epochs.

    Where the price is not known, the billed tokens are drawn.

    Args:
        estimates: Epochs -> `pricing.estimate_training`.
        tokens: Tokens of the training file, read once.

    Raises:
        DataError: no estimates.
    """
    if not estimates:
        raise DataError("plot_costs: no estimates to draw. Estimate one number of epochs first.")
    ranges = {n: (one.low, one.likely, one.high) for n, one in sorted(estimates.items())}
    priced = not any(None in one for one in ranges.values())
    title, unit, write, after = "What would training cost?", "US$", format_precise, ""
    if not priced:
        title, unit = "What would be billed? (price not known)", "tokens"
        write, after = "{:,.0f}".format, " tokens"
        ranges = {n: (tokens.low * n, tokens.likely * n, tokens.high * n) for n in ranges}
    ax = plt.subplots()[1]
    low, likely, high = (np.array(side, dtype=float) for side in zip(*ranges.values(), strict=True))
    names = [str(epochs) for epochs in ranges]
    ax.errorbar(names, likely, yerr=[likely - low, high - likely], fmt="o", color=TUNED, capsize=4)
    ax.margins(x=0.2)
    ax.set_ylim(0, max(float(high.max()), 1e-9) * 1.1)
    if not priced:
        ax.yaxis.set_major_formatter(lambda value, _: write(value))
    ax.set(title=title, xlabel="epochs", ylabel=f"{unit}, low to high estimate")
    words = "; ".join(
        f"{count(n, 'epoch')} {write(least)} to {write(most)}{after}"
        for n, least, most in zip(ranges, low, high, strict=True)
    )
    return describe(ax, f"{'Cost of training' if priced else 'Billed for training'}: {words}.")


@in_style
def plot_labels(labels: Mapping[str, Sequence[str]]) -> Axes:
    """Draw how many records each label has, in each split.

    Args:
        labels: One label a record, for each split's name, in order.

    Raises:
        DataError: no labels.
    """
    counts = {split: Counter(of_split) for split, of_split in labels.items()}
    total = sum(counts.values(), Counter[str]())
    if not total:
        raise DataError("plot_labels: no labels to draw. Read a file with labels first.")
    names = sorted(total, key=lambda label: (-total[label], label))
    ax = plt.subplots(figsize=(7.2, 1.4 + 0.28 * len(names)))[1]
    left = np.zeros(len(names))
    for at, (split, found) in enumerate(counts.items()):
        widths = np.array([found[name] for name in names])
        shade = SHADES[at % len(SHADES)]
        ax.barh(names, widths, left=left, color=shade, edgecolor=INK, linewidth=0.6, label=split)
        left += widths
    for at, name in enumerate(names):
        ax.text(left[at], at, f" {total[name]}", va="center")
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_title("Has every label enough records?", pad=24)  # above the legend
    ax.set_xlabel("records")
    sentence = (
        f"{total.total():,} records with {len(names)} labels, from {names[0]} "
        f"({total[names[0]]}) to {names[-1]} ({total[names[-1]]})"
    )
    ax.legend(bbox_to_anchor=(1, 1), ncols=len(counts))
    parts = ", ".join(f"{split} {found.total():,}" for split, found in counts.items())
    return describe(ax, f"{sentence}, split into {parts}.")
