"""Requests to a model and its responses, in both of Bedrock's shapes. Pure.

"converse" is one shape for every family of models (Bedrock Runtime API, Converse). "messages" is
Anthropic's own body for InvokeModel (Bedrock User Guide, "Anthropic Claude Messages API").
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

from haikuft.errors import SettingsError

ANTHROPIC_VERSION = "bedrock-2023-05-31"  # the only value the service takes
MAX_TOKENS = 1024
APIS = ("converse", "messages")

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)  # what reading a response raises

Messages = Sequence[Mapping[str, str]]


class Sampling(TypedDict, total=False):
    """Sampling parameters; `build_request` has their meanings and defaults."""

    max_tokens: int
    temperature: float


class Answer(NamedTuple):
    """What a response says.

    Attributes:
        text: All of its text, without reasoning content.
        stop_reason: AWS's word.
        model: The name in the response; "" where there is none.
    """

    text: str
    stop_reason: str
    input_tokens: int
    output_tokens: int
    model: str


def build_request(
    messages: Messages, *, system: str | None = None, **sampling: Unpack[Sampling]
) -> dict[str, Any]:
    """Build the parameters of Converse without the model's id.

    ConverseStream takes the same.

    Args:
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt.
        sampling: max_tokens: most tokens the reply may have, 1024. temperature: 0 (the likeliest
            words, the default) to 1.

    Raises:
        SettingsError: max_tokens is below 1.
    """
    chosen = _choose(sampling)
    request: dict[str, Any] = {
        "messages": [
            {"role": turn["role"], "content": [{"text": turn["content"]}]} for turn in messages
        ],
        "inferenceConfig": {
            "maxTokens": chosen["max_tokens"],
            "temperature": chosen["temperature"],
        },
        # Claude and the stand-in give their name there; other models ignore it.
        "additionalModelResponseFieldPaths": ["/model"],
    }
    if system:
        request["system"] = [{"text": system}]
    return request


def build_body(
    messages: Messages, *, system: str | None = None, **sampling: Unpack[Sampling]
) -> dict[str, Any]:
    """Build the Messages body for InvokeModel, from the same as `build_request`.

    InvokeModelWithResponseStream takes the same.

    Raises:
        SettingsError: max_tokens is below 1.
    """
    body: dict[str, Any] = {"anthropic_version": ANTHROPIC_VERSION, **_choose(sampling)}
    if system:
        body["system"] = system
    return body | {"messages": [dict(message) for message in messages]}


def name_settings(**sampling: Unpack[Sampling]) -> str:
    """Write all settings of a request as JSON, without the record and the model.

    The API is not among them: both ask the same model the same question.
    """
    return json.dumps(_choose(sampling))


def read_response(response: Mapping[str, Any]) -> Answer:
    """Read Converse's response.

    One that a guardrail or a content filter stopped may have no message: its text is "".

    Raises:
        UNREADABLE: it is not such a response.
    """
    usage = response["usage"]
    further = response.get("additionalModelResponseFields") or {}
    blocks = ((response.get("output") or {}).get("message") or {}).get("content") or ()
    return Answer(
        text="".join(block["text"] for block in blocks if "text" in block),
        stop_reason=_read_reason(response["stopReason"]),
        input_tokens=int(usage["inputTokens"]),
        output_tokens=int(usage["outputTokens"]),
        model=str(further.get("model") or ""),
    )


def read_message(body: bytes) -> Answer:
    """Read the body that InvokeModel answers a Messages body with; its content may be empty.

    Raises:
        UNREADABLE: it is not such a response.
    """
    message = json.loads(body)
    usage = message["usage"]
    return Answer(
        text="".join(
            block["text"] for block in message["content"] or () if block["type"] == "text"
        ),
        stop_reason=_read_reason(message["stop_reason"]),
        input_tokens=int(usage["input_tokens"]),
        output_tokens=int(usage["output_tokens"]),
        model=str(message.get("model") or ""),
    )


def _read_reason(reason: object) -> str:
    if not isinstance(reason, str):
        raise TypeError(f"the stop reason is {reason!r}")
    return reason


def _choose(sampling: Sampling) -> dict[str, Any]:
    """Fill in the defaults."""
    max_tokens = sampling.get("max_tokens", MAX_TOKENS)
    if max_tokens < 1:
        raise SettingsError(f"max_tokens: {max_tokens} is too few. Allow at least 1.")
    return {"max_tokens": max_tokens, "temperature": sampling.get("temperature", 0.0)}
