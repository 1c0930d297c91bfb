"""The content of examples: take the members and texts that a Messages record holds, refuse others.

Nothing is dropped: a key, role or content block that Messages records cannot hold is an
`UnsupportedContent` that names it. Only members that say nothing, such as null, are left out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from haikuft.dataset.format import Converted, DescribeKey, PlacedText
from haikuft.dataset.problems import (
    ROLES,
    Finding,
    describe,
    is_error,
    join_place,
    make_finding,
    quote,
)
from haikuft.dataset.records import Record
from haikuft.package_data import read_toml

T = TypeVar("T")

_KEYS = read_toml(__package__, "keys.toml")
# Keys that describe an example and are not part of it; a repair may remove them.
HARMLESS_KEYS = frozenset(_KEYS["harmless"])
SETTINGS = _KEYS["settings"]  # of a request to a model
# Key, or type of content, that a Messages record cannot hold -> what it means.
MEANINGS = {key: meaning for meaning, keys in _KEYS["meanings"].items() for key in keys}
_FALSE_SAYS_NOTHING = ("parallel_tool_calls",)

_JSON_TYPES: Mapping[str, str] = _KEYS["types"]  # name of a Python type -> what JSON has for it


class UnsupportedContent(Exception):  # noqa: N818 - never shown; callers report its finding
    """An example holds something that a Messages record cannot hold.

    Attributes:
        finding: What it is, and where.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(describe(finding))
        self.finding = finding


class Text(NamedTuple):
    """A text of an example, who says it ("system", "user" or "assistant"), and its place."""

    role: str
    content: str
    place: str


_ROLES = {role: role for role in ROLES}


class Chat(NamedTuple):
    """How a chat format holds its turns and its system prompt, and how an example of it is read.

    Attributes:
        read_text: (value of the text, its place) -> the text and its exact place.
        key: The key of the list of turns.
        role_key: In a turn, the key of the role.
        text_key: In a turn, the key of the text.
        roles: The format's role -> "system", "user" or "assistant".
        system_key: The key of the system prompt.
        read_system: As `read_text`, for the system prompt; None if it is held as texts are.
        other_keys: Keys of an example beside these two.
        strict: Whether further keys are refused; otherwise they are ignored.
    """

    read_text: Callable[[Any, str], PlacedText]
    key: str = "messages"
    role_key: str = "role"
    text_key: str = "content"
    roles: Mapping[str, str] = _ROLES
    system_key: str = "system"
    read_system: Callable[[Any, str], PlacedText] | None = None
    other_keys: tuple[str, ...] = ()
    strict: bool = True

    def read(self, example: Mapping[str, Any]) -> Converted:
        """Read an example of the format.

        Raises:
            UnsupportedContent: it holds something else than known roles and texts.
        """
        if self.strict:
            check_keys(example, "", (*self.other_keys, self.system_key, self.key))
        system = read_system(example, self.system_key, self.read_system or self.read_text)
        turns = take_member(example, self.key)
        return build_record([*system, *self.read_turns(turns, self.key)])

    def read_turns(self, turns: Any, place: str) -> list[Text]:
        """Give the texts of a list of turns at this place.

        Raises:
            UnsupportedContent: the turns hold something else than a known role and a text.
        """
        turns = take_value(turns, list, place, "a list of turns")
        return [self.read_turn(turn, join_place(place, n)) for n, turn in enumerate(turns)]

    def read_turn(self, turn: Any, place: str) -> Text:
        """Give the text of one turn, as `read_turns` does."""
        turn = take_value(turn, dict, place, "an object")
        if self.strict:
            check_keys(turn, place, (self.role_key, self.text_key))
        role = self._take_role(turn, place)
        value = take_member(turn, self.text_key, place)
        return Text(role, *self.read_text(value, join_place(place, self.text_key)))

    def _take_role(self, turn: Mapping[str, Any], place: str) -> str:
        inside = join_place(place, self.role_key)
        role = take_value(take_member(turn, self.role_key, place), str, inside, "a role")
        if role in MEANINGS and role not in self.roles:
            raise UnsupportedContent(unsupported(inside, MEANINGS[role]))
        if role not in self.roles:
            fix = f"Write one of {', '.join(self.roles)}."
            raise UnsupportedContent(make_finding("wrong-role", inside, role=quote(role), fix=fix))
        return self.roles[role]


def kind_of(value: Any) -> str:
    """Name the type of a JSON value, e.g. "a number"."""
    return next(_JSON_TYPES[t.__name__] for t in type(value).__mro__ if t.__name__ in _JSON_TYPES)


def wrong_type(place: str, value: Any, wanted: str) -> Finding:
    """Describe a value of another type than the one that is wanted."""
    return make_finding("wrong-type", place, wanted=wanted, found=kind_of(value))


def describe_no_object(value: Any, outline: str = '{"messages": […]}') -> Finding:
    """Describe a line that holds another JSON value than a record like the outline."""
    return make_finding("not-object", outline=outline, found=kind_of(value))


def missing_key(place: str, key: str, owner: str) -> Finding:
    """Describe a key that `owner`, such as "the turn" at this place, must have."""
    return make_finding("missing-key", join_place(place, key), owner=owner, key=key)


def describe_unknown_key(key: str, place: str, known: tuple[str, ...], why: str) -> Finding:
    """Describe a key that a training file's record must not have, and why that is so."""
    return make_finding("unknown-key", place, key=quote(key), why=why, known=", ".join(known))


def unsupported(place: str, what: str, fix: str = "") -> Finding:
    """Describe content that a Messages record cannot hold; `what` begins the sentence."""
    return Finding(
        "wrong-format",
        place,
        f"{what} cannot be converted: a training record has one plain text a turn and nothing else",
        fix or "Remove it, or leave the example out.",
    )


def says_nothing(value: Any, key: str = "") -> bool:
    """Whether a member holds nothing, as exports write it, so that it may be left out.

    That is null, an empty text or list, and `parallel_tool_calls` of false.
    """
    return value is None or value in ("", []) or (value is False and key in _FALSE_SAYS_NOTHING)


def find_keys(
    value: Mapping[str, Any], place: str, known: tuple[str, ...], describe_key: DescribeKey
) -> list[Finding]:
    """Find keys that are not known: a warning for one that says nothing, else what it means."""
    return [
        describe_empty(key, inner, join_place(place, key))
        if says_nothing(inner, key)
        else describe_key(key, join_place(place, key), known)
        for key, inner in value.items()
        if key not in known
    ]


def describe_empty(key: str, value: Any, place: str) -> Finding:
    """Describe a key that says nothing."""
    return make_finding("empty-key", place, key=quote(key), value=json.dumps(value))


def check_keys(value: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
    """Refuse keys that are not converted, unless they say nothing.

    Raises:
        UnsupportedContent: for the first such key.
    """
    _raise_first(find_keys(value, place, known, describe_unconverted_key))


def take_member(value: Mapping[str, Any], key: str, place: str = "") -> Any:
    """Give a member that must be there.

    Raises:
        UnsupportedContent: it is not.
    """
    if key not in value:
        raise UnsupportedContent(missing_key(place, key, "the turn" if place else "the example"))
    return value[key]


def take_value(value: Any, kind: type[T], place: str, wanted: str) -> T:
    """Give a value that must be of a Python type; `wanted` says in words what it must be.

    Raises:
        UnsupportedContent: it is of another.
    """
    if not isinstance(value, kind):
        raise UnsupportedContent(wrong_type(place, value, wanted))
    return value


def take_text(value: Any, place: str) -> PlacedText:
    """Give a value that must be one text, with its place.

    Raises:
        UnsupportedContent: it is another value, or a list of several texts.
    """
    if isinstance(value, list) and len(value) > 1 and all(isinstance(x, str) for x in value):
        fix = "Keep one, or make an example of each of them."
        raise UnsupportedContent(unsupported(place, f"{len(value)} texts", fix))
    return take_value(value, str, place, "text"), place


def take_block(blocks: Any, place: str, *, typed: bool = False) -> PlacedText:
    """Give the text of a list that must hold one content block, with its place.

    Args:
        blocks: As `find_block_texts` takes them.
        place: The place of the list.
        typed: As for `find_block_texts`.

    Raises:
        UnsupportedContent: there is not exactly one text, or something beside it. Several empty
            texts count as one.
    """
    texts, findings = find_block_texts(blocks, place, describe_unconverted_key, typed=typed)
    _raise_first(findings)
    if not texts:
        raise UnsupportedContent(Finding("empty-text", place, "there is no text", "Write one."))
    if len(texts) > 1 and any(text for text, _ in texts):
        fix = "Join them into one, in the order in which they are to be read."
        raise UnsupportedContent(unsupported(place, f"{len(texts)} texts", fix))
    return texts[0]


def find_block_texts(
    blocks: Any, place: str, describe_key: DescribeKey, *, typed: bool = False
) -> tuple[list[PlacedText], list[Finding]]:
    """Find the texts of content blocks, and everything else that is in them.

    Args:
        blocks: A list of objects of one key, {"text": …}; any other value is what is wrong.
        place: The place of their list.
        describe_key: Describes a key other than "text".
        typed: Whether blocks also name their type, {"type": "text", "text": …}.

    Returns:
        The texts with their places, and what is wrong, both in the order of the blocks.
    """
    if not isinstance(blocks, list):
        return [], [wrong_type(place, blocks, 'a list of one {"text": …}')]
    known = ("type", "text") if typed else ("text",)
    texts: list[PlacedText] = []
    findings: list[Finding] = []
    for number, block in enumerate(blocks):
        inside = join_place(place, number)
        if not isinstance(block, dict):
            findings.append(wrong_type(inside, block, '{"text": …}'))
            continue
        kind = str(block.get("type") or "text") if typed else "text"
        if kind != "text":
            what = MEANINGS.get(kind, f"a block of type {quote(kind)}")
            findings.append(unsupported(inside, what))
            continue
        others = find_keys(block, inside, known, describe_key)
        findings += others
        if isinstance(block.get("text"), str):
            texts.append((block["text"], f"{inside}.text"))
        elif "text" in block:
            findings.append(wrong_type(f"{inside}.text", block["text"], "text"))
        elif all(finding.code in ("unknown-key", "empty-key") for finding in others):
            findings.append(missing_key(inside, "text", "the block"))
    return texts, findings


def contents_of(record: Mapping[str, Any]) -> list[Any]:
    """List what the turns of a record have under "content", as far as they are objects."""
    turns = record.get("messages")
    if not isinstance(turns, list):
        return []
    return [turn.get("content") for turn in turns if isinstance(turn, dict)]


def take_text_or_blocks(value: Any, place: str) -> PlacedText:
    """Give a text, or that of a list of one {"type": "text", "text": …}, with the value's place."""
    if isinstance(value, list):
        return take_block(value, place, typed=True)[0], place
    return take_text(value, place)


def read_system(
    example: Mapping[str, Any],
    key: str = "system",
    read_text: Callable[[Any, str], PlacedText] = take_text,
    place: str = "",
) -> list[Text]:
    """Give the system prompt, which may be missing or say nothing, as a list of one or none."""
    if says_nothing(value := example.get(key)):
        return []
    return [Text("system", *read_text(value, join_place(place, key)))]


def read_exchange(
    example: Mapping[str, Any], prompt_key: str, answer_key: str, *other_keys: str
) -> Converted:
    """Read an example whose prompt and answer are texts of their own.

    Args:
        example: It may have a system prompt.
        prompt_key: The key of the prompt.
        answer_key: The key of the answer.
        other_keys: Keys that it may have besides; under "history" are the turns before the prompt,
            [[prompt, answer], …].

    Raises:
        UnsupportedContent: it holds something else.
    """
    check_keys(example, "", ("system", *other_keys, prompt_key, answer_key))
    texts = read_system(example)
    history = [] if says_nothing(given := example.get("history")) else given
    pairs = take_value(history, list, "history", "a list of pairs of texts")
    for number, pair in enumerate(pairs):
        place = join_place("history", number)
        if not isinstance(pair, list) or len(pair) != 2:
            raise UnsupportedContent(wrong_type(place, pair, "a pair of texts"))
        for index, role in enumerate(("user", "assistant")):
            texts.append(Text(role, *take_text(pair[index], join_place(place, index))))
    for role, key in (("user", prompt_key), ("assistant", answer_key)):
        texts.append(Text(role, *take_text(take_member(example, key), key)))
    return build_record(texts)


def build_record(texts: Sequence[Text]) -> Converted:
    """Build a Messages record of texts, the first of which may be the system prompt.

    Raises:
        UnsupportedContent: there is a system prompt in another place.
    """
    places: dict[str, str] = {}
    record: Record = {}
    messages: list[dict[str, Any]] = []
    for number, text in enumerate(texts):
        if text.role != "system":
            places[f"messages[{len(messages)}].content"] = text.place
            places[f"messages[{len(messages)}].role"] = text.place.rpartition(".")[0] or text.place
            messages.append({"role": text.role, "content": text.content})
        elif number:
            what = "a second system prompt" if "system" in record else "a system prompt among turns"
            fix = "Put one system prompt first."
            raise UnsupportedContent(unsupported(text.place, what, fix))
        elif text.content:
            record["system"] = text.content
            places["system"] = text.place
    return Converted({**record, "messages": messages}, places)


def describe_unconverted_key(key: str, place: str, known: tuple[str, ...]) -> Finding:
    """Describe a key of an example that is not converted."""
    if key in MEANINGS:
        return unsupported(place, MEANINGS[key])
    repair = ", or let `haikuft convert` do so with --repair" if key in HARMLESS_KEYS else ""
    return Finding(
        "unknown-key",
        place,
        f"the key {quote(key)} has no place in a training record",
        f"Remove it{repair}; converted are {', '.join(known)}.",
    )


def _raise_first(findings: Sequence[Finding]) -> None:
    """Raise the first finding that is an error.

    Raises:
        UnsupportedContent: there is one.
    """
    for finding in findings:
        if is_error(finding):
            raise UnsupportedContent(finding)
