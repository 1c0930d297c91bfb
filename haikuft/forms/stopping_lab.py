"""The early-stopping laboratory: a curve, two sliders, and what the rule makes of them."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets

from haikuft.errors import SettingsError
from haikuft.forms import rendering
from haikuft.forms.controls import build_control, build_slider
from haikuft.forms.fields import Field, find_fault, read_value
from haikuft.forms.showing import Shown
from haikuft.forms.stopping import describe_stop, draw_curve, list_epochs, parse_losses
from haikuft.hyperparameters import WORKED_EXAMPLE, decide_early_stop
from haikuft.tables import build_table

EXAMPLE, OWN = "the worked example", "your own numbers"
_HEADINGS = ("epoch", "validation loss", "gain on the best before", "what the rule says")


class StoppingLab:
    """A validation-loss curve with threshold and patience: the stop moves as one drags.

    The last line of a cell shows it. It has no effect but what it shows.
    """

    def __init__(
        self, curves: Mapping[str, Sequence[float]], *, threshold: float, patience: int
    ) -> None:
        self.curves = {EXAMPLE: list(WORKED_EXAMPLE), **{n: list(c) for n, c in curves.items()}}
        names = {name: name for name in (*self.curves, OWN)}
        first = next((name for name, losses in curves.items() if len(losses) > 1), EXAMPLE)
        fields = [
            Field("curve", "Curve", first, choices=names, help="Validation losses by epoch."),
            Field(
                "losses",
                "Your own losses, one for each epoch",
                "\n".join(f"{loss:g}" for loss in WORKED_EXAMPLE),
                help="Numbers with blanks, commas or lines between them, or a pasted table, whose "
                "last column counts.",
            ),
            Field(
                "threshold",
                "Threshold (loss, 0 to 0.1)",
                float(threshold),
                minimum=0.0,
                maximum=max(0.1, threshold),
                slider="linear",
                help="Smallest fall of the validation loss that counts as an improvement.",
            ),
            Field(
                "patience",
                "Patience (epochs, 1 to 10)",
                int(patience),
                minimum=1,
                maximum=max(10, patience),
                slider="linear",
                help="Epochs in a row without improvement that end the training.",
            ),
        ]
        self.fields = {field.name: field for field in fields}
        self.controls = {field.name: build_control(field) for field in fields}
        sliders = {f.name: build_slider(f, self.controls[f.name]) for f in fields}
        self.sliders = {name: slider for name, slider in sliders.items() if slider is not None}
        self._picture = widgets.HTML()
        self.box = self._build_box()
        self._shown = Shown(self.box)
        self._refresh()
        for name, control in self.controls.items():
            control.observe(self._refresh if name != "losses" else self._take_own, names="value")

    @property
    def sentence(self) -> str:
        """What the rule decides, or why it cannot."""
        return self._write()[1].partition("\n")[0]

    def __repr__(self) -> str:
        return self._write()[1]

    def _repr_html_(self) -> str:
        return self._write()[0]

    def _ipython_display_(self) -> None:
        self._shown.show(*self._write())

    def _build_box(self) -> Any:
        rows: list[Any] = [widgets.HTML("<h4>Early-stopping laboratory</h4>")]
        for name, control in self.controls.items():
            row = [control, self.sliders[name]] if name in self.sliders else [control]
            layout = {"flex_flow": "row wrap", "align_items": "center"}
            rows += [widgets.HBox(row, layout=layout)]
            rows += [widgets.HTML(rendering.write_note(self.fields[name].help, []))]
        return widgets.VBox([*rows, self._picture])

    def _write(self) -> tuple[str, str]:
        """Give picture, sentence and table: as HTML, and as plain text."""
        values = {n: read_value(f, self.controls[n].value) for n, f in self.fields.items()}
        faults = [fault for n, f in self.fields.items() if (fault := find_fault(f, values[n]))]
        try:
            if faults:
                raise SettingsError("\n".join(faults))
            threshold, patience = float(values["threshold"]), int(values["patience"])  # type: ignore[arg-type]
            losses = self._losses(str(values["curve"]), str(values["losses"]))
            stop = decide_early_stop(losses, threshold=threshold, patience=patience)
            rows = list_epochs(losses, threshold=threshold, patience=patience)
        except SettingsError as error:
            return rendering.write_message([], str(error)), str(error)
        words = describe_stop(losses, stop)
        rule = f"{values['curve']}, threshold {threshold:g}, patience {patience}"
        table = build_table(rows, *_HEADINGS)
        html = (
            f'<p role="status"><b>{escape(words)}</b><br>{escape(rule)}</p>'
            f"{draw_curve(losses, stop)}{table._repr_html_()}"
        )
        return html, f"{words}\n{rule}\n{table!r}"

    def _losses(self, curve: str, own: str) -> list[float]:
        if curve == OWN:
            return parse_losses(own)
        losses = self.curves[curve]
        if not losses:
            raise SettingsError(
                f"{curve}: there are no validation losses, so nothing to stop on. "
                f"Take {EXAMPLE}, or {OWN}."
            )
        if not all(map(math.isfinite, losses)):
            raise SettingsError(
                f"{curve}: a loss is no finite number, so the training diverged and there is "
                f"nothing to draw. Take {EXAMPLE}, or {OWN}."
            )
        return losses

    def _take_own(self, _change: object) -> None:
        """Whoever writes numbers wants to see them."""
        if self.controls["curve"].value != OWN:
            self.controls["curve"].value = OWN  # refreshes
        else:
            self._refresh()

    def _refresh(self, _change: object = None) -> None:
        html, plain = self._write()
        self._picture.value = html
        self._shown.update(html, plain)


def stopping_lab(
    validation_losses: Sequence[float] = (), *, threshold: float = 0.001, patience: int = 2
) -> StoppingLab:
    """Make the laboratory, beginning with this run's losses where there are two or more.

    Args:
        validation_losses: One an epoch, as from `metrics.list_validation_losses`.
        threshold: Where its slider begins.
        patience: Likewise.
    """
    return StoppingLab(
        {"this run's losses": validation_losses} if validation_losses else {},
        threshold=threshold,
        patience=patience,
    )
