"""A form: labelled boxes, the values in them, and what follows from those."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import ipywidgets as widgets

from haikuft.errors import HaikuftError, SettingsError
from haikuft.forms import rendering
from haikuft.forms.controls import build_control, build_slider
from haikuft.forms.fields import Field, Value, find_fault, read_value
from haikuft.forms.rendering import Facts
from haikuft.forms.saving import Saving, save_choices
from haikuft.forms.showing import Shown


@dataclass(frozen=True, slots=True)
class _State:
    """What the boxes hold at this moment, why it cannot be used, and what follows from it."""

    values: dict[str, Any]
    refusal: str
    facts: Facts


class Form:
    """Labelled boxes around a notebook's parameters.

    The last line of a cell shows it: as widgets where the front end has them, and always as a
    plain table too, which is what an executed or exported notebook keeps.

    Attributes:
        controls: Parameter's name -> the box or list that holds its value.
        sliders: Parameter's name -> the slider beside its box, where there is one.

    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        check: Callable[[dict[str, Any]], object] | None = None,
        derive: Callable[[dict[str, Any]], Facts] | None = None,
        saving: Saving | None = None,
    ) -> None:
        self.title = title
        self.fields = tuple(fields)
        self.controls = {field.name: build_control(field) for field in self.fields}
        sliders = {f.name: build_slider(f, self.controls[f.name]) for f in self.fields}
        self.sliders = {name: slider for name, slider in sliders.items() if slider is not None}
        self._check = check
        self._derive = derive
        self._saving = saving
        self._written = ""
        self._untouched = {name: control.value for name, control in self.controls.items()}
        self._notes = {field.name: widgets.HTML() for field in self.fields}
        self._message = widgets.HTML()
        self._output = widgets.HTML()
        self.button = widgets.Button(
            description="Write these choices down",
            tooltip="Write them into the run's folder, as YAML and as a command line",
            icon="save",
            layout={"width": "auto", "align_self": "flex-start"},
        )
        self.button.on_click(self._save)
        self.box = self._build_box()
        self._shown = Shown(self.box)
        self._refresh()
        for control in self.controls.values():
            control.observe(self._refresh, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """Parameter's name -> value, as chosen; what nobody touched is as it was given.

        Raises:
            SettingsError: names every value that cannot be used.

        """
        values = {field.name: self._read_one(field) for field in self.fields}
        if refusal := self._find_refusal(values):
            raise SettingsError(refusal)
        return values

    @property
    def refusal(self) -> str:
        """Why the values cannot be used; empty when they can."""
        return self._look().refusal

    @property
    def facts(self) -> Facts:
        """What follows from the values; nothing while they cannot be used."""
        return self._look().facts

    def __repr__(self) -> str:
        return self._write_plain(self._look())

    def _repr_html_(self) -> str:
        return self._write_html(self._look())

    def _ipython_display_(self) -> None:
        self._shown.show(self._repr_html_(), repr(self))

    def _build_box(self) -> Any:
        parts = [widgets.HTML(f"<h4>{escape(self.title)}</h4>")]
        for field in self.fields:
            slider = self.sliders.get(field.name)
            control = self.controls[field.name]
            row = [control] if slider is None else [control, slider]
            layout = {"flex_flow": "row wrap", "align_items": "center"}
            parts += [widgets.HBox(row, layout=layout), self._notes[field.name]]
        parts.append(self._message)
        if self._saving is not None:
            parts += [self.button, self._output]
        return widgets.VBox(parts)

    def _look(self) -> _State:
        values = {field.name: self._read_one(field) for field in self.fields}
        refusal = self._find_refusal(values)
        facts = [] if self._derive is None or refusal else self._derive(values)
        return _State(values, refusal, facts)

    def _find_refusal(self, values: dict[str, Any]) -> str:
        """Say all that is wrong; what the check says of a value goes before the field's words."""
        said = ""
        if self._check is not None:
            try:
                self._check(values)
            except SettingsError as error:
                said = str(error)
        told = rendering.sort_faults(said, list(self.controls))
        faults = [find_fault(f, values[f.name]) for f in self.fields if f.name not in told]
        return "\n".join(part for part in (said, *faults) if part)

    def _read_one(self, field: Field) -> Value:
        chosen = self.controls[field.name].value
        if chosen == self._untouched[field.name]:
            return field.value
        return read_value(field, chosen)

    def _write_plain(self, state: _State) -> str:
        rows = rendering.list_rows(self.fields, state.values)
        return rendering.write_plain(self.title, rows, state.facts, state.refusal, self._written)

    def _write_html(self, state: _State) -> str:
        rows = rendering.list_rows(self.fields, state.values)
        return rendering.write_html(self.title, rows, state.facts, state.refusal, self._written)

    def _refresh(self, _change: object = None) -> None:
        state = self._look()
        self._written, self._output.value = "", ""  # what was written is no longer what is chosen
        faults = rendering.sort_faults(state.refusal, list(self.controls))
        for field in self.fields:
            note = rendering.write_note(field.help, faults.get(field.name, []))
            if self._notes[field.name].value != note:
                self._notes[field.name].value = note
        self._message.value = rendering.write_message(state.facts, state.refusal)
        self._tell(state)

    def _save(self, _button: object = None) -> None:
        state = self._look()
        try:
            if self._saving is None or state.refusal:
                raise SettingsError(f"Nothing was written.\n{state.refusal}")
            self._written = save_choices(self._saving, state.values)
        except HaikuftError as error:
            self._output.value = rendering.write_message([], str(error))
            return
        self._output.value = rendering.write_block(self._written)
        self._tell(state)

    def _tell(self, state: _State) -> None:
        self._shown.update(self._write_html(state), self._write_plain(state))
