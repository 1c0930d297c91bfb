"""Forms: boxes and lists in which a reader chooses values. They hold values and do nothing else.

A form is built from a notebook's parameters and read once through `values`. Untouched it returns
the very parameters it was given, so a run by hand and a headless run take one path.
"""

from haikuft.forms.fields import Field
from haikuft.forms.form import Form
from haikuft.forms.notebooks import (
    dataset_form,
    evaluation_form,
    hyperparameter_form,
    serving_form,
    target_form,
)

__all__ = [
    "Field",
    "Form",
    "dataset_form",
    "evaluation_form",
    "hyperparameter_form",
    "serving_form",
    "target_form",
]
