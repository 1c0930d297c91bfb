"""Messages: {"system"?: text, "messages": [{"role", "content": text}, …]}, as Claude is tuned on.

Source: Amazon Bedrock User Guide, model-customization-prepare.
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    MEANINGS,
    UnsupportedContent,
    contents_of,
    describe_unknown_key,
    holds_blocks,
    take_block,
    unsupported,
    wrong_type,
)
from haikuft.dataset.formats.format import Converted, Format, Layout, PlacedText
from haikuft.dataset.problems import Finding, join_place


def is_plain(record: Mapping[str, Any]) -> bool:
    """Whether turns hold plain texts and none holds a list: certainly Messages, even if damaged."""
    texts = any(isinstance(content, str) for content in contents_of(record))
    return texts and not holds_blocks(record)


def _read(example: Mapping[str, Any]) -> Converted:
    """Take the record as it is, except for texts in a list of one {"type": "text"} block."""
    record = dict(example)
    if isinstance(record.get("system"), list):
        record["system"], _ = take_block(record["system"], "system", typed=True)
    if isinstance(record.get("messages"), list):
        record["messages"] = [
            _read_turn(turn, join_place("messages", number)) if isinstance(turn, dict) else turn
            for number, turn in enumerate(record["messages"])
        ]
    for key in record:
        if key in MEANINGS:
            raise UnsupportedContent(unsupported(key, MEANINGS[key]))
    return Converted(record, {})


def _read_turn(turn: dict[str, Any], place: str) -> dict[str, Any]:
    for key, value in turn.items():
        if key in MEANINGS and value:
            raise UnsupportedContent(unsupported(join_place(place, key), MEANINGS[key]))
    if turn.get("role") in ("tool", "function"):
        raise UnsupportedContent(unsupported(join_place(place, "role"), "a tool's result"))
    if not isinstance(turn.get("content"), list):
        return turn
    text, _ = take_block(turn["content"], join_place(place, "content"), typed=True)
    return {**turn, "content": text}


def _describe_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    why = "AWS's validator lets it pass, the published rules forbid it"
    return describe_unknown_key(key, place, known, why)


def _find_texts(value: Any, place: str) -> tuple[list[PlacedText], list[Finding]]:
    if isinstance(value, str):
        return [(value, place)], []
    return [], [wrong_type(place, value, "text")]


FORMAT = Format(
    recognise=lambda example: "messages" in example,
    read=_read,
    write=dict,
    layout=Layout(
        outline='{"messages": […]}',
        example='{"system": "…", "messages": [{"role": …, "content": …}, …]}',
        keys=("system", "messages"),
        text_keys=(),
        null_system="the system prompt is null (AWS's validator allows it, then fails on it)",
        empty_turn="empty-text",
        describe_key=_describe_key,
        find_texts=_find_texts,
    ),
)
