"""What an example may hold that a Messages record cannot: found, named, and never dropped."""

from collections.abc import Mapping, Sequence
from typing import Any

from haikuft.dataset.problems import Finding, join_place, quote

# Keys that tell about an example and are no part of it; a repair may take them away.
HARMLESS_KEYS = frozenset(
    {
        "_id",
        "conversation_id",
        "created",
        "created_at",
        "date",
        "id",
        "idx",
        "index",
        "source",
        "timestamp",
        "url",
        "uuid",
    }
)

# What some keys and parts are, for a reader who has not made the file herself.
MEANINGS = {
    "annotations": "annotations",
    "audio": "audio",
    "cachePoint": "a cache point",
    "chosen": "one of several answers",
    "document": "a document",
    "function": "a tool's result",
    "function_call": "a tool call",
    "functions": "tools",
    "guardContent": "content for a guardrail",
    "image": "an image",
    "image_url": "an image",
    "images": "images",
    "input_audio": "audio",
    "observation": "a tool's result",
    "reasoningContent": "reasoning",
    "refusal": "a refusal",
    "rejected": "one of several answers",
    "thinking": "reasoning",
    "tool": "a tool's result",
    "tool_call_id": "a tool's result",
    "tool_calls": "tool calls",
    "tool_result": "a tool's result",
    "tool_use": "a tool call",
    "toolConfig": "tools",
    "toolResult": "a tool's result",
    "toolUse": "a tool call",
    "tools": "tools",
    "video": "a video",
    "weight": "a weight",
}


class Misfit(Exception):  # noqa: N818 - what does not fit; caught before anyone sees it
    """Something in an example that a Messages record has no place for."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def check_keys(
    value: Mapping[str, Any], place: str, known: Sequence[str], *, optional: Sequence[str] = ()
) -> None:
    """Refuse keys that are not carried over; optional ones may be there while they say nothing."""
    for key, inner in value.items():
        if key in known or (key in optional and (inner is None or inner == [])):
            continue
        if key in MEANINGS:
            raise misfit(join_place(place, key), MEANINGS[key])
        mend = "Remove it"
        if key in HARMLESS_KEYS:
            mend += ", or let `haikuft convert` do so with --repair"
        raise Misfit(
            Finding(
                "unknown-key",
                join_place(place, key),
                f"the key {quote(key)} has no place in a training record",
                f"{mend}; carried over are {', '.join(known)}.",
            )
        )


def take_role(turn: Mapping[str, Any], key: str, place: str, roles: Mapping[str, str]) -> str:
    """Give a turn's role in Messages' words; `roles` maps the format's own to them."""
    role = take_member(turn, key, place)
    if isinstance(role, str) and role in roles:
        return roles[role]
    inside = join_place(place, key)
    if isinstance(role, str) and role in MEANINGS:
        raise misfit(inside, MEANINGS[role])
    words = quote(role) if isinstance(role, str) else "this"
    raise Misfit(
        Finding(
            "wrong-role", inside, f"{words} is not a role", f"Known here are {', '.join(roles)}."
        )
    )


def take_member(value: Mapping[str, Any], key: str, place: str) -> Any:
    """Give a member that must be there."""
    if key not in value:
        inside = join_place(place, key)
        raise Misfit(Finding("missing-key", inside, f"{quote(key)} is missing", "Add it."))
    return value[key]


def take_objects(value: Any, place: str) -> list[Mapping[str, Any]]:
    """Give a list that must hold objects alone."""
    if not isinstance(value, list):
        raise wrong_type(place, "a list of turns")
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise wrong_type(join_place(place, number), "an object")
    return value


def take_text(value: Any, place: str) -> str:
    """Give what must be one text; which of several answers counts is not ours to say."""
    if isinstance(value, list) and len(value) > 1 and all(isinstance(x, str) for x in value):
        raise misfit(place, f"{len(value)} texts", "Keep one, or make an example of each of them.")
    if not isinstance(value, str):
        raise wrong_type(place, "text")
    return value


def take_block(blocks: Any, place: str) -> str:
    """Give the text of Converse's content, which must be one block: {"text": …}."""
    if not isinstance(blocks, list):
        raise wrong_type(place, 'a list of one {"text": …}')
    for number, block in enumerate(blocks):
        inside = join_place(place, number)
        if not isinstance(block, dict):
            raise wrong_type(inside, "an object")
        check_keys(block, inside, ("text",))
    _check_single(blocks, place)
    return take_text(take_member(blocks[0], "text", f"{place}[0]"), f"{place}[0].text")


def take_part(parts: Sequence[Any], place: str) -> str:
    """Give the text of a list of parts, which must be one {"type": "text", "text": …}."""
    for number, part in enumerate(parts):
        inside = join_place(place, number)
        if not isinstance(part, dict):
            raise wrong_type(inside, "an object")
        kind = part.get("type", "text")
        if kind != "text":
            named = kind if isinstance(kind, str) else ""
            raise misfit(inside, MEANINGS.get(named, f"a part of type {quote(str(kind))}"))
        check_keys(part, inside, ("type", "text"))
    _check_single(parts, place)
    return take_text(take_member(parts[0], "text", f"{place}[0]"), f"{place}[0].text")


def _check_single(parts: Sequence[Any], place: str) -> None:
    if not parts:
        raise Misfit(Finding("empty-text", place, "there is no text in it", "Write one."))
    if len(parts) > 1:
        raise misfit(place, f"{len(parts)} texts", "Join them into one, as you wish them read.")


def misfit(place: str, what: str, mend: str = "") -> Misfit:
    """Build the refusal of something that records have no place for; `what` begins the sentence."""
    return Misfit(
        Finding(
            "wrong-format",
            place,
            f"{what} cannot be carried over: the record of a training file has one plain text "
            "a turn and nothing else",
            mend or "Remove it, or leave the example out.",
        )
    )


def wrong_type(place: str, wanted: str) -> Misfit:
    """Build the refusal of a value that is not what it should be."""
    return Misfit(Finding("wrong-type", place, f"this is not {wanted}", f"Write {wanted}."))
