"""What a model is sent, and what is read from its answer, in both shapes."""

import json
from typing import Any

import pytest

from haikuft.errors import SettingsError
from haikuft.inference.requests import (
    UNREADABLE,
    build_body,
    build_request,
    name_settings,
    read_message,
    read_response,
)

HELLO = [{"role": "user", "content": "Hello"}]


def test_build_body_when_nothing_is_set_then_it_holds_the_version_and_temperature_zero() -> None:
    """Temperature 0 by default, so that a second run answers alike."""
    assert build_body(HELLO, max_tokens=5) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "temperature": 0.0,
        "messages": HELLO,
    }


def test_build_request_when_nothing_is_set_then_it_holds_the_same_in_converse_words() -> None:
    """The answer is to say which model it is from, where the model knows."""
    assert build_request(HELLO, max_tokens=5) == {
        "messages": [{"role": "user", "content": [{"text": "Hello"}]}],
        "inferenceConfig": {"maxTokens": 5, "temperature": 0.0},
        "additionalModelResponseFieldPaths": ["/model"],
    }


@pytest.mark.parametrize("build", [build_body, build_request])
def test_build_when_no_tokens_are_allowed_then_it_is_refused(build: Any) -> None:
    """It is a slip."""
    with pytest.raises(SettingsError, match="max_tokens: 0"):
        build(HELLO, max_tokens=0)


def test_read_response_when_a_model_reasons_then_only_its_answer_is_read() -> None:
    """Blocks of reasoning may come first; a model may keep its name to itself."""
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Hm."}}},
        {"text": "Yes, "},
        {"text": "no."},
    ]
    answer = read_response(
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
        }
    )

    assert (answer.text, answer.model) == ("Yes, no.", "")


def test_name_settings_when_something_shapes_the_reply_then_the_name_differs() -> None:
    """Left out is the same as given as the default."""
    names = {
        name_settings(),
        name_settings(max_tokens=1024, temperature=0.0),
        name_settings(max_tokens=5),
        name_settings(temperature=1.0),
    }

    assert len(names) == 3
    assert name_settings() == '{"max_tokens": 1024, "temperature": 0.0}'


@pytest.mark.parametrize(
    ("stop", "output"),
    [
        ("guardrail_intervened", {"message": {"content": [{"text": "Blocked."}]}}),
        ("guardrail_intervened", {}),
        ("guardrail_intervened", None),
        ("content_filtered", {"message": {"role": "assistant", "content": []}}),
        ("content_filtered", {"message": None}),
        ("malformed_model_output", {"message": {"role": "assistant", "content": None}}),
        ("max_tokens", {"message": {"content": [{"text": "Blocked."}]}}),
    ],
)
def test_read_response_when_it_was_stopped_then_it_is_a_reply_with_its_reason(
    stop: str, output: dict[str, Any] | None
) -> None:
    """Also without a message: it was asked and counted, and asking again changes nothing."""
    usage = {"inputTokens": 7, "outputTokens": 0}
    answer = read_response({"output": output, "stopReason": stop, "usage": usage})
    assert answer.stop_reason == stop
    assert answer.text == ("Blocked." if "Blocked" in str(output) else "")


def test_read_message_when_the_model_refuses_then_it_is_a_reply_without_text() -> None:
    """Claude gives no content then."""
    body: dict[str, Any] = {"content": [], "stop_reason": "refusal"}
    body["usage"] = {"input_tokens": 7, "output_tokens": 0}
    answer = read_message(json.dumps(body).encode())
    assert (answer.stop_reason, answer.text, answer.model) == ("refusal", "", "")


@pytest.mark.parametrize(
    "change",
    [
        {"output": "text"},
        {"output": {"message": {"content": [{"text": None}]}}},
        {"output": {"message": {"content": [None]}}},
        {"stopReason": None},
        {"usage": None},
        {"usage": {"inputTokens": "many", "outputTokens": 0}},
        {"additionalModelResponseFields": ["model"]},
    ],
    ids=str,
)
def test_read_response_when_it_is_none_then_the_error_is_one_that_is_caught(
    change: dict[str, Any],
) -> None:
    """So one such reply fails its record, and not the evaluation."""
    usage = {"inputTokens": 7, "outputTokens": 0}
    response = {"output": {}, "stopReason": "end_turn", "usage": usage, **change}
    with pytest.raises(UNREADABLE):
        read_response(response)
