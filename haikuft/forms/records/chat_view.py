"""The chat view of a record, in HTML: each turn under its role, each problem at its turn."""

from collections.abc import Sequence

from haikuft.dataset.problems import Problem
from haikuft.forms.records.rows import Row, texts_of
from haikuft.html import escape
from haikuft.package_data import read_text

LONGEST = 4_000  # characters of one turn; the rest is counted

STYLE = read_text(__package__, "chat_view.css")


def draw_record(row: Row) -> str:
    """Draw one record with its problems; its content is shown as text."""
    parts = texts_of(row.value)
    shown = {place for place, _, _ in parts}
    here = [p for p in row.problems if _turn_of(p, shown) == ""]
    label = f", label {row.label}" if row.label else ""
    head = f"<b>{escape(row.file)}, line {row.line}</b>{escape(label)}, "
    head += f"{row.length:,} characters"
    turns = "".join(
        _draw_turn(role, text, [p for p in row.problems if _turn_of(p, shown) == place])
        for place, role, text in parts
    )
    if not parts:
        marked = " problem" if here else ""
        turns = f'<div class="haikuft-turn{marked}"><b>the line as it stands</b>'
        turns += f"<div>{escape(_cut(row.text)) or '(blank)'}</div></div>"
    return (
        f'<article class="haikuft-record" aria-label="{escape(row.file)}, line '
        f'{row.line}"><header>{head}</header>{draw_problems(here)}{turns}</article>'
    )


def _draw_turn(role: str, text: str, problems: Sequence[Problem]) -> str:
    kind = role if role in ("system", "user", "assistant") else ""
    classes = " ".join(filter(None, ("haikuft-turn", kind, "problem" if problems else "")))
    return (
        f'<div class="{classes}"><b>{escape(role[:40])}</b>'
        f"<div>{escape(_cut(text)) or '(empty)'}</div>{draw_problems(problems)}</div>"
    )


def draw_problems(problems: Sequence[Problem]) -> str:
    """List problems, each with its place and how to fix it."""
    return "".join(
        f'<p class="problem-text">⚠ {problem.severity}: '
        f"{escape(f'{problem.place}: ' if problem.place else '')}"
        f"{escape(problem.message)}. {escape(problem.fix)} [{problem.code}]</p>"
        for problem in problems
    )


def _turn_of(problem: Problem, shown: set[str]) -> str:
    """Find the turn that a problem concerns; "" for the record as a whole."""
    place = problem.place
    for name in shown:
        if place == name or place.startswith((f"{name}.", f"{name}[")):
            return name
    return ""


def _cut(text: str) -> str:
    rest = len(text) - LONGEST
    return text if rest <= 0 else f"{text[:LONGEST]} … {rest:,} characters more"
