"""Scorers of function calls in JSON: the right function, and its arguments.

A call is a JSON object of two members: "name", a text, and an object of arguments, which is called
"arguments" (OpenAI), "input" (Anthropic) or "parameters" (AWS's notebooks on Nova).
"""

from typing import Any

from haikuft.dataset.records import Record, reference_of
from haikuft.evaluation.scorers import structured

ARGUMENTS = ("arguments", "input", "parameters")


def read_call(text: str) -> tuple[str, dict[str, Any]] | None:
    """Read a text as a call: the function's name and its arguments; None when it is none."""
    found = structured.parse_json(text)
    if not isinstance(found, dict) or len(found) != 2 or not isinstance(found.get("name"), str):
        return None
    arguments = next((found[key] for key in ARGUMENTS if key in found), None)
    return (found["name"], arguments) if isinstance(arguments, dict) else None


def right_function(record: Record, reply: str) -> float:
    """Score 1.0 when the reply calls the reference's function, whatever the arguments."""
    expected, found = read_call(reference_of(record)), read_call(reply)
    return float(expected is not None and found is not None and found[0] == expected[0])


def right_arguments(record: Record, reply: str) -> float:
    """Score the share of arguments that agree, of all that the reply or the reference gives.

    A missing, a further and a wrong argument count alike. A call without arguments that is meant to
    have none scores 1.0; a call of another function 0.0, whatever its arguments.
    """
    expected, found = read_call(reference_of(record)), read_call(reply)
    if expected is None or found is None or found[0] != expected[0]:
        return 0.0
    return structured.agreement(expected[1], found[1])
