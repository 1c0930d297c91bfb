"""The trials of a search side by side: their validation curves, and their losses in order."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from haikuft.plots.style import BASE, FAINT, TUNED, describe, in_style
from haikuft.search.findings import choose_best
from haikuft.search.trials import Trial


@in_style
def plot_trials(trials: Sequence[Trial]) -> Axes:
    """Draw each trial's validation loss by epoch, and beside it the losses of all, lowest first.

    The best trial is drawn in blue; trials on a part of the records are light.
    """
    best = choose_best(trials)
    known = sorted((one for one in trials if one.curve), key=lambda one: -one.loss)
    size = (9.6, 1.6 + 0.25 * len(known))
    curves, order = plt.subplots(1, 2, figsize=size, width_ratios=(2, 3))[1]
    for at, one in enumerate(known):
        color = TUNED if one is best else BASE if one.share == 1 else FAINT
        curves.plot(*zip(*one.curve, strict=True), color=color, marker=".", zorder=at)
        order.plot(one.loss, at, "o" if one.status == "Completed" else "x", color=color)
    order.set_yticks(range(len(known)), [one.label for one in known], fontsize=8)
    order.yaxis.tick_right()
    curves.xaxis.set_major_locator(MaxNLocator(integer=True))
    curves.set(title="Which trial learns best?", xlabel="epoch", ylabel="validation loss")
    order.set(title="Lowest loss at the top (x: stopped early)", xlabel="validation loss")
    told = f"validation losses from {best.loss:.3g}, with {best.label}, to {known[0].loss:.3g}"
    return describe(curves, f"{len(known)} trials: {told}.")
