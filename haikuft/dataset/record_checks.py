"""The rules for one record. Source: User Guide, model-customization-prepare, and AWS's validator.

Where those two or the published cookbook disagree, the strictest rule is taken and its message
says so.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.formats import FORMATS, MESSAGES, PROMPT_COMPLETION, UNKNOWN, recognise
from haikuft.dataset.lines import join_place
from haikuft.dataset.problems import Finding, quotable, quote
from haikuft.dataset.rules import ROLES, RULES
from haikuft.dataset.tokens import TokenRange

_SURROGATE = re.compile("[\ud800-\udfff]")
_INVISIBLE_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
# Fillers, joiners and variation selectors: not white space to Unicode, and yet nothing to see.
_INVISIBLE_RANGES = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0100, 0xE01EF),
)
_CONVERTIBLE = "Notebook 2 converts it; haikuft.dataset.read_raw does so by itself."
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def check_record(record: Any, base_model: BaseModel = DEFAULT) -> list[Finding]:
    """Find everything wrong with one parsed record, in the order it stands there."""
    if not isinstance(record, dict):
        return [
            Finding(
                "not-object",
                "",
                f"the line holds {_kind(record)} where a JSON object is wanted",
                'Write {"messages": […]} on each line.',
            )
        ]
    format_name = recognise(record)
    if format_name not in (MESSAGES, UNKNOWN):
        return [
            Finding(
                "wrong-format",
                "",
                f"this is {FORMATS[format_name]}, and {base_model.name} is trained on "
                f"{FORMATS[MESSAGES]}",
                _CONVERTIBLE
                if format_name == PROMPT_COMPLETION
                else 'Convert it to {"system": "…", "messages": [{"role": …, "content": …}, …]}.',
            )
        ]
    return list(_check_object(record, base_model))


def is_sound(findings: list[Finding]) -> bool:
    """Whether nothing of this is an error, so that the record can be used as it is."""
    return all(RULES[finding.code].severity == "warning" for finding in findings)


def check_tokens(tokens: TokenRange, base_model: BaseModel = DEFAULT) -> list[Finding]:
    """Hold a record's estimated tokens against the model's limit."""
    limit = base_model.limits.max_record_tokens
    if tokens.high <= limit:
        return []
    code, words = (
        ("too-many-tokens", "surely more")
        if tokens.low > limit
        else ("perhaps-too-many-tokens", "perhaps more")
    )
    return [
        Finding(
            code,
            "",
            f"the record has {tokens}, {words} than the {limit:,} that {base_model.name} takes",
            "Shorten it, or divide it into several records.",
        )
    ]


def _check_object(record: dict[str, Any], base_model: BaseModel) -> Iterator[Finding]:
    yield from _check_keys(record, "", ("system", "messages"))
    if "system" in record:
        yield from _check_system(record["system"], base_model)
    if "messages" not in record:
        yield Finding(
            "missing-key",
            "messages",
            'the record has no "messages"',
            "Add \"messages\": a list of turns, first the user's, last the assistant's.",
        )
        return
    messages = record["messages"]
    if not isinstance(messages, list):
        yield _wrong_type("messages", messages, "a list of turns")
        return
    for number, turn in enumerate(messages):
        yield from _check_turn(turn, join_place("messages", number), base_model)
    yield from _check_order(messages)
    yield from _check_answer(messages)


def _check_keys(value: Mapping[str, Any], place: str, known: tuple[str, ...]) -> Iterator[Finding]:
    for key in value:
        if key not in known:
            yield Finding(
                "unknown-key",
                join_place(place, key),
                f"the key {quote(key)} does not belong here (AWS's validator lets it pass, "
                "the published rules forbid it)",
                f"Remove it; known here are {' and '.join(known)}.",
            )


def _check_system(system: Any, base_model: BaseModel) -> Iterator[Finding]:
    if system is None:
        yield Finding(
            "null-system",
            "system",
            "the system prompt is null (AWS's validator takes it for allowed, then breaks on it)",
            'Leave "system" out where there is none.',
        )
    elif not isinstance(system, str):
        yield _wrong_type("system", system, "text")
    else:
        yield from _check_text(
            system, "system", base_model, 'Leave "system" out where there is none.'
        )


def _check_turn(turn: Any, place: str, base_model: BaseModel) -> Iterator[Finding]:
    if not isinstance(turn, dict):
        yield _wrong_type(place, turn, 'an object {"role": …, "content": …}')
        return
    yield from _check_keys(turn, place, ("role", "content"))
    for key in ("role", "content"):
        if key not in turn:
            yield Finding(
                "missing-key", join_place(place, key), f'the turn has no "{key}"', f'Add "{key}".'
            )
    if "role" in turn:
        yield from _check_role(turn["role"], join_place(place, "role"))
    if "content" in turn:
        content, inside = turn["content"], join_place(place, "content")
        if not isinstance(content, str):
            yield _wrong_type(inside, content, "text")
        else:
            yield from _check_text(
                content, inside, base_model, "Write what is said in this turn, or drop the record."
            )


def _check_role(role: Any, place: str) -> Iterator[Finding]:
    if not isinstance(role, str):
        yield _wrong_type(place, role, '"user" or "assistant"')
    elif role not in ROLES:
        mend = 'Write "user" or "assistant", in lower case.'
        if role.lower() == "system":
            mend = 'Move its text to "system" at the top of the record.'
        yield Finding("wrong-role", place, f"{quote(role)} is not a role", mend)


def _check_text(text: str, place: str, base_model: BaseModel, mend: str) -> Iterator[Finding]:
    if not text:
        yield Finding("empty-text", place, "the text is empty (AWS's rules do not say so)", mend)
    elif all(is_invisible(char) for char in text):
        yield Finding(
            "invisible-text",
            place,
            "the text is nothing but white space or invisible characters (AWS's rules do not "
            "say so)",
            mend,
        )
    elif text[0].isspace() or text[-1].isspace():
        yield Finding(
            "outer-white-space",
            place,
            "the text begins or ends with white space, which the model would learn too",
            "Remove it, unless it is meant.",
        )
    for reserved in base_model.reserved_strings:
        if reserved in text:
            word = reserved.strip()
            yield Finding(
                "reserved-string",
                place,
                f'a line of the text begins with "{quotable(word)}", which is reserved',
                f'Write it otherwise, such as "{quotable(word.rstrip(":"))} -".',
            )
    if "\0" in text:
        yield Finding("nul", place, "the text holds a NUL character (U+0000)", "Remove it.")
    if not text.isascii() and _SURROGATE.search(text):
        yield Finding(
            "lone-surrogate",
            place,
            "the text holds half of a surrogate pair, which is no character",
            "Write the character whole, or remove the half.",
        )


def _check_order(messages: list[Any]) -> Iterator[Finding]:
    if len(messages) < 2:
        yield Finding(
            "too-few-messages",
            "messages",
            f"a record needs two turns or more and this has {len(messages)}",
            "Give it a user's turn and the assistant's answer.",
        )
        return
    roles = [_role_of(turn) for turn in messages]
    if roles[0] == "assistant":
        yield Finding(
            "first-not-user",
            "messages[0].role",
            "the first turn is the assistant's",
            'Begin with a "user" turn.',
        )
    for number in range(1, len(roles)):
        role = roles[number]
        if role is not None and role == roles[number - 1]:
            other = "assistant" if role == "user" else "user"
            yield Finding(
                "not-alternating",
                f"messages[{number}].role",
                f'two "{role}" turns in a row',
                f'Merge them, or put the "{other}" turn between them.',
            )
    if roles[-1] == "user":
        yield Finding(
            "last-not-assistant",
            f"messages[{len(roles) - 1}].role",
            "the last turn is the user's, so there is no answer to learn",
            'End with the "assistant" turn to be learnt.',
        )


def _check_answer(messages: list[Any]) -> Iterator[Finding]:
    if [_role_of(turn) for turn in messages[-2:]] != ["user", "assistant"]:
        return
    prompt, answer = (turn.get("content") for turn in messages[-2:])
    if isinstance(prompt, str) and prompt and prompt == answer:
        yield Finding(
            "answer-equals-prompt",
            f"messages[{len(messages) - 1}].content",
            "the answer repeats the prompt word for word",
            "See whether the right column was taken for the answer.",
        )


def _role_of(turn: Any) -> str | None:
    role = turn.get("role") if isinstance(turn, dict) else None
    return role if role in ROLES else None


def is_invisible(char: str) -> bool:
    """Whether there is nothing to see of a character: white space, control, filler, joiner."""
    if unicodedata.category(char) in _INVISIBLE_CATEGORIES:
        return True
    return any(first <= ord(char) <= last for first, last in _INVISIBLE_RANGES)


def _wrong_type(place: str, value: Any, wanted: str) -> Finding:
    return Finding(
        "wrong-type",
        place,
        f"{_kind(value)} stands where {wanted} is wanted",
        f"Write {wanted}.",
    )


def _kind(value: Any) -> str:
    for kind, words in _KINDS.items():
        if isinstance(value, kind):
            return words
    return type(value).__name__
