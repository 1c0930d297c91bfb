"""The figures of the series, in one style that survives grey print.

Each function draws, labels and returns its axes; it shows nothing and changes no global setting.
The base model is grey and the tuned one blue; training is solid and validation dashed. Each figure
has a sentence for readers who cannot see it: `style.alt_text(axes)`. `show_figure` saves the figure
with that sentence in the file, and returns it for a notebook's page, light or dark as the page is.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "changes": "plot_differences plot_slopes",
        "losses": "plot_losses",
        "picture": "show_figure",
        "records": "plot_costs plot_labels plot_lengths plot_turns",
        "scores": "plot_comparison plot_confusion",
        "trials": "plot_trials",
    },
)
