"""The early-stopping laboratory of notebook 4: a curve, two sliders, and the rule's decision."""

import math
import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from haikuft.errors import SettingsError
from haikuft.forms.fields import build_fields
from haikuft.forms.form import Form
from haikuft.forms.rendering import Derived, Picture
from haikuft.html import draw_curve
from haikuft.hyperparameters import WORKED_EXAMPLE, EarlyStop, decide_early_stop, stagnates
from haikuft.tables import build_table

MOST_EPOCHS = 100  # of a curve of one's own
EXAMPLE, THIS_RUN, OWN = "the worked example", "this run's losses", "your own numbers"
DECISION = "What the rule decides"
_HEADINGS = ("epoch", "validation loss", "gain on the best before", "what the rule says")


def stopping_lab(
    validation_losses: Mapping[int, float] = MappingProxyType({}),
    *,
    threshold: float = 0.001,
    patience: int = 2,
) -> Form:
    """Make a form that shows when a training stops; its values have no other effect.

    Args:
        validation_losses: This run's by epoch, as from `metrics.map_validation_losses`; shown
            first where there are two or more.
        threshold: Where its slider begins: a loss.
        patience: Where its slider begins: epochs.
    """
    curves = {EXAMPLE: dict(enumerate(WORKED_EXAMPLE, start=1))}
    if validation_losses:
        curves[THIS_RUN] = dict(validation_losses)
    choices = {name: name for name in (*curves, OWN)}
    first = THIS_RUN if len(validation_losses) > 1 else EXAMPLE
    form = Form(
        "Early-stopping laboratory",
        build_fields(
            {
                "curve": first,
                "losses": "\n".join(f"{loss:g}" for loss in WORKED_EXAMPLE),
                "threshold": float(threshold),
                "patience": int(patience),
            },
            curve={"choices": choices},
            threshold={"maximum": max(0.1, threshold)},
            patience={"maximum": max(10, patience)},
        ),
        check=partial(_decide, curves),
        derive=partial(_derive, curves),
        draw=partial(_draw, curves),
    )

    def show_chosen(_change: object = None) -> None:
        own = form.controls["curve"].value == OWN
        form.rows["losses"].layout = {"display": "grid" if own else "none"}

    form.controls["curve"].observe(show_chosen, names="value")
    show_chosen()
    return form


def parse_losses(text: str) -> list[float]:
    """Read losses, one an epoch, from a text: blanks, commas, semicolons or lines between them.

    Raises:
        SettingsError: something is not a loss, or there are too few or too many.
    """
    words = re.split(r"[\s,;]+", text.strip(" \t\n,;")) if text.strip() else []
    if odd := next((word for word in words if not _is_number(word)), ""):
        raise SettingsError(
            f'losses: "{odd[:40]}" is not a loss. Write one number of 0 or more for each epoch, '
            "with a point and not a comma for fractions, such as 0.9 0.8 0.75."
        )
    if not 2 <= len(words) <= MOST_EPOCHS:
        raise SettingsError(
            f"losses: {len(words)} given; write from 2 to {MOST_EPOCHS}, one for each epoch."
        )
    return [float(word) for word in words]


def describe_stop(losses: Mapping[int, float], stop: EarlyStop) -> str:
    """Say in a sentence where the training ends and which epoch is kept."""
    lowest, last = min(losses, key=losses.__getitem__), max(losses)
    end = f"Training runs all {last} epochs"
    if stop.stopped_epoch is not None:
        end = f"Training stops after epoch {stop.stopped_epoch} of {last}"
    sentence = f"{end}; epoch {stop.best_epoch} is kept, with a loss of {stop.best_loss:.4g}."
    if stop.best_epoch != lowest:
        sentence += f" It misses epoch {lowest}, whose loss is {losses[lowest]:.4g}."
    elif stop.stopped_epoch is not None and stop.stopped_epoch < last:
        saved = last - stop.stopped_epoch
        sentence += f" It saves {saved} epoch{'' if saved == 1 else 's'}."
    return sentence


def list_epochs(
    losses: Mapping[int, float], *, threshold: float, patience: int
) -> list[tuple[str, str, str, str]]:
    """List each epoch with its loss, its gain on the best before, and what the rule says."""
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)
    rows, stagnating, before = [], 0, list[float]()
    for epoch, loss in losses.items():
        gained, words = "", "the first"
        if before:
            stagnating = stagnating + 1 if stagnates(loss, min(before), threshold) else 0
            gained = f"{min(before) - loss:+.4g}"
            words = f"stagnates, {stagnating} in a row" if stagnating else "improves"
        marks = ["kept"] if epoch == stop.best_epoch else []
        marks += ["training stops"] if epoch == stop.stopped_epoch else []
        if stop.stopped_epoch is not None and epoch > stop.stopped_epoch:
            words, marks = "not trained", []
        rows.append((str(epoch), f"{loss:.4g}", gained, "; ".join([words, *marks])))
        before.append(loss)
    return rows


def draw_stop(losses: Mapping[int, float], stop: EarlyStop) -> str:
    """Draw the losses by epoch, with the kept epoch and the end of the training."""
    places = {epoch: place for place, epoch in enumerate(losses)}
    ended = stop.stopped_epoch
    return draw_curve(
        list(losses.items()),
        ("epoch", "validation loss"),
        description=describe_stop(losses, stop),
        boxed=(places[stop.best_epoch], "kept"),
        end=None if ended is None else (places[ended], "training stops"),
    )


def _decide(
    curves: Mapping[str, dict[int, float]], values: Mapping[str, Any]
) -> tuple[dict[int, float], EarlyStop]:
    """Read the losses of the chosen curve, and apply the rule to them."""
    name = values["curve"]
    written = dict(enumerate(parse_losses(values["losses"]), start=1)) if name == OWN else {}
    losses = written or curves[name]
    if not all(map(math.isfinite, losses.values())):
        raise SettingsError(
            f"{name}: a loss is no finite number, so the training diverged and there is "
            f"nothing to draw. Choose {EXAMPLE}, or {OWN}."
        )
    rule = {"threshold": values["threshold"], "patience": values["patience"]}
    return losses, decide_early_stop(losses, **rule)


def _derive(curves: Mapping[str, dict[int, float]], values: Mapping[str, Any]) -> Derived:
    return [(DECISION, describe_stop(*_decide(curves, values)))]


def _draw(curves: Mapping[str, dict[int, float]], values: Mapping[str, Any]) -> Picture:
    losses, stop = _decide(curves, values)
    rows = list_epochs(losses, threshold=values["threshold"], patience=values["patience"])
    table = build_table(rows, *_HEADINGS)
    return draw_stop(losses, stop) + table._repr_html_(), repr(table)


def _is_number(word: str) -> bool:
    try:
        return 0 <= float(word) < math.inf
    except ValueError:
        return False
