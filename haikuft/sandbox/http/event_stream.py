"""Answers that come in pieces: AWS's event stream, a frame for each event.

A frame is: length of all, length of the headers, CRC-32 of these two; the headers; the payload;
CRC-32 of everything before it. Numbers are big-endian. A header is: length of its name, name,
number of its type, value. Sources: Smithy, Amazon event stream specification
(https://smithy.io/2.0/aws/amazon-eventstream.html); limits as botocore's decoder has them.
botocore only decodes such frames; its decoder tests this encoder.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID
from zlib import crc32

from botocore.model import OperationModel
from botocore.validate import ParamValidator

from haikuft.sandbox.http.responses import Response
from haikuft.sandbox.http.rest_json import serialize, to_json
from haikuft.sandbox.http.routing import ServiceError, report_failure

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_HEADERS = 128 * 1024  # bytes of all headers of a frame
MAX_PAYLOAD = 24 * 1024 * 1024
_MAX_VALUE = 32_767  # bytes of one header's value

HeaderValue = bool | int | bytes | str | datetime | UUID
Event = Mapping[str, Mapping[str, Any]]
"""One event by botocore's names, such as {"chunk": {"bytes": b"…"}}."""

_Shape = Any  # botocore's shapes; which attributes one has depends on its type_name


def serialize_stream(model: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
    """Turn a handler's result whose payload is an iterable of events into the HTTP response.

    Raises ValueError when the result does not fit the model: a mistake in the handler.
    """
    name, stream = _payload_name(model), model.get_event_stream_output()
    answer = serialize(model, {**result, name: {}}, request_id)
    headers = answer.headers | {"Content-Type": CONTENT_TYPE}
    return replace(answer, headers=headers, body=b"", frames=encode_events(stream, result[name]))


def encode_frame(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """Write one frame.

    Whole numbers become 32-bit ones where they fit, else 64-bit ones; times count milliseconds.
    Raises ValueError for a header or payload that no frame can hold.
    """
    head = b"".join(_header(name, value) for name, value in headers.items())
    if len(head) > MAX_HEADERS or len(payload) > MAX_PAYLOAD:
        raise ValueError(
            f"A frame holds {MAX_HEADERS} bytes of headers and {MAX_PAYLOAD} of payload, "
            f"not {len(head)} and {len(payload)}."
        )
    lengths = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    frame = b"".join((lengths, struct.pack("!I", crc32(lengths)), head, payload))
    return frame + struct.pack("!I", crc32(frame))


def encode_events(stream: _Shape, events: Iterable[Event]) -> Iterator[bytes]:
    """Write events as frames, each as soon as it is there.

    A failure after the first frame can no longer change the HTTP status: it becomes a last frame.
    A ConnectionError is let through, so that whoever serves the frames cuts the connection.

    Args:
        stream: The event stream's shape, as `OperationModel.get_event_stream_output` gives it.
        events: What goes out; may raise ServiceError.
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
    """Write one event as AWS's model shapes it: members in headers, in the payload, or its JSON.

    Raises ValueError when the event does not fit the model: a mistake of whoever made it.
    """
    [(name, members)] = event.items()
    shape = stream.members.get(name)
    if shape is None or not shape.serialization.get("event"):
        raise ValueError(f"{stream.name} has no event {name}.")
    report = ParamValidator().validate(dict(members), shape)
    if report.has_errors():
        raise ValueError(f"{name} does not fit. {report.generate_report()}")
    headers: dict[str, HeaderValue] = {":event-type": name, ":message-type": "event"}
    in_body: dict[str, Any] = {}
    for key, value in members.items():
        member = shape.members[key]
        if member.serialization.get("eventheader"):
            headers[key] = value
        elif member.serialization.get("eventpayload"):
            kind, payload = _payload(member, value)
            return encode_frame({**headers, ":content-type": kind}, payload)
        else:
            in_body[member.serialization.get("name", key)] = to_json(member, value)
    return encode_frame({**headers, ":content-type": "application/json"}, _dump(in_body))


def encode_error(stream: _Shape, error: ServiceError) -> bytes:
    """Write a failure: an exception where the stream's model has it, else an error by its code."""
    name = error.code[:1].lower() + error.code[1:]
    if name in stream.members:
        headers = {
            ":exception-type": name,
            ":content-type": "application/json",
            ":message-type": "exception",
        }
        return encode_frame(headers, _dump({"message": error.message, **error.members}))
    message = error.message.encode()[:_MAX_VALUE].decode(errors="ignore")
    headers = {":error-code": error.code, ":error-message": message, ":message-type": "error"}
    return encode_frame(headers, b"")


def break_stream(
    model: OperationModel, result: Mapping[str, Any], *, after_events: int, error: Exception
) -> dict[str, Any]:
    """Let so many events of a handler's result through, then fail in the middle of the answer.

    Args:
        model: The operation, one that answers with an event stream.
        result: What its handler gave.
        after_events: How many events go out before.
        error: A ServiceError becomes the last frame; a ConnectionError cuts the connection.
    """
    name = _payload_name(model)

    def broken() -> Iterator[Event]:
        yield from islice(result[name], after_events)
        raise error

    return {**result, name: broken()}


def _payload_name(model: OperationModel) -> str:
    shape: _Shape = model.output_shape
    return str(shape.serialization["payload"])


def _header(name: str, value: HeaderValue) -> bytes:
    encoded = name.encode()
    if not 1 <= len(encoded) <= 255:
        raise ValueError(f"A header's name has 1 to 255 bytes: {name!r} has {len(encoded)}.")
    return struct.pack("!B", len(encoded)) + encoded + _typed(name, value)


def _typed(name: str, value: HeaderValue) -> bytes:
    """Write the number of a value's type and the value."""
    if isinstance(value, bool):
        return b"\x00" if value else b"\x01"
    if isinstance(value, int):
        small = -(2**31) <= value < 2**31
        return struct.pack("!Bi", 4, value) if small else struct.pack("!Bq", 5, value)
    if isinstance(value, datetime):
        return struct.pack("!Bq", 8, round(value.timestamp() * 1000))
    if isinstance(value, UUID):
        return b"\x09" + value.bytes
    kind, data = (6, value) if isinstance(value, bytes) else (7, value.encode())
    if len(data) > _MAX_VALUE:
        raise ValueError(f"Header {name} has {len(data)} bytes; {_MAX_VALUE} are allowed.")
    return struct.pack("!BH", kind, len(data)) + data


def _payload(shape: _Shape, value: Any) -> tuple[str, bytes]:
    """Return the content type and bytes of a member that is the whole payload."""
    if shape.type_name == "blob":
        return "application/octet-stream", bytes(value)
    if shape.type_name == "string":
        return "text/plain", value.encode()
    return "application/json", _dump(to_json(shape, value))


def _dump(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
