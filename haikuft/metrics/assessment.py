"""Assess the losses of a job: both by epoch, and a verdict in a computed sentence."""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from haikuft.files import write_whole
from haikuft.hyperparameters import EarlyStop, Hyperparameters, decide_early_stop
from haikuft.package_data import read_toml
from haikuft.tables import Card

ASSESSMENT_FILE = "assessment.json"
_BEST_KEPT = "overfitted, best epoch kept"
_VERDICTS = read_toml(__package__, "verdicts.toml")

# Rules of thumb of this package, not AWS's; every sentence below prints the numbers it rests on.
LESSON = (0.001, 2)  # threshold and patience, Claude 3 Haiku's defaults, for a model without
RISE = 0.02  # validation loss this far above its lowest: overfitted
FALL = 0.01  # validation loss still improving by this share in the last epoch: still falling
NEAR_ZERO = 0.1  # training loss below this share of the validation loss: overfitted


@dataclass(frozen=True, slots=True)
class Assessment:
    """A verdict on the losses of a job.

    Attributes:
        verdict: "overfitted", "overfitted, best epoch kept", "still falling",
            "stopped well", "diverged" or "unknown".
        sentence: The verdict, its numbers, and what to try.
    """

    verdict: str
    sentence: str

    @property
    def card(self) -> Card:
        """The same as a card for a page."""
        unclear = ("still falling", "unknown", _BEST_KEPT)
        tones = {"stopped well": "good"} | dict.fromkeys(unclear, "unclear")
        return Card(tones.get(self.verdict, "bad"), f"Training: {self.verdict}", "", self.sentence)


@dataclass(frozen=True, slots=True)
class StopRule:
    """An early-stopping rule.

    Attributes:
        threshold: Smallest fall of the validation loss that counts.
        patience: Epochs in a row without such a fall that end the training.
        epochs: Epochs that the job was to run, after which no rule ends anything; 0: not known.
        simulated: The job has no early stopping of its own; the rule is the lesson's.
    """

    threshold: float
    patience: int
    epochs: int
    simulated: bool

    def __str__(self) -> str:
        """Say where the rule comes from."""
        rule = f"threshold {self.threshold:g} and patience {self.patience}"
        if self.simulated:
            return (
                f"This model has no early stopping: {rule} are only tried out here on the losses "
                "that the job wrote, and the job itself ran all its epochs."
            )
        return f"The job was allowed to stop early, with {rule}."


def read_stop_rule(hyperparameters: Hyperparameters) -> StopRule:
    """Read a job's early-stopping rule, or take the lesson's where the model has none."""
    epochs = int(hyperparameters.get("epoch_count", 0))
    threshold = hyperparameters.get("early_stopping_threshold", LESSON[0])
    patience = hyperparameters.get("early_stopping_patience", LESSON[1])
    simulated = "early_stopping_patience" not in hyperparameters
    return StopRule(threshold, int(patience), epochs, simulated)


def align_epochs(training: pd.DataFrame, validation: pd.DataFrame | None) -> pd.DataFrame | None:
    """Count the epochs of the validation losses as those of the training losses are counted.

    Where the first epochs have no validation loss, its file does not show whether it counts from 0;
    then the steps, which both files name, decide. None without a validation file.
    """
    if validation is None:
        return None
    epochs = training.drop_duplicates("step_number", keep="last").set_index("step_number")
    apart = validation["step_number"].map(epochs["epoch_number"]) - validation["epoch_number"]
    return validation.assign(epoch_number=validation["epoch_number"] + int((apart == 1).all()))


def map_validation_losses(validation: pd.DataFrame | None) -> dict[int, float]:
    """Map each epoch's number to its validation loss: what the early-stopping rule reads."""
    losses = _by_epoch(validation)
    return dict(zip(losses.index.tolist(), losses.tolist(), strict=True))


def replay_early_stop(validation: pd.DataFrame | None, rule: StopRule) -> EarlyStop | None:
    """Apply an early-stopping rule to a job's losses; None without a validation file."""
    losses = map_validation_losses(validation)
    if not losses:
        return None
    stop = decide_early_stop(losses, threshold=rule.threshold, patience=rule.patience)
    stopped = None if stop.stopped_epoch == rule.epochs else stop.stopped_epoch
    return replace(stop, stopped_epoch=stopped, simulated=rule.simulated)


def assess(
    training: pd.DataFrame,
    validation: pd.DataFrame | None = None,
    early_stop: EarlyStop | None = None,
    settings: Hyperparameters | None = None,
    reported: float | None = None,
) -> Assessment:
    """Assess the losses, in a few computed sentences.

    Args:
        training: Losses by step, from `read_metrics`.
        validation: Losses by epoch, from `read_metrics`; None without a validation file.
        early_stop: What an early-stopping rule decides on these losses, from `replay_early_stop`.
        settings: The job's hyperparameters, for the names in advice; None where they are not known.
        reported: The validation loss that the job reports for its model; None where it does not.
    """
    settings = settings or {}
    fit = training.groupby("epoch_number")["loss"].mean()
    losses = _by_epoch(align_epochs(training, validation))
    if diverged := _find_divergence(training, losses.tolist(), settings):
        return diverged
    if losses.empty:
        first, last = _ends(training)
        return _conclude("no-validation", first=first, last=last)
    ran = int(max(fit.index[-1], losses.index[-1]))
    stop = early_stop.stopped_epoch if early_stop else None
    ended = stop == ran and not (early_stop and early_stop.simulated)
    assessment = _judge_curve(fit, losses, ended)
    verdict, kept = assessment.verdict, _describe_kept(losses, reported)
    if verdict == "overfitted" and kept and math.isclose(losses.min(), reported or 0, rel_tol=1e-3):
        verdict = _BEST_KEPT
    sentences = [assessment.sentence, kept]
    if early_stop and stop and stop < ran:
        other = ", which this model has not" if early_stop.simulated else ""
        sentences.append(
            f"By our reading of the early-stopping rule{other}, the job would have stopped after "
            f"epoch {stop}; it ran {ran}."
        )
    return Assessment(verdict, " ".join(filter(None, sentences)))


def write_assessment(directory: Path, assessment: Assessment) -> Path:
    """Write assessment.json, with verdict and sentence, for the report; return its path."""
    text = json.dumps(asdict(assessment), indent=2, ensure_ascii=False)
    return write_whole(directory / ASSESSMENT_FILE, f"{text}\n")


def read_assessment(path: Path) -> Assessment:
    """Read assessment.json back."""
    return Assessment(**json.loads(path.read_text("utf-8")))


def _conclude(name: str, **values: float | str) -> Assessment:
    """Make the assessment that `verdicts.toml` describes, the names in braces replaced."""
    row = _VERDICTS[name]
    return Assessment(row["verdict"], row["sentence"].format_map(values))


def _judge_curve(fit: "pd.Series[float]", losses: "pd.Series[float]", ended: bool) -> Assessment:
    """Judge finite validation losses by epoch; `ended` says that early stopping ended the job."""
    best, epoch = int(losses.index[int(losses.argmin())]), int(losses.index[-1])
    before, ran = int(losses.index[-2:][0]), max(int(fit.index[-1]), epoch)
    last, lowest = float(losses.iloc[-1]), float(losses[best])
    kept = best if ended else epoch
    fitted, held = float(fit.get(kept, math.inf)), float(losses[kept])
    near_zero = fitted < NEAR_ZERO * held
    rise, fall = _change(lowest, last), -_change(float(losses.iloc[-2:].iloc[0]), last)
    rose = best < epoch and rise >= RISE
    if len(losses) == 1 and not near_zero:
        name = "one-epoch" if ran == 1 else "one-loss"
    elif rose and ended and not near_zero:
        name = "ended-after-a-rise"
    elif rose:
        name = "rose"
    elif near_zero:
        name = "near-zero"
    elif best == epoch and fall >= FALL:
        name = "ended-falling" if ended else "falling"
    else:
        name = "ended-flat" if ended else "flat"
    trained = ""
    if best in fit and fit.iloc[-1] < fit[best]:
        trained = f", while the training loss kept falling from {fit[best]:.3g} to "
        trained += f"{fit.iloc[-1]:.3g}"
    fewer = f"epoch_count = {best}" if best < epoch else "fewer epochs"
    lately, end = "in the last epoch", f"at the end (epoch {epoch})"
    if (before, ran) != (epoch - 1, epoch):  # some epochs have no validation loss
        lately, end = f"from epoch {before} to epoch {epoch}", f"in epoch {epoch}, of {ran},"
    values: dict[str, float | str] = {"best": best, "epoch": epoch, "kept": kept, "fewer": fewer}
    values |= {"ran": ran, "lately": lately, "end": end}
    values |= {"lowest": lowest, "last": last, "held": held, "fit": fitted, "trained": trained}
    return _conclude(name, **values, rise=rise, fall=fall)


def _describe_kept(losses: "pd.Series[float]", reported: float | None) -> str:
    """Say which epoch's model a job keeps, where the loss that it reports shows that."""
    kept = [
        e for e, loss in losses.items() if reported and math.isclose(loss, reported, rel_tol=1e-3)
    ]
    if len(kept) != 1 or kept[0] == losses.index[-1]:
        return ""
    return (
        f"The job reports {reported:.3g}: the validation loss of the kept model (epoch {kept[0]}), "
        f"not the one at the end."
    )


def _find_divergence(
    training: pd.DataFrame, losses: list[float], settings: Hyperparameters
) -> Assessment | None:
    """Assess a training that diverged; None for one that did not."""
    first, last = _ends(training)
    rates = [name for name in settings if name.startswith("learning_rate")]
    rate = next((name for name in rates if "warmup" not in name), "the learning rate")
    warmup = "".join(f", or raise {name}," for name in rates if "warmup" in name)
    fix = f"Lower {rate}{warmup} and train again."
    if not all(map(math.isfinite, [*training["loss"], *losses])):
        return _conclude("not-finite", fix=fix)
    if last > first * (1 + RISE):
        return _conclude("training-loss-rose", first=first, last=last, fix=fix)
    return None


def _by_epoch(validation: pd.DataFrame | None) -> "pd.Series[float]":
    """Give each epoch's last validation loss, by the number of the epoch."""
    if validation is None:
        return pd.Series(dtype=float)
    return validation.groupby("epoch_number")["loss"].last()


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
