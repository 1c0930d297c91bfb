"""Streamed responses: AWS's event stream, a frame for each event, written by moto's encoder.

Bedrock's events have no member in a header and none that is the whole payload, so a frame holds
text headers and a JSON object. Source: Smithy, Amazon event stream specification
(https://smithy.io/2.0/aws/amazon-eventstream.html); the limit of a header as botocore's decoder
has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from botocore.model import OperationModel
from moto.core.eventstream import EventStreamEncoder

from haikuft.sandbox.http.messages import Response, ServiceError, report_failure
from haikuft.sandbox.http.rest_json import check_members, dump_json, serialize

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_MAX_VALUE = 32_767  # bytes of one header's value
_EVENTS_BEFORE_FAULT = 2
_encode = EventStreamEncoder().encode_message

Event = Mapping[str, Mapping[str, Any]]
"""One event by botocore's names, such as {"chunk": {"bytes": b"…"}}."""

_Shape = Any  # botocore's shapes; which attributes one has depends on its type_name


def serialize_stream(
    model: OperationModel, result: Mapping[str, Any], request_id: str, *, cut: bool = False
) -> Response:
    """Serialize a handler's result whose payload is an iterable of events.

    With `cut` the connection is closed after the first of them.
    Raises ValueError when the result does not fit the model: a programming error in the handler.
    """
    shape: _Shape = model.output_shape
    name, stream = shape.serialization["payload"], model.get_event_stream_output()
    events = result[name]
    if cut:
        events = break_off(events, ConnectionResetError("cut by a fault"))
    answer = serialize(model, {**result, name: {}}, request_id)
    headers = answer.headers | {"Content-Type": CONTENT_TYPE}
    return replace(answer, headers=headers, body=b"", frames=encode_events(stream, events))


def encode_events(stream: _Shape, events: Iterable[Event]) -> Iterator[bytes]:
    """Write events as frames, each as soon as it is there.

    A failure after the first frame can no longer change the HTTP status: it becomes a last frame.
    A ConnectionError is raised again, so that the HTTP server closes the connection.

    Args:
        stream: The event stream's shape, as `OperationModel.get_event_stream_output` gives it.
        events: The events to send; may raise ServiceError.
    """
    try:
        for event in events:
            yield encode_event(stream, event)
    except ServiceError as error:
        yield encode_error(stream, error)
    except ConnectionError:
        raise
    except Exception as error:
        message = report_failure(error)
        yield encode_error(stream, ServiceError("InternalServerException", message))


def encode_event(stream: _Shape, event: Event) -> bytes:
    """Write one event: its members as the JSON that AWS's model shapes.

    Raises ValueError when the event does not fit the model: a programming error in the handler.
    """
    [(name, members)] = event.items()
    shape = stream.members.get(name)
    if shape is None or not shape.serialization.get("event"):
        raise ValueError(f"{stream.name} has no event {name}.")
    check_members(name, shape, members)
    return _encode_message("event", name, members)


def encode_error(stream: _Shape, error: ServiceError) -> bytes:
    """Write an error: as an exception of the stream's model, or else by its code."""
    name = error.code[:1].lower() + error.code[1:]
    if name in stream.members:
        return _encode_message("exception", name, {"message": error.message, **error.members})
    message = error.message.encode()[:_MAX_VALUE].decode(errors="ignore")
    headers = {":error-code": error.code, ":error-message": message, ":message-type": "error"}
    return _encode(headers, b"")


def _encode_message(kind: str, name: str, members: Mapping[str, Any]) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return _encode(headers, dump_json(members))


def break_off(events: Iterable[Event], error: Exception) -> Iterator[Event]:
    """Yield the first events, then fail in the middle of the stream.

    A ServiceError becomes the last frame; a ConnectionError closes the connection.
    """
    yield from islice(events, _EVENTS_BEFORE_FAULT)
    raise error
