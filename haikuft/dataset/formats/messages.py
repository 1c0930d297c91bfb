"""Messages: {"system"?: text, "messages": [{"role", "content": text}, …]}, as Claude is tuned on.

Source: Amazon Bedrock User Guide, model-customization-prepare.
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset.content import Chat, contents_of, describe_unknown_key, take_text, wrong_type
from haikuft.dataset.format import Format, Layout, PlacedText
from haikuft.dataset.problems import Finding

_CHAT = Chat(take_text)


def is_plain(record: Mapping[str, Any]) -> bool:
    """Whether turns hold plain texts and none holds a list: certainly Messages, even if damaged."""
    contents = contents_of(record)
    values = [value for value in (record.get("system"), *contents) if isinstance(value, list)]
    return not any(values) and any(isinstance(content, str) for content in contents)


def _describe_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    why = "AWS's validator lets it pass, the published rules forbid it"
    return describe_unknown_key(key, place, known, why)


def _find_texts(value: Any, place: str) -> tuple[list[PlacedText], list[Finding]]:
    if isinstance(value, str):
        return [(value, place)], []
    return [], [wrong_type(place, value, "text")]


FORMAT = Format(
    recognise=lambda example: "messages" in example,
    read=_CHAT.read,
    write=dict,
    layout=Layout(
        outline='{"messages": […]}',
        example='{"system": "…", "messages": [{"role": …, "content": …}, …]}',
        keys=("system", "messages"),
        text_keys=(),
        empty_turn="empty-text",
        describe_key=_describe_key,
        find_texts=_find_texts,
    ),
)
