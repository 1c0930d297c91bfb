"""Forms: boxes, lists and sliders in which a reader chooses values. They hold values alone.

A form is built from a notebook's parameters and read once through `values`. Untouched it returns
the very parameters it was given, so a run by hand and a headless run take one path. Whatever is
shown as a widget stands on the page as plain HTML too, for exports, logs and other front ends.
"""

from haikuft.forms.browser import RecordBrowser, browse_records
from haikuft.forms.evaluation import evaluation_form
from haikuft.forms.fields import Field
from haikuft.forms.form import Form
from haikuft.forms.notebooks import (
    dataset_form,
    hyperparameter_form,
    serving_form,
    target_form,
)
from haikuft.forms.stopping_lab import StoppingLab, stopping_lab

__all__ = [
    "Field",
    "Form",
    "RecordBrowser",
    "StoppingLab",
    "browse_records",
    "dataset_form",
    "evaluation_form",
    "hyperparameter_form",
    "serving_form",
    "stopping_lab",
    "target_form",
]
