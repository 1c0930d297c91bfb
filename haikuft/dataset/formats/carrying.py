"""One raw example carried over to a Messages record, or what in it has no place there.

Nothing is dropped: a key, role or part that Messages records cannot hold is a `Misfit` that names
it. Members that are null say nothing and may stay behind where the format allows them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from haikuft.dataset.formats import (
    ALPACA,
    CONVERSE,
    MESSAGES,
    OPENAI_CHAT,
    PROMPT_COMPLETION,
    SHAREGPT,
)
from haikuft.dataset.formats.content import (
    MEANINGS,
    check_keys,
    misfit,
    take_block,
    take_member,
    take_objects,
    take_part,
    take_role,
    take_text,
    wrong_type,
)
from haikuft.dataset.problems import join_place
from haikuft.dataset.records import Record

_SHAREGPT_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant"} | {
    "assistant": "assistant",
    "system": "system",
}
_OPENAI_ROLES = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_OPENAI_OPTIONAL = (
    *("tool_calls", "function_call", "tool_call_id"),
    *("name", "weight", "refusal", "audio", "annotations"),
)


class Carried(NamedTuple):
    """A record and where its texts came from.

    Attributes:
        record: The Messages record; not yet checked.
        places: Place in the record -> place in the raw example, where the two differ.
    """

    record: Record
    places: Mapping[str, str]


class _Text(NamedTuple):
    role: str
    content: Any
    place: str


def carry_over(example: Mapping[str, Any], format_name: str) -> Carried:
    """Turn an example of a known format into a Messages record.

    Raises:
        Misfit: something in it has no place in a record.
    """
    return _CARRIERS[format_name](example)


def _carry_messages(example: Mapping[str, Any]) -> Carried:
    """Take a record as it is, but for texts wrapped in a list of one {"type": "text"} part."""
    record = dict(example)
    if isinstance(record.get("system"), list):
        record["system"] = take_part(record["system"], "system")
    if isinstance(record.get("messages"), list):
        record["messages"] = [
            _unwrap(turn, join_place("messages", number))
            for number, turn in enumerate(record["messages"])
        ]
    for key in record:
        if key in MEANINGS and key not in ("messages", "system"):
            raise misfit(key, MEANINGS[key])
    return Carried(record, {})


def _unwrap(turn: Any, place: str) -> Any:
    if not isinstance(turn, dict):
        return turn
    for key, value in turn.items():
        if key in MEANINGS and value:
            raise misfit(join_place(place, key), MEANINGS[key])
    if turn.get("role") in ("tool", "function"):
        raise misfit(join_place(place, "role"), "a tool's result")
    if isinstance(turn.get("content"), list):
        return {**turn, "content": take_part(turn["content"], join_place(place, "content"))}
    return turn


def _carry_prompt_completion(example: Mapping[str, Any]) -> Carried:
    check_keys(example, "", ("system", "prompt", "completion"))
    return _gather(
        [
            *_optional(example, "system", "system"),
            _Text("user", take_text(take_member(example, "prompt", ""), "prompt"), "prompt"),
            _Text(
                "assistant",
                take_text(take_member(example, "completion", ""), "completion"),
                "completion",
            ),
        ]
    )


def _carry_openai(example: Mapping[str, Any]) -> Carried:
    check_keys(example, "", ("messages",), optional=("tools", "functions", "parallel_tool_calls"))
    turns = []
    for number, turn in enumerate(take_objects(take_member(example, "messages", ""), "messages")):
        place = join_place("messages", number)
        check_keys(turn, place, ("role", "content"), optional=_OPENAI_OPTIONAL)
        role = take_role(turn, "role", place, _OPENAI_ROLES)
        inside = join_place(place, "content")
        content = take_member(turn, "content", place)
        if isinstance(content, list):
            content = take_part(content, inside)
        turns.append(_Text(role, take_text(content, inside), inside))
    return _gather(turns)


def _carry_converse(example: Mapping[str, Any]) -> Carried:
    check_keys(example, "", ("schemaVersion", "system", "messages"))
    take_text(example.get("schemaVersion", ""), "schemaVersion")  # AWS takes any text
    turns = []
    if example.get("system"):
        turns.append(_Text("system", take_block(example["system"], "system"), "system[0].text"))
    for number, turn in enumerate(take_objects(take_member(example, "messages", ""), "messages")):
        place = join_place("messages", number)
        check_keys(turn, place, ("role", "content"))
        role = take_role(turn, "role", place, {"user": "user", "assistant": "assistant"})
        inside = join_place(place, "content")
        text = take_block(take_member(turn, "content", place), inside)
        turns.append(_Text(role, text, f"{inside}[0].text"))
    return _gather(turns)


def _carry_sharegpt(example: Mapping[str, Any]) -> Carried:
    check_keys(example, "", ("conversations", "system"), optional=("tools",))
    turns = _optional(example, "system", "system")
    for number, turn in enumerate(
        take_objects(take_member(example, "conversations", ""), "conversations")
    ):
        place = join_place("conversations", number)
        check_keys(turn, place, ("from", "value"), optional=("weight",))
        role = take_role(turn, "from", place, _SHAREGPT_ROLES)
        inside = join_place(place, "value")
        turns.append(_Text(role, take_text(take_member(turn, "value", place), inside), inside))
    return _gather(turns)


def _carry_alpaca(example: Mapping[str, Any]) -> Carried:
    """Put the input, where there is one, below the instruction, an empty line between them."""
    check_keys(example, "", ("instruction", "input", "output", "system", "history"))
    turns = _optional(example, "system", "system")
    history = example.get("history") or []
    if not isinstance(history, list):
        raise wrong_type("history", "a list of pairs of texts")
    for number, pair in enumerate(history):
        place = join_place("history", number)
        if not isinstance(pair, list) or len(pair) != 2:
            raise wrong_type(place, "a pair of texts")
        for index, role in enumerate(("user", "assistant")):
            inside = join_place(place, index)
            turns.append(_Text(role, take_text(pair[index], inside), inside))
    prompt = take_text(take_member(example, "instruction", ""), "instruction")
    if example.get("input"):
        prompt = f"{prompt}\n\n{take_text(example['input'], 'input')}"
    turns.append(_Text("user", prompt, "instruction"))
    turns.append(
        _Text("assistant", take_text(take_member(example, "output", ""), "output"), "output")
    )
    return _gather(turns)


_CARRIERS: Mapping[str, Callable[[Mapping[str, Any]], Carried]] = {
    MESSAGES: _carry_messages,
    PROMPT_COMPLETION: _carry_prompt_completion,
    OPENAI_CHAT: _carry_openai,
    CONVERSE: _carry_converse,
    SHAREGPT: _carry_sharegpt,
    ALPACA: _carry_alpaca,
}


def _gather(texts: Sequence[_Text]) -> Carried:
    """Build the record, a leading system text on top of it; another one has no place."""
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
            raise misfit(text.place, what, "Let one system prompt stand first.")
        elif text.content:
            record["system"] = text.content
            places["system"] = text.place
    return Carried({**record, "messages": messages}, places)


def _optional(example: Mapping[str, Any], key: str, role: str) -> list[_Text]:
    """Give the text of a member that may be missing, null or empty."""
    value = example.get(key)
    return [] if value is None else [_Text(role, take_text(value, key), key)]
