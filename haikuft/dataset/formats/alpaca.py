"""Alpaca: {"instruction", "input"?, "output", "system"?, "history"?: [[prompt, answer], …]}."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    Text,
    UnsupportedContent,
    build_record,
    check_keys,
    read_system,
    take_member,
    take_text,
    wrong_type,
)
from haikuft.dataset.formats.format import Converted, Format
from haikuft.dataset.problems import join_place


def _read(example: Mapping[str, Any]) -> Converted:
    """Put the input, if there is one, below the instruction, with an empty line between them."""
    check_keys(example, "", ("instruction", "input", "output", "system", "history"))
    texts = [*read_system(example), *_read_history(example.get("history") or [])]
    prompt, _ = take_text(take_member(example, "instruction"), "instruction")
    if example.get("input"):
        prompt = f"{prompt}\n\n{take_text(example['input'], 'input')[0]}"
    answer, _ = take_text(take_member(example, "output"), "output")
    return build_record(
        [*texts, Text("user", prompt, "instruction"), Text("assistant", answer, "output")]
    )


def _read_history(history: Any) -> list[Text]:
    if not isinstance(history, list):
        raise UnsupportedContent(wrong_type("history", history, "a list of pairs of texts"))
    texts = []
    for number, pair in enumerate(history):
        place = join_place("history", number)
        if not isinstance(pair, list) or len(pair) != 2:
            raise UnsupportedContent(wrong_type(place, pair, "a pair of texts"))
        for index, role in enumerate(("user", "assistant")):
            texts.append(Text(role, *take_text(pair[index], join_place(place, index))))
    return texts


FORMAT = Format(
    recognise=lambda example: "instruction" in example and "output" in example, read=_read
)
