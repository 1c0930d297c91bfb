"""One value of a form: its label, its range, and the box or list it is chosen in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

Value = str | int | float | bool | list[str]

_STYLE = {"description_width": "22em"}
_LAYOUT = {"width": "36em"}


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a form.

    Attributes:
        name: The parameter's name.
        label: What stands before the box: the thing, its unit and its range.
        value: The parameter as it was given.
        choices: Value -> words, for a list to choose from; empty for a box to write in.
        minimum: Smallest number allowed; None for no bound.
        maximum: Largest number allowed; None for no bound.
        help: A sentence shown when the pointer rests on the box.

    """

    name: str
    label: str
    value: Value
    choices: Mapping[str, str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    help: str = ""


def build_control(field: Field) -> Any:
    """Make the box or list that fits the field's kind of value, labelled."""
    look = {
        "description": field.label,
        "tooltip": field.help or field.label,
        "style": _STYLE,
        "layout": _LAYOUT,
    }
    if field.choices is not None:
        choices = {words: value for value, words in field.choices.items()}
        if field.value not in field.choices:
            choices[str(field.value)] = str(field.value)  # shown, and refused when read
        return widgets.Dropdown(options=choices, value=field.value, **look)
    if isinstance(field.value, list):
        return widgets.Text(value=", ".join(field.value), **look)
    if isinstance(field.value, bool):
        return widgets.Checkbox(value=field.value, **look)
    if isinstance(field.value, int):
        return widgets.IntText(value=field.value, **look)
    if isinstance(field.value, float):
        return widgets.FloatText(value=field.value, **look)
    box = widgets.Textarea if "\n" in field.value else widgets.Text
    return box(value=field.value, **look)


def find_fault(field: Field, value: Value) -> str:
    """Say why the field cannot take this value; empty when it can."""
    if field.choices is not None and value not in field.choices:
        known = ", ".join(f'"{choice}"' for choice in field.choices)
        return f"{field.name} = {value!r} is not among the choices; take one of {known}."
    if not isinstance(value, int | float):
        return ""
    # Written so that a value that is no number at all fails too.
    if field.minimum is not None and not value >= field.minimum:
        return f"{field.name} = {value!r} is too small; the smallest is {field.minimum:g}."
    if field.maximum is not None and not value <= field.maximum:
        return f"{field.name} = {value!r} is too large; the largest is {field.maximum:g}."
    return ""


def describe(value: Value) -> str:
    """Write a value for reading."""
    return (", ".join(value) if isinstance(value, list) else str(value)) or "(empty)"
