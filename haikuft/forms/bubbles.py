"""Records as chat bubbles, in HTML: each turn under its role, each problem in its place."""

from collections.abc import Sequence
from html import escape

from haikuft.dataset.problems import Problem
from haikuft.forms.record_rows import Row, texts_of

LONGEST = 4_000  # characters of one turn; the rest is counted

STYLE = """
.haikuft-record { border: 1px solid var(--jp-border-color1, #999); border-radius: 6px;
  padding: .4rem .7rem; margin: .6rem 0; max-width: 56rem; }
.haikuft-record > header { font-size: .9em; margin-bottom: .3rem; }
.haikuft-bubble { max-width: 80%; width: fit-content; border-radius: 10px; padding: .3rem .7rem;
  margin: .35rem 0; border: 1px solid var(--jp-border-color2, #ccc);
  background: var(--jp-layout-color2, rgba(127, 127, 127, .12)); overflow-wrap: anywhere; }
.haikuft-bubble > b { display: block; font-size: .8em; }
.haikuft-bubble > div { white-space: pre-wrap; line-height: 1.4; }
.haikuft-bubble.assistant { margin-left: auto; border-width: 1px 4px 1px 1px; }
.haikuft-bubble.user { border-width: 1px 1px 1px 4px; }
.haikuft-bubble.system { border-style: dashed; }
.haikuft-record .problem { outline: 3px solid var(--jp-warn-color1, #b0641e); }
.haikuft-record .said { font-weight: bold; font-size: .9em; margin: .2rem 0; }
"""


def draw_record(row: Row) -> str:
    """Draw one record with its problems; whatever stands in it is shown as text."""
    parts = texts_of(row.value)
    shown = {place for place, _, _ in parts}
    here = [p for p in row.problems if _bubble_of(p, shown) == ""]
    label = f", label {visible(row.label)}" if row.label else ""
    head = f"<b>{escape(visible(row.file))}, line {row.line}</b>{escape(label)}, "
    head += f"{row.length:,} characters"
    bubbles = "".join(
        _draw_bubble(role, text, [p for p in row.problems if _bubble_of(p, shown) == place])
        for place, role, text in parts
    )
    if not parts:
        marked = " problem" if here else ""
        bubbles = f'<div class="haikuft-bubble{marked}"><b>the line as it stands</b>'
        bubbles += f"<div>{escape(_cut(row.text)) or '(blank)'}</div></div>"
    return (
        f'<article class="haikuft-record" aria-label="{escape(visible(row.file))}, line '
        f'{row.line}"><header>{head}</header>{_draw_problems(here)}{bubbles}</article>'
    )


def draw_problems(problems: Sequence[Problem]) -> str:
    """List problems of whole files."""
    return _draw_problems(problems)


def visible(text: str) -> str:
    """Make what cannot be seen visible: control characters and halves of pairs become escapes."""
    return "".join(
        char
        if char.isprintable() or char in "\n\t"
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def _draw_bubble(role: str, text: str, problems: Sequence[Problem]) -> str:
    kind = role if role in ("system", "user", "assistant") else ""
    classes = " ".join(filter(None, ("haikuft-bubble", kind, "problem" if problems else "")))
    return (
        f'<div class="{classes}"><b>{escape(visible(role[:40]))}</b>'
        f"<div>{escape(_cut(text)) or '(empty)'}</div>{_draw_problems(problems)}</div>"
    )


def _draw_problems(problems: Sequence[Problem]) -> str:
    return "".join(
        f'<p class="said">⚠ {problem.severity}: '
        f"{escape(visible(f'{problem.place}: ' if problem.place else ''))}"
        f"{escape(visible(problem.message))}. {escape(visible(problem.fix))} [{problem.code}]</p>"
        for problem in problems
    )


def _bubble_of(problem: Problem, shown: set[str]) -> str:
    """Say in which turn a problem stands; "" for the record as a whole."""
    place = problem.place
    for name in shown:
        if place == name or place.startswith((f"{name}.", f"{name}[")):
            return name
    return ""


def _cut(text: str) -> str:
    rest = len(text) - LONGEST
    return visible(text) if rest <= 0 else f"{visible(text[:LONGEST])} … {rest:,} characters more"
