"""Anthropic's own client for Bedrock, pointed at the sandbox: its messages and its streams.

From its version 2 on the SDK sends API version 2026-10-21 unless told otherwise; Bedrock's older
models, Claude 3 Haiku among them, do not support that one (Anthropic's documentation, "Claude on
Amazon Bedrock (Opus 4.6 and earlier)"). There one stays with version 1, or names the version that
the model takes in `extra_body`, as here.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic import AnthropicBedrock

from haikuft.sandbox import Endpoint
from haikuft.sandbox.http.event_stream import break_off
from haikuft.sandbox.http.messages import ServiceError

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
ASKED: dict[str, Any] = {
    "model": HAIKU,
    "max_tokens": 50,
    "system": "Answer with one of these labels: delivery, refund.",
    "messages": [{"role": "user", "content": "I want a refund, please."}],
    "extra_body": {"anthropic_version": "bedrock-2023-05-31"},
}


def make_client(url: str, **options: Any) -> AnthropicBedrock:
    """Make Anthropic's client for a sandbox; any key will do."""
    return AnthropicBedrock(
        base_url=url,
        aws_access_key="any",
        aws_secret_key="any",
        aws_region="us-west-2",
        max_retries=0,
        **options,
    )


@pytest.fixture(scope="module")
def client(sandbox: Endpoint) -> AnthropicBedrock:
    """Point Anthropic's client at this module's sandbox."""
    return make_client(sandbox.url)


def test_message_when_sdk_asks_then_it_reads_the_reply(client: AnthropicBedrock) -> None:
    """The body without `model`, the version within it and the signature are understood."""
    message = client.messages.create(**ASKED)
    assert message.content[0].text == "refund"  # type: ignore[union-attr]
    assert message.model == "sandbox-stand-in/base"
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 0


def test_stream_when_sdk_reads_it_then_gathers_the_same_message(client: AnthropicBedrock) -> None:
    """The SDK puts its message together from the events of the stream."""
    with client.messages.stream(**ASKED) as stream:
        text = "".join(stream.text_stream)
        gathered = stream.get_final_message()
    whole = client.messages.create(**ASKED)
    assert text == "refund"
    assert gathered.content[0].text == whole.content[0].text  # type: ignore[union-attr]
    assert gathered.usage.output_tokens == whole.usage.output_tokens
    assert gathered.usage.input_tokens == whole.usage.input_tokens
    assert (gathered.stop_reason, gathered.model) == (whole.stop_reason, whole.model)


def test_events_when_sdk_streams_raw_then_they_come_in_anthropics_order(
    client: AnthropicBedrock,
) -> None:
    """As from Anthropic's own API."""
    kinds = [event.type for event in client.messages.create(**ASKED, stream=True)]
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_refusal_when_sdk_asks_amiss_then_raises_its_own_error(
    client: AnthropicBedrock, *, stream: bool
) -> None:
    """Status and words arrive, for a stream too."""
    with pytest.raises(anthropic.BadRequestError, match="maximum allowed number of output tokens"):
        client.messages.create(**ASKED | {"max_tokens": 5_000}, stream=stream)


def test_version_when_it_is_the_newest_then_is_refused_with_the_one_to_name(
    client: AnthropicBedrock,
) -> None:
    """What the SDK's version 2 sends by itself, as AWS would answer it for this model."""
    newest = {"extra_body": {"anthropic_version": "2026-10-21"}}
    words = 'Invalid API version: 2026-10-21. anthropic_version must be "bedrock-2023-05-31"'
    with pytest.raises(anthropic.BadRequestError, match=re.escape(words)):
        client.messages.create(**ASKED | newest)


def test_provisioned_model_when_sdk_names_its_arn_then_it_is_found(
    client: AnthropicBedrock, sandbox_clients: Callable[..., Any]
) -> None:
    """An ARN's slash is encoded within the path."""
    arn = sandbox_clients("bedrock").create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="sdk", modelId=f"{HAIKU}:200k"
    )["provisionedModelArn"]
    assert client.messages.create(**ASKED | {"model": arn}).model == "sandbox-stand-in/base"


def test_stream_when_it_breaks_then_sdk_raises_what_the_last_frame_says(
    local_sandbox: Callable[..., Any],
) -> None:
    """After HTTP 200 the SDK has only the stream to learn it from."""

    def stream(call: Any) -> dict[str, Any]:
        event = {"type": "content_block_stop", "index": 0}
        events = [{"chunk": {"bytes": json.dumps(event).encode()}}] * 3
        error = ServiceError("ModelStreamErrorException", "The model broke off.")
        return {"body": break_off(events, error), "contentType": "application/json"}

    client = make_client(local_sandbox({"InvokeModelWithResponseStream": stream}).url)
    events = iter(client.messages.create(**ASKED, stream=True))
    assert [next(events).type, next(events).type] == ["content_block_stop"] * 2
    with pytest.raises(anthropic.APIError, match="The model broke off"):
        next(events)
