"""Forms: boxes, lists and sliders in which a reader chooses values. They have no other effect.

A form is built from a notebook's parameters and read through `values`. Untouched, it returns the
very parameters it was given, so that an interactive and a headless run take one path. Whatever is
shown as a widget is on the page as plain HTML, too, for exports, logs and other front ends.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "notebooks": "access_form dataset_form evaluation_form hyperparameter_form serving_form "
        "target_form",
        "records.browser": "browse_records",
        "stopping": "stopping_lab",
    },
)
