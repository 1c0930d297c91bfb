"""A form: labelled boxes, the values in them, and what is derived from the values."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

import ipywidgets as widgets

from haikuft.errors import HaikuftError, SettingsError
from haikuft.forms import rendering
from haikuft.forms.controls import build_control, build_list, build_slider
from haikuft.forms.fields import Field, Value, find_fault, read_value
from haikuft.forms.rendering import Content, Derived, Picture
from haikuft.forms.showing import build_button, build_grid, build_text, show
from haikuft.html import escape


class Form:
    """Labelled boxes around a notebook's parameters.

    A notebook shows it as the last line of a cell: as widgets where the front end has them, and
    always as a plain table, too, which is what an executed or exported notebook keeps. When a value
    changes that a cell has read, the form says that the cells below must be run again.

    Args:
        title: Stands above the boxes.
        fields: The values to choose.
        check: Raises SettingsError for values that cannot be used together.
        derive: Derives values that are shown below the boxes.
        draw: Draws a picture of the values, shown beside the boxes where there is room.
        save: Saves the values, and says where; the form has a button for it. None for none.

    Attributes:
        controls: Parameter's name -> the box or list that holds its value.
        sliders: Parameter's name -> the slider beside its box, where there is one.
        lists: Parameter's name -> the list beside its box, where there is one.
        rows: Parameter's name -> its box, what stands beside it, and its note.

    """

    def __init__(
        self,
        title: str,
        fields: Sequence[Field],
        *,
        check: Callable[[dict[str, Any]], object] = lambda values: None,
        derive: Callable[[dict[str, Any]], Derived] = lambda values: [],
        draw: Callable[[dict[str, Any]], Picture] | None = None,
        save: Callable[[Mapping[str, Value]], str] | None = None,
    ) -> None:
        self.title = title
        self.fields = tuple(fields)
        self._message = widgets.HTML()
        # One look for many widgets: one each would be half as many widgets again to open.
        self._look = {"layout": self._message.layout, "style": self._message.style}
        layout = widgets.Layout()
        self.controls = {field.name: build_control(field, layout) for field in self.fields}
        pairs = [(field, self.controls[field.name]) for field in self.fields]
        self.sliders = {f.name: build_slider(f, box) for f, box in pairs if f.slider}
        self.lists = {f.name: build_list(f, box) for f, box in pairs if f.suggestions}
        self._check, self._derive, self._draw = check, derive, draw
        self._used: dict[str, Any] | None = None  # the values that a cell has read
        self._save_values, self._saved = save, ""
        self._untouched = {name: control.value for name, control in self.controls.items()}
        self._notes = {field.name: widgets.HTML(**self._look) for field in self.fields}
        self._grid = build_grid(self._list_parts(field.name) for field in self.fields)
        self.rows = dict(zip(self.controls, self._grid.children, strict=True))
        self._output = widgets.HTML(**self._look)
        tooltip = "Save them in the run's folder, for haikuft run -f"
        self.button = build_button("Save these choices", tooltip, self._save, icon="save")
        self.box = self._build_box()
        self._name = f"haikuft-{uuid4().hex[:10]}"  # by which the copy finds its widget
        self.box.add_class("haikuft")
        self.box.add_class(self._name)
        self._copy: Any = None  # what is shown beside the widgets
        self._refresh()
        for control in self.controls.values():
            control.observe(self._refresh, names="value")

    @property
    def values(self) -> dict[str, Any]:
        """Parameter's name -> value, as chosen; untouched ones are as they were given.

        Raises:
            SettingsError: names every value that cannot be used.

        """
        content = self.read()
        if content.refusal:
            raise SettingsError(content.refusal)
        self._used = dict(content.values)
        self._show()
        return dict(content.values)

    def read(self) -> Content:
        """Read the boxes: what they hold, why that cannot be used, and what is derived from it."""
        values = {field.name: self._read_one(field) for field in self.fields}
        refusal = self._find_refusal(values)
        used = values if self._used is None else self._used
        return Content(
            self.title,
            self.fields,
            values,
            refusal,
            derived=[] if refusal else self._derive(values),
            picture=("", "") if refusal or self._draw is None else self._draw(values),
            stale=[name for name, value in values.items() if value != used[name]],
            saved=self._saved,
        )

    def __repr__(self) -> str:
        return str(self.read())

    def _repr_html_(self) -> str:
        return self.read().to_html()

    def _ipython_display_(self) -> None:
        show({**self.box._repr_mimebundle_(), "text/plain": ""}, raw=True)
        self._copy = show(self._build_copy(self.read()), raw=True, display_id=True)

    def _build_copy(self, content: Content) -> dict[str, str]:
        html = build_text(self._name, content.to_html())
        return {"text/plain": str(content), "text/html": html}

    def _list_parts(self, name: str) -> list[Any]:
        beside = [held[name] for held in (self.sliders, self.lists) if name in held]
        return [self.controls[name], *beside, self._notes[name]]

    def _build_box(self) -> Any:
        sides = widgets.Box([self._grid, self._message], layout={"display": "grid"})
        sides.add_class("haikuft-sides")
        if self._draw is not None:
            sides.add_class("haikuft-two")
        parts = [widgets.HTML(f"<h4>{escape(self.title)}</h4>", **self._look), sides]
        if self._save_values is not None:
            parts += [self.button, self._output]
        return widgets.VBox(parts)

    def _find_refusal(self, values: dict[str, Any]) -> str:
        """List all faults; what the check says of a value replaces the field's own text."""
        checked = ""
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

    def _refresh(self, _change: object = None) -> None:
        self._saved, self._output.value = "", ""  # what was saved is no longer what is chosen
        self._show()

    def _show(self) -> None:
        content = self.read()
        faults = rendering.sort_faults(content.refusal, list(self.controls))
        for field in self.fields:
            note = rendering.write_note(field.help, faults.get(field.name, []))
            self._notes[field.name].value = note
        self._message.value = content.message
        if self._copy is not None:
            self._copy.update(self._build_copy(content), raw=True)

    def _save(self) -> None:
        content = self.read()
        try:
            if self._save_values is None or content.refusal:
                raise SettingsError(f"Nothing was saved.\n{content.refusal}")
            self._saved = self._save_values(content.values)
        except HaikuftError as error:
            self._output.value = rendering.write_message([], str(error))
            return
        self._output.value = rendering.write_block(self._saved)
        self._show()
