"""One value of a form: its label, its range, its meaning, and the faults of a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from haikuft.package_data import read_toml

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a form.

    Attributes:
        name: The parameter's name.
        label: The text before the box: the value, its unit and its range.
        value: The parameter as it was given.
        choices: Value -> words, for a list to choose from; empty for a box to write in.
        suggestions: Texts in a list beside the box, which fill it, or are added to a list in it.
        minimum: Smallest number allowed; None for no bound.
        maximum: Largest number allowed; None for no bound.
        automatic: A number beside the range that leaves the choice to the notebook; None for none.
        slider: "linear" or "logarithmic" puts a slider from the smallest to the largest number
            beside the box; "" does not.
        help: A sentence below the box: what the value does.

    """

    name: str
    label: str
    value: Value
    choices: Mapping[str, str] | None = None
    suggestions: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    automatic: float | None = None
    slider: Literal["", "linear", "logarithmic"] = ""
    help: str = ""


def build_fields(values: Mapping[str, Value], **more: Mapping[str, Any]) -> list[Field]:
    """Build a field for each value: what `fields.toml` says of it, and what only the caller knows.

    Args:
        values: parameter's name -> value, in the form's order.
        more: parameter's name -> further parts of its field, such as `choices`.
    """
    known = _read_fields()
    return [
        Field(name=name, value=value, **{**known[name], **more.get(name, {})})
        for name, value in values.items()
    ]


def get_choices(name: str) -> dict[str, str]:
    """Get a field's choices, value -> words, as `fields.toml` has them."""
    return dict(_read_fields()[name]["choices"])


@cache
def _read_fields() -> dict[str, dict[str, Any]]:
    return read_toml(__package__, "fields.toml")


def find_fault(field: Field, value: Value) -> str:
    """Say why the field cannot take this value; empty when it can."""
    if field.choices is not None and value not in field.choices:
        known = ", ".join(f'"{choice}"' for choice in field.choices)
        return f"{field.name} = {value!r} is not among the choices; take one of {known}."
    if isinstance(value, bool) or not isinstance(value, int | float) or value == field.automatic:
        return ""
    # Written so that NaN fails, too.
    if field.minimum is not None and not value >= field.minimum:
        return f"{field.name} = {value!r} is too small; the smallest is {field.minimum:g}."
    if field.maximum is not None and not value <= field.maximum:
        return f"{field.name} = {value!r} is too large; the largest is {field.maximum:g}."
    if type(field.value) is int and not isinstance(value, int):
        return f"{field.name} = {value!r} is not a whole number."
    return ""


def find_faults(values: Mapping[str, Value]) -> list[str]:
    """Say of each value that a form has a field for why it cannot be taken."""
    fields = build_fields({name: one for name, one in values.items() if name in _read_fields()})
    return [fault for field in fields if (fault := find_fault(field, field.value))]


def describe_automatic(field: Field, value: object) -> str:
    """Name a number that leaves the choice to the notebook; "" for any other value."""
    return "automatic" if value == field.automatic else ""


def read_value(field: Field, chosen: object) -> Value:
    """Turn what a control holds into the parameter's own kind of value.

    A fraction where a whole number belongs stays a fraction, to be refused: nothing is rounded
    silently.
    """
    if isinstance(field.value, list):
        return [part.strip() for part in str(chosen).split(",") if part.strip()]
    if isinstance(field.value, bool):
        return bool(chosen)
    if isinstance(field.value, str) or not isinstance(chosen, int | float):
        return str(chosen).strip()
    whole = isinstance(field.value, int) and float(chosen).is_integer()
    return int(chosen) if whole else float(chosen)
