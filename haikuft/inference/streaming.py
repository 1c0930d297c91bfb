"""Ask one model one thing and read the reply as it comes. Source: Bedrock Runtime, ConverseStream.

The pieces are the service's own: a word, a part of one, or several.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Unpack

from botocore.exceptions import ResponseStreamingError
from urllib3.exceptions import HTTPError

from haikuft.aws_errors import explaining
from haikuft.errors import ReplyError
from haikuft.inference.asking import now
from haikuft.inference.requests import (
    Answer,
    Messages,
    Sampling,
    build_request,
    name_settings,
    read_response,
)
from haikuft.replies import Reply

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


def stream(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Messages,
    *,
    system: str | None = None,
    record_id: str = "",
    answered_by: str = "",
    clock: Callable[[], float] = time.perf_counter,
    **sampling: Unpack[Sampling],
) -> Iterator[str | Reply]:
    """Ask one model one thing; give the reply's text piece by piece, and last the whole Reply.

    Its text is the pieces joined. Its latency is up to the stream's end; `first_seconds` is up to
    the first piece. Nothing is asked before the first piece is wanted; whoever leaves early closes
    the connection, and what the model wrote until then is billed on AWS.

    Example: `*pieces, reply = stream(runtime, model_id, messages, max_tokens=64)`.

    Args:
        runtime: A client; its own retry settings deal with throttling, up to the first event.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt; None for none.
        record_id: Kept in the reply.
        answered_by: Kept in the reply; see `identify_model`.
        clock: Seconds, for both times.
        sampling: max_tokens, temperature, top_p, stop_sequences, as for `build_request`.

    Raises:
        SettingsError: sampling that cannot be.
        HaikuftError: the call failed, or broke off in its middle: AWS said why in the stream, or
            the connection was cut. The pieces given until then stay the caller's.
        ReplyError: the stream ended and the reply was not whole.
    """
    request = build_request(messages, system=system, **sampling)
    asked_at, started, first = now(), clock(), None
    pieces: list[str] = []
    told: dict[str, Any] = {}
    with explaining(f"asking {model_id}"):
        response: Any = runtime.converse_stream(modelId=model_id, **request)
        with closing(response["stream"]) as events:
            for event in _read(events):
                text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
                if text:
                    first = clock() - started if first is None else first
                    pieces.append(text)
                    yield text
                told |= event.get("messageStop", {}) | event.get("metadata", {})
    answer = _finish(model_id, "".join(pieces), told)
    yield Reply(
        record_id=record_id,
        model_id=model_id,
        text=answer.text,
        stop_reason=answer.stop_reason,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        latency_seconds=round(clock() - started, 6),
        model=answer.model,
        error=None,
        asked_at=asked_at,
        settings=name_settings(**sampling),
        answered_by=answered_by,
        api="converse",
        retries=int(response["ResponseMetadata"].get("RetryAttempts", 0)),
        first_seconds=None if first is None else round(first, 6),
    )


def _read(events: Any) -> Iterator[Mapping[str, Any]]:
    """Give each event; a connection that is cut becomes botocore's error for that.

    botocore lets urllib3's through: an event stream is read past the places that wrap it.
    """
    try:
        yield from events
    except (HTTPError, OSError) as error:
        raise ResponseStreamingError(error=error) from error


def _finish(model_id: str, text: str, told: Mapping[str, Any]) -> Answer:
    whole = {**told, "output": {"message": {"content": [{"text": text}]}}}
    try:
        return read_response(whole)
    except (KeyError, TypeError, ValueError) as error:
        raise ReplyError(
            f"{model_id} ended its stream after {len(text)} characters without its end or its "
            f"count of tokens ({error!r}). Ask again."
        ) from error
