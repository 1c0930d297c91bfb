"""Ask one model one question and stream the reply. Source: Bedrock Runtime, ConverseStream.

The pieces are the service's own: a word, a part of one, or several.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Unpack

from botocore.eventstream import ParserError
from botocore.exceptions import ResponseStreamingError
from urllib3.exceptions import HTTPError

from haikuft.aws.errors import explaining
from haikuft.errors import ReplyError
from haikuft.inference.asking import now
from haikuft.inference.replies import Reply
from haikuft.inference.requests import (
    UNREADABLE,
    Answer,
    Messages,
    Sampling,
    build_request,
    name_settings,
    read_response,
)

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient


def stream(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Messages,
    *,
    system: str | None = None,
    answered_by: str = "",
    clock: Callable[[], float] = time.perf_counter,
    **sampling: Unpack[Sampling],
) -> Iterator[str | Reply]:
    """Ask one model one question; yield the reply's text piece by piece, and last the whole Reply.

    Its text is the pieces joined. Its latency is up to the stream's end; `first_seconds` is up to
    the first piece. The request is sent when the first piece is read; a caller that stops early
    closes the connection, and what the model wrote until then is billed on AWS.

    Example: `*pieces, reply = stream(runtime, model_id, messages, max_tokens=64)`.

    Args:
        runtime: A client; its own retry settings deal with throttling, up to the first event.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt; None for none.
        answered_by: Kept in the reply; see `identify_model`.
        clock: Seconds, for both times.
        sampling: max_tokens and temperature, as for `build_request`.

    Raises:
        SettingsError: sampling values that cannot be used.
        HaikuftError: the call failed, or the stream broke off with AWS's reason or a lost
            connection. The pieces yielded until then remain valid.
        ReplyError: the stream ended before the reply was complete.
    """
    request = build_request(messages, system=system, **sampling)
    asked_at, started, first = now(), clock(), None
    pieces: list[str] = []
    ending: dict[str, Any] = {}
    with explaining(f"asking {model_id}"):
        response: Any = runtime.converse_stream(modelId=model_id, **request)
        with closing(response["stream"]) as events:
            for event in _read(events):
                text = event.get("contentBlockDelta", {}).get("delta", {}).get("text", "")
                if text:
                    first = clock() - started if first is None else first
                    pieces.append(text)
                    yield text
                ending |= event.get("messageStop", {}) | event.get("metadata", {})
    answer = _finish(model_id, "".join(pieces), ending)
    yield Reply(
        record_id="",
        model_id=model_id,
        **answer._asdict(),
        latency_seconds=round(clock() - started, 6),
        error=None,
        asked_at=asked_at,
        settings=name_settings(**sampling),
        answered_by=answered_by,
        api="converse",
        retries=int(response["ResponseMetadata"].get("RetryAttempts", 0)),
        first_seconds=None if first is None else round(first, 6),
    )


def _read(events: Any) -> Iterator[Mapping[str, Any]]:
    """Yield each event; a lost connection or a broken frame becomes botocore's error for that.

    botocore does not wrap urllib3's errors, nor its own parser's, while an event stream is read.
    """
    try:
        yield from events
    except (HTTPError, OSError, ParserError) as error:
        raise ResponseStreamingError(error=error) from error


def _finish(model_id: str, text: str, ending: Mapping[str, Any]) -> Answer:
    whole = {**ending, "output": {"message": {"content": [{"text": text}]}}}
    try:
        return read_response(whole)
    except UNREADABLE as error:
        raise ReplyError(
            f"{model_id} ended its stream after {len(text)} characters without its end or its "
            f"count of tokens ({error!r}). Ask again."
        ) from error
