"""The view of a watched job: stages, times and losses so far. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from haikuft.customization.readings import FINAL, CustomizationJob, Stage, describe_job, format_span
from haikuft.html import draw_curve, escape
from haikuft.tables import Table, build_table

if TYPE_CHECKING:
    import pandas as pd

NOT_KNOWN = "not known"
# Of the bar: JupyterLab's colours, which follow its theme; elsewhere greys that read on any page.
_EDGE, _FILL = "var(--jp-border-color0, #777)", "var(--jp-brand-color1, #777)"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training, where the target reports it.

    Attributes:
        steps: Steps in all, unless it stops early.
        epoch: The last step's epoch, from 0.
        curve: (step, training loss) pairs since the training began, one or more, the last step's
            at the end; losses are in nats per token.
        validations: (step, validation loss) at the end of each epoch so far; empty without
            validation data.
    """

    steps: int
    epoch: int
    curve: tuple[tuple[int, float], ...]
    validations: tuple[tuple[int, float], ...] = ()

    @property
    def step(self) -> int:
        """The last step."""
        return self.curve[-1][0]

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read what `Connection.read_progress` returns; None where that is empty."""
        if not answer:
            return None
        curves = (
            tuple((int(step), float(loss)) for step, loss in answer.get(name, ()))
            for name in ("curve", "validations")
        )
        return cls(int(answer["steps"]), int(answer["epoch"]), *curves)

    @classmethod
    def from_metrics(cls, training: "pd.DataFrame", *validation: "pd.DataFrame") -> Self | None:
        """Read the finite losses of a completed job's metric files, from `read_metrics`."""
        finite = [table[table["loss"].abs() < math.inf] for table in (training, *validation)]
        curve, *others = (
            tuple(zip(table["step_number"].tolist(), table["loss"].tolist(), strict=True))
            for table in finite
        )
        if not curve:
            return None
        return cls(curve[-1][0], int(training["epoch_number"].iloc[-1]) - 1, curve, *others)


@dataclass(frozen=True, slots=True)
class JobView:
    """A view of a job at one moment, as text and as HTML.

    Attributes:
        job: The last reading; None before the first.
        progress: The training's progress; None where the target reports none.
        now: The moment, UTC.
        tells_progress: Whether the target reports progress during a training.
        note: A further sentence; "" for none.
    """

    job: CustomizationJob | None
    progress: Progress | None
    now: datetime
    tells_progress: bool
    note: str = ""

    def __str__(self) -> str:
        if self.job is None:
            return "No reading of the job yet."
        parts = [describe_job(self.job, self.now), repr(self.table), *self._sentences()]
        return "\n".join(part for part in parts if part)

    def to_html(self) -> str:
        """Build the same as HTML, with a bar and the losses as curves."""
        if self.job is None:
            return "<p>No reading of the job yet.</p>"
        lines = "".join(f"<div>{escape(line)}</div>" for line in self._sentences())
        head = f"<p><b>{escape(describe_job(self.job, self.now))}</b></p>"
        return f"{head}{draw_bar(self)}{lines}{draw_losses(self.progress)}"

    @property
    def table(self) -> Table:
        """The stages: one row each."""
        stages = self.job.stages if self.job else ()
        rows = [
            (stage.name, stage.status, _took(stage, self.now), self._expected(stage))
            for stage in stages
        ]
        return build_table(rows, "stage", "status", "took", "expected in all")

    def _expected(self, stage: Stage) -> str:
        if stage.status in FINAL:
            return ""
        seconds = expect_training(self) if stage.name == "training" else None
        return NOT_KNOWN if seconds is None else f"about {format_span(seconds)}, or less"

    def _sentences(self) -> list[str]:
        if self.progress is not None:
            progress = self.progress
            fewer = " (fewer if it stops early)" if progress.step < progress.steps else ""
            said = f"Step {progress.step} of {progress.steps}{fewer}, epoch {progress.epoch + 1}"
            said += f", training loss {progress.curve[-1][1]:.3f}"
            if progress.validations:
                said += f", validation loss {progress.validations[-1][1]:.3f}"
            said += "."
        elif self.job is not None and self.job.status in FINAL:
            said = ""
        elif self.tells_progress:
            said = "The losses appear here when the training has started."
        else:
            said = (
                "AWS reports neither losses nor progress before the job ends, so neither can be "
                "shown and the remaining time is not known."
            )
        return [line for line in (said, self.note) if line]


def expect_training(view: JobView) -> float | None:
    """Estimate the seconds of the training stage in all from its steps; None where not possible."""
    progress, job = view.progress, view.job
    if progress is None or job is None:
        return None
    started = next((one.started for one in job.stages if one.name == "training"), None)
    if started is None:
        return None
    elapsed = max(0.0, (view.now - started).total_seconds())
    return elapsed * max(1.0, progress.steps / progress.step)


def draw_bar(view: JobView) -> str:
    """Draw a bar with a part for each stage, filled as far as it has come; "" without stages.

    A stage that runs is filled by its steps, where the target reports them, else by half.
    """
    parts = []
    for row in view.table.rows:
        name, status, took, expected = map(str, row)
        done = {"Completed": 1.0, "NotStarted": 0.0}.get(status, 0.5)
        if name == "training" and done == 0.5 and view.progress is not None:
            done = min(1.0, view.progress.step / max(1, view.progress.steps))
        lasts = f"expected in all: {expected}" if expected else ""
        words = "<br>".join(map(escape, filter(None, (name, status, took, lasts))))
        parts.append(
            f'<div style="flex:{3 if name == "training" else 1};line-height:1.4">'
            f'<div role="progressbar" aria-label="{escape(name)}" '
            f'aria-valuenow="{100 * done:.0f}" style="height:14px;border:1px solid {_EDGE};'
            f'background:linear-gradient(90deg,{_FILL} {done:.0%},transparent {done:.0%})">'
            f"</div>{words}</div>"
        )
    look = "display:flex;gap:4px;max-width:640px;margin:.3rem 0"
    return f'<div style="{look}">{"".join(parts)}</div>' if parts else ""


def draw_losses(progress: Progress | None) -> str:
    """Draw training loss by step and validation loss by epoch; "" for fewer than two points."""
    if progress is None or len(progress.curve) < 2:
        return ""
    first, last = progress.curve[0], progress.curve[-1]
    sentence = (
        f"Training loss from {first[1]:.3f} at step {first[0]} to {last[1]:.3f} at "
        f"step {last[0]} of {progress.steps}"
    )
    if progress.validations:
        losses = ", ".join(f"{loss:.3f}" for _, loss in progress.validations)
        sentence += f"; validation loss after each epoch: {losses}"
    return draw_curve(
        progress.curve,
        (f"step{' (thin lines: ends of epochs)' if progress.validations else ''}", "loss"),
        description=sentence,
        last_x=progress.steps,
        from_zero=True,
        dashed=progress.validations,
        names=("training", "validation"),
    )


def _took(stage: Stage, now: datetime) -> str:
    if stage.started is None or stage.status == "NotStarted":
        return ""
    ended = stage.updated if stage.status in FINAL and stage.updated is not None else now
    return format_span(max(0.0, (ended - stage.started).total_seconds()))
