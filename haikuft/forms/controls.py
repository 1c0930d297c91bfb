"""The box, list or slider in which a field's value is chosen."""

import math
from typing import Any

import ipywidgets as widgets

from haikuft.forms.fields import Field

_STYLE = {"description_width": "25em"}
_NUMBER, _TEXT = "40em", "62em"  # widths, with the label
_STEPS = 50  # of a slider from one end to the other, at least


def build_control(field: Field) -> Any:
    """Make the box or list that fits the field's kind of value, labelled."""
    is_number = isinstance(field.value, int | float)
    look = {
        "description": field.label,
        "tooltip": field.help or field.label,
        "style": _STYLE,
        "layout": {"width": _NUMBER if is_number else _TEXT, "max_width": "100%"},
    }
    if field.choices is not None:
        choices = {words: value for value, words in field.choices.items()}
        if field.value not in field.choices:
            choices[str(field.value)] = str(field.value)  # shown, and refused when read
        return widgets.Dropdown(options=choices, value=field.value, **look)
    if field.options and isinstance(field.value, list):
        rows = min(len(field.options), 8)
        held = [name for name in field.value if name in field.options]
        options = {words: name for name, words in field.options.items()}
        return widgets.SelectMultiple(options=options, value=held, rows=rows, **look)
    if isinstance(field.value, list):
        return widgets.Text(value=", ".join(field.value), **look)
    if isinstance(field.value, bool):
        return widgets.Checkbox(value=field.value, **look)
    if not isinstance(field.value, str):
        # Whole numbers, too: a box for those alone would silently truncate 2.5 to 2.
        step = 1 if isinstance(field.value, int) else None
        return widgets.FloatText(value=field.value, step=step, **look)
    if field.suggestions:
        return widgets.Combobox(value=field.value, options=field.suggestions, **look)
    box = widgets.Textarea if "\n" in field.value else widgets.Text
    return box(value=field.value, **look)


def build_slider(field: Field, box: Any) -> Any:
    """Make the slider that moves with a box, or None for a field without.

    The box holds the value. A value outside the slider's ends stays in the box, to be refused, and
    leaves the slider where it is.
    """
    if not field.slider or field.minimum is None or field.maximum is None:
        return None
    low, high = field.minimum, field.maximum
    look = {
        "readout": False,
        "tooltip": f"{field.label}, slider",
        "layout": {"width": "16em"},
    }
    start = min(max(box.value, low), high) if math.isfinite(box.value) else low
    logarithmic = field.slider == "logarithmic"
    place = math.log10 if logarithmic else float
    fine = 10.0 ** math.floor(math.log10((place(high) - place(low)) / _STEPS))
    step = 1.0 if type(field.value) is int else fine
    ends = {"min": place(low), "max": place(high), "step": step}
    make = widgets.FloatLogSlider if logarithmic else widgets.FloatSlider
    slider = make(value=start, **ends, **look)

    def follow(change: dict[str, Any]) -> None:
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
