"""OpenAI chat: the system prompt is the first of the messages. Source: OpenAI's API reference."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.formats.content import (
    Turns,
    build_record,
    check_keys,
    read_turns,
    take_block,
    take_text,
)
from haikuft.dataset.formats.format import Converted, Format, PlacedText


def _recognise(example: Mapping[str, Any]) -> bool:
    turns = example.get("messages")
    first = turns[0] if isinstance(turns, list) and turns else None
    role = first.get("role") if isinstance(first, dict) else None
    return role in ("system", "developer") and "system" not in example


def _read(example: Mapping[str, Any]) -> Converted:
    check_keys(example, "", ("messages",), optional=("tools", "functions", "parallel_tool_calls"))
    return build_record(read_turns(example, _TURNS))


def _read_text(content: Any, place: str) -> PlacedText:
    text, _ = (
        take_block(content, place, typed=True)
        if isinstance(content, list)
        else take_text(content, place)
    )
    return text, place


_TURNS = Turns(
    key="messages",
    role_key="role",
    text_key="content",
    roles={"user": "user", "assistant": "assistant", "system": "system", "developer": "system"},
    read_text=_read_text,
    optional=(
        *("tool_calls", "function_call", "tool_call_id"),
        *("name", "weight", "refusal", "audio", "annotations"),
    ),
)
FORMAT = Format(recognise=_recognise, read=_read)
