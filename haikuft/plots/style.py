"""One style for all figures: readable in grey print, with a sentence for screen readers.

Figures use the colours below and no others, on white. `DARK` maps each to its colour on a dark
page, so that one drawing serves both (`haikuft.plots.picture`).
"""

from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from pathlib import Path
from typing import Any, ParamSpec, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullLocator

PAPER = "#ffffff"
BASE = "#8a8a8a"
TUNED = "#1f5fa8"
INK = "#222222"
FAINT = "#d9d9d9"  # only for what is also written, or has a dark edge
SHADES = (TUNED, "#7fa8d6", FAINT)  # dark to light, so that grey print keeps the order
OTHERS = ("#b0641e", "#4c7d4c", "#7a5195")  # further models, which are named as well
DARK = {  # on white -> on JupyterLab's dark page, with the order of lightness reversed
    PAPER: "#111111",
    BASE: "#858585",
    TUNED: "#7db3f2",
    INK: "#e8e8e8",
    FAINT: "#4a4a4a",
    SHADES[1]: "#4678ad",
    OTHERS[0]: "#e39a55",
    OTHERS[1]: "#86bd86",
    OTHERS[2]: "#c39ae0",
}
MARKS = ("D", "^", "s")

_STYLE = mpl.rc_params_from_file(
    Path(__file__).with_name("haikuft.mplstyle"), use_default_template=False
)
_Parameters = ParamSpec("_Parameters")


def in_style(draw: Callable[_Parameters, Axes]) -> Callable[_Parameters, Axes]:
    """Draw with these settings and restore the caller's afterwards."""

    @wraps(draw)
    def drawn(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> Axes:
        with mpl.rc_context(cast(Any, _STYLE)):
            axes = draw(*args, **kwargs)
            interactive = mpl.is_interactive()
        # A notebook's first figure turns interactive drawing on, and leaving the context turns it
        # off again; then no later figure would show.
        mpl.interactive(interactive)
        return axes

    return drawn


def alt_text(ax: Axes) -> str:
    """Return the sentence that describes a figure of this package."""
    return str(ax.get_label())


def describe(ax: Axes, sentence: str, *, shown: bool = True) -> Axes:
    """Keep the sentence as the axes' own label, which matplotlib never draws, with a capital first.

    Axes that are not worth a figure, such as those of a single value, are made invisible; then
    `show_figure` gives the sentence alone.
    """
    ax.set_label(f"{sentence[:1].upper()}{sentence[1:]}")
    ax.set_visible(shown)
    return ax


def number_log_axis(axis: Axis) -> None:
    """Give a logarithmic axis, whose limits are set, two or three numbered ticks for each decade.

    Numbers are plain, not powers of ten. Where at most one tick would be left, ticks are linear.
    """
    low, high = axis.get_view_interval()
    parts = (1, 2, 5) if high < 100 * low else (1, 3) if high < 1e5 * low else (1,)
    axis.set_major_locator(LogLocator(subs=parts))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:,.6g}")


def spread(heights: Sequence[float], gap: float, top: float, bottom: float = -inf) -> list[float]:
    """Move heights apart until neighbours are a gap from each other.

    The middle is kept in place, or as near to it as leaves none above the top, or below the bottom.
    """
    order = np.argsort(heights, kind="stable")
    gaps = gap * np.arange(len(order))
    placed = np.maximum.accumulate(np.array(heights)[order] - gaps) + gaps
    shift = max((sum(placed) - sum(heights)) / len(placed), placed[-1] - top)
    spread = np.empty(len(order))
    spread[order] = placed - min(shift, placed[0] - bottom)
    return spread.tolist()
