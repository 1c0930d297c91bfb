"""Hyperparameters: values with ranges, AWS's strings, the early-stopping rule.

Which hyperparameters a base model has, and their ranges, is data of `haikuft.base_models`. AWS
documents what threshold and patience mean (Amazon Bedrock User Guide, cm-hp-anth-claude-3), but not
how losses are compared; the rule here is ours.
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel, Range
from haikuft.errors import SettingsError

# Validation losses, epoch by epoch. Threshold 0 and patience 2 stop after epoch 7 and keep epoch 5;
# threshold 0.05 and patience 1 stop after epoch 4 and keep epoch 4.
WORKED_EXAMPLE = (0.9, 0.8, 0.7, 0.66, 0.64, 0.65, 0.65)

SUGGESTED = -1  # stands in the notebooks for a value that is left to the series

_WHOLE = re.compile(r"[+-]?[0-9]+", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


Hyperparameters = dict[str, int | float]
"""Our name -> value, for every hyperparameter of a base model; see `build_hyperparameters`."""


@dataclass(frozen=True, slots=True)
class EarlyStop:
    """What early stopping made of a row of validation losses. Epochs count from 1.

    Attributes:
        stopped_epoch: The last epoch trained; None if no stop was called.
        best_epoch: The epoch with the lowest loss up to there, the first of equals.
        best_loss: Its loss.
        simulated: The job has no such rule, so that it explains nothing of how the job ended.
    """

    stopped_epoch: int | None
    best_epoch: int
    best_loss: float
    simulated: bool = field(default=False, compare=False)


def suggest_hyperparameters(base_model: BaseModel = DEFAULT, **given: float) -> dict[str, float]:
    """Fill in what is SUGGESTED with this series' suggestion for a few hundred records.

    Values are not checked here, so that a form can show a wrong one beside its refusal. A name that
    the model does not have stays, to be refused as well, unless it is SUGGESTED.
    """
    chosen = {name: value for name, value in given.items() if value != SUGGESTED}
    suggested = {name: allowed.start for name, allowed in base_model.hyperparameters.items()}
    return suggested | chosen


def build_hyperparameters(base_model: BaseModel = DEFAULT, **values: float) -> Hyperparameters:
    """Check the values against the model's ranges; those left out take AWS's defaults.

    Example: `build_hyperparameters(epoch_count=5)` -> {"epoch_count": 5, "batch_size": 32, …}.

    Raises:
        SettingsError: names every value that cannot be used, with its range and default.
    """
    return _check(values, base_model.hyperparameters)


def to_aws(hyperparameters: Hyperparameters, base_model: BaseModel = DEFAULT) -> dict[str, str]:
    """Write them as AWS's `hyperParameters`: camelCase names, all values text.

    Example: epoch_count 2 -> {"epochCount": "2", …}.
    """
    return {
        # Decimal keeps every digit and never writes an exponent.
        allowed.aws_name: f"{Decimal(repr(hyperparameters[name])):f}"
        for name, allowed in base_model.hyperparameters.items()
    }


def from_aws(mapping: Mapping[str, str], base_model: BaseModel = DEFAULT) -> Hyperparameters:
    """Read AWS's `hyperParameters`; keys left out take their defaults.

    A key that AWS takes with one value only is no hyperparameter here, and is left out.

    Raises:
        SettingsError: names every key that is unknown, not a number, or out of its range.
    """
    ours = {allowed.aws_name: name for name, allowed in base_model.hyperparameters.items()}
    ranges = {name: base_model.hyperparameters[own] for name, own in ours.items()}
    fixed = base_model.fixed_hyperparameters
    faults = [
        f"{name} = {mapping[name]!r} is not documented for {base_model.name}; AWS's own notebooks "
        f'send "{only}", and nothing else is known to be taken.'
        for name, only in fixed.items()
        if mapping.get(name, only) != only
    ]
    texts = {name: text for name, text in mapping.items() if name not in fixed}
    checked = _check(texts, ranges, read=_from_text, faults=faults)
    return {ours[name]: value for name, value in checked.items()}


def decide_early_stop(
    validation_losses: Sequence[float] | Mapping[int, float], *, threshold: float, patience: int
) -> EarlyStop:
    """Say after which epoch training stops and which epoch is kept.

    An epoch stagnates when its loss lies less than `threshold` below the lowest one before it.
    `patience` stagnating epochs in a row end the training; the lowest loss is kept. The first
    epoch has nothing to improve on and never stagnates; a loss that is no number always does.
    Losses that are not mapped from the numbers of their epochs are those of 1, 2 and so on.

    Example: `decide_early_stop(WORKED_EXAMPLE, threshold=0.05, patience=1)` stops after epoch 4.

    Raises:
        SettingsError: there is no loss to look at, or patience or threshold make no sense.
    """
    if not validation_losses:
        raise SettingsError(
            "Early stopping looks at validation losses and was given none. Train with a "
            "validation file, or leave early stopping out."
        )
    if patience < 1 or not threshold >= 0:
        raise SettingsError(
            f"Early stopping with threshold {threshold!r} and patience {patience!r} cannot be: "
            "take a threshold of 0 or more and a patience of 1 or more."
        )
    if not isinstance(validation_losses, Mapping):
        validation_losses = dict(enumerate(validation_losses, start=1))
    first, best_loss = next(iter(validation_losses.items()))
    best_epoch, stagnating = first, 0
    for epoch, loss in validation_losses.items():
        if epoch != first:
            stagnating = stagnating + 1 if stagnates(loss, best_loss, threshold) else 0
        if loss < best_loss or (math.isnan(best_loss) and not math.isnan(loss)):
            best_epoch, best_loss = epoch, loss
        if stagnating == patience:
            return EarlyStop(epoch, best_epoch, best_loss)
    return EarlyStop(None, best_epoch, best_loss)


def count_steps(records: int, batch_size: int) -> int:
    """Count the updates of one epoch; the last batch may be smaller than the others.

    Raises:
        SettingsError: the batch size is less than 1.
    """
    if batch_size < 1:
        raise SettingsError(f"batch_size = {batch_size} cannot be: take 1 or more.")
    return math.ceil(records / batch_size)


def stagnates(loss: float, best: float, threshold: float) -> bool:
    """Whether an epoch stagnates, by its loss and the lowest one before it."""
    if math.isnan(loss):
        return True
    if math.isnan(best):
        return False
    improvement = best - loss
    # 0.85 - 0.8 is a hair below 0.05 in floating point; such hairs must not decide.
    if math.isclose(improvement, threshold, rel_tol=1e-9, abs_tol=1e-12):
        return False
    return not improvement > threshold


def _check(
    given: Mapping[str, Any],
    ranges: Mapping[str, Range],
    *,
    read: Callable[[Any, Range], Any] = lambda value, _: value,
    faults: Sequence[str] = (),
) -> Hyperparameters:
    """Check values against their ranges, by name; those left out take their defaults.

    Args:
        given: Name -> value.
        ranges: Name -> its range, for all that there are.
        read: Reads a value; None for what is none.
        faults: What is wrong already.

    Raises:
        SettingsError: names everything that is wrong.
    """
    faults = [*faults, *(_unknown(name, ranges) for name in given if name not in ranges)]
    checked: Hyperparameters = {}
    for name, allowed in ranges.items():
        value = read(given[name], allowed) if name in given else allowed.default
        if fault := _fault(value, allowed):
            faults.append(
                f"{name} = {given[name]!r} {fault}; allowed is {_kind_words(allowed)} from "
                f"{allowed.minimum:g} to {allowed.maximum:g} (default {allowed.default:g})."
            )
        else:
            checked[name] = int(value) if allowed.kind == "int" else float(value)
    if faults:
        raise SettingsError("\n".join(faults))
    return checked


def _fault(value: Any, allowed: Range) -> str:
    """Say what is wrong with a value, or nothing."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return f"is not {_kind_words(allowed)}"
    if allowed.kind == "int" and not isinstance(value, Integral) and not float(value).is_integer():
        return "is not a whole number"
    # Written so that a value that is no number at all fails too.
    if not allowed.minimum <= float(value) <= allowed.maximum:
        return "is out of range"
    return ""


def _kind_words(allowed: Range) -> str:
    return "a whole number" if allowed.kind == "int" else "a number"


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f'did you mean "{close[0]}"?' if close else f"known are {', '.join(known)}."
    return f'"{name}" is no hyperparameter of this model; {hint}'


def _from_text(text: Any, allowed: Range) -> float | None:
    if not isinstance(text, str):
        return None
    if allowed.kind == "int":
        return int(text) if _WHOLE.fullmatch(text) and len(text) < 20 else None
    return float(text) if _NUMBER.fullmatch(text) else None
