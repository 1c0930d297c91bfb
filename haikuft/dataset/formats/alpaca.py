"""Alpaca: {"instruction", "input"?, "output", "system"?, "history"?: [[prompt, answer], …]}."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    build_record,
    check_keys,
    read_history,
    read_pair,
    read_system,
    says_nothing,
    take_text,
)
from haikuft.dataset.formats.format import Converted, Format


def _read(example: Mapping[str, Any]) -> Converted:
    """Put the input, if there is one, below the instruction, with an empty line between them."""
    check_keys(example, "", ("instruction", "input", "output", "system", "history"))
    prompt, answer = read_pair(example, "instruction", "output")
    if not says_nothing(given := example.get("input")):
        prompt = prompt._replace(content=f"{prompt.content}\n\n{take_text(given, 'input')[0]}")
    return build_record([*read_system(example), *read_history(example), prompt, answer])


FORMAT = Format(
    recognise=lambda example: "instruction" in example and "output" in example, read=_read
)
