"""A form: labelled boxes, the values in them, and what is derived from the values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from haikuft.errors import HaikuftError, SettingsError
from haikuft.forms import rendering
from haikuft.forms.controls import build_control, build_slider
from haikuft.forms.fields import Field, Value, find_fault, read_value
from haikuft.forms.rendering import Derived
from haikuft.forms.saving import Saving, save_choices
from haikuft.forms.showing import Shown
from haikuft.html import escape

Picture = tuple[str, str]  # one thing as HTML and as plain text


@dataclass(frozen=True, slots=True)
class _State:
    """What the boxes hold now, why it cannot be used, and what is derived from it."""

    values: dict[str, Any]
    refusal: str
    derived: Derived
    picture: Picture


class Form:
    """Labelled boxes around a notebook's parameters.

    A notebook shows it as the last line of a cell: as widgets where the front end has them, and
    always as a plain table, too, which is what an executed or exported notebook keeps.

    Args:
        title: Stands above the boxes.
        fields: The values to choose.
        check: Raises SettingsError for values that cannot be used together.
        derive: Derives values that are shown below the boxes.
        draw: Draws a picture of the values, shown below those.
        saving: Where the button saves the values; without a run there is no button.

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
        derive: Callable[[dict[str, Any]], Derived] = lambda values: [],
        draw: Callable[[dict[str, Any]], Picture] = lambda values: ("", ""),
        saving: Saving | None = None,
    ) -> None:
        self.title = title
        self.fields = tuple(fields)
        self.controls = {field.name: build_control(field) for field in self.fields}
        sliders = {f.name: build_slider(f, self.controls[f.name]) for f in self.fields}
        self.sliders = {name: slider for name, slider in sliders.items() if slider is not None}
        self._check, self._derive, self._draw = check, derive, draw
        self._saving = saving if saving is not None and saving.run is not None else None
        self._saved = ""
        self._untouched = {name: control.value for name, control in self.controls.items()}
        self._notes = {field.name: widgets.HTML() for field in self.fields}
        self._message = widgets.HTML()
        self._output = widgets.HTML()
        self.button = widgets.Button(
            description="Save these choices",
            tooltip="Save them in the run's folder, as YAML and as a command line",
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
        """Parameter's name -> value, as chosen; untouched ones are as they were given.

        Raises:
            SettingsError: names every value that cannot be used.

        """
        state = self._read()
        if state.refusal:
            raise SettingsError(state.refusal)
        return state.values

    @property
    def refusal(self) -> str:
        """Why the values cannot be used; empty when they can."""
        return self._read().refusal

    @property
    def derived(self) -> Derived:
        """What is derived from the values; nothing while they cannot be used."""
        return self._read().derived

    def __repr__(self) -> str:
        return self._write(self._read())[1]

    def _repr_html_(self) -> str:
        return self._write(self._read())[0]

    def _ipython_display_(self) -> None:
        self._shown.show(*self._write(self._read()))

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

    def _read(self) -> _State:
        values = {field.name: self._read_one(field) for field in self.fields}
        if refusal := self._find_refusal(values):
            return _State(values, refusal, [], ("", ""))
        return _State(values, "", self._derive(values), self._draw(values))

    def _find_refusal(self, values: dict[str, Any]) -> str:
        """List all faults; what the check says of a value replaces the field's own text."""
        checked = ""
        if self._check is not None:
            try:
                self._check(values)
            except SettingsError as error:
                checked = str(error)
        named = rendering.sort_faults(checked, list(self.controls))
        faults = [find_fault(f, values[f.name]) for f in self.fields if f.name not in named]
        return "\n".join(part for part in (checked, *faults) if part)

    def _read_one(self, field: Field) -> Value:
        chosen = self.controls[field.name].value
        if chosen == self._untouched[field.name]:
            return field.value
        return read_value(field, chosen)

    def _write(self, state: _State) -> Picture:
        """Write the form as HTML and as plain text."""
        rows = [(f.label, rendering.describe_value(f, state.values[f.name])) for f in self.fields]
        content = (self.title, rows, state.derived, state.refusal)
        html, plain = state.picture
        return (
            rendering.write_html(*content, html, self._saved),
            rendering.write_plain(*content, plain, self._saved),
        )

    def _refresh(self, _change: object = None) -> None:
        state = self._read()
        self._saved, self._output.value = "", ""  # what was saved is no longer what is chosen
        faults = rendering.sort_faults(state.refusal, list(self.controls))
        for field in self.fields:
            note = rendering.write_note(field.help, faults.get(field.name, []))
            if self._notes[field.name].value != note:
                self._notes[field.name].value = note
        message = rendering.write_message(state.derived, state.refusal)
        self._message.value = message + state.picture[0]
        self._shown.update(*self._write(state))

    def _save(self, _button: object = None) -> None:
        state = self._read()
        try:
            if self._saving is None or state.refusal:
                raise SettingsError(f"Nothing was saved.\n{state.refusal}")
            self._saved = save_choices(self._saving, state.values)
        except HaikuftError as error:
            self._output.value = rendering.write_message([], str(error))
            return
        self._output.value = rendering.write_block(self._saved)
        self._shown.update(*self._write(state))
