"""Parse and check requests to a model: Anthropic's Messages body and Converse. Pure.

Source: Amazon Bedrock User Guide, model-parameters-anthropic-claude-messages-request-response, and
the error messages of AWS for invalid requests. The stand-in reads only text.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from haikuft.sandbox.http.routing import ServiceError

JSON = "application/json"
VERSION = "bedrock-2023-05-31"
MAX_STOP_SEQUENCES = 8_191

_REQUIRED = ("max_tokens", "messages", "anthropic_version")
_ALLOWED = frozenset(
    {*_REQUIRED, "system", "temperature", "top_p", "top_k", "stop_sequences", "metadata"}
)
_UNSERVED = frozenset({"tools", "tool_choice", "anthropic_beta", "thinking"})
_TYPES = {bool: "Boolean", int: "Integer", float: "Number", str: "String", list: "JSONArray"}
_TYPES |= {dict: "JSONObject", type(None): "Null"}


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


def check_invocation(parameters: Mapping[str, Any]) -> None:
    """Check the parameters of InvokeModel other than its body.

    Raises:
        ServiceError: ValidationException for what the stand-in does not support.
    """
    _check_service(parameters.get("performanceConfigLatency"), parameters.get("serviceTier"))
    if parameters.get("guardrailIdentifier"):
        raise _refusal("The sandbox's stand-in takes no guardrailIdentifier: it has no guardrails.")
    for name, allowed in (("contentType", {JSON}), ("accept", {JSON, "application/*", "*/*"})):
        kinds = {kind.partition(";")[0].strip() for kind in parameters.get(name, JSON).split(",")}
        if not kinds & {*allowed, ""}:
            raise _refusal(f"{name}: {parameters[name]} is not {JSON}, which this model takes.")


def read_body(body: bytes, *, max_output_tokens: int) -> InferenceRequest:
    """Read a Messages body.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"{error}") from error
    if not isinstance(asked, dict):
        raise _malformed(f"#: expected type: JSONObject, found: {_type(asked)}")
    unserved = sorted(_UNSERVED & asked.keys())
    if unserved:
        raise _refusal(f"The sandbox's stand-in takes no {', '.join(unserved)}: it is text only.")
    faults = [f"#: required key [{key}] not found" for key in _REQUIRED if key not in asked]
    unknown = [key for key in asked if key not in _ALLOWED]
    faults += [f"#: extraneous key [{key}] is not permitted" for key in unknown]
    faults += _range_faults(asked)
    if faults:
        raise _malformed("".join(faults))
    if asked["anthropic_version"] != VERSION:
        version = asked["anthropic_version"]
        raise _refusal(f'Invalid API version: {version}. anthropic_version must be "{VERSION}".')
    return _build(
        asked,
        messages=[_read_message(message, n) for n, message in enumerate(asked["messages"])],
        system=_read_system(asked.get("system")),
        max_output_tokens=max_output_tokens,
    )


def read_converse(parameters: Mapping[str, Any], *, max_output_tokens: int) -> InferenceRequest:
    """Read Converse's parameters; those left out take the model's defaults.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    unserved = {"toolConfig", "guardrailConfig", "promptVariables", "outputConfig"}
    found = sorted(unserved & parameters.keys())
    if found:
        raise _refusal(f"The sandbox's stand-in takes no {', '.join(found)}: it is text only.")
    latency = parameters.get("performanceConfig", {}).get("latency")
    _check_service(latency, parameters.get("serviceTier", {}).get("type"))
    config = parameters.get("inferenceConfig", {})
    further = parameters.get("additionalModelRequestFields") or {}
    names = {"temperature": "temperature", "topP": "top_p", "stopSequences": "stop_sequences"}
    asked = {ours: config[theirs] for theirs, ours in names.items() if theirs in config}
    asked["max_tokens"] = config.get("maxTokens", max_output_tokens)
    if not isinstance(further, dict) or further.keys() - {"top_k"}:
        raise _refusal("additionalModelRequestFields: the sandbox's stand-in takes top_k only.")
    asked |= further
    if faults := _range_faults(asked):
        raise _malformed("".join(faults))
    turns = parameters.get("messages", [])
    if not turns or turns[0]["role"] != "user":
        raise _refusal(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    if any(a["role"] == b["role"] for a, b in pairwise(turns)):
        raise _refusal(
            "A conversation must alternate between user and assistant roles. "
            "Make sure the conversation alternates between user and assistant roles and try again."
        )
    system = parameters.get("system")
    return _build(
        asked,
        messages=[
            {"role": turn["role"], "content": _join(turn["content"], f"messages.{n}.content")}
            for n, turn in enumerate(turns)
        ],
        system=_join(system, "system") if system else None,
        max_output_tokens=max_output_tokens,
    )


def _check_service(latency: str | None, tier: str | None) -> None:
    if latency not in (None, "standard"):
        raise _refusal(f"performanceConfig: this model has no {latency} latency, only standard.")
    if tier not in (None, "default"):
        raise _refusal(f"serviceTier: this model has no {tier} tier, only default.")


def _build(
    asked: Mapping[str, Any],
    *,
    messages: list[dict[str, str]],
    system: str | None,
    max_output_tokens: int,
) -> InferenceRequest:
    _check_turns(messages)
    if asked["max_tokens"] > max_output_tokens:
        raise _refusal(
            f"max_tokens: {asked['max_tokens']} > {max_output_tokens}, "
            "which is the maximum allowed number of output tokens for this model"
        )
    if any(not text.strip() for text in asked.get("stop_sequences", ())):
        raise _refusal("stop_sequences: each stop sequence must contain non-whitespace")
    return InferenceRequest(
        system=system,
        messages=messages,
        max_tokens=asked["max_tokens"],
        temperature=float(asked.get("temperature", 1.0)),
        top_p=float(asked.get("top_p", 0.999)),
        top_k=asked.get("top_k"),
        stop_sequences=tuple(asked.get("stop_sequences", ())),
    )


def _check_turns(messages: Sequence[Mapping[str, str]]) -> None:
    if not messages:
        raise _refusal("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise _refusal('messages: first message must use the "user" role')
    for before, after in pairwise(messages):
        if before["role"] == after["role"]:
            raise _refusal(
                'messages: roles must alternate between "user" and "assistant", but found '
                f'multiple "{after["role"]}" roles in a row'
            )
    for n, message in enumerate(messages):
        if not message["content"].strip():
            raise _refusal(f"messages.{n}: text content blocks must contain non-whitespace text")
    last = messages[-1]
    if last["role"] == "assistant" and last["content"] != last["content"].rstrip():
        raise _refusal("messages: final assistant content cannot end with trailing whitespace")


def _range_faults(asked: Mapping[str, Any]) -> list[str]:
    """Find the errors in the members that are numbers or lists."""
    faults = [
        *_number_faults(asked, "max_tokens", 1, math.inf, whole=True),
        *_number_faults(asked, "temperature", 0, 1),
        *_number_faults(asked, "top_p", 0, 1),
        *_number_faults(asked, "top_k", 0, 500, whole=True),
    ]
    for name in ("messages", "stop_sequences"):
        value = asked.get(name, [])
        if not isinstance(value, list):
            faults.append(f"#/{name}: expected type: JSONArray, found: {_type(value)}")
    stops = asked.get("stop_sequences", [])
    if isinstance(stops, list):
        faults += [
            f"#/stop_sequences/{n}: expected type: String, found: {_type(text)}"
            for n, text in enumerate(stops)
            if not isinstance(text, str)
        ]
        if len(stops) > MAX_STOP_SEQUENCES:
            faults.append(
                f"#/stop_sequences: expected maximum item count: {MAX_STOP_SEQUENCES}, "
                f"found: {len(stops)}"
            )
    return faults


def _number_faults(
    asked: Mapping[str, Any], name: str, low: float, high: float, *, whole: bool = False
) -> list[str]:
    if name not in asked:
        return []
    value = asked[name]
    wanted = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        kind = "Integer" if whole else "Number"
        return [f"#/{name}: expected type: {kind}, found: {_type(value)}"]
    # Written so that NaN, which Python's JSON reader lets through, fails too.
    if not value >= low:
        return [f"#/{name}: {value} is not greater or equal to {low}"]
    if not value <= high:
        return [f"#/{name}: {value} is not less or equal to {high}"]
    return []


def _read_message(message: Any, n: int) -> dict[str, str]:
    if not isinstance(message, dict):
        raise _malformed(f"#/messages/{n}: expected type: JSONObject, found: {_type(message)}")
    for key in ("role", "content"):
        if key not in message:
            raise _malformed(f"#/messages/{n}: required key [{key}] not found")
    unknown = [key for key in message if key not in ("role", "content")]
    if unknown:
        raise _malformed(f"#/messages/{n}: extraneous key [{unknown[0]}] is not permitted")
    if message["role"] not in ("user", "assistant"):
        raise _malformed(f"#/messages/{n}/role: {message['role']} is not a valid enum value")
    content = message["content"]
    if isinstance(content, str):
        return {"role": message["role"], "content": content}
    if not isinstance(content, list):
        raise _malformed(
            f"#/messages/{n}/content: expected type: JSONArray, found: {_type(content)}"
        )
    return {"role": message["role"], "content": _join_typed(content, f"messages.{n}.content")}


def _read_system(system: Any) -> str | None:
    if system is None or isinstance(system, str):
        return system or None
    if not isinstance(system, list):
        raise _malformed(f"#/system: expected type: JSONArray, found: {_type(system)}")
    return _join_typed(system, "system") or None


def _join_typed(blocks: Sequence[Any], place: str) -> str:
    """Join Anthropic's content blocks, which name their type; only text is allowed."""
    for n, block in enumerate(blocks):
        if not isinstance(block, dict) or "type" not in block:
            raise _malformed(f"{place}.{n}: expected an object with a type")
        if block["type"] != "text" or not isinstance(block.get("text"), str):
            raise _not_text(f"{place}.{n}", str(block["type"]))
    return _join(blocks, place)


def _join(blocks: Sequence[Mapping[str, Any]], place: str) -> str:
    for n, block in enumerate(blocks):
        if "text" not in block:
            raise _not_text(f"{place}.{n}", ", ".join(block))
    return "\n".join(block["text"] for block in blocks)


def _not_text(place: str, kind: str) -> ServiceError:
    return _refusal(f"{place} is {kind}; the sandbox's stand-in reads text blocks only")


def _type(value: Any) -> str:
    return _TYPES.get(type(value), type(value).__name__)


def _malformed(fault: str) -> ServiceError:
    return _refusal(f"Malformed input request: {fault}, please reformat your input and try again.")


def _refusal(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
