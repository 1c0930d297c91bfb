"""The rules for one record, in the form that its base model's files have.

Sources: User Guide, model-customization-prepare; the Nova guides' pages on preparing data; AWS's
validators. Where they disagree, the strictest rule is taken and its message says so. The layout of
a record is defined by its format; the rules for its texts are in `text_rules`.
"""

import json
from collections.abc import Iterator
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset import content, formats
from haikuft.dataset.format import Layout
from haikuft.dataset.formats.messages import is_plain
from haikuft.dataset.problems import ROLES, Finding, is_error, join_place, make_finding, quote
from haikuft.dataset.tokens import TokenRange
from haikuft.dataset.validate.text_rules import check_text


def check_record(
    record: Any, base_model: BaseModel = DEFAULT, format_name: str = ""
) -> list[Finding]:
    """Find everything wrong with one parsed record, in the order of the record.

    Args:
        record: Any JSON value.
        base_model: Whose rules hold.
        format_name: The format the record should have, "messages" or "converse"; "" for that of
            the base model's files.
    """
    wanted = format_name or formats.format_of(base_model)
    layout = formats.load_format(wanted).layout
    if layout is None:
        raise ValueError(f"no base model is trained on {wanted}")
    if not isinstance(record, dict):
        return [content.describe_no_object(record, layout.outline)]
    found = formats.recognise(record)
    # A damaged record of another format is often taken for Messages.
    if found not in (wanted, formats.UNKNOWN) and (found != formats.MESSAGES or is_plain(record)):
        other, own = formats.title_of(found), formats.title_of(wanted)
        message = f"this is {other}, and {base_model.name} is trained on {own}"
        return [Finding("wrong-format", "", message, f"Convert it to {layout.example}.")]
    return list(_check_object(record, base_model, layout))


def is_valid(findings: list[Finding]) -> bool:
    """Whether none of the findings is an error, so that the record can be used as it is."""
    return not any(map(is_error, findings))


def check_tokens(tokens: TokenRange, base_model: BaseModel = DEFAULT) -> list[Finding]:
    """Compare a record's estimated tokens with the model's limit."""
    limit = base_model.limits.max_record_tokens
    if tokens.high <= limit:
        return []
    code = "too-many-tokens" if tokens.low > limit else "perhaps-too-many-tokens"
    return [make_finding(code, tokens=tokens, most=limit, model=base_model.name)]


def _check_object(
    record: dict[str, Any], base_model: BaseModel, layout: Layout
) -> Iterator[Finding]:
    yield from content.find_keys(record, "", layout.keys, layout.describe_key)
    for key in layout.text_keys:
        if not isinstance(value := record.get(key, ""), str):
            describe = content.describe_empty if content.says_nothing(value) else _describe_type
            yield describe(key, value, key)
    if "system" in record:
        yield from _check_system(record["system"], base_model, layout)
    if "messages" not in record:
        yield content.missing_key("", "messages", "the record")._replace(
            fix="Add \"messages\": a list of turns, first the user's, last the assistant's."
        )
        return
    messages = record["messages"]
    if not isinstance(messages, list):
        yield content.wrong_type("messages", messages, "a list of turns")
        return
    for number, turn in enumerate(messages):
        yield from _check_turn(turn, join_place("messages", number), base_model, layout)
    yield from _check_order(messages)
    yield from _check_answer(messages, layout)


def _describe_type(_: str, value: Any, place: str) -> Finding:
    return content.wrong_type(place, value, "text")


def _check_system(value: Any, base_model: BaseModel, layout: Layout) -> Iterator[Finding]:
    if not content.says_nothing(value):
        yield from _check_content(value, "system", "system", base_model, layout)
    elif value is None:
        yield make_finding("null-system", "system")
    else:
        holds = f"is {json.dumps(value)}, which says nothing"
        yield make_finding("empty-system", "system", holds=holds)


def _check_turn(turn: Any, place: str, base_model: BaseModel, layout: Layout) -> Iterator[Finding]:
    if not isinstance(turn, dict):
        yield content.wrong_type(place, turn, 'an object {"role": …, "content": …}')
        return
    yield from content.find_keys(turn, place, ("role", "content"), layout.describe_key)
    missing = [key for key in ("role", "content") if key not in turn]
    yield from (content.missing_key(place, key, "the turn") for key in missing)
    if "role" in turn:
        yield from _check_role(turn["role"], join_place(place, "role"))
    if "content" in turn:
        role = "assistant" if turn.get("role") == "assistant" else "user"
        inside = join_place(place, "content")
        yield from _check_content(turn["content"], inside, role, base_model, layout)


def _check_content(
    value: Any, place: str, role: str, base_model: BaseModel, layout: Layout
) -> Iterator[Finding]:
    """Check the value of "system" or "content"."""
    texts, findings = layout.find_texts(value, place)
    yield from findings
    if is_valid(findings) and not any(text for text, _ in texts):
        inside = texts[0][1] if len(texts) == 1 else place
        if role == "system":
            yield make_finding("empty-system", inside, holds="has no text")
        else:
            yield make_finding(layout.empty_turn, inside)
        return
    if len(texts) > 1:
        yield make_finding("several-texts", place, texts=len(texts))
    for text, inside in texts:
        yield from check_text(text, inside, base_model, answer=role == "assistant")


def _check_role(role: Any, place: str) -> Iterator[Finding]:
    if not isinstance(role, str):
        yield content.wrong_type(place, role, '"user" or "assistant"')
    elif role not in ROLES:
        fix = 'Write "user" or "assistant", in lower case.'
        if role.lower() == "system":
            fix = 'Move its text to "system" at the top of the record.'
        yield make_finding("wrong-role", place, role=quote(role), fix=fix)


def _check_order(messages: list[Any]) -> Iterator[Finding]:
    if len(messages) < 2:
        yield make_finding("too-few-messages", "messages", turns=len(messages))
        return
    roles = [_role_of(turn) for turn in messages]
    if roles[0] == "assistant":
        yield make_finding("first-not-user", "messages[0].role")
    for number in range(1, len(roles)):
        role = roles[number]
        if role is not None and role == roles[number - 1]:
            other = "assistant" if role == "user" else "user"
            place = f"messages[{number}].role"
            yield make_finding("not-alternating", place, role=role, other=other)
    if roles[-1] == "user":
        yield make_finding("last-not-assistant", f"messages[{len(roles) - 1}].role")


def _check_answer(messages: list[Any], layout: Layout) -> Iterator[Finding]:
    if [_role_of(turn) for turn in messages[-2:]] != ["user", "assistant"]:
        return
    place = f"messages[{len(messages) - 1}].content"
    prompt, answer = (layout.find_texts(turn.get("content"), place)[0] for turn in messages[-2:])
    if len(prompt) == len(answer) == 1 and answer[0][0] and prompt[0][0] == answer[0][0]:
        yield make_finding("answer-equals-prompt", answer[0][1])


def _role_of(turn: Any) -> str | None:
    role = turn.get("role") if isinstance(turn, dict) else None
    return role if role in ROLES else None
