"""The quick way for the record that is right: one typed decoding and a few looks.

It answers only "surely sound" or "not known"; what it does not know is for the slow way
(`lines.parse_line`, `record_checks.check_record`), which explains. So both ways must agree that
whatever passes here has nothing to be said about it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from haikuft.base_models import BaseModel
from haikuft.dataset.formats import CONVERSE, MESSAGES, format_of
from haikuft.dataset.problems import ROLES
from haikuft.dataset.tokens import BYTES_PER_TOKEN, count_bytes
from haikuft.dataset.validate.reserved_strings import build_search


class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: str


class _Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_Turn]
    system: str = ""


class _Block(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: str


class _BlockTurn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user", "assistant"]
    content: tuple[_Block]  # one text and no more


class _Conversation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: list[_BlockTurn]
    schema_version: Literal["", "bedrock-conversation-2024"] = msgspec.field(
        default="", name="schemaVersion"
    )
    system: tuple[_Block] | None = None


class ValidRecord(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a record that is right.

    Attributes:
        prompt: Digest of all that is asked, valid in this process alone.
        reply: Digest of the answer, likewise.
        bytes: UTF-8 bytes of its texts.
        system: The system prompt, "" if there is none.
        answer: The text of the last turn.
    """

    prompt: int
    reply: int
    bytes: int
    system: str
    answer: str


QuickCheck: TypeAlias = Callable[[bytes], "ValidRecord | None"]

_ROLES = list(ROLES)
MOST_SYSTEMS = 1_000  # kept in mind as being in order, so that they are looked at once
LONGEST_SYSTEM = 4_096  # characters; longer ones are looked at each time

_ESCAPED_QUOTE = re.compile(rb"\\u0022").search


class _Form(NamedTuple):
    """How the lines of a format are decoded, and how many quotes their keys and texts need.

    Attributes:
        record: What a line is decoded as.
        take_apart: Gives the system prompt, "" if there is none, the texts of the turns, and the
            quotes of the record's other keys.
        quotes_a_turn: Of a turn's keys and texts.
        quotes_system: Of the system prompt's key and text.
    """

    record: type[Any]
    take_apart: Callable[[Any], tuple[str, list[str], int]]
    quotes_a_turn: int
    quotes_system: int


def _take_messages(record: _Record) -> tuple[str, list[str], int]:
    return record.system, [turn.content for turn in record.messages], 2


def _take_conversation(record: _Conversation) -> tuple[str, list[str], int]:
    system = record.system[0].text if record.system else ""
    quotes = 6 if record.schema_version else 2
    return system, [turn.content[0].text for turn in record.messages], quotes


_FORMS: Mapping[str, _Form] = {
    MESSAGES: _Form(_Record, _take_messages, 8, 4),
    CONVERSE: _Form(_Conversation, _take_conversation, 10, 6),
}


def digest_texts(system: str, contents: Sequence[str]) -> tuple[int, int]:
    """Digest what is asked and what is answered, the last of the contents."""
    return hash((system, *contents[:-1])), hash(contents[-1])


def build_fast_path(base_model: BaseModel) -> QuickCheck:
    """Build the fast path of one model: a line's bytes -> its `ValidRecord`, or None: not known."""
    form = _FORMS[format_of(base_model)]
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(form.record).decode
    take_apart, quotes_a_turn, quotes_system = form[1:]
    most_bytes = int(base_model.limits.max_record_tokens * BYTES_PER_TOKEN["high"])
    holds_reserved = build_search(base_model)
    systems: dict[str, int] = {"": 0}  # those known to be in order, with their bytes

    def measure(text: str, escapes: bool) -> int:
        """Count the bytes of a text that is in order; of another they are far too many."""
        if not text:
            return most_bytes + 1
        first, last = text[0], text[-1]
        if last <= " " or (last > "~" and last.isspace()):
            return most_bytes + 1
        if not "!" <= first <= "~" and _is_invisible(first):
            return most_bytes + 1
        if (escapes and "\0" in text) or holds_reserved(text):
            return most_bytes + 1
        return len(text) if text.isascii() else len(text.encode())

    def check(data: bytes) -> ValidRecord | None:
        try:
            record = decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        turns = record.messages
        escapes = b"\\" in data
        if b"\r" in data:
            return None
        if not turns or [turn.role for turn in turns] != _ROLES * (len(turns) // 2):
            return None
        system, contents, quotes = take_apart(record)
        if contents[-1] == contents[-2]:
            return None
        quotes += quotes_a_turn * len(contents)
        if system:
            quotes += quotes_system
        if not _has_single_keys(data, quotes, contents, system, escapes):
            return None
        known = systems.get(system)
        size = measure(system, escapes) if known is None else known
        for text in contents:
            size += measure(text, escapes)
        if size > most_bytes:
            return None
        if known is None and len(systems) < MOST_SYSTEMS and len(system) <= LONGEST_SYSTEM:
            systems[system] = size - sum(count_bytes(text) for text in contents)
        return ValidRecord(*digest_texts(system, contents), size, system, contents[-1])

    return check


def _is_invisible(char: str) -> bool:
    from haikuft.dataset.validate.text_rules import is_invisible  # late: plain texts never ask

    return is_invisible(char)


def _has_single_keys(
    data: bytes, quotes: int, contents: list[str], system: str, escapes: bool
) -> bool:
    """Whether the line has no more quotes than its keys and texts need, and those inside texts.

    The decoder takes a key that stands twice, so the quotes tell: each key has two of them. An
    empty system prompt has quotes too many, and rightly so.
    """
    if escapes:
        inside = system.count('"')
        for text in contents:
            inside += text.count('"')
        if inside and _ESCAPED_QUOTE(data):  # one that is not written as a quote
            return False
        quotes += inside
    return data.count(b'"') == quotes
