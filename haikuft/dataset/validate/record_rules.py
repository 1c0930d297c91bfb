"""The rules for one record, in the form that its base model's files have.

Sources: User Guide, model-customization-prepare; the Nova guides' pages on preparing data; AWS's
validators. Where they disagree, the strictest rule is taken and its message says so. What a record
is made of stands in `record_forms`, what its texts may hold in `text_checks`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.formats import (
    FORMATS,
    MESSAGES,
    PROMPT_COMPLETION,
    find_other_format,
    format_of,
)
from haikuft.dataset.formats.layout import FORMS, Form, kind_of, wrong_type
from haikuft.dataset.problems import Finding, join_place, quote
from haikuft.dataset.rules import ROLES, RULES
from haikuft.dataset.tokens import TokenRange

_CONVERTIBLE = "Notebook 2 converts it; haikuft.dataset.read_raw does so by itself."


def check_record(
    record: Any, base_model: BaseModel = DEFAULT, format_name: str = ""
) -> list[Finding]:
    """Find everything wrong with one parsed record, in the order it stands there.

    Args:
        record: Any JSON value.
        base_model: Whose rules hold.
        format_name: The form the record should have, "messages" or "converse"; "" for that of the
            base model's files.
    """
    wanted = format_name or format_of(base_model)
    form = FORMS[wanted]
    if not isinstance(record, dict):
        return [
            Finding(
                "not-object",
                "",
                f"the line holds {kind_of(record)} where a JSON object is wanted",
                f"Write {form.outline} on each line.",
            )
        ]
    if other := find_other_format(record, wanted):
        return [
            Finding(
                "wrong-format",
                "",
                f"this is {FORMATS[other]}, and {base_model.name} is trained on {FORMATS[wanted]}",
                _CONVERTIBLE
                if other in (PROMPT_COMPLETION, MESSAGES)
                else f"Convert it to {form.example}.",
            )
        ]
    return list(_check_object(record, base_model, form))


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


def _check_object(record: dict[str, Any], base_model: BaseModel, form: Form) -> Iterator[Finding]:
    yield from _check_keys(record, "", form.keys, form)
    if "schemaVersion" in form.keys and not isinstance(record.get("schemaVersion", ""), str):
        yield wrong_type("schemaVersion", record["schemaVersion"], "text")
    if "system" in record:
        yield from _check_system(record["system"], base_model, form)
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
        yield wrong_type("messages", messages, "a list of turns")
        return
    for number, turn in enumerate(messages):
        yield from _check_turn(turn, join_place("messages", number), base_model, form)
    yield from _check_order(messages)
    yield from _check_answer(messages, form)


def _check_keys(
    value: Mapping[str, Any], place: str, known: tuple[str, ...], form: Form
) -> Iterator[Finding]:
    for key in value:
        if key not in known:
            yield form.describe_key(key, join_place(place, key), known)


def _check_system(system: Any, base_model: BaseModel, form: Form) -> Iterator[Finding]:
    mend = 'Leave "system" out where there is none.'
    if system is None:
        yield Finding("null-system", "system", form.null_system, mend)
    else:
        yield from form.check_texts(system, "system", base_model, mend=mend, role="system")


def _check_turn(turn: Any, place: str, base_model: BaseModel, form: Form) -> Iterator[Finding]:
    if not isinstance(turn, dict):
        yield wrong_type(place, turn, 'an object {"role": …, "content": …}')
        return
    yield from _check_keys(turn, place, ("role", "content"), form)
    for key in ("role", "content"):
        if key not in turn:
            yield Finding(
                "missing-key", join_place(place, key), f'the turn has no "{key}"', f'Add "{key}".'
            )
    if "role" in turn:
        yield from _check_role(turn["role"], join_place(place, "role"))
    if "content" in turn:
        yield from form.check_texts(
            turn["content"],
            join_place(place, "content"),
            base_model,
            mend="Write what is said in this turn, or drop the record.",
            role="assistant" if turn.get("role") == "assistant" else "user",
        )


def _check_role(role: Any, place: str) -> Iterator[Finding]:
    if not isinstance(role, str):
        yield wrong_type(place, role, '"user" or "assistant"')
    elif role not in ROLES:
        mend = 'Write "user" or "assistant", in lower case.'
        if role.lower() == "system":
            mend = 'Move its text to "system" at the top of the record.'
        yield Finding("wrong-role", place, f"{quote(role)} is not a role", mend)


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


def _check_answer(messages: list[Any], form: Form) -> Iterator[Finding]:
    if [_role_of(turn) for turn in messages[-2:]] != ["user", "assistant"]:
        return
    prompt, answer = (form.text_of(turn.get("content")) for turn in messages[-2:])
    if prompt and prompt == answer:
        yield Finding(
            "answer-equals-prompt",
            f"messages[{len(messages) - 1}].content{form.inside}",
            "the answer repeats the prompt word for word",
            "See whether the right column was taken for the answer.",
        )


def _role_of(turn: Any) -> str | None:
    role = turn.get("role") if isinstance(turn, dict) else None
    return role if role in ROLES else None
