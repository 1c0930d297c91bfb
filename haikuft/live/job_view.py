"""What a watched job shows: its stages, how long it takes, its losses so far. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Self

from haikuft.customization import FINAL, CustomizationJob, describe_job
from haikuft.tables import Table, build_table

NOT_KNOWN = "not known"
_WIDTH, _HEIGHT, _EDGE = 480, 150, 26  # of the curve, in CSS pixels; the edge holds the numbers


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come, where the target tells it.

    Attributes:
        step: The last step.
        steps: Steps in all, unless it stops early.
        epoch: The last step's epoch, from 0.
        loss: The last step's training loss, in nats per token.
        curve: Step and training loss, every now and then since the training began.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    curve: tuple[tuple[int, float], ...]

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self | None:
        """Read what `Connection.read_progress` gives; None where that tells nothing."""
        if not answer:
            return None
        curve = tuple((int(step), float(loss)) for step, loss in answer["curve"])
        return cls(
            int(answer["step"]),
            int(answer["steps"]),
            int(answer["epoch"]),
            float(answer["training_loss"]),
            curve,
        )


@dataclass(frozen=True, slots=True)
class JobView:
    """One look at a job: as text, and as HTML that needs nothing else.

    Attributes:
        job: The last reading; None before the first.
        progress: The training's progress; None where the target tells none.
        now: When it was looked, UTC.
        tells_progress: Whether the target tells progress within a training at all.
        note: What else there is to say.
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
        """Build the same as HTML, with the loss as a small curve."""
        if self.job is None:
            return "<p>No reading of the job yet.</p>"
        lines = "".join(f"<div>{escape(line)}</div>" for line in self._sentences())
        head = f"<p><b>{escape(describe_job(self.job, self.now))}</b></p>"
        stages = self.table._repr_html_() if self.job.stages else ""
        return f"{head}{stages}{lines}{draw_curve(self.progress)}"

    @property
    def table(self) -> Table:
        """The stages: one row each."""
        stages = self.job.stages if self.job else ()
        rows = [
            (
                stage.name,
                stage.status,
                _span(_took(stage.status, stage.started, stage.updated, self.now)),
                self._expected(stage.name, stage.status),
            )
            for stage in stages
        ]
        return build_table(rows, "stage", "status", "took", "expected in all")

    def _expected(self, name: str, status: str) -> str:
        if status in FINAL:
            return ""
        seconds = expect_training(self) if name == "training" else None
        return NOT_KNOWN if seconds is None else f"about {_span(seconds)}, or less"

    def _sentences(self) -> list[str]:
        if self.progress is not None:
            progress = self.progress
            said = (
                f"Step {progress.step} of {progress.steps} (fewer if it stops early), epoch "
                f"{progress.epoch + 1}, training loss {progress.loss:.3f}."
            )
        elif self.job is not None and self.job.status in FINAL:
            said = ""
        elif self.tells_progress:
            said = "The losses will show here as soon as the training is under way."
        else:
            said = (
                "AWS tells neither losses nor progress before the job's end, so neither can be "
                "shown and how long it will take is not known."
            )
        return [line for line in (said, self.note) if line]


def expect_training(view: JobView) -> float | None:
    """Say how many seconds the training stage takes in all, by its steps; None without a basis."""
    progress, job = view.progress, view.job
    if progress is None or job is None or progress.step < 1:
        return None
    started = next((one.started for one in job.stages if one.name == "training"), None)
    if started is None:
        return None
    elapsed = max(0.0, (view.now - started).total_seconds())
    return elapsed * max(1.0, progress.steps / progress.step)


def draw_curve(progress: Progress | None) -> str:
    """Draw the training loss as SVG in the page's own colour; "" for fewer than two points."""
    if progress is None or len(progress.curve) < 2:
        return ""
    highest = max(loss for _, loss in progress.curve) or 1.0
    points = _scale(progress.curve, steps=max(progress.steps, 2), highest=highest)
    first, last = progress.curve[0], progress.curve[-1]
    words = (
        f"Training loss from {first[1]:.3f} at step {first[0]} to {last[1]:.3f} at step "
        f"{last[0]} of {progress.steps}"
    )
    bottom, line = _HEIGHT - _EDGE, "stroke='currentColor' fill='none'"
    text = "fill='currentColor' font-size='11'"
    return (
        f"<svg role='img' aria-label='{words}' width='{_WIDTH}' height='{_HEIGHT}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}' style='max-width:100%'>"
        f"<path {line} opacity='0.4' d='M{_EDGE} 8V{bottom}H{_WIDTH - 8}'/>"
        f"<polyline {line} stroke-width='1.8' points='{points}'/>"
        f"<text {text} x='{_EDGE + 4}' y='16'>training loss, highest {highest:.2f}</text>"
        f"<text {text} x='{_EDGE - 4}' y='{bottom}' text-anchor='end'>0</text>"
        f"<text {text} x='{_EDGE}' y='{_HEIGHT - 8}'>step 1</text>"
        f"<text {text} x='{_WIDTH - 8}' y='{_HEIGHT - 8}' text-anchor='end'>"
        f"step {progress.steps}</text></svg>"
    )


def _scale(curve: Sequence[tuple[int, float]], *, steps: int, highest: float) -> str:
    across, up = _WIDTH - _EDGE - 8, _HEIGHT - _EDGE - 22
    return " ".join(
        f"{_EDGE + across * (step - 1) / (steps - 1):.1f},"
        f"{_HEIGHT - _EDGE - up * loss / highest:.1f}"
        for step, loss in curve
    )


def _took(
    status: str, started: datetime | None, updated: datetime | None, now: datetime
) -> float | None:
    if started is None or status == "NotStarted":
        return None
    ended = updated if status in FINAL and updated is not None else now
    return max(0.0, (ended - started).total_seconds())


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
