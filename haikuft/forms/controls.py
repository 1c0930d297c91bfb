"""The box, list or slider in which a field's value is chosen."""

import math
from typing import Any

import ipywidgets as widgets

from haikuft.forms.fields import Field, describe_automatic

_STEPS = 50  # of a slider from one end to the other, at least


def build_control(field: Field, layout: widgets.Layout) -> Any:
    """Make the box or list that fits the field's kind of value, labelled."""
    tooltip = field.help or field.label
    look = {"description": field.label, "tooltip": tooltip, "layout": layout}
    if field.choices is not None:
        choices = {words: value for value, words in field.choices.items()}
        if field.value not in field.choices:
            choices[str(field.value)] = str(field.value)  # shown, and refused when read
        return widgets.Dropdown(options=choices, value=field.value, **look)
    if isinstance(field.value, list):
        return widgets.Text(value=", ".join(field.value), **look)
    if isinstance(field.value, bool):
        return widgets.Checkbox(value=field.value, **look)
    if not isinstance(field.value, str):
        # Whole numbers, too: a box for those alone would silently truncate 2.5 to 2.
        step = 1 if isinstance(field.value, int) else None
        return widgets.FloatText(value=field.value, step=step, **look)
    box = widgets.Textarea if "\n" in field.value else widgets.Text
    return box(value=field.value, **look)


def build_list(field: Field, box: Any) -> Any:
    """Make the list of a field's suggestions, from which the box beside it is filled."""
    options = [("choose …", ""), *((name, name) for name in field.suggestions)]
    listed = widgets.Dropdown(options=options, description="or one of these")

    def follow(_: object) -> None:
        listed.value = box.value if box.value in field.suggestions else ""

    def lead(change: dict[str, Any]) -> None:
        held = box.value.split(", ") if isinstance(field.value, list) and box.value else []
        if change["new"] and change["new"] not in held:
            box.value = ", ".join([*held, change["new"]])

    follow(None)
    box.observe(follow, names="value")
    listed.observe(lead, names="value")
    listed.add_class("haikuft-list")
    return listed


def build_slider(field: Field, box: Any) -> Any:
    """Make the slider of a field with a minimum and a maximum, which moves with its box.

    The box holds the value. A value outside the slider's ends stays in the box, to be refused, and
    leaves the slider where it is. One that stands for an automatic choice is named beside it.
    """
    low, high = field.minimum or 0.0, field.maximum or 0.0
    look = {"readout": False, "tooltip": f"{field.label}, slider"}
    look["description"] = describe_automatic(field, box.value)
    start = min(max(box.value, low), high) if math.isfinite(box.value) else low
    logarithmic = field.slider == "logarithmic"
    place = math.log10 if logarithmic else float
    fine = 10.0 ** math.floor(math.log10((place(high) - place(low)) / _STEPS))
    step = 1.0 if type(field.value) is int else fine
    ends = {"min": place(low), "max": place(high), "step": step}
    make = widgets.FloatLogSlider if logarithmic else widgets.FloatSlider
    slider = make(value=start, **ends, **look)

    def follow(change: dict[str, Any]) -> None:
        slider.description = describe_automatic(field, change["new"])
        if low <= change["new"] <= high:
            slider.value = change["new"]

    def lead(change: dict[str, Any]) -> None:
        # The front end rounds a slider's value to its steps and sends it back. That must not change
        # a typed value between two steps.
        here = box.value
        echo = low <= here <= high and abs(place(change["new"]) - place(here)) < 0.499 * step
        if not echo:
            box.value = _tidy(change["new"], field)

    box.observe(follow, names="value")
    slider.observe(lead, names="value")
    slider.add_class("haikuft-slider")
    return slider


def _tidy(value: float, field: Field) -> float:
    """Round off the floating-point error of a slider's steps."""
    return float(f"{value:.2g}") if field.slider == "logarithmic" else float(f"{value:.10g}")
