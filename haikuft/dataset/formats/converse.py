"""Converse (bedrock-conversation-2024): each text in a block, as Amazon's own models are tuned on.

Blocks may also hold images, tool calls and the like, on which this series does not tune.
Sources: Amazon Bedrock User Guide, model-customization-prepare; the Nova guides on preparing data.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from haikuft.dataset import content
from haikuft.dataset.format import Converted, Format, Layout, PlacedText
from haikuft.dataset.formats import CONVERSE_SCHEMA, MESSAGES, load_format
from haikuft.dataset.problems import Finding, make_finding
from haikuft.dataset.records import Record

_KEYS = ("schemaVersion", "system", "messages")
_CHAT = content.Chat(content.take_block, other_keys=("schemaVersion",))


def to_messages(value: Record, *, lenient: bool = False) -> Record:
    """Convert a Converse record to a Messages record, and leave out what says nothing of one.

    Anything else stays as it is.

    Nothing is lost of a record that holds texts alone; `FORMAT.write` gives it back.

    Args:
        value: A parsed line of a training file.
        lenient: Ignore what AWS's validators ignore: unknown keys, and several texts in place of
            one, which are joined by line feeds.

    Raises:
        UnsupportedContent: something in it cannot be part of a Messages record.
    """
    if lenient and isinstance(value, dict) and _holds_lists(value):
        return _read(value, _CHAT._replace(read_text=_join_blocks, strict=False)).record
    if isinstance(value, dict) and _recognise(value):
        return _read(value).record
    with suppress(content.UnsupportedContent):
        return load_format(MESSAGES).read(value).record
    return value


def _recognise(example: Mapping[str, Any]) -> bool:
    if "messages" not in example:
        return False
    if not content.says_nothing(example.get("schemaVersion")) or _is_blocks(example.get("system")):
        return True
    turns, contents = example["messages"], content.contents_of(example)
    return bool(contents) and len(contents) == len(turns) and all(map(_is_blocks, contents))


def _is_blocks(value: Any) -> bool:
    """Whether these are blocks without a "type", which other formats have."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(block, dict) and not block.get("type") for block in value)
    )


def _holds_lists(record: Mapping[str, Any]) -> bool:
    """Whether a turn, or the system prompt, is a list instead of a plain text."""
    values = (record.get("system"), *content.contents_of(record))
    return isinstance(record.get("messages"), list) and any(isinstance(v, list) for v in values)


def _read(example: Mapping[str, Any], chat: content.Chat = _CHAT) -> Converted:
    if not content.says_nothing(version := example.get("schemaVersion")):
        content.take_text(version, "schemaVersion")  # AWS takes any text
    return chat.read(example)


def _join_blocks(blocks: Any, place: str) -> PlacedText:
    """Join the texts of blocks as the sandbox's Converse does; a job's way is not documented."""
    texts, _ = content.find_block_texts(blocks, place, _describe_key)
    if texts and len(texts) == len(blocks):
        return "\n".join(text for text, _ in texts), place
    return content.take_block(blocks, place)


def _write(record: Record) -> dict[str, Any]:
    system = {"system": [{"text": record["system"]}]} if "system" in record else {}
    messages = [
        {"role": turn["role"], "content": [{"text": turn["content"]}]}
        for turn in record["messages"]
    ]
    return {"schemaVersion": CONVERSE_SCHEMA, **system, "messages": messages}


def _describe_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    if key not in content.MEANINGS:
        why = "AWS's validators pass over it; what a job does is not documented"
        return content.describe_unknown_key(key, place, known, why)
    return make_finding("not-plain-text", place, what=content.MEANINGS[key])


FORMAT = Format(
    recognise=_recognise,
    read=_read,
    write=_write,
    layout=Layout(
        outline=f'{{"schemaVersion": "{CONVERSE_SCHEMA}", "messages": […]}}',
        example=f'{{"schemaVersion": "{CONVERSE_SCHEMA}", "system": [{{"text": "…"}}], '
        '"messages": [{"role": …, "content": [{"text": …}]}, …]}',
        keys=_KEYS,
        text_keys=("schemaVersion",),
        empty_turn="empty-turn",
        describe_key=_describe_key,
        find_texts=partial(content.find_block_texts, describe_key=_describe_key),
    ),
)
