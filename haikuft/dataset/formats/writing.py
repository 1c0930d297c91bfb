"""From the Messages records we work with to the formats of the files."""

from collections.abc import Callable, Mapping
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.formats import (
    CONVERSE,
    CONVERSE_SCHEMA,
    MESSAGES,
    PROMPT_COMPLETION,
    format_of,
)
from haikuft.dataset.formats.content import Misfit
from haikuft.dataset.problems import Finding
from haikuft.dataset.records import Record
from haikuft.errors import DataError


def to_converse(record: Record) -> dict[str, Any]:
    """Turn a sound Messages record into one of bedrock-conversation-2024, which loses nothing.

    Source: User Guide, model-customization-prepare.
    """
    system = {"system": [{"text": record["system"]}]} if "system" in record else {}
    messages = [
        {"role": turn["role"], "content": [{"text": turn["content"]}]}
        for turn in record["messages"]
    ]
    return {"schemaVersion": CONVERSE_SCHEMA, **system, "messages": messages}


def to_prompt_completion(record: Record) -> dict[str, Any]:
    """Turn a sound Messages record of two turns into a prompt and its completion.

    A system prompt goes into a "system" of its own, from which `read_raw` takes it back. Bedrock's
    own format has no such key: where the file goes to a job, write it into the prompts instead.

    Raises:
        DataError: the record has more than two turns.
    """
    turns = record["messages"]
    if len(turns) != 2:
        raise DataError(
            f"messages[2]: a prompt and its completion are two turns, and this has {len(turns)}. "
            "Write bedrock-conversation-2024 instead, or make an example of each answer."
        )
    system = {"system": record["system"]} if "system" in record else {}
    return {**system, "prompt": turns[0]["content"], "completion": turns[1]["content"]}


def to_training(record: Record, base_model: BaseModel = DEFAULT) -> dict[str, Any]:
    """Turn a sound Messages record into one as the base model's files hold it; loses nothing.

    `read_records` takes it back.
    """
    return _WRITERS[format_of(base_model)](record)


def write_as(record: Record, format_name: str) -> dict[str, Any]:
    """Turn a sound Messages record into an example of a format that can be written.

    Raises:
        Misfit: the format has no place for something in it.
    """
    try:
        return _WRITERS[format_name](record)
    except DataError as error:
        what, _, mend = str(error).partition(". ")
        place, _, message = what.partition(": ")
        raise Misfit(Finding("wrong-format", place, message, mend)) from error


_WRITERS: Mapping[str, Callable[[Record], dict[str, Any]]] = {
    MESSAGES: dict,
    CONVERSE: to_converse,
    PROMPT_COMPLETION: to_prompt_completion,
}
