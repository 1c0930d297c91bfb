"""The forms a record may have in a file: where it keeps its texts, and what may stand beside them.

Messages keeps plain texts; the conversations of Amazon's own models keep each text in a list of
blocks with one key each, among them images and tool calls, on which this series does not tune.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

from haikuft.base_models import BaseModel
from haikuft.dataset.formats import CONVERSE, CONVERSE_SCHEMA, MESSAGES
from haikuft.dataset.formats.content import MEANINGS
from haikuft.dataset.problems import Finding, join_place, quote
from haikuft.dataset.validate.text_rules import check_text

Speaker = Literal["system", "user", "assistant"]

_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}
_BLOCKS = 'a list of one {"text": …}'


class CheckTexts(Protocol):
    """Find everything wrong with what stands under "system" or "content"."""

    def __call__(
        self, value: Any, place: str, base_model: BaseModel, *, mend: str, role: Speaker
    ) -> Iterator[Finding]:
        """`mend` says what to do where there is no text; `role` is who says it."""


class Form(NamedTuple):
    """What a record in a file is made of.

    Attributes:
        outline: The least of it, for someone who has something else.
        example: The whole of it.
        keys: Its own keys.
        null_system: What is wrong with a system prompt of null.
        inside: Where in "content" the text stands.
        describe_key: (key, place, those known there) -> what is wrong with a key of another name.
        check_texts: Checks what stands under "system" or "content".
        text_of: Gives the text of what stands under "content"; None where there is not one.
    """

    outline: str
    example: str
    keys: tuple[str, ...]
    null_system: str
    inside: str
    describe_key: Callable[[str, str, tuple[str, ...]], Finding]
    check_texts: CheckTexts
    text_of: Callable[[Any], str | None]


def wrong_type(place: str, value: Any, wanted: str) -> Finding:
    """Describe a value of another kind than the one that is wanted."""
    return Finding(
        "wrong-type",
        place,
        f"{kind_of(value)} stands where {wanted} is wanted",
        f"Write {wanted}.",
    )


def kind_of(value: Any) -> str:
    """Name what kind of JSON value this is."""
    for kind, words in _KINDS.items():
        if isinstance(value, kind):
            return words
    return type(value).__name__


def _check_plain(
    value: Any, place: str, base_model: BaseModel, *, mend: str, role: Speaker
) -> Iterator[Finding]:
    if isinstance(value, str):
        yield from check_text(value, place, base_model, mend=mend, answer=role == "assistant")
    else:
        yield wrong_type(place, value, "text")


def _check_blocks(
    value: Any, place: str, base_model: BaseModel, *, mend: str, role: Speaker
) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield wrong_type(place, value, _BLOCKS)
        return
    blocks = [(join_place(place, number), block) for number, block in enumerate(value)]
    faults = [fault for inside, block in blocks for fault in _check_block(block, inside)]
    yield from faults
    texts = [
        (f"{inside}.text", block["text"])
        for inside, block in blocks
        if isinstance(block, dict) and isinstance(block.get("text"), str)
    ]
    if not faults and not any(text for _, text in texts):
        yield _describe_silence(texts[0][0] if len(texts) == 1 else place, role, mend)
        return
    if len(texts) > 1:
        yield Finding(
            "several-texts",
            place,
            f"{len(texts)} texts stand here (AWS takes them; this series reads one)",
            "Join them into one, as you wish them read.",
        )
    for inside, text in texts:
        yield from check_text(text, inside, base_model, mend=mend, answer=role == "assistant")


def _check_block(block: Any, place: str) -> Iterator[Finding]:
    if not isinstance(block, dict):
        yield wrong_type(place, block, '{"text": …}')
        return
    others = [
        _describe_converse_key(key, join_place(place, key), ("text",))
        for key in block
        if key != "text"
    ]
    yield from others
    if "text" in block:
        if not isinstance(block["text"], str):
            yield wrong_type(f"{place}.text", block["text"], "text")
    elif not any(fault.code == "not-plain-text" for fault in others):
        yield Finding("missing-key", f"{place}.text", 'the block has no "text"', 'Add "text".')


def _describe_silence(place: str, role: Speaker, mend: str) -> Finding:
    if role == "system":
        return Finding("empty-text", place, "the text is empty (AWS's rules do not say so)", mend)
    return Finding("empty-turn", place, "there is no text in the turn", mend)


def _describe_messages_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    return _unknown_key(
        key, place, known, "AWS's validator lets it pass, the published rules forbid it"
    )


def _describe_converse_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    if key in MEANINGS:
        return Finding(
            "not-plain-text",
            place,
            f"{MEANINGS[key]}, and this series tunes on text alone (what AWS takes beside text "
            "differs from model to model)",
            "Remove it, or leave the record out.",
        )
    return _unknown_key(
        key, place, known, "AWS's validators pass over it; what a job does is not documented"
    )


def _unknown_key(key: str, place: str, known: tuple[str, ...], words: str) -> Finding:
    verb = "is" if len(known) == 1 else "are"
    names = " and ".join(filter(None, (", ".join(known[:-1]), known[-1])))
    return Finding(
        "unknown-key",
        place,
        f"the key {quote(key)} does not belong here ({words})",
        f"Remove it; known here {verb} {names}.",
    )


def _text_of_blocks(value: Any) -> str | None:
    block = value[0] if isinstance(value, list) and len(value) == 1 else None
    text = block.get("text") if isinstance(block, dict) else None
    return text if isinstance(text, str) else None


FORMS: Mapping[str, Form] = {
    MESSAGES: Form(
        outline='{"messages": […]}',
        example='{"system": "…", "messages": [{"role": …, "content": …}, …]}',
        keys=("system", "messages"),
        null_system="the system prompt is null (AWS's validator takes it for allowed, then breaks "
        "on it)",
        inside="",
        describe_key=_describe_messages_key,
        check_texts=_check_plain,
        text_of=lambda value: value if isinstance(value, str) else None,
    ),
    CONVERSE: Form(
        outline=f'{{"schemaVersion": "{CONVERSE_SCHEMA}", "messages": […]}}',
        example=f'{{"schemaVersion": "{CONVERSE_SCHEMA}", "system": [{{"text": "…"}}], '
        '"messages": [{"role": …, "content": [{"text": …}]}, …]}',
        keys=("schemaVersion", "system", "messages"),
        null_system=f"the system prompt is null where {_BLOCKS} is wanted",
        inside="[0].text",
        describe_key=_describe_converse_key,
        check_texts=_check_blocks,
        text_of=_text_of_blocks,
    ),
}
