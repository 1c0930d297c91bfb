"""A form: labelled boxes, the values in them, and what follows from those."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from haikuft.errors import SettingsError
from haikuft.forms.fields import Field, Value, build_control, describe, find_fault

Facts = list[tuple[str, str]]  # what follows from the values: (what, how much)


class Form:
    """Labelled boxes around a notebook's parameters.

    The last line of a cell shows it: as widgets where the front end has them, and always as a
    plain table too, which is what an executed or exported notebook keeps.
    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        check: Callable[[dict[str, Any]], object] | None = None,
        derive: Callable[[dict[str, Any]], Facts] | None = None,
    ) -> None:
        self.title = title
        self.fields = tuple(fields)
        self.controls = {field.name: build_control(field) for field in self.fields}
        self._check = check
        self._derive = derive
        self._untouched = {name: control.value for name, control in self.controls.items()}
        self._message = widgets.HTML()
        self._refresh()
        for control in self.controls.values():
            control.observe(self._refresh, names="value")
        heading = widgets.HTML(f"<b>{escape(title)}</b>")
        self.box = widgets.VBox([heading, *self.controls.values(), self._message])

    @property
    def values(self) -> dict[str, Any]:
        """Parameter's name -> value, as chosen; what nobody touched is as it was given.

        Raises:
            SettingsError: names every value that cannot be used.

        """
        values = self._read()
        faults = [
            fault for field in self.fields if (fault := find_fault(field, values[field.name]))
        ]
        if faults:
            raise SettingsError("\n".join(faults))
        if self._check is not None:
            self._check(values)
        return values

    @property
    def refusal(self) -> str:
        """Why the values cannot be used; empty when they can."""
        try:
            self.values  # noqa: B018  # reading checks
        except SettingsError as error:
            return str(error)
        return ""

    @property
    def facts(self) -> Facts:
        """What follows from the values; nothing while they cannot be used."""
        return [] if self._derive is None or self.refusal else self._derive(self._read())

    def __repr__(self) -> str:
        rows = [*((field.label, describe(value)) for field, value in self._rows()), *self.facts]
        width = max(len(label) for label, _ in rows)
        lines = [self.title, *(f"  {label:<{width}}  {value}" for label, value in rows)]
        return "\n".join([*lines, self.refusal] if self.refusal else lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(field.label)}</th>'
            f'<td style="text-align:left">{escape(describe(value))}</td></tr>'
            for field, value in self._rows()
        )
        caption = f'<caption style="text-align:left"><b>{escape(self.title)}</b></caption>'
        return f"<table>{caption}<tbody>{rows}</tbody></table>{self._notes()}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.box._repr_mimebundle_(**kwargs)
        return {**bundle, "text/plain": repr(self), "text/html": self._repr_html_()}

    def _rows(self) -> list[tuple[Field, Value]]:
        values = self._read()
        return [(field, values[field.name]) for field in self.fields]

    def _read(self) -> dict[str, Any]:
        return {field.name: self._read_one(field) for field in self.fields}

    def _read_one(self, field: Field) -> Value:
        chosen = self.controls[field.name].value
        if chosen == self._untouched[field.name]:
            return field.value
        if isinstance(field.value, list):
            return [part.strip() for part in chosen.split(",") if part.strip()]
        if isinstance(field.value, str):
            return str(chosen).strip()
        return chosen  # type: ignore[no-any-return]  # the control's own kind

    def _notes(self) -> str:
        """Write the refusal, else what follows from the values, as HTML."""
        if self.refusal:
            return f'<p role="alert">⚠ {escape(self.refusal).replace(chr(10), "<br>")}</p>'
        return "".join(
            f"<div>{escape(what)}: <b>{escape(how)}</b></div>" for what, how in self.facts
        )

    def _refresh(self, _change: object = None) -> None:
        self._message.value = self._notes()
