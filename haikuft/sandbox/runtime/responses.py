"""Write a reply in the shapes of InvokeModel and Converse, complete or event by event. Pure.

Sources: botocore's service model of the runtime; Anthropic's Messages API and the events of its
streaming as Bedrock wraps them, where the last one carries `amazon-bedrock-invocationMetrics`.
For a block of text ConverseStream sends no contentBlockStart: its model has none for text.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haikuft.sandbox.bedrock.records import present
from haikuft.sandbox.http.routing import EXTRA_HEADERS, validation_error

LONGEST_PIECE = 32  # characters of one delta, without the space before them
_PIECE = re.compile(rf"\s?\S{{1,{LONGEST_PIECE}}}|\s{{1,{LONGEST_PIECE}}}")
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")  # RFC 6901, the empty one left out


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply, its token counts and its times.

    Attributes:
        stop_reason: "end_turn", "max_tokens" or "stop_sequence".
        stop_sequence: The one that ended it; None for the other reasons.
        first_byte_ms: Time to generate it in whole milliseconds, without loading the model. The
            reply is complete before the first event of a stream is sent.
        latency_ms: The same, with the delay.
        wait_seconds: The delay by the setting `answer_seconds`.
    """

    text: str
    stop_reason: str
    stop_sequence: str | None
    input_tokens: int
    output_tokens: int
    first_byte_ms: int = 0
    latency_ms: int = 0
    wait_seconds: float = 0.0


def split_reply(text: str) -> list[str]:
    """Split a reply into pieces of about a word, for streaming; joined they are the reply.

    Example: "Where is it?" → ["Where", " is", " it?"].
    """
    return _PIECE.findall(text)


def write_message(label: str, reply: Reply) -> dict[str, Any]:
    """Write the reply as Anthropic's Messages API gives it; `label` is its `model`."""
    return {
        "id": f"msg_bdrk_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": label,
        "content": [{"type": "text", "text": reply.text}],
        "stop_reason": reply.stop_reason,
        "stop_sequence": reply.stop_sequence,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens},
    }


def write_invocation(label: str, reply: Reply) -> dict[str, Any]:
    """Write InvokeModel's result."""
    return {
        "body": _dump(write_message(label, reply)),
        "contentType": "application/json",
        EXTRA_HEADERS: {
            "x-amzn-bedrock-input-token-count": str(reply.input_tokens),
            "x-amzn-bedrock-output-token-count": str(reply.output_tokens),
            "x-amzn-bedrock-invocation-latency": str(reply.latency_ms),
        },
    }


def stream_invocation(label: str, reply: Reply) -> Iterator[dict[str, Any]]:
    """Write InvokeModelWithResponseStream's events: Anthropic's, each in a chunk's bytes."""
    for event in _message_events(label, reply):
        yield {"chunk": {"bytes": _dump(event)}}


def write_conversation(
    label: str, reply: Reply, *, field_paths: Sequence[str] = ()
) -> dict[str, Any]:
    """Write Converse's result.

    Raises ServiceError: ValidationException for a path that is no JSON Pointer.
    """
    return present(
        output={"message": {"role": "assistant", "content": [{"text": reply.text}]}},
        stopReason=reply.stop_reason,
        usage=_usage(reply),
        metrics={"latencyMs": reply.latency_ms},
        additionalModelResponseFields=_pick(write_message(label, reply), field_paths) or None,
    )


def stream_conversation(
    label: str, reply: Reply, *, field_paths: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Write ConverseStream's events.

    Raises ServiceError at once: ValidationException for a path that is no JSON Pointer.
    """
    further = _pick(write_message(label, reply), field_paths) or None
    stop = present(stopReason=reply.stop_reason, additionalModelResponseFields=further)

    def events() -> Iterator[dict[str, Any]]:
        yield {"messageStart": {"role": "assistant"}}
        for piece in split_reply(reply.text):
            yield {"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": 0}}
        yield {"contentBlockStop": {"contentBlockIndex": 0}}
        yield {"messageStop": stop}
        metrics = {"latencyMs": reply.latency_ms}
        yield {"metadata": {"usage": _usage(reply), "metrics": metrics}}

    return events()


def _message_events(label: str, reply: Reply) -> Iterator[dict[str, Any]]:
    begun = {
        **write_message(label, reply),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": 0},
    }
    yield {"type": "message_start", "message": begun}
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    for piece in split_reply(reply.text):
        delta = {"type": "text_delta", "text": piece}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": reply.stop_reason, "stop_sequence": reply.stop_sequence},
        "usage": {"output_tokens": reply.output_tokens},
    }
    yield {
        "type": "message_stop",
        "amazon-bedrock-invocationMetrics": {
            "inputTokenCount": reply.input_tokens,
            "outputTokenCount": reply.output_tokens,
            "invocationLatency": reply.latency_ms,
            "firstByteLatency": reply.first_byte_ms,
        },
    }


def _usage(reply: Reply) -> dict[str, int]:
    return {
        "inputTokens": reply.input_tokens,
        "outputTokens": reply.output_tokens,
        "totalTokens": reply.input_tokens + reply.output_tokens,
    }


def _pick(message: Mapping[str, Any], pointers: Sequence[str]) -> dict[str, Any]:
    """Choose a reply's fields by JSON Pointers; those without a value are left out."""
    picked: dict[str, Any] = {}
    for pointer in pointers:
        if not _POINTER.fullmatch(pointer):
            raise validation_error(
                f"additionalModelResponseFieldPaths: {pointer!r} is not a JSON Pointer such as "
                '"/stop_sequence".',
            )
        keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer[1:].split("/")]
        found: Any = message
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            place = picked
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            place[keys[-1]] = found
    return picked


def _dump(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
