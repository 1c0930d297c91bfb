"""The rest-json protocol: from a request to the parameters of an operation, and back.

A request is routed to its operation, parsed, and checked against the constraints of AWS's service
models: required members, enum, pattern, length and range. botocore has these models, but itself
checks only types, required members and minimums before it sends a request. The error messages are
AWS's.

Source: the Smithy specification of AWS rest-json
(https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html). In Bedrock's models no member of
a body has another name there, and each of their times is ISO 8601.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator
from werkzeug.datastructures import Headers

from haikuft.sandbox.http.messages import EXTRA_HEADERS, Response, ServiceError, validation_error

SERVICES = ("bedrock", "bedrock-runtime")

Fault = tuple[str, str]  # where and with which value, what it must be
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


@dataclass(frozen=True, slots=True)
class Route:
    """Which operation a method and path mean, with the path's labels decoded."""

    service: str
    model: OperationModel
    labels: dict[str, str]


_LOADER = Loader(  # without the models in ~/.aws/models
    extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
)


@cache
def load_service(service: str) -> ServiceModel:
    """Load botocore's model of a service, without a look at the folders of all other services."""
    version = _LOADER.determine_latest_version(service, "service-2")
    return ServiceModel(_LOADER.load_data(f"{service}/{version}/service-2"), service)


@lru_cache(maxsize=256)
def find_operation(method: str, raw_path: str) -> Route:
    """Find the operation for a method and the path as it was sent, still percent-encoded.

    Decoded paths would break ARNs, whose slashes are encoded within one segment. The result is
    cached and must not be changed.
    Raises ServiceError (UnknownOperationException) when Bedrock has no such path.
    """
    asked = f"{method} {raw_path.rstrip('/')}"
    for service, model, start, pattern in _routes():
        if asked.startswith(start) and (found := re.fullmatch(pattern, asked)):
            labels = {name: unquote(text) for name, text in found.groupdict().items()}
            return Route(service, model, labels)
    raise ServiceError("UnknownOperationException", f"Bedrock has no {method} {unquote(raw_path)}.")


@cache
def _routes() -> list[tuple[str, OperationModel, str, str]]:
    """List the operations, those with the fewest labels first.

    Each has the text before the first label, and the pattern, of its method and path. `re` compiles
    a pattern when that text fits, as most are never asked for.
    """
    found = []
    for service in SERVICES:
        models = load_service(service)
        for model in map(models.operation_model, models.operation_names):
            path = model.http["requestUri"].rstrip("/")
            labelled = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
            pattern = f"{model.http['method']} {labelled}"
            found.append((service, model, pattern.partition("(")[0], pattern))
    return sorted(found, key=lambda route: route[3].count("("))


def parse(
    model: OperationModel,
    *,
    labels: Mapping[str, str],
    query: str,
    headers: Mapping[str, str] | Headers,
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
    payload = shape.serialization.get("payload")
    in_body = {} if payload else _load_object(body)
    value: Any
    parameters: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if name == payload and member.type_name == "blob":
            value = body or None
        elif name == payload:
            value = _from_json(member, _load_object(body))
        elif location == "uri":
            value = _from_text(member, labels[wire])
        elif location == "querystring":
            value = _from_texts(member, [text for key, text in pairs if key == wire])
        elif location == "header":
            value = _from_texts(member, [headers[wire]] if wire in headers else [])
        else:
            value = _from_json(member, in_body.get(wire))
        if value is not None:
            parameters[name] = value
    return parameters


def serialize(model: OperationModel, result: Mapping[str, Any], request_id: str) -> Response:
    """Serialize a handler's result as AWS's model of the operation says.

    Raises ValueError when the result does not fit the model: a programming error in the handler.
    """
    members = {k: v for k, v in result.items() if k != EXTRA_HEADERS and v is not None}
    headers = {"x-amzn-RequestId": request_id, "Content-Type": "application/json"}
    status = int(model.http.get("responseCode", 200))
    shape = model.output_shape
    if shape is None:
        return Response(status, headers, b"")
    check_members(model.name, shape, members)
    for name in list(members):
        serialization = shape.members[name].serialization
        if serialization.get("location") == "header":
            headers[serialization["name"]] = str(members.pop(name))
    payload = shape.serialization.get("payload")
    body = members.get(payload, b"") if payload else dump_json(members)
    return Response(status, headers | dict(result.get(EXTRA_HEADERS, {})), body)


def check_members(name: str, shape: _Shape, members: Mapping[str, Any]) -> None:
    """Check what a handler gives; raise ValueError, naming it, when it does not fit the shape."""
    report = ParamValidator().validate(dict(members), shape)
    if report.has_errors():
        raise ValueError(f"{name} does not fit. {report.generate_report()}")


def serialize_error(error: ServiceError, request_id: str) -> Response:
    """Serialize an error as Bedrock does: the code in a header, the message in the body."""
    # Their stub takes the code for a number.
    models: list[Any] = [load_service(service) for service in SERVICES]
    shapes = [model.shape_for_error_code(error.code) for model in models]
    declared = [shape.metadata["error"]["httpStatusCode"] for shape in shapes if shape]
    headers = {
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": error.code,
        "Content-Type": "application/json",
    }
    status = error.status or next(iter(declared), _STATUS_BY_CODE.get(error.code, 400))
    return Response(status, headers, dump_json({"message": error.message, **error.members}))


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


def _from_texts(shape: _Shape, texts: list[str]) -> Any:
    if shape.type_name == "list" and texts:
        return [_from_text(shape.member, text) for text in texts]
    return _from_text(shape, texts[0]) if texts else None


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


def _from_json(shape: _Shape, value: Any, *, nullable: bool = True) -> Any:
    """Convert a decoded JSON value to the type in AWS's model; None stays None where it may be."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False) or (value is None and nullable):
        return value
    match kind, value:
        case "structure", dict():
            return {
                name: _from_json(member, item)
                for name, member in shape.members.items()
                if (item := value.get(member.serialization.get("name", name))) is not None
            }
        case "list", list():
            return [_from_json(shape.member, item, nullable=False) for item in value]
        case "map", dict():
            return {k: _from_json(shape.value, item, nullable=False) for k, item in value.items()}
        case ("string", str()) | ("boolean", bool()):
            return value
        case "blob", str():
            return _decode_blob(value)
        case "timestamp", str():
            return _from_text(shape, value)
        case _, int() | float() if not isinstance(value, bool):
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


def _decode_blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ServiceError("SerializationException", f"A blob is not base64: {error}") from error


def _wrong_type(value: Any, kind: str) -> ServiceError:
    found = _JSON_NAMES.get(type(value), "NUMBER_VALUE")
    wanted = "Structure" if kind == "structure" else kind.capitalize()
    return ServiceError("SerializationException", f"{found} can not be converted to a {wanted}")


def dump_json(document: Any) -> bytes:
    """Write a document as compact JSON in UTF-8: blobs as Base64, times as ISO 8601.

    Half a surrogate pair, which JSON can write as an escape, has no form in UTF-8 and becomes "?".
    """
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), default=_write_value)
    return text.encode(errors="replace")


def _write_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        text = _aware_time(value).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    raise TypeError(f"A {type(value).__name__} has no form in JSON.")


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


def validate(model: OperationModel, parameters: Mapping[str, Any]) -> None:
    """Check parameters against all constraints, and report every violation at once.

    Raises ServiceError (ValidationException) as AWS would: "1 validation error detected:
    Value 'a_b' at 'jobName' failed to satisfy constraint: Member must satisfy …".
    """
    if model.input_shape is None:
        return
    if faults := list(_structure_faults(model.input_shape, parameters, "")):
        raise validation_error(join_faults(faults))


def join_faults(faults: Sequence[Fault]) -> str:
    """Report faults as AWS does."""
    noun = "error" if len(faults) == 1 else "errors"
    told = [f"Value {value} failed to satisfy constraint: {rule}" for value, rule in faults]
    return f"{len(faults)} validation {noun} detected: {'; '.join(told)}"


def _structure_faults(shape: _Shape, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if name not in value:
            yield f"null at '{prefix}{name}'", "Member must not be null"
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{_show(value)} at '{path}'", "Exactly one member of the union must be set"
    for name, item in value.items():
        yield from _faults(shape.members[name], item, f"{prefix}{name}")


def _faults(shape: _Shape, value: Any, path: str) -> Iterator[Fault]:
    if getattr(shape, "is_document_type", False):
        return
    for rule in find_rules(shape, value):
        yield _where(shape, value, path), rule
    if shape.type_name == "structure":
        yield from _structure_faults(shape, value, path)
    elif shape.type_name == "list" and shape.member.type_name in ("structure", "list", "map"):
        for number, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "list":
        yield from _joint_fault(shape.member, value, _where(shape, value, path), "Member")
    elif shape.type_name == "map":
        yield from _joint_fault(shape.key, value, _where(shape, value, path), "Map keys")
        if shape.value.type_name in ("structure", "list", "map"):
            for key, item in value.items():
                yield from _faults(shape.value, item, f"{path}.{key}.member")
        else:
            yield from _joint_fault(
                shape.value, value.values(), _where(shape, value, path), "Map value"
            )


def _where(shape: _Shape, value: Any, path: str) -> str:
    shown = "" if shape.metadata.get("sensitive") else f"{_show(value)} "
    return f"{shown}at '{path}'"


def _joint_fault(shape: _Shape, values: Any, where: str, who: str) -> Iterator[Fault]:
    """Report one violation for all scalar members of a list or map together, as AWS does."""
    if any(find_rules(shape, value) for value in values):
        yield where, f"{who} must satisfy constraint: [{', '.join(_all_rules(shape))}]"


def find_rules(shape: _Shape, value: Any) -> list[str]:
    """List the rules that a value violates, in AWS's words."""
    return [rule for rule, kept in _tests(shape, value) if not kept]


def _all_rules(shape: _Shape) -> list[str]:
    return [rule for rule, _ in _tests(shape, None)]


# (shape, value) that AWS takes and its model lacks: with a judge, the Bedrock User Guide
# (model-evaluation-judge) and AWS's notebook on judges send the task type General.
_UNLISTED = {("EvaluationTaskType", "General")}


def _tests(shape: _Shape, value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each rule of a shape and whether the value satisfies it; None satisfies all."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    nothing = value is None
    sized = shape.type_name in ("string", "list", "map", "blob")
    if sized or shape.type_name in ("integer", "long", "float", "double"):
        noun, size = ("length", 0 if nothing else len(value)) if sized else ("value", value)
        if high is not None:
            yield f"Member must have {noun} less than or equal to {high}", nothing or size <= high
        if low is not None:
            yield f"Member must have {noun} greater than or equal to {low}", nothing or size >= low
    if shape.type_name != "string":
        return
    if enum := shape.metadata.get("enum"):
        kept = nothing or value in enum or (shape.name, value) in _UNLISTED
        yield f"Member must satisfy enum value set: [{', '.join(enum)}]", kept
    if pattern := shape.metadata.get("pattern"):
        # A text beyond its length is refused for that; its pattern need not be searched.
        kept = nothing or (high is not None and len(value) > high) or _fits(pattern, value)
        yield f"Member must satisfy regular expression pattern: {pattern}", kept


def _fits(pattern: str, text: str) -> bool:
    compiled = _compile(pattern)
    return compiled is None or compiled.fullmatch(text) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Compile AWS's pattern; None for the few Java patterns that Python does not support."""
    # A job name's (-*[a-z\-])* can take each dash in two ways, and Python would try them all;
    # [a-z\-]* accepts the same names at once.
    plain = re.sub(r"\(-\*(\[[^\]]*\\-[^\]]*\])\)(\*|\{0,\d+\})", r"\1*", pattern)
    try:
        return re.compile(plain, re.ASCII)  # as Java reads \w and \d
    except re.error:
        return None


def _show(value: Any) -> str:
    return f"'{_plain(value)}'"


def _plain(value: Any) -> str:
    """Write a value as AWS's messages do, at most 200 characters of it."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}={_plain(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(_plain(item) for item in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
