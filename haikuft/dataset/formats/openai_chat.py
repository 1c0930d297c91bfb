"""OpenAI chat: the system prompt is the first of the messages. Source: OpenAI's API reference."""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.content import Chat, says_nothing, take_text_or_blocks
from haikuft.dataset.format import Format

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}
CHAT = Chat(take_text_or_blocks, roles=_ROLES)


def _recognise(example: Mapping[str, Any]) -> bool:
    turns = example.get("messages")
    first = turns[0] if isinstance(turns, list) and turns else None
    role = first.get("role") if isinstance(first, dict) else None
    return role in ("system", "developer") and says_nothing(example.get("system"))


FORMAT = Format(recognise=_recognise, read=CHAT.read)
