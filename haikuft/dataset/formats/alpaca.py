"""Alpaca: {"instruction", "input"?, "output", "system"?, "history"?: [[prompt, answer], …]}."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.content import read_exchange, says_nothing, take_member, take_text
from haikuft.dataset.format import Converted, Format


def _read(example: Mapping[str, Any]) -> Converted:
    """Put the input, if there is one, below the instruction, with an empty line between them."""
    if not says_nothing(given := example.get("input")):
        prompt, _ = take_text(take_member(example, "instruction"), "instruction")
        example = {**example, "instruction": f"{prompt}\n\n{take_text(given, 'input')[0]}"}
    return read_exchange(example, "instruction", "output", "input", "history")


FORMAT = Format(
    recognise=lambda example: "instruction" in example and "output" in example, read=_read
)
