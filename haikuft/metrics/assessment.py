"""Assess the losses of a job: both by epoch, and a verdict in a computed sentence."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from haikuft.files import write_whole
from haikuft.hyperparameters import EarlyStop, Hyperparameters, decide_early_stop

ASSESSMENT_FILE = "assessment.json"

# Rules of thumb of this package, not AWS's; every sentence below prints the numbers it rests on.
LESSON = (0.001, 2)  # threshold and patience, Claude 3 Haiku's defaults, for a model without
RISE = 0.02  # validation loss this far above its lowest: over-fitted
FALL = 0.01  # validation loss still improving by this share in the last epoch: still falling


@dataclass(frozen=True, slots=True)
class Assessment:
    """A verdict on the losses of a job.

    Attributes:
        verdict: "over-fitted", "still falling", "stopped well", "diverged" or "unknown".
        sentence: The verdict, its numbers, and what to try.
    """

    verdict: str
    sentence: str


@dataclass(frozen=True, slots=True)
class StopRule:
    """An early-stopping rule.

    Attributes:
        threshold: Smallest fall of the validation loss that counts.
        patience: Epochs in a row without such a fall that end the training.
        simulated: The job has no early stopping of its own; the rule is the lesson's.
    """

    threshold: float
    patience: int
    simulated: bool

    def __str__(self) -> str:
        """Say where the rule comes from."""
        rule = f"threshold {self.threshold:g} and patience {self.patience}"
        if self.simulated:
            return (
                f"This model has no early stopping: {rule} are only tried out here on the losses "
                "that the job wrote, and the job itself ran all its epochs."
            )
        return f"The job could end early by itself, with {rule}."


def read_stop_rule(hyperparameters: Hyperparameters) -> StopRule:
    """Read a job's early-stopping rule, or take the lesson's where the model has none."""
    if "early_stopping_patience" not in hyperparameters:
        return StopRule(*LESSON, simulated=True)
    return StopRule(
        hyperparameters["early_stopping_threshold"],
        int(hyperparameters["early_stopping_patience"]),
        simulated=False,
    )


def list_validation_losses(validation: pd.DataFrame | None) -> list[float]:
    """List the validation losses, one an epoch in order: what the early-stopping rule reads."""
    if validation is None or validation.empty:
        return []
    return [float(loss) for loss in validation.groupby("epoch_number")["loss"].last()]


def replay_early_stop(validation: pd.DataFrame | None, rule: StopRule) -> EarlyStop | None:
    """Apply an early-stopping rule to a job's losses; None without a validation file."""
    losses = list_validation_losses(validation)
    if not losses:
        return None
    return decide_early_stop(losses, threshold=rule.threshold, patience=rule.patience)


def assess(
    training: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    early_stop: EarlyStop | None = None,
) -> Assessment:
    """Assess the losses, in one or two computed sentences.

    Args:
        training: Losses by step, from `read_metrics`.
        validation: Losses by epoch, from `read_metrics`; None without a validation file.
        early_stop: What the early-stopping rule decides on these validation losses, if it was on.
    """
    fit = [float(loss) for loss in training.groupby("epoch_number")["loss"].mean()]
    losses = list_validation_losses(validation)
    if diverged := _describe_divergence(training, losses):
        return Assessment("diverged", diverged)
    if not losses:
        return Assessment("unknown", _describe_training_alone(training))
    if len(losses) == 1:
        return Assessment(
            "unknown",
            f"One epoch gives one validation loss ({losses[0]:.3g}), and one point has no "
            "direction. Run at least 2 epochs to see whether it falls or rises.",
        )
    best = min(range(len(losses)), key=losses.__getitem__)
    stopped = early_stop is not None and early_stop.stopped_epoch == len(losses)
    assessment = _judge_curve(fit, losses, best, stopped)
    if early_stop and early_stop.stopped_epoch and early_stop.stopped_epoch < len(losses):
        return Assessment(
            assessment.verdict,
            f"{assessment.sentence} By our reading of the early-stopping rule the job would have "
            f"stopped after epoch {early_stop.stopped_epoch}; it ran {len(losses)}.",
        )
    return assessment


def write_assessment(directory: Path, assessment: Assessment) -> Path:
    """Write assessment.json, with verdict and sentence, for the report; return its path."""
    text = json.dumps(asdict(assessment), indent=2, ensure_ascii=False)
    return write_whole(directory / ASSESSMENT_FILE, f"{text}\n")


def _judge_curve(fit: list[float], losses: list[float], best: int, stopped: bool) -> Assessment:
    """Judge two or more finite validation losses. `best` is an index; epochs count from 1."""
    last, lowest, epochs = losses[-1], losses[best], len(losses)
    rise = _change(lowest, last)
    fall = -_change(losses[-2], last)
    least = f"The validation loss was lowest after epoch {best + 1} ({lowest:.3g})"
    if best < epochs - 1 and rise >= RISE:
        trained = ""
        if len(fit) == epochs and fit[-1] < fit[best]:
            trained = f", while the training loss went on falling from {fit[best]:.3g} to "
            trained += f"{fit[-1]:.3g}"
        if stopped:
            return Assessment(
                "stopped well",
                f"{least}. It had risen by {rise:.1%} when early stopping ended the training "
                f"after epoch {epochs}{trained}. AWS does not say which epoch's weights it keeps.",
            )
        return Assessment(
            "over-fitted",
            f"{least} and rose by {rise:.1%} to {last:.3g} by epoch {epochs}{trained}: the model "
            f"over-fitted. Try epoch_count = {best + 1}, or more varied records.",
        )
    if best == epochs - 1 and fall >= FALL:
        start = f"The validation loss still fell by {fall:.1%} in the last epoch, to {last:.3g}"
        if stopped:
            return Assessment(
                "still falling",
                f"{start}, when early stopping ended the training after epoch {epochs}. Lower "
                "early_stopping_threshold or raise early_stopping_patience to let it go on.",
            )
        return Assessment("still falling", f"{start}. More epochs may help.")
    if stopped:
        end = f"early stopping ended the training after epoch {epochs}, when it had flattened"
    else:
        end = f"after epoch {epochs}, the last, it is {last:.3g}"
    return Assessment("stopped well", f"{least}; {end}. More epochs would gain little.")


def _describe_divergence(training: pd.DataFrame, losses: list[float]) -> str:
    """Describe a training that diverged; "" for one that did not."""
    first, last = _ends(training)
    fix = "Lower learning_rate_multiplier and train again."
    if not all(map(math.isfinite, [*training["loss"], *losses])):
        return f"A loss is no longer a finite number: the training diverged. {fix}"
    if last > first * (1 + RISE):
        return f"The training loss itself rose, from {first:.3g} to {last:.3g}: it diverged. {fix}"
    return ""


def _describe_training_alone(training: pd.DataFrame) -> str:
    first, last = _ends(training)
    return (
        "There was no validation file, so over-fitting cannot be seen. The training loss went "
        f"from {first:.3g} to {last:.3g}, which says only how well the model fits the "
        "records of its training. Give the job a validation file to learn more."
    )


def _ends(training: pd.DataFrame) -> tuple[float, float]:
    """Mean training loss of the first and the last epoch; of its thirds if there is only one."""
    means = training.groupby("epoch_number")["loss"].mean()
    if len(means) > 1:
        return float(means.iloc[0]), float(means.iloc[-1])
    third = max(1, len(training) // 3)
    return float(training["loss"].head(third).mean()), float(training["loss"].tail(third).mean())


def _change(before: float, after: float) -> float:
    """Relative change; 0 from 0 to 0."""
    if before == 0:
        return 0.0 if after == 0 else math.copysign(math.inf, after)
    return (after - before) / before
