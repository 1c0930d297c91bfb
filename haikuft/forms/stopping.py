"""The early-stopping rule on a curve: its picture, its table and its sentence, all pure text."""

import math
import re
from collections.abc import Sequence
from html import escape

from haikuft.errors import SettingsError
from haikuft.hyperparameters import EarlyStop, decide_early_stop

MOST_EPOCHS = 100  # of a curve of one's own

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 44, 46  # room for numbers and words around the axes
_INK = "var(--jp-ui-font-color1, currentColor)"
_FAINT = "var(--jp-border-color1, #999999)"
_MARK = "var(--jp-brand-color1, #1f5fa8)"


def parse_losses(text: str) -> list[float]:
    """Read losses, one an epoch, from a text: blanks, commas, semicolons or lines between them.

    A pasted table is read too: of each line the last number counts, if every line has several.

    Raises:
        SettingsError: something is no loss, or there are too few or too many of them.
    """
    lines = [re.split(r"[\s,;|]+", line.strip(" \t,;|")) for line in text.strip().splitlines()]
    lines = [words for words in lines if any(words)]
    if len(lines) > 1 and all(len(words) > 1 for words in lines):
        lines = [words[-1:] for words in lines]
        if not _is_number(lines[0][0]):
            lines = lines[1:]  # a table's headings
    words = [word for line in lines for word in line]
    if odd := next((word for word in words if not _is_number(word)), ""):
        raise SettingsError(
            f'losses: "{odd[:40]}" is no loss. Write one number of 0 or more for each epoch, with '
            "a point and not a comma for fractions, such as 0.9 0.8 0.75."
        )
    if not 2 <= len(words) <= MOST_EPOCHS:
        raise SettingsError(
            f"losses: {len(words)} given; write from 2 to {MOST_EPOCHS}, one for each epoch."
        )
    return [float(word) for word in words]


def describe_stop(losses: Sequence[float], stop: EarlyStop) -> str:
    """Say in a sentence where the training ends and which epoch is kept."""
    lowest = min(range(len(losses)), key=losses.__getitem__) + 1
    end = f"Training runs all {len(losses)} epochs"
    if stop.stopped_epoch is not None:
        end = f"Training stops after epoch {stop.stopped_epoch} of {len(losses)}"
    sentence = f"{end}; epoch {stop.best_epoch} is kept, with a loss of {stop.best_loss:.4g}."
    if stop.best_epoch != lowest:
        sentence += f" It misses epoch {lowest}, whose loss is {losses[lowest - 1]:.4g}."
    elif stop.stopped_epoch is not None and stop.stopped_epoch < len(losses):
        saved = len(losses) - stop.stopped_epoch
        sentence += f" It saves {saved} epoch{'' if saved == 1 else 's'}."
    return sentence


def list_epochs(
    losses: Sequence[float], *, threshold: float, patience: int
) -> list[tuple[str, str, str, str]]:
    """Tell epoch by epoch what the rule sees: epoch, loss, gain on the best before, verdict."""
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)
    rows, stagnating = [], 0
    for epoch, loss in enumerate(losses, start=1):
        gain = min(losses[: epoch - 1]) - loss if epoch > 1 else math.nan
        # Whether an epoch stagnates is for the rule itself to say, with a patience of one.
        part = losses[:epoch]
        stagnates = epoch > 1 and _stagnates(part, threshold)
        stagnating = stagnating + 1 if stagnates else 0
        words = f"stagnates, {stagnating} in a row" if stagnates else "improves"
        marks = ["kept"] if epoch == stop.best_epoch else []
        marks += ["training stops"] if epoch == stop.stopped_epoch else []
        if stop.stopped_epoch is not None and epoch > stop.stopped_epoch:
            words, marks = "not trained", []
        if epoch == 1:
            words = "the first"
        gained = "" if math.isnan(gain) else f"{gain:+.4g}"
        rows.append((str(epoch), f"{loss:.4g}", gained, "; ".join([words, *marks])))
    return rows


def draw_curve(losses: Sequence[float], stop: EarlyStop) -> str:
    """Draw the curve with its stop and its kept epoch as SVG, in the page's own colours."""
    low, high = min(losses), max(losses)
    room = (high - low) * 0.08 or 0.5
    low, high = low - room, high + room

    def at(epoch: int) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (epoch - 1) / max(1, len(losses) - 1)

    def up(loss: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - loss) / (high - low)

    last = stop.stopped_epoch or len(losses)
    points = [(at(epoch), up(loss)) for epoch, loss in enumerate(losses, start=1)]
    floor = HEIGHT - _BOTTOM
    parts = [_draw_axes(low, high, [at(n) for n in range(1, len(losses) + 1)])]
    parts.append(_draw_line(points[last - 1 :], f'stroke="{_FAINT}" stroke-dasharray="3 4"'))
    parts.append(_draw_line(points[:last], f'stroke="{_INK}" stroke-dasharray="8 4"'))
    for number, (x, y) in enumerate(points, start=1):
        fill = _INK if number <= last else "none"
        stroke = _INK if number <= last else _FAINT
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{stroke}"/>')
    x, y = points[stop.best_epoch - 1]
    parts.append(
        f'<rect x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16" fill="none" '
        f'stroke="{_MARK}" stroke-width="2.5"/>' + _word(x, y - 14, "kept", "middle")
    )
    if stop.stopped_epoch is not None:
        x = at(stop.stopped_epoch)
        anchor = "end" if x > WIDTH / 2 else "start"
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{floor}" stroke="{_MARK}" '
            f'stroke-width="2"/>' + _word(x, _TOP - 14, "training stops", anchor)
        )
    words = escape(describe_stop(losses, stop))
    return (
        f'<svg role="img" aria-label="{words}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'style="width:100%;max-width:{WIDTH}px;height:auto;font:13px sans-serif">'
        f"<title>{words}</title>{''.join(parts)}</svg>"
    )


def _stagnates(losses: Sequence[float], threshold: float) -> bool:
    """Whether the last of these epochs stagnates: then the best and it alone end the training."""
    best = min(losses[:-1])
    return decide_early_stop([best, losses[-1]], threshold=threshold, patience=1).stopped_epoch == 2


def _is_number(word: str) -> bool:
    try:
        return 0 <= float(word) < math.inf
    except ValueError:
        return False


def _draw_axes(low: float, high: float, places: Sequence[float]) -> str:
    floor = HEIGHT - _BOTTOM
    lines = [
        f'<path d="M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}" fill="none" stroke="{_INK}"/>',
        _word(_LEFT, 14, "validation loss", "middle"),
        _word((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 8, "epoch", "middle"),
    ]
    for step in range(5):
        loss = low + (high - low) * step / 4
        y = floor - (floor - _TOP) * step / 4
        lines.append(f'<path d="M{_LEFT - 4} {y:.1f}h4" stroke="{_INK}"/>')
        lines.append(_word(_LEFT - 8, y + 4, f"{loss:.3g}", "end"))
    every = math.ceil(len(places) / 20)
    for epoch, x in enumerate(places, start=1):
        if (epoch - 1) % every == 0 or epoch == len(places):
            lines.append(_word(x, floor + 18, str(epoch), "middle"))
    return "".join(lines)


def _draw_line(points: Sequence[tuple[float, float]], look: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke-width="1.8" {look}/>'


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
    )
