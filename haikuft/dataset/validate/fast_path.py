"""Fast path: validate a well-formed record with one typed decode; the full check does the rest.

It accepts a record or leaves it undecided, and never finds a problem: an undecided line goes to
`line_rules.check_line`. What is accepted here must have no problem there; a test compares both.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from haikuft.base_models import BaseModel
from haikuft.dataset.formats import CONVERSE, CONVERSE_SCHEMA, MESSAGES, format_of
from haikuft.dataset.problems import ROLES
from haikuft.dataset.tokens import count_bytes
from haikuft.dataset.validate.reserved_strings import build_search

# A record's system prompt, "" if there is none, the texts of its turns, and how many values it has
# beside these and the roles.
_Parts: TypeAlias = tuple[Any, list[Any], int]

# The decoder hands each value of an `object` to a hook. It accepts a key that occurs twice, but
# then the hook has had more values than the record holds.


class _Turn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: object
    content: object


class _Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_Turn], msgspec.Meta(min_length=2)]
    system: object = ""

    def split(self) -> _Parts:
        return self.system, [turn.content for turn in self.messages], bool(self.system)


class _Block(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: object


class _BlockTurn(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: object
    content: tuple[_Block]  # one text and no more


class _Conversation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: Annotated[list[_BlockTurn], msgspec.Meta(min_length=2)]
    schema_version: object = msgspec.field(default=None, name="schemaVersion")
    system: tuple[_Block] = (_Block(""),)

    def split(self) -> _Parts:
        system, schema = self.system[0].text, self.schema_version
        if schema not in (None, CONVERSE_SCHEMA):
            raise ValueError("another schema")
        contents = [turn.content[0].text for turn in self.messages]
        return system, contents, bool(system) + (schema is not None)


_TYPES: Mapping[str, type[_Record | _Conversation]] = {MESSAGES: _Record, CONVERSE: _Conversation}


class ValidRecord(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a record without an error.

    Attributes:
        prompt: Digest of the system prompt and all turns but the last, for this process alone.
        reply: Digest of the last turn, likewise.
        system: The system prompt, "" if there is none.
        answer: The text of the last turn.
        bytes: UTF-8 bytes of its texts.
        text: All texts of the record, joined by line feeds.
    """

    prompt: int
    reply: int
    system: str
    answer: str
    bytes: int
    text: str


_ROLES = list(ROLES)


def keep_record(system: str, contents: Sequence[str]) -> ValidRecord:
    """Digest prompt and answer, which is the last of the contents, and join all texts."""
    prompt, answer = (system, *contents[:-1]), contents[-1]
    texts = (system, *contents) if system else contents
    text = "\n".join(texts)
    size = count_bytes(text) - len(texts) + 1
    return ValidRecord(hash(prompt), hash(answer), system, answer, size, text)


def build_fast_path(base_model: BaseModel) -> Callable[[bytes], ValidRecord | None]:
    """Build the fast path of one model: a line's bytes -> its `ValidRecord`, or None: undecided."""
    values: list[object] = []
    keep_value = values.append

    def keep(_: type, value: object) -> object:
        keep_value(value)
        return value

    decode = msgspec.json.Decoder(_TYPES[format_of(base_model)], dec_hook=keep).decode
    most_bytes = base_model.limits.max_record_tokens  # no token has less than a byte
    holds_reserved = build_search(base_model)

    def check(data: bytes) -> ValidRecord | None:
        values.clear()
        try:
            record = decode(data)
            system, contents, further = record.split()
            found = keep_record(system, contents)
        except (ValueError, TypeError, RecursionError):  # msgspec's errors are ValueErrors, too
            return None
        turns, text = record.messages, found.text
        if (
            [turn.role for turn in turns] != _ROLES * (len(turns) // 2)
            or len(values) != 2 * len(turns) + further
            or found.answer == contents[-2]
            or (system and _has_odd_ends(system))
            or any(map(_has_odd_ends, contents))
            or b"\r" in data
            or "\0" in text
            or holds_reserved(text)
            or found.bytes > most_bytes
        ):
            return None
        return found

    return check


def _has_odd_ends(text: str) -> bool:
    """Whether a text is empty, begins or ends with white space, or may be invisible."""
    if text != text.strip() or not text:
        return True
    if "!" <= text[0] <= "~":
        return False
    from haikuft.dataset.validate.text_rules import is_invisible  # not loaded for ASCII texts

    return is_invisible(text[0])
