"""Fast path: validate a well-formed record with one typed decode; the full check does the rest.

It accepts a record or leaves it undecided, and never finds a problem: an undecided line goes to
`line_rules.check_line`. What is accepted here must have no problem there; a test compares both.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from haikuft.base_models import BaseModel
from haikuft.dataset.formats import CONVERSE, MESSAGES, format_of
from haikuft.dataset.problems import ROLES
from haikuft.dataset.tokens import count_bytes
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
    """What is kept of a record without an error.

    Attributes:
        prompt: Digest of the system prompt and all turns but the last, for this process alone.
        reply: Digest of the last turn, likewise.
        bytes: UTF-8 bytes of its texts.
        texts: The system prompt, "" if there is none, and the texts of the turns.
    """

    prompt: int
    reply: int
    bytes: int
    texts: list[str]


FastPath: TypeAlias = Callable[[bytes], "ValidRecord | None"]

_ROLES = list(ROLES)
MAX_SYSTEMS = 1_000  # system prompts that are remembered as valid, so that each is checked once
MAX_SYSTEM_LENGTH = 4_096  # characters; a longer one is checked each time

_ESCAPED_QUOTE = re.compile(rb"\\u0022").search


class _Decoding(NamedTuple):
    """How a line of a format is decoded, and how many quotes its keys and texts take.

    Attributes:
        record: The type a line is decoded as.
        split: Record -> its system prompt, "" if there is none, the texts of its turns, and the
            quotes of its other keys.
        turn_quotes: Quotes of the keys and texts of a turn.
        system_quotes: Quotes of the key and text of a system prompt.
    """

    record: type[Any]
    split: Callable[[Any], tuple[str, list[str], int]]
    turn_quotes: int
    system_quotes: int


def _split_messages(record: _Record) -> tuple[str, list[str], int]:
    return record.system, [turn.content for turn in record.messages], 2


def _split_conversation(record: _Conversation) -> tuple[str, list[str], int]:
    system = record.system[0].text if record.system else ""
    quotes = 6 if record.schema_version else 2
    return system, [turn.content[0].text for turn in record.messages], quotes


_DECODINGS: Mapping[str, _Decoding] = {
    MESSAGES: _Decoding(_Record, _split_messages, 8, 4),
    CONVERSE: _Decoding(_Conversation, _split_conversation, 10, 6),
}


def digest_texts(system: str, contents: Sequence[str]) -> tuple[int, int]:
    """Digest the prompt and the answer, which is the last of the contents."""
    return hash((system, *contents[:-1])), hash(contents[-1])


def build_fast_path(base_model: BaseModel) -> FastPath:
    """Build the fast path of one model: a line's bytes -> its `ValidRecord`, or None: undecided."""
    record_type, split, turn_quotes, system_quotes = _DECODINGS[format_of(base_model)]
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(record_type).decode
    most_bytes = base_model.limits.max_record_tokens  # no token has less than a byte
    holds_reserved = build_search(base_model)
    systems: dict[str, int] = {"": 0}  # valid system prompts -> their bytes

    def measure(text: str, escapes: bool) -> int:
        """Count the bytes of a valid text; of any other return more than are allowed."""
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
        if (
            b"\r" in data
            or not turns
            or [turn.role for turn in turns] != _ROLES * (len(turns) // 2)
        ):
            return None
        system, contents, quotes = split(record)
        if contents[-1] == contents[-2]:
            return None
        escapes = b"\\" in data
        quotes += turn_quotes * len(contents) + (system_quotes if system else 0)
        texts = [system, *contents]
        if not _has_quotes(data, quotes, texts, escapes):
            return None
        known = systems.get(system)
        size = measure(system, escapes) if known is None else known
        for text in contents:
            size += measure(text, escapes)
        if size > most_bytes:
            return None
        if known is None and len(systems) < MAX_SYSTEMS and len(system) <= MAX_SYSTEM_LENGTH:
            systems[system] = count_bytes(system)
        return ValidRecord(*digest_texts(system, contents), size, texts)

    return check


def _is_invisible(char: str) -> bool:
    from haikuft.dataset.validate.text_rules import is_invisible  # not loaded for ASCII texts

    return is_invisible(char)


def _has_quotes(data: bytes, quotes: int, texts: list[str], escapes: bool) -> bool:
    """Whether the line has just the quotes that its keys and texts take, and those inside texts.

    The decoder accepts a key that occurs twice, so its two quotes are counted here. An empty system
    prompt also has two quotes too many; it is left to the full check, which warns of it.
    """
    if escapes:
        inside = 0
        for text in texts:
            inside += text.count('"')
        if inside and _ESCAPED_QUOTE(data):  # a quote that is not written as one
            return False
        quotes += inside
    return data.count(b'"') == quotes
