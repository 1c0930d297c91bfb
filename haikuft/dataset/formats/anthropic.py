"""Anthropic's Messages API: as Messages, with a text in a block, {"type": "text", "text": …}.

OpenAI writes the parts of a text alike. Source: Anthropic's API reference.
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.content import Chat, contents_of, take_text_or_blocks
from haikuft.dataset.format import Format

CHAT = Chat(take_text_or_blocks)


def _recognise(example: Mapping[str, Any]) -> bool:
    """Whether a turn, or the system prompt, is a list with a block that names its type."""
    return any(
        isinstance(block, dict) and bool(block.get("type"))
        for value in (example.get("system"), *contents_of(example))
        if isinstance(value, list) and "messages" in example
        for block in value
    )


FORMAT = Format(recognise=_recognise, read=CHAT.read)
