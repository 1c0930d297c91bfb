"""Converse: read and check its parameters, and write its response or its events. Pure.

Sources: botocore's service model of the runtime, and AWS's error messages for invalid requests. For
a block of text ConverseStream sends no contentBlockStart: its model has none for text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from haikuft.sandbox.bedrock.records import present
from haikuft.sandbox.runtime import messages
from haikuft.sandbox.runtime.messages import InferenceRequest, Reply, refusal

# Our name -> that in inferenceConfig; Amazon Nova's bodies have the same, and topK.
NAMES = {
    "max_tokens": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop_sequences": "stopSequences",
}
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")  # RFC 6901, the empty one left out


def read_converse(
    parameters: Mapping[str, Any],
    *,
    max_output_tokens: int,
    read_further: Callable[[Mapping[str, Any]], dict[str, Any]] = messages.read_further,
) -> InferenceRequest:
    """Read Converse's parameters; those left out take the model's defaults.

    Args:
        parameters: The parameters of the request.
        max_output_tokens: The longest reply of the model.
        read_further: Reads `additionalModelRequestFields` in the model's own format.

    Raises:
        ServiceError: ValidationException with AWS's message for the first error.
    """
    unserved = ("toolConfig", "guardrailConfig", "promptVariables", "outputConfig")
    messages.check_served(parameters, unserved)
    latency = parameters.get("performanceConfig", {}).get("latency")
    messages.check_service(latency, parameters.get("serviceTier", {}).get("type"))
    further = parameters.get("additionalModelRequestFields") or {}
    if not isinstance(further, dict):
        raise refusal("additionalModelRequestFields: this is an object of names and values.")
    config = read_config(parameters.get("inferenceConfig", {}))
    asked = {"max_tokens": max_output_tokens, **read_further(further), **config}
    messages.check_members(asked)
    turns = parameters.get("messages", [])
    if not turns or turns[0]["role"] != "user":
        raise refusal(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    if any(a["role"] == b["role"] for a, b in pairwise(turns)):
        raise refusal(
            "A conversation must alternate between user and assistant roles. "
            "Make sure the conversation alternates between user and assistant roles and try again."
        )
    return messages.build_request(
        asked, turns, parameters.get("system"), messages.join_texts, max_output_tokens
    )


def read_config(config: Mapping[str, Any], names: Mapping[str, str] = NAMES) -> dict[str, Any]:
    """Read the parameters of an inferenceConfig by our names."""
    return {ours: config[name] for ours, name in names.items() if name in config}


def write_conversation(
    label: str, reply: Reply, *, field_paths: Sequence[str] = ()
) -> dict[str, Any]:
    """Write Converse's result.

    Raises ServiceError: ValidationException for a path that is no JSON Pointer.
    """
    tokens = {"inputTokens": reply.input_tokens, "outputTokens": reply.output_tokens}
    return present(
        output={"message": {"role": "assistant", "content": [{"text": reply.text}]}},
        stopReason=reply.stop_reason,
        usage={**tokens, "totalTokens": reply.input_tokens + reply.output_tokens},
        metrics={"latencyMs": reply.latency_ms},
        additionalModelResponseFields=_pick(messages.write_reply(label, reply), field_paths)
        or None,
    )


def stream_conversation(
    label: str, reply: Reply, *, field_paths: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Write ConverseStream's events.

    Raises ServiceError: ValidationException for a path that is no JSON Pointer.
    """
    whole = write_conversation(label, reply, field_paths=field_paths)
    deltas = [{"delta": {"text": piece}} for piece in messages.split_reply(reply.text)]
    ending = ("stopReason", "additionalModelResponseFields")
    return [
        {"messageStart": {"role": "assistant"}},
        *({"contentBlockDelta": {**delta, "contentBlockIndex": 0}} for delta in deltas),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"messageStop": {name: whole[name] for name in ending if name in whole}},
        {"metadata": {"usage": whole["usage"], "metrics": whole["metrics"]}},
    ]


def _pick(message: Mapping[str, Any], pointers: Sequence[str]) -> dict[str, Any]:
    """Choose a reply's fields by JSON Pointers; those without a value are left out."""
    picked: dict[str, Any] = {}
    for pointer in pointers:
        if not _POINTER.fullmatch(pointer):
            raise refusal(
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
