"""The shapes in which examples come, recognised by one record."""

from collections.abc import Mapping
from typing import Any

MESSAGES = "messages"
PROMPT_COMPLETION = "prompt_completion"
UNKNOWN = "unknown"

# Name -> how people call it.
FORMATS: Mapping[str, str] = {
    MESSAGES: "Messages (system, messages)",
    PROMPT_COMPLETION: "prompt/completion",
    "openai_chat": "OpenAI chat with a system message among the messages",
    "converse": "Converse (bedrock-conversation-2024)",
    "sharegpt": "ShareGPT (conversations)",
    "alpaca": "Alpaca (instruction, input, output)",
    "csv": "CSV",
    UNKNOWN: "unknown",
}


def recognise(record: Any) -> str:
    """Name the format of one parsed record, one of `FORMATS`; broken records keep their format."""
    if not isinstance(record, dict):
        return UNKNOWN
    if "messages" in record:
        return _recognise_messages(record)
    if "prompt" in record and "completion" in record:
        return PROMPT_COMPLETION
    if isinstance(record.get("conversations"), list):
        return "sharegpt"
    if "instruction" in record and "output" in record:
        return "alpaca"
    return UNKNOWN


def _recognise_messages(record: dict[str, Any]) -> str:
    turns = record["messages"]
    if "schemaVersion" in record or _is_blocks(record.get("system")):
        return "converse"
    if not isinstance(turns, list):
        return MESSAGES
    if turns and all(isinstance(turn, dict) and _is_blocks(turn.get("content")) for turn in turns):
        return "converse"
    first = turns[0] if turns else None
    if "system" not in record and isinstance(first, dict) and _is_system(first.get("role")):
        return "openai_chat"
    return MESSAGES


def _is_blocks(value: Any) -> bool:
    """Whether these are Converse's content blocks: objects without a "type"."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(block, dict) and "type" not in block for block in value)
    )


def _is_system(role: Any) -> bool:
    return role in ("system", "developer")
