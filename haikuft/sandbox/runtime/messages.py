"""Anthropic's Messages format, as InvokeModel takes and returns it: read, check and write. Pure.

Sources: Amazon Bedrock User Guide, model-parameters-anthropic-claude-messages-request-response, and
the error messages of AWS for invalid requests; Anthropic's Messages API and the events of its
streaming as Bedrock wraps them, where the last one carries `amazon-bedrock-invocationMetrics`. The
stand-in reads only text.
"""

import json
import math
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from haikuft.package_data import read_toml
from haikuft.sandbox.http.messages import EXTRA_HEADERS, ServiceError, validation_error

JSON = "application/json"
VERSION = "bedrock-2023-05-31"
METRICS = "amazon-bedrock-invocationMetrics"
SCHEMAS = read_toml("haikuft.sandbox.runtime", "formats.toml")

_SCHEMA = SCHEMAS["messages"]
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
    check_format(asked, _SCHEMA)
    if asked["anthropic_version"] != VERSION:
        version = asked["anthropic_version"]
        raise refusal(f'Invalid API version: {version}. anthropic_version must be "{VERSION}".')
    return build_request(
        asked, asked["messages"], asked.get("system"), _read_content, max_output_tokens
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
    check_members(fields)
    return dict(fields)


def write_reply(label: str, reply: Reply) -> dict[str, Any]:
    """Write the reply as Anthropic's Messages API gives it; `label` is its `model`."""
    return {
        "id": f"msg_bdrk_{random.randbytes(12).hex()}",  # noqa: S311 - no secret hangs on it
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
    turns: Sequence[Mapping[str, Any]],
    system: Any,
    read_content: Callable[[Any, str], str],
    max_output_tokens: int,
) -> InferenceRequest:
    """Build the request from what was asked, after the rules that all formats have.

    Args:
        asked: The parameters of inference, by Anthropic's names.
        turns: The conversation, each turn with its role and content.
        system: The system prompt, as the content of a turn; None or empty without one.
        read_content: Reads a content's text, given its place for the message of a rule.
        max_output_tokens: The longest reply of the model.

    Raises:
        ServiceError: ValidationException with AWS's message for the first rule that is broken.
    """
    messages = [
        {"role": turn["role"], "content": read_content(turn["content"], f"messages.{n}.content")}
        for n, turn in enumerate(turns)
    ]
    system = read_content(system or [], "system") or None
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


def check_members(asked: Mapping[str, Any]) -> None:
    """Check the members that are there, by Anthropic's names, none of which is required."""
    check_format(asked, {"properties": _SCHEMA["properties"]})


def check_format(asked: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check a body against a schema of `formats.toml`.

    Raises:
        ServiceError: ValidationException with AWS's messages for all errors, in order.
    """
    if found := "".join(_find_faults(asked, schema, "#")):
        raise malformed(found)


def _find_faults(value: Any, schema: Mapping[str, Any], pointer: str) -> Iterator[str]:
    """Find what a value violates in its schema; `pointer` is its JSON Pointer."""
    types = schema.get("type", ())
    if types and type_of(value) not in types:
        yield f"{pointer}: expected type: {types[0]}, found: {type_of(value)}"
    elif value not in schema.get("enum", (value,)):
        yield f"{pointer}: {value} is not a valid enum value"
    # Written so that NaN, which Python's JSON reader lets through, fails too.
    elif "minimum" in schema and not value >= schema["minimum"]:
        yield f"{pointer}: {value} is not greater or equal to {schema['minimum']}"
    elif "maximum" in schema and not value <= schema["maximum"]:
        yield f"{pointer}: {value} is not less or equal to {schema['maximum']}"
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _find_faults(item, schema.get("items", {}), f"{pointer}/{n}")
        if len(value) > (most := schema.get("maxItems", math.inf)):
            yield f"{pointer}: expected maximum item count: {most}, found: {len(value)}"
    elif isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for key in schema.get("required", ()):
            if key not in value:
                yield f"{pointer}: required key [{key}] not found"
        for key in value:
            if known.get(key, other) is False:
                yield f"{pointer}: extraneous key [{key}] is not permitted"
        for key in known:
            if key in value and known[key] is not False:
                yield from _find_faults(value[key], known[key], f"{pointer}/{key}")


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


def _read_content(content: Any, place: str) -> str:
    """Read a text, or join content blocks, which name their type; only text is allowed."""
    if isinstance(content, str):
        return content
    for n, block in enumerate(content):
        if not isinstance(block, dict) or "type" not in block:
            raise malformed(f"{place}.{n}: expected an object with a type")
        if block["type"] != "text" or not isinstance(block.get("text"), str):
            raise _not_text(f"{place}.{n}", str(block["type"]))
    return join_texts(content, place)


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
    return json.dumps(document, ensure_ascii=False).encode(errors="replace")  # as `dump_json` does
