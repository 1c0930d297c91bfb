"""The rest-json protocol: parse requests to parameters, and serialize results to responses.

Source: the Smithy specification of AWS rest-json
(https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html). Shapes, status codes and
header names come from botocore's service models.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel
from botocore.validate import ParamValidator

from haikuft.sandbox.http.messages import Response
from haikuft.sandbox.http.routing import EXTRA_HEADERS, ServiceError, load_service

_Shape = Any  # botocore's shapes; which attributes one has depends on its type_name

_LAST_SECOND = 32_503_680_000  # since 1970, at the end of the year 2999

_STATUS_BY_CODE = {  # errors that any AWS service gives and no service model lists
    "AccessDeniedException": 403,
    "InternalServerException": 500,
    "RequestEntityTooLargeException": 413,
    "UnknownOperationException": 404,
}
_JSON_NAMES = {
    bool: "TRUE_VALUE",
    str: "STRING_VALUE",
    list: "START_ARRAY",
    dict: "START_OBJECT",
    type(None): "VALUE_NULL",
}


def parse(
    model: OperationModel,
    *,
    labels: Mapping[str, str],
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """Parse a request to parameters by botocore's member names.

    Members that AWS's model does not have are ignored, as AWS does. Raises ServiceError
    (SerializationException) when a part has the wrong type.
    """
    shape = model.input_shape
    if shape is None:
        return {}
    pairs = parse_qsl(query, keep_blank_values=True)
    folded = {name.lower(): value for name, value in headers.items()}
    payload = shape.serialization.get("payload")
    in_body = {} if payload else _load_object(body)
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if name == payload:
            value = _parse_payload(member, body)
        elif location == "uri":
            value = _from_text(member, labels[wire])
        elif location == "querystring":
            value = _from_query(member, [text for key, text in pairs if key == wire])
        elif location == "header":
            text = folded.get(wire.lower())
            value = None if text is None else _from_text(member, text)
        else:
            value = _from_json(member, in_body.get(wire))
        if value is not None:
            parameters[name] = value
    return parameters


def serialize(model: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
    """Serialize a handler's result as AWS's model of the operation says.

    Raises ValueError when the result does not fit the model: a programming error in the handler.
    """
    extra = dict(result.get(EXTRA_HEADERS, {}))
    members = {k: v for k, v in result.items() if k != EXTRA_HEADERS and v is not None}
    headers = {"x-amzn-RequestId": request_id, "Content-Type": "application/json"}
    status = int(model.http.get("responseCode", 200))
    shape = model.output_shape
    if shape is None:
        return Response(status, headers | extra, b"")
    _check_result(model, shape, members)
    payload = shape.serialization.get("payload")
    in_body: dict[str, Any] = {}
    body = b""
    for name, value in members.items():
        member = shape.members[name]
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if name == payload:
            body = _payload_bytes(member, value)
        elif location == "header":
            headers[wire] = _to_text(member, value)
        elif location == "statusCode":
            status = int(value)
        else:
            in_body[wire] = to_json(member, value)
    return Response(status, headers | extra, body if payload else dump_json(in_body))


def serialize_error(service: str, error: ServiceError, request_id: str) -> Response:
    """Serialize an error as AWS does: the code in a header, the message in the body."""
    model: Any = load_service(service)  # its stub takes the code for a number
    shape = model.shape_for_error_code(error.code)
    declared = shape.metadata.get("error", {}).get("httpStatusCode") if shape else None
    headers = {
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error.code,
        "Content-Type": "application/json",
    }
    status = declared or _STATUS_BY_CODE.get(error.code, 400)
    return Response(status, headers, dump_json({"message": error.message, **error.members}))


def _parse_payload(member: _Shape, body: bytes) -> Any:
    if member.type_name == "blob":
        return body or None
    return _from_json(member, _load_object(body))


def _load_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _wrong_type(found, "structure")
    return found


def _from_query(shape: _Shape, texts: list[str]) -> Any:
    if not texts:
        return None
    if shape.type_name == "list":
        return [_from_text(shape.member, text) for text in texts]
    return _from_text(shape, texts[0])


def _from_text(shape: _Shape, text: str) -> Any:
    """Parse a path label, query value or header as the type in AWS's model."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "timestamp":
            return read_time(text)
    except (KeyError, ValueError, OverflowError) as error:
        raise ServiceError("SerializationException", f"'{text}' is not a {kind}.") from error
    return text


def _from_json(shape: _Shape, value: Any) -> Any:
    """Convert a decoded JSON value to the type in AWS's model; None stays None."""
    kind = shape.type_name
    if value is None or getattr(shape, "is_document_type", False):
        return value
    if kind == "structure" and isinstance(value, dict):
        return dict(_members_from_json(shape, value))
    if kind == "list" and isinstance(value, list):
        return [_from_json(shape.member, _present(shape.member, item)) for item in value]
    if kind == "map" and isinstance(value, dict):
        inner = shape.value
        return {key: _from_json(inner, _present(inner, item)) for key, item in value.items()}
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "blob" and isinstance(value, str):
        return _decode_blob(value)
    if kind == "timestamp" and isinstance(value, str):
        return _from_text(shape, value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(kind, value)
    raise _wrong_type(value, kind)


def _number(kind: str, value: int | float) -> Any:
    try:
        if kind in ("float", "double"):
            return float(value)
        if kind in ("integer", "long") and value == int(value):
            return int(value)
        if kind == "timestamp":
            return read_time(str(value))
    except (ValueError, OverflowError) as error:  # infinite, or beyond what the type can hold
        raise _wrong_type(value, kind) from error
    raise _wrong_type(value, kind)


def _members_from_json(shape: _Shape, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, member in shape.members.items():
        found = _from_json(member, value.get(member.serialization.get("name", name)))
        if found is not None:
            yield name, found


def _decode_blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ServiceError("SerializationException", f"A blob is not base64: {error}") from error


def _present(shape: _Shape, value: Any) -> Any:
    """Refuse null within a list or map."""
    if value is None and not getattr(shape, "is_document_type", False):
        raise _wrong_type(value, shape.type_name)
    return value


def _wrong_type(value: Any, kind: str) -> ServiceError:
    found = _JSON_NAMES.get(type(value), "NUMBER_VALUE")
    wanted = "Structure" if kind == "structure" else kind.capitalize()
    return ServiceError("SerializationException", f"{found} can not be converted to a {wanted}")


def _check_result(model: OperationModel, shape: _Shape, members: Mapping[str, Any]) -> None:
    report = ParamValidator().validate(dict(members), shape)
    if report.has_errors():
        raise ValueError(f"{model.name}: the result does not fit. {report.generate_report()}")


def to_json(shape: _Shape, value: Any) -> Any:
    """Convert a value to JSON by AWS's model: blobs to Base64, times to seconds."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return value
    if kind == "structure":
        return {
            shape.members[name].serialization.get("name", name): to_json(shape.members[name], item)
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        return [to_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: to_json(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return base64.b64encode(value).decode("ascii")
    if kind == "timestamp":
        return format_time(shape, value, default="unixtimestamp")
    return value


def _to_text(shape: _Shape, value: Any) -> str:
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return str(format_time(shape, value, default="rfc822"))
    return str(value)


def _payload_bytes(shape: _Shape, value: Any) -> bytes:
    return bytes(value) if shape.type_name == "blob" else dump_json(to_json(shape, value))


def dump_json(document: Any) -> bytes:
    """Write a document as compact JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def format_time(shape: _Shape, value: datetime, *, default: str) -> str | float:
    """Write a time in the format of the shape, or else in the default format."""
    style = shape.serialization.get("timestampFormat", default)
    moment = _aware_time(value)
    if style == "iso8601":
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if style == "rfc822":
        return format_datetime(moment, usegmt=True)
    return moment.timestamp()


def read_time(text: str) -> datetime:
    """Read seconds since 1970, ISO 8601, or the date of an HTTP header.

    Raises ValueError or OverflowError for any other text, and for a time after the year 2999.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            return _aware_time(datetime.fromisoformat(text))
        except ValueError:
            return _aware_time(parsedate_to_datetime(text))
    if not abs(seconds) < _LAST_SECOND:
        raise ValueError(f"{text} is beyond the calendar")
    return datetime.fromtimestamp(seconds, UTC)


def _aware_time(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
