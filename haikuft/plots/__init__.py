"""The figures of the series, in one style that survives grey print.

Each function draws, labels and returns its axes; it shows nothing and changes no global setting.
The base model is grey and the tuned one blue; training is solid and validation dashed. Each figure
has a sentence for readers who cannot see it: `style.alt_text(axes)`. `show_figure` saves the figure
with that sentence in the file, and returns it for a notebook's page, light or dark as the page is.
"""

from haikuft.plots.changes import plot_differences, plot_slopes
from haikuft.plots.losses import plot_losses
from haikuft.plots.picture import show_figure
from haikuft.plots.records import plot_costs, plot_labels, plot_lengths, plot_turns
from haikuft.plots.scores import plot_comparison, plot_confusion
from haikuft.plots.trials import plot_trials

__all__ = [
    "plot_comparison",
    "plot_confusion",
    "plot_costs",
    "plot_differences",
    "plot_labels",
    "plot_lengths",
    "plot_losses",
    "plot_slopes",
    "plot_trials",
    "plot_turns",
    "show_figure",
]
