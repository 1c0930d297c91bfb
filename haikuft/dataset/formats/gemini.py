"""Gemini: {"systemInstruction"?: {"parts"}, "contents": [{"role", "parts": [{"text"}]}, …]}.

The model's turns have the role "model", and the role of the system instruction says nothing.
Source: Google Cloud, Vertex AI, "Prepare supervised fine-tuning data for Gemini models".
"""

from typing import Any

from haikuft.dataset.formats.content import (
    Chat,
    UnsupportedContent,
    check_keys,
    read_chat,
    take_block,
    take_member,
    wrong_type,
)
from haikuft.dataset.formats.format import Format, PlacedText


def _read_system(value: Any, place: str) -> PlacedText:
    if not isinstance(value, dict):
        raise UnsupportedContent(wrong_type(place, value, '{"parts": [{"text": …}]}'))
    check_keys(value, place, ("role", "parts"))
    return take_block(take_member(value, "parts", place), f"{place}.parts")


_CHAT = Chat(
    *("contents", "role", "parts"),
    {"user": "user", "model": "assistant"},
    take_block,
    system_key="systemInstruction",
    read_system=_read_system,
)
FORMAT = Format(
    recognise=lambda example: isinstance(example.get("contents"), list),
    read=lambda example: read_chat(example, _CHAT),
)
