"""Prompt and completion: {"prompt": text, "completion": text, "system"?: text}."""

from typing import Any

from haikuft.dataset.content import UnsupportedContent, read_exchange
from haikuft.dataset.format import Format
from haikuft.dataset.problems import Finding
from haikuft.dataset.records import Record

SYSTEM_NOTE = (
    'System prompts are written to "system", a key that Bedrock\'s prompt/completion format does '
    "not have. For a job, write them into the prompts instead."
)


def _write(record: Record) -> dict[str, Any]:
    """Write a record of two turns; its system prompt goes to "system" (see `SYSTEM_NOTE`)."""
    turns = record["messages"]
    if len(turns) != 2:
        message = f"a prompt and its completion are two turns, and this has {len(turns)}"
        fix = "Write bedrock-conversation-2024 instead, or make an example of each answer."
        raise UnsupportedContent(Finding("wrong-format", "messages[2]", message, fix))
    system = {"system": record["system"]} if "system" in record else {}
    return {**system, "prompt": turns[0]["content"], "completion": turns[1]["content"]}


FORMAT = Format(
    recognise=lambda example: "prompt" in example and "completion" in example,
    read=lambda example: read_exchange(example, "prompt", "completion"),
    write=_write,
)
