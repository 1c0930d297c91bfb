"""One question, one reply, through either API, over real HTTP."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

from haikuft.errors import (
    AccessError,
    CredentialsError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.inference import ask, identify_model
from haikuft.inference.requests import build_body, build_request

MODEL = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(("api", "build"), [("converse", build_request), ("messages", build_body)])
def test_ask_when_the_model_answers_then_the_reply_holds_text_tokens_and_latency(
    runtime: BedrockRuntimeClient, model: Any, api: str, build: Callable[..., dict[str, Any]]
) -> None:
    """One call, everything worth keeping; the ARN arrives whole, the same through either API."""
    ticks = iter([10.0, 10.25])

    reply = ask(runtime, MODEL, HELLO, system="Be brief", api=api, clock=lambda: next(ticks))

    assert (reply.text, reply.stop_reason, reply.model) == (
        "Hello",
        "end_turn",
        "sandbox-stand-in/test",
    )
    assert (reply.input_tokens, reply.output_tokens, reply.latency_seconds) == (7, 3, 0.25)
    assert (reply.error, reply.api, reply.retries) == (None, api, 0)
    assert reply.asked_at.endswith("+00:00")
    assert model.asked == [(MODEL, api, build(HELLO, system="Be brief"))]


def test_ask_when_no_api_is_named_then_it_converses(
    runtime: BedrockRuntimeClient, model: Any
) -> None:
    """The shape that every family of models takes."""
    assert ask(runtime, MODEL, HELLO).api == "converse"
    assert [api for _, api, _ in model.asked] == ["converse"]


def test_ask_when_the_api_is_unknown_then_it_says_which_there_are(
    runtime: BedrockRuntimeClient, model: Any
) -> None:
    """Before anything is sent."""
    with pytest.raises(SettingsError, match='"converse" or "messages"'):
        ask(runtime, MODEL, HELLO, api="chat")

    assert model.asked == []


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDeniedException", 403, AccessError),
        ("ResourceNotFoundException", 404, NotFoundError),
        ("ExpiredTokenException", 403, CredentialsError),
        ("ValidationException", 400, SettingsError),
    ],
)
def test_ask_when_aws_refuses_then_the_error_is_ours_and_names_the_model(
    runtime: BedrockRuntimeClient, model: Any, code: str, status: int, error: type[Exception]
) -> None:
    """AWS's refusal comes with what was asked."""
    model.answer = lambda question: model.refuse(code, status)

    with pytest.raises(error, match="provisioned-model/abcdefghijkl"):
        ask(runtime, MODEL, HELLO)


@pytest.mark.parametrize("api", ["converse", "messages"])
@pytest.mark.parametrize("content", [b"<html>", {"completion": "old format"}])
def test_ask_when_the_answer_is_no_reply_then_it_is_an_error_that_names_the_api(
    runtime: BedrockRuntimeClient, model: Any, api: str, content: object
) -> None:
    """A model that does not speak the shape is found out."""
    model.answer = lambda question: (200, {}, content)

    with pytest.raises(ReplyError, match=f'api = "{api}"'):
        ask(runtime, MODEL, HELLO, api=api)


def test_ask_when_throttled_first_then_the_reply_says_how_often_it_was_asked_again(
    make_runtime: Callable[..., BedrockRuntimeClient], model: Any
) -> None:
    """Its latency is not the model's alone then."""
    model.answer = lambda question: (
        question if len(model.asked) > 1 else model.refuse("ServiceUnavailableException", 503)
    )

    reply = ask(make_runtime(mode="standard", max_attempts=2), MODEL, HELLO)

    assert (reply.text, reply.retries, len(model.asked)) == ("Hello", 1, 2)


def test_identify_model_when_it_is_a_deployment_then_it_is_the_custom_model_behind_it() -> None:
    """A deployment's ARN changes when it is made again, what it serves does not."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
    served = "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova/abcdefghijkl"
    bedrock = boto3.client("bedrock", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(bedrock) as stub:
        stub.add_response(
            "get_custom_model_deployment",
            {
                "customModelDeploymentArn": arn,
                "modelDeploymentName": "tickets",
                "modelArn": served,
                "createdAt": 0,
                "status": "Active",
            },
            {"customModelDeploymentIdentifier": arn},
        )

        assert identify_model(bedrock, arn) == served


@pytest.mark.parametrize("model_id", ["anthropic.claude-3-haiku-20240307-v1:0", "us.amazon.nova"])
def test_identify_model_when_it_is_an_id_then_it_stands_for_itself(
    sandbox_clients: Callable[..., Any], model_id: str
) -> None:
    """Nothing is asked for it."""
    assert identify_model(sandbox_clients("bedrock"), model_id) == model_id


def test_identify_model_when_the_throughput_is_gone_then_it_says_so(
    sandbox_clients: Callable[..., Any],
) -> None:
    """The ARN alone does not tell what it served."""
    with pytest.raises(NotFoundError, match="provisioned-model/abcdefghijkl"):
        identify_model(sandbox_clients("bedrock"), MODEL)
