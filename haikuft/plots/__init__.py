"""The figures of the series, in one style that survives grey print.

Each function draws, labels and returns its axes; it shows nothing and changes no global setting.
The base model is grey and the tuned one blue; training is solid and validation dashed. Each figure
carries a sentence for readers who cannot see it: `alt_text(axes)`, also inside the file that
`save_figure` writes. `show_figure` keeps that file and returns the figure for a notebook's page,
light or dark as the page is.
"""

from haikuft.plots.changes import plot_differences, plot_slopes
from haikuft.plots.losses import plot_losses
from haikuft.plots.picture import Picture, show_figure
from haikuft.plots.records import plot_costs, plot_labels, plot_lengths, plot_turns
from haikuft.plots.scores import plot_comparison, plot_confusion
from haikuft.plots.style import BASE, STYLE, TUNED, alt_text, read_alt_text, save_figure

__all__ = [
    "BASE",
    "STYLE",
    "TUNED",
    "Picture",
    "alt_text",
    "plot_comparison",
    "plot_confusion",
    "plot_costs",
    "plot_differences",
    "plot_labels",
    "plot_lengths",
    "plot_losses",
    "plot_slopes",
    "plot_turns",
    "read_alt_text",
    "save_figure",
    "show_figure",
]
