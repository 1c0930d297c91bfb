"""Gemini: {"systemInstruction"?: {"parts"}, "contents": [{"role", "parts": [{"text"}]}, …]}.

The model's turns have the role "model", and the role of the system instruction says nothing.
Source: Google Cloud, Vertex AI, "Prepare supervised fine-tuning data for Gemini models".
"""

from typing import Any

from haikuft.dataset import content
from haikuft.dataset.format import Format, PlacedText


def _read_system(value: Any, place: str) -> PlacedText:
    value = content.take_value(value, dict, place, '{"parts": [{"text": …}]}')
    content.check_keys(value, place, ("role", "parts"))
    return content.take_block(content.take_member(value, "parts", place), f"{place}.parts")


_CHAT = content.Chat(
    content.take_block,
    *("contents", "role", "parts"),
    {"user": "user", "model": "assistant"},
    system_key="systemInstruction",
    read_system=_read_system,
)
FORMAT = Format(
    recognise=lambda example: isinstance(example.get("contents"), list), read=_CHAT.read
)
