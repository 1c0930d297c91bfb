"""Anthropic's Messages format, as InvokeModel takes and returns it: read, check and write. Pure.

Sources: Amazon Bedrock User Guide, model-parameters-anthropic-claude-messages-request-response, and
the error messages of AWS for invalid requests; Anthropic's Messages API and the events of its
streaming as Bedrock wraps them, where the last one carries `amazon-bedrock-invocationMetrics`. The
stand-in reads only text.
"""

import json
import math
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from haikuft.sandbox.http.messages import EXTRA_HEADERS, ServiceError, validation_error

JSON = "application/json"
VERSION = "bedrock-2023-05-31"
MAX_STOP_SEQUENCES = 8_191
METRICS = "amazon-bedrock-invocationMetrics"

_REQUIRED = ("max_tokens", "messages", "anthropic_version")
_ALLOWED = frozenset(
    {*_REQUIRED, "system", "temperature", "top_p", "top_k", "stop_sequences", "metadata"}
)
_RANGES: Mapping[str, tuple[float, float, bool]] = {  # from, to, whole numbers only
    "max_tokens": (1, math.inf, True),
    "temperature": (0, 1, False),
    "top_p": (0, 1, False),
    "top_k": (0, 500, True),
}
_UNSERVED = frozenset({"tools", "tool_choice", "anthropic_beta", "thinking"})
_TYPES = {bool: "Boolean", int: "Integer", float: "Number", str: "String", list: "JSONArray"}
_TYPES |= {dict: "JSONObject", type(None): "Null"}

LONGEST_PIECE = 32  # characters of one delta, without the space before them
_PIECE = re.compile(rf"\s?\S{{1,{LONGEST_PIECE}}}|\s{{1,{LONGEST_PIECE}}}")


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """A request to a model: the conversation and the parameters of inference.

    Attributes:
        system: The system prompt; None without one.
        messages: Turns with plain text as content; the first is the user's.
        max_tokens: Longest reply.
        temperature: 0 to 1; 0 always takes the likeliest token.
        top_p: Share of probability to draw from.
        top_k: How many of the likeliest tokens to draw from; None for all.
        stop_sequences: Texts that end the reply.
    """

    system: str | None
    messages: list[dict[str, str]]
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int | None
    stop_sequences: tuple[str, ...]


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


def check_invocation(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of InvokeModel other than its body.

    Raises:
        ServiceError: ValidationException for what the stand-in does not support.
    """
    check_service(parameters.get("performanceConfigLatency"), parameters.get("serviceTier"))
    if parameters.get("guardrailIdentifier"):
        raise refusal("The sandbox's stand-in takes no guardrailIdentifier: it has no guardrails.")
    for name, allowed in (("contentType", {JSON}), ("accept", {JSON, "application/*", "*/*"})):
        kinds = {kind.partition(";")[0].strip() for kind in parameters.get(name, JSON).split(",")}
        if not kinds & {*allowed, ""}:
            raise refusal(f"{name}: {parameters[name]} is not {JSON}, which this model takes.")


def read_body(body: bytes, *, max_output_tokens: int) -> InferenceRequest:
    """Read a Messages body.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    asked = read_object(body)
    check_served(asked, _UNSERVED)
    check_faults([*key_faults(asked, _REQUIRED, _ALLOWED), *range_faults(asked)])
    if asked["anthropic_version"] != VERSION:
        version = asked["anthropic_version"]
        raise refusal(f'Invalid API version: {version}. anthropic_version must be "{VERSION}".')
    return build_request(
        asked,
        messages=[
            read_message(message, n, _read_content) for n, message in enumerate(asked["messages"])
        ],
        system=_read_content(asked.get("system") or [], "system", "#/system") or None,
        max_output_tokens=max_output_tokens,
    )


def read_object(body: bytes) -> dict[str, Any]:
    """Read a body's JSON object. Raises ServiceError: ValidationException."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed(f"{error}") from error
    if not isinstance(asked, dict):
        raise malformed(f"#: expected type: JSONObject, found: {type_of(asked)}")
    return asked


def read_further(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read Converse's `additionalModelRequestFields`, which may have top_k."""
    if fields.keys() - {"top_k"}:
        raise refusal("additionalModelRequestFields: the sandbox's stand-in takes top_k only.")
    check_faults(range_faults(fields))
    return dict(fields)


def write_reply(label: str, reply: Reply) -> dict[str, Any]:
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


def write_invocation(document: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Write InvokeModel's result with the document in which the model gives its reply."""
    return {
        "body": _dump(document),
        "contentType": "application/json",
        EXTRA_HEADERS: {
            "x-amzn-bedrock-input-token-count": str(reply.input_tokens),
            "x-amzn-bedrock-output-token-count": str(reply.output_tokens),
            "x-amzn-bedrock-invocation-latency": str(reply.latency_ms),
        },
    }


def stream_invocation(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Write InvokeModelWithResponseStream's events: the model's own, each in a chunk's bytes."""
    for event in events:
        yield {"chunk": {"bytes": _dump(event)}}


def split_reply(text: str) -> list[str]:
    """Split a reply into pieces of about a word, for streaming; joined they are the reply.

    Example: "Where is it?" → ["Where", " is", " it?"].
    """
    return _PIECE.findall(text)


def build_request(
    asked: Mapping[str, Any],
    *,
    messages: list[dict[str, str]],
    system: str | None,
    max_output_tokens: int,
) -> InferenceRequest:
    """Build the request from what was read, after the rules that both formats have."""
    _check_turns(messages)
    if asked["max_tokens"] > max_output_tokens:
        raise refusal(
            f"max_tokens: {asked['max_tokens']} > {max_output_tokens}, "
            "which is the maximum allowed number of output tokens for this model"
        )
    if any(not text.strip() for text in asked.get("stop_sequences", ())):
        raise refusal("stop_sequences: each stop sequence must contain non-whitespace")
    return InferenceRequest(
        system=system,
        messages=messages,
        max_tokens=asked["max_tokens"],
        temperature=float(asked.get("temperature", 1.0)),
        top_p=float(asked.get("top_p", 0.999)),
        top_k=asked.get("top_k"),
        stop_sequences=tuple(asked.get("stop_sequences", ())),
    )


def check_service(latency: str | None, tier: str | None) -> None:
    """Refuse a latency and a service tier that this model does not have."""
    if latency not in (None, "standard"):
        raise refusal(f"performanceConfig: this model has no {latency} latency, only standard.")
    if tier not in (None, "default"):
        raise refusal(f"serviceTier: this model has no {tier} tier, only default.")


def check_served(asked: Mapping[str, Any], unserved: Iterable[str]) -> None:
    """Refuse members that AWS's models take and the stand-in does not."""
    if found := sorted(asked.keys() & unserved):
        raise refusal(f"The sandbox's stand-in takes no {', '.join(found)}: it is text only.")


def check_faults(faults: Iterable[str]) -> None:
    """Refuse a body with these errors in its format."""
    if found := "".join(faults):
        raise malformed(found)


def key_faults(
    asked: Mapping[str, Any], required: Iterable[str], allowed: Collection[str]
) -> list[str]:
    """Find the keys that a body lacks, and those that its format does not have."""
    missing = [f"#: required key [{key}] not found" for key in required if key not in asked]
    unknown = [key for key in asked if key not in allowed]
    return [*missing, *(f"#: extraneous key [{key}] is not permitted" for key in unknown)]


def range_faults(
    asked: Mapping[str, Any], places: Mapping[str, str] | None = None, most_top_k: int = 500
) -> list[str]:
    """Find the errors in the members that are numbers or lists.

    Args:
        asked: The members that are there, by Anthropic's names.
        places: Where the format has a member, if not under that name; for the messages.
        most_top_k: Largest top_k of the model.
    """
    at = {name: f"#/{(places or {}).get(name, name)}" for name in asked}
    ranges = {**_RANGES, "top_k": (0, most_top_k, True)}
    faults = []
    for name in (name for name in ranges if name in asked):
        faults += [f"{at[name]}: {fault}" for fault in _number_faults(asked[name], *ranges[name])]
    for name in ("messages", "stop_sequences"):
        if name in asked and not isinstance(asked[name], list):
            faults.append(f"{at[name]}: expected type: JSONArray, found: {type_of(asked[name])}")
    stops = asked.get("stop_sequences")
    if isinstance(stops, list):
        faults += [
            f"{at['stop_sequences']}/{n}: expected type: String, found: {type_of(text)}"
            for n, text in enumerate(stops)
            if not isinstance(text, str)
        ]
        if len(stops) > MAX_STOP_SEQUENCES:
            faults.append(
                f"{at['stop_sequences']}: expected maximum item count: {MAX_STOP_SEQUENCES}, "
                f"found: {len(stops)}"
            )
    return faults


def join_texts(blocks: Sequence[Mapping[str, Any]], place: str) -> str:
    """Join blocks of text by line breaks; `place` names them in the refusal of any other block."""
    for n, block in enumerate(blocks):
        if "text" not in block:
            raise _not_text(f"{place}.{n}", ", ".join(block))
    return "\n".join(block["text"] for block in blocks)


def malformed(fault: str) -> ServiceError:
    """Return AWS's error for a body that does not fit the format."""
    return refusal(f"Malformed input request: {fault}, please reformat your input and try again.")


def refusal(message: str) -> ServiceError:
    """Return the error for a request that breaks a rule of a format."""
    return validation_error(message)


def _check_turns(messages: Sequence[Mapping[str, str]]) -> None:
    if not messages:
        raise refusal("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise refusal('messages: first message must use the "user" role')
    for before, after in pairwise(messages):
        if before["role"] == after["role"]:
            raise refusal(
                'messages: roles must alternate between "user" and "assistant", but found '
                f'multiple "{after["role"]}" roles in a row'
            )
    for n, message in enumerate(messages):
        if not message["content"].strip():
            raise refusal(f"messages.{n}: text content blocks must contain non-whitespace text")
    last = messages[-1]
    if last["role"] == "assistant" and last["content"] != last["content"].rstrip():
        raise refusal("messages: final assistant content cannot end with trailing whitespace")


def _number_faults(value: Any, low: float, high: float, whole: bool) -> list[str]:
    wanted = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        kind = "Integer" if whole else "Number"
        return [f"expected type: {kind}, found: {type_of(value)}"]
    # Written so that NaN, which Python's JSON reader lets through, fails too.
    if not value >= low:
        return [f"{value} is not greater or equal to {low}"]
    if not value <= high:
        return [f"{value} is not less or equal to {high}"]
    return []


def read_message(
    message: Any, n: int, read_content: Callable[[Any, str, str], str]
) -> dict[str, str]:
    """Read the n-th turn of a body.

    Args:
        message: What the body has there.
        n: Its number, from 0.
        read_content: Reads its content; given the content, its place for a rule's message, and its
            JSON Pointer for the message of a malformed request.
    """
    if not isinstance(message, dict):
        raise malformed(f"#/messages/{n}: expected type: JSONObject, found: {type_of(message)}")
    for key in ("role", "content"):
        if key not in message:
            raise malformed(f"#/messages/{n}: required key [{key}] not found")
    unknown = [key for key in message if key not in ("role", "content")]
    if unknown:
        raise malformed(f"#/messages/{n}: extraneous key [{unknown[0]}] is not permitted")
    if message["role"] not in ("user", "assistant"):
        raise malformed(f"#/messages/{n}/role: {message['role']} is not a valid enum value")
    place, pointer = f"messages.{n}.content", f"#/messages/{n}/content"
    return {"role": message["role"], "content": read_content(message["content"], place, pointer)}


def _read_content(content: Any, place: str, pointer: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise malformed(f"{pointer}: expected type: JSONArray, found: {type_of(content)}")
    return _join_typed(content, place)


def _join_typed(blocks: Sequence[Any], place: str) -> str:
    """Join Anthropic's content blocks, which name their type; only text is allowed."""
    for n, block in enumerate(blocks):
        if not isinstance(block, dict) or "type" not in block:
            raise malformed(f"{place}.{n}: expected an object with a type")
        if block["type"] != "text" or not isinstance(block.get("text"), str):
            raise _not_text(f"{place}.{n}", str(block["type"]))
    return join_texts(blocks, place)


def _not_text(place: str, kind: str) -> ServiceError:
    return refusal(f"{place} is {kind}; the sandbox's stand-in reads text blocks only")


def type_of(value: Any) -> str:
    """Name the type of a JSON value as AWS's messages do."""
    return _TYPES.get(type(value), type(value).__name__)


def events(label: str, reply: Reply) -> Iterator[dict[str, Any]]:
    """Write the events of a stream as Anthropic gives them; the last has Bedrock's metrics."""
    begun = {
        **write_reply(label, reply),
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
    yield {"type": "message_stop", METRICS: write_metrics(reply)}


def write_metrics(reply: Reply) -> dict[str, int]:
    """Write what Bedrock adds to the last event of every model's stream."""
    return {
        "inputTokenCount": reply.input_tokens,
        "outputTokenCount": reply.output_tokens,
        "invocationLatency": reply.latency_ms,
        "firstByteLatency": reply.first_byte_ms,
    }


def _dump(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
