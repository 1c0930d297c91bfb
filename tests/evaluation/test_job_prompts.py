"""Test records as the prompts of an evaluation job."""

from typing import Any

import pytest
from fakes import ScriptedReply

from haikuft.dataset.records import record_id
from haikuft.errors import DataError
from haikuft.evaluation.job_prompts import (
    MAX_PROMPT_BYTES,
    MAX_PROMPTS,
    build_prompts,
    check_prompts,
)


def build_record(question: str, *turns: str, system: str = "") -> dict[str, Any]:
    """Make a record of a question and further turns; the last one is the reference."""
    roles = ("user", "assistant")
    texts = (question, *(turns or ("refund",)))
    messages = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return ({"system": system} if system else {}) | {"messages": messages}


def test_build_prompts_writes_prompt_and_reference() -> None:
    """The system prompt stands before a single question, which needs no role."""
    record = build_record("Where is my money?", "refund", system="Name the label.")
    (prompt,) = build_prompts([record], {record_id(record): ScriptedReply("x")}, source="tuned")
    assert prompt["prompt"] == "Name the label.\n\nWhere is my money?"
    assert prompt["referenceResponse"] == "refund"


def test_build_prompts_names_the_roles_of_several_turns() -> None:
    """A job's prompt is one text; who said what must be in it."""
    record = build_record("Hello", "Hi!", "Where is my money?", "On its way.")
    replies = {record_id(record): ScriptedReply("x")}
    prompt = build_prompts([record], replies, source="tuned")[0]["prompt"]
    assert prompt == "User: Hello\n\nAssistant: Hi!\n\nUser: Where is my money?"


def test_build_prompts_with_replies_brings_them_along() -> None:
    """The job then scores what the model truly answered, under the name of its source."""
    record = build_record("Where is my money?")
    replies = {record_id(record): ScriptedReply("delivery")}
    (prompt,) = build_prompts([record], replies, source="tuned")
    assert prompt["modelResponses"] == [{"response": "delivery", "modelIdentifier": "tuned"}]


def test_build_prompts_when_records_are_copies_brings_one_of_each() -> None:
    """A copy is no further evidence for a job either; white space makes no other record."""
    records = [build_record(text) for text in ("Where is it?", "Where  is it?", "How much?")]
    replies = {record_id(record): ScriptedReply("x") for record in records}
    prompts = build_prompts([*records, *records], replies, source="tuned")
    assert [prompt["prompt"] for prompt in prompts] == ["Where is it?", "How much?"]


def test_build_prompts_when_a_reply_is_missing_or_failed_says_which() -> None:
    """A gap would shift the score without a word."""
    record = build_record("Where is my money?")
    for replies in ({}, {record_id(record): ScriptedReply("", error="throttled")}):
        with pytest.raises(DataError, match=record_id(record)):
            build_prompts([record], replies, source="tuned")


def test_build_prompts_when_there_are_no_records_refuses() -> None:
    """A job without prompts would cost time to be refused."""
    with pytest.raises(DataError, match="no records"):
        build_prompts([], {}, source="tuned")


def test_check_prompts_holds_them_against_the_quotas() -> None:
    """The largest that AWS takes pass; one more prompt or byte does not. Bytes, not characters."""
    fits = {"prompt": "x" * MAX_PROMPT_BYTES}
    check_prompts([fits] * MAX_PROMPTS)
    with pytest.raises(DataError, match="1,001 prompts"):
        check_prompts([fits] * (MAX_PROMPTS + 1))
    with pytest.raises(DataError, match=r"1 of 2 prompts .* number 2 with 4,098 bytes"):
        check_prompts([fits, {"prompt": "é" * (MAX_PROMPT_BYTES // 2 + 1)}])
