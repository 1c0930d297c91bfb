"""The chat view of a record, in HTML: each turn under its role, each problem at its turn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haikuft.dataset.problems import Problem
from haikuft.html import escape
from haikuft.package_data import read_text

LONGEST = 4_000  # characters of one turn; the rest is counted

STYLE = read_text(__package__, "chat_view.css")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a data file.

    Attributes:
        kind: "training", "validation" or "test", or what else the file was called.
        file: The file's name.
        line: Its line, counted from 1.
        text: The line, with invalid UTF-8 written as escapes.
        value: Its JSON value; None if it is not JSON.
        problems: What is wrong in this line.

    """

    kind: str
    file: str
    line: int
    text: str
    value: Any
    problems: tuple[Problem, ...]


def texts_of(value: Any) -> list[tuple[str, str, str]]:
    """Split a record into its turns: (place, role, text) of each, in order.

    Both shapes of content are read: a text, and Converse's list of texts. A value that is not a
    record gives nothing.
    """
    if not isinstance(value, Mapping):
        return []
    parts = []
    if "system" in value and value["system"] is not None:
        parts.append(("system", "system", _join_text(value["system"])))
    messages = value.get("messages")
    for number, turn in enumerate(messages if isinstance(messages, list) else []):
        role = turn.get("role") if isinstance(turn, Mapping) else None
        content = turn.get("content") if isinstance(turn, Mapping) else turn
        name = role if isinstance(role, str) and role else "no role"
        parts.append((f"messages[{number}]", name, _join_text(content)))
    return parts


def draw_record(row: Row) -> str:
    """Draw one record with its problems; its content is shown as text."""
    parts = texts_of(row.value) or [("", "the line as it stands", row.text or "(blank)")]
    found: dict[str, list[Problem]] = {place: [] for place, _, _ in parts}
    for problem in row.problems:
        found.setdefault(_turn_of(problem, found), []).append(problem)
    name = f"{escape(row.file)}, line {row.line}"
    turns = "".join(_draw_turn(role, text, found.pop(place)) for place, role, text in parts)
    return (
        f'<article class="haikuft-record" aria-label="{name}"><header><b>{name}</b></header>'
        f"{_draw_problems(found.get('', []))}{turns}</article>"
    )


def _draw_turn(role: str, text: str, problems: Sequence[Problem]) -> str:
    kind = role if role in ("system", "user", "assistant") else ""
    classes = " ".join(filter(None, ("haikuft-turn", kind, "problem" if problems else "")))
    return (
        f'<div class="{classes}"><b>{escape(role[:40])}</b>'
        f"<div>{escape(_cut(text)) or '(empty)'}</div>{_draw_problems(problems)}</div>"
    )


def _draw_problems(problems: Sequence[Problem]) -> str:
    """List problems, each with its place and how to fix it."""
    return "".join(
        f'<p class="problem-text">⚠ {problem.severity}: '
        f"{escape(f'{problem.place}: ' if problem.place else '')}"
        f"{escape(problem.message)}. {escape(problem.fix)} [{problem.code}]</p>"
        for problem in problems
    )


def _turn_of(problem: Problem, shown: Iterable[str]) -> str:
    """Find the turn that a problem concerns; "" for the record as a whole."""
    places = (name for name in shown if f"{problem.place}.".startswith((f"{name}.", f"{name}[")))
    return next(places, "")


def _cut(text: str) -> str:
    rest = len(text) - LONGEST
    return text if rest <= 0 else f"{text[:LONGEST]} … {rest:,} characters more"


def _join_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        texts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
        if all(isinstance(text, str) for text in texts):
            return "\n".join(map(str, texts))
    return repr(content)
