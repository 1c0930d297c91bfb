"""The shapes in which examples come, recognised by one record."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haikuft.base_models import BaseModel

MESSAGES = "messages"
PROMPT_COMPLETION = "prompt_completion"
OPENAI_CHAT = "openai_chat"
CONVERSE = "converse"
SHAREGPT = "sharegpt"
ALPACA = "alpaca"
CSV = "csv"
TSV = "tsv"
PARQUET = "parquet"
EXCEL = "excel"
UNKNOWN = "unknown"

CONVERSE_SCHEMA = "bedrock-conversation-2024"

# Name -> how people call it.
FORMATS: Mapping[str, str] = {
    MESSAGES: "Messages (system, messages)",
    PROMPT_COMPLETION: "prompt/completion",
    OPENAI_CHAT: "OpenAI chat with a system message among the messages",
    CONVERSE: f"Converse ({CONVERSE_SCHEMA})",
    SHAREGPT: "ShareGPT (conversations)",
    ALPACA: "Alpaca (instruction, input, output)",
    CSV: "CSV",
    TSV: "TSV",
    PARQUET: "Parquet",
    EXCEL: "Excel",
    UNKNOWN: "unknown",
}

READABLE = tuple(name for name in FORMATS if name != UNKNOWN)
WRITABLE = (MESSAGES, CONVERSE, PROMPT_COMPLETION)
TABLES = (CSV, TSV, PARQUET, EXCEL)


def option_name(name: str) -> str:
    """Write a format's name as the command line has it, e.g. "openai_chat" -> "openai-chat"."""
    return name.replace("_", "-")


def find_format(text: str) -> str:
    """Find a format by its name however it is written; "" if there is none of that name.

    Example: "OpenAI-chat" -> "openai_chat", "bedrock-conversation-2024" -> "converse".
    """
    plain = text.strip().lower()
    if plain == CONVERSE_SCHEMA:
        return CONVERSE
    name = plain.replace("-", "_")
    return name if name in READABLE else ""


def format_of(base_model: "BaseModel") -> str:
    """Name the format that a base model's files are in, one of `WRITABLE`."""
    return find_format(base_model.record_format)


def recognise(record: Any) -> str:
    """Name the format of one parsed record, one of `FORMATS`; broken records keep their format."""
    if not isinstance(record, dict):
        return UNKNOWN
    if "messages" in record:
        return _recognise_messages(record)
    if "prompt" in record and "completion" in record:
        return PROMPT_COMPLETION
    if isinstance(record.get("conversations"), list):
        return SHAREGPT
    if "instruction" in record and "output" in record:
        return ALPACA
    return UNKNOWN


def find_other_format(record: Any, wanted: str) -> str:
    """Name the format of a record that is surely not in the wanted one; "" where it may be."""
    found = recognise(record)
    if found in (wanted, UNKNOWN) or (found == MESSAGES and not _is_plain(record)):
        return ""
    return found


def holds_blocks(record: Any) -> bool:
    """Whether some turn, or the system prompt, is a list as Converse has them."""
    turns = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(turns, list):
        return False
    values = [turn.get("content") for turn in turns if isinstance(turn, dict)]
    return any(isinstance(value, list) for value in (record.get("system"), *values))


def _is_plain(record: dict[str, Any]) -> bool:
    """Whether turns hold plain texts and none holds a list: Messages, and broken at most."""
    turns = record["messages"] if isinstance(record["messages"], list) else []
    texts = [turn.get("content") for turn in turns if isinstance(turn, dict)]
    return any(isinstance(text, str) for text in texts) and not holds_blocks(record)


def _recognise_messages(record: dict[str, Any]) -> str:
    turns = record["messages"]
    if "schemaVersion" in record or _is_blocks(record.get("system")):
        return CONVERSE
    if not isinstance(turns, list):
        return MESSAGES
    if turns and all(isinstance(turn, dict) and _is_blocks(turn.get("content")) for turn in turns):
        return CONVERSE
    first = turns[0] if turns else None
    if "system" not in record and isinstance(first, dict) and _is_system(first.get("role")):
        return OPENAI_CHAT
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
