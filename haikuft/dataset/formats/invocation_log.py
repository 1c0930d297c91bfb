"""Model invocation logs of Amazon Bedrock: the request and the reply of one invocation.

{"schemaType": "ModelInvocationLog", "input": {"inputBodyJson"}, "output": {"outputBodyJson"}, …}.
Bodies are those of Converse, or of InvokeModel for Anthropic's and Amazon's own models; a streamed
reply is a message or the list of its events. Settings of the request, and what the log says of who
invoked which model and when, are left out. Bodies over 100 KB are objects of their own in S3.

Source: Amazon Bedrock User Guide, model-invocation-logging.
"""

from collections.abc import Mapping
from typing import Any

from haikuft.dataset import content
from haikuft.dataset.format import NO_REPLY, Converted, Format
from haikuft.dataset.formats.anthropic import CHAT
from haikuft.dataset.problems import Finding, join_place, quotable

_REQUEST, _REPLY = "input.inputBodyJson", "output.outputBodyJson"
_ENDS = ("end_turn", "stop_sequence")  # of a reply that the model itself has ended
_DELTA_KEYS = ("type", "text", "stop_reason", "stop_sequence")


def _read(example: Mapping[str, Any]) -> Converted:
    if error := example.get("errorCode"):
        raise _no_reply("errorCode", f"the invocation failed ({quotable(str(error))})")
    request, reply = _take_body(example, "input"), _take_body(example, "output")
    if not isinstance(request, dict) or "messages" not in request:
        raise _no_reply(_REQUEST, 'the request has no "messages"')
    content.check_keys(request, _REQUEST, ("system", "messages", *content.SETTINGS))
    system = content.read_system(request, "system", content.take_text_or_blocks, _REQUEST)
    turns = CHAT.read_turns(request["messages"], f"{_REQUEST}.messages")
    return content.build_record([*system, *turns, _read_reply(reply)])


def _take_body(example: Mapping[str, Any], side: str) -> Any:
    """Give the body of a request or reply; `side` is "input" or "output"."""
    body = _get(example, side, f"{side}BodyJson")
    if body is None:
        path = _get(example, side, f"{side}BodyS3Path")
        where = f"in S3 ({quotable(str(path))}) and not in the log" if path else "not in the log"
        raise _no_reply(f"{side}.{side}BodyJson", f"the body is {where}")
    return body


def _read_reply(body: Any) -> content.Text:
    """Read the reply of Converse, of Anthropic's Messages API, or the events of a stream."""
    place, message = _REPLY, body
    if isinstance(body, list):
        message, stop = _join_events(body)
    else:
        stop = _get(body, "stopReason") or _get(body, "stop_reason")
        if output := _get(body, "output"):
            place, message = f"{_REPLY}.output.message", _get(output, "message")
    if stop not in _ENDS:
        raise _no_reply(_REPLY, f"the model did not end its reply ({quotable(str(stop))})")
    texts = {key: _get(message, key) for key in ("role", "content")}
    return CHAT.read_turn(texts, place)


def _join_events(events: list[Any]) -> tuple[dict[str, Any], Any]:
    """Join the texts of a stream's events to a turn, with the reason why it stopped."""
    texts, stop = [], None
    for number, event in enumerate(events):
        delta = _get(event, "delta") or _get(event, "contentBlockDelta", "delta")
        if isinstance(delta, dict):
            content.check_keys(delta, join_place(_REPLY, number), _DELTA_KEYS)
            texts.append(str(delta.get("text") or ""))
        stop = _get(delta, "stop_reason") or _get(event, "messageStop", "stopReason") or stop
    return {"role": "assistant", "content": "".join(texts)}, stop


def _get(value: Any, *keys: str) -> Any:
    """Follow keys into nested objects; None where one is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _no_reply(place: str, message: str) -> content.UnsupportedContent:
    fix = "Leave the entry out, or let `haikuft convert` do so with --repair."
    return content.UnsupportedContent(Finding(NO_REPLY, place, message, fix))


FORMAT = Format(
    recognise=lambda example: example.get("schemaType") == "ModelInvocationLog", read=_read
)
