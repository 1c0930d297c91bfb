"""HTTP messages: check and read a request before any service, and write a response.

A request is checked for its origin, its signature's scope and the size of its body. The sandbox
listens on loopback, but a web page in the user's browser can reach loopback, too: a request must
name the sandbox's own host (otherwise a page could use DNS rebinding) and must not come from
another site. An error response has the form of the service that was asked. A request to Bedrock is
a `Call` to its handler; `rest_json` parses it, and serializes the result.
"""

import io
import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

from haikuft.errors import HaikuftError
from haikuft.html import visible
from haikuft.sandbox.directory import write_log
from haikuft.sandbox.http.server import BODY_READ

MIB = 1024 * 1024
BODY_LIMITS = {  # bytes; larger files reach S3 in parts, as boto3 sends them
    "s3": 256 * MIB,
    "bedrock": 25_000_000,  # AWS's own limit for InvokeModel
}
OTHER_BODY_LIMIT = 1 * MIB
_DRAIN_LIMIT = 64 * MIB  # read of a body that is too large, so that its sender reads the response
_SIGV4 = re.compile(r"AWS4-\S+ +.*?Credential=([^, ]+)")


EXTRA_HEADERS = "$headers"  # key of a result: response headers that AWS's model does not list


class ServiceError(Exception):
    """An error that AWS returns; `code` decides the HTTP status by AWS's model.

    Example: `raise ServiceError("ResourceNotFoundException", "Could not find the model.")`.
    Further members of AWS's error shape, such as resourceName, are keyword arguments. `status` is
    the HTTP status of a code that is in no model; without either it is 400.
    """

    def __init__(self, code: str, message: str, *, status: int = 0, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a request's signature; the signature itself is not verified.

    Attributes:
        access_key: Any text, because the signature is not verified.
        region: Such as "us-west-2".
        service: The signing name, such as "s3" or "bedrock"; "" for an unsigned request.
    """

    access_key: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a service, read to its end.

    Attributes:
        environ: What WSGI says of it.
        scope: The scope of its signature.
        path: As it was sent, still percent-encoded.
        body: Its body.
        id: What its response calls it.
    """

    environ: dict[str, Any]
    scope: Scope
    path: str
    body: bytes
    id: str


def check_origin(environ: dict[str, Any]) -> None:
    """Refuse a request that names another host, or that a web page of another site sent."""
    port = environ["SERVER_PORT"]
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if port == "80":
        hosts |= {"127.0.0.1", "localhost"}
    host = environ.get("HTTP_HOST", "")
    if host not in hosts:
        raise ServiceError(
            "ForbiddenHost",
            f"This sandbox answers to 127.0.0.1:{port}, not to {host!r}. Use http://127.0.0.1:{port}.",
            status=403,
        )
    origin = environ.get("HTTP_ORIGIN")
    elsewhere = environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin")
    if elsewhere or (origin is not None and origin.partition("://")[2] not in hosts):
        raise ServiceError(
            "ForbiddenOrigin", "The sandbox answers no page of another site.", status=403
        )


def read_scope(environ: dict[str, Any]) -> Scope:
    """Read which service and Region a request was signed for.

    Signature Version 4 in the header or the query says both; the older Version 2, which boto3
    still uses for some presigned URLs, is for S3 only.
    """
    header = environ.get("HTTP_AUTHORIZATION", "")
    query = parse_qs(environ.get("QUERY_STRING", ""))
    if header.startswith("Bearer "):
        raise ServiceError(
            "AccessDeniedException",
            "The sandbox takes signed requests, not Bedrock API keys. Unset "
            "AWS_BEARER_TOKEN_BEDROCK and use any access key.",
            status=403,
        )
    found = _SIGV4.match(header)
    credential = found[1] if found else query.get("X-Amz-Credential", [""])[0]
    parts = credential.rsplit("/", 4)
    if len(parts) == 5:
        return Scope(parts[0], parts[2], parts[3])
    if header.startswith("AWS ") or "AWSAccessKeyId" in query:
        named = query.get("AWSAccessKeyId", [header[4:].partition(":")[0]])[0]
        return Scope(named.strip(), "us-east-1", "s3")
    return Scope("", "", "")


def read_body(environ: dict[str, Any], service: str) -> bytes:
    """Read a request's body, and replace its stream so that the service can read it again.

    Raises ServiceError: 413 beyond the service's limit; 400 for an invalid length, for an
    incomplete body, and for a body with two contradictory lengths.
    """
    limit = BODY_LIMITS.get(service, OTHER_BODY_LIMIT)
    stream = environ["wsgi.input"]
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None and (coding.strip().lower() != "chunked" or "CONTENT_LENGTH" in environ):
        raise ServiceError(
            "BadRequest", "Transfer-Encoding can be chunked alone, without Content-Length."
        )
    chunked = bool(environ.get("wsgi.input_terminated"))
    length = limit + 1 if chunked else _content_length(environ)
    try:
        body = _read(stream, length if length <= limit or chunked else min(length, _DRAIN_LIMIT))
    except OSError as error:  # of the connection, and raised by werkzeug for invalid chunks
        raise ServiceError("IncompleteBody", f"The body breaks off: {error}.") from error
    size = len(body) if chunked else length
    environ[BODY_READ] = size <= limit if chunked else len(body) == length
    if size > limit:
        raise ServiceError(
            "EntityTooLarge",
            f"The sandbox takes at most {limit:,} bytes in one request.",
            status=413,
        )
    if len(body) < size:
        raise ServiceError("IncompleteBody", f"{len(body)} of {length} bytes arrived.")
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = True
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body


def raw_path(environ: Mapping[str, Any]) -> str:
    """Return the request's path as it was sent, still percent-encoded."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    if "://" in target.partition("?")[0]:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0]


def split_path(path: str) -> tuple[str, str]:
    """Split the percent-encoded path of a request to S3 into bucket and key, "" without one."""
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return bucket, key


def read_query(environ: Mapping[str, Any]) -> dict[str, str]:
    """Read the parameters in a request's query; one without a value is ""."""
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def read_form(environ: Mapping[str, Any], body: bytes) -> dict[str, str]:
    """Read the parameters of a request to IAM or STS, which are in its query or its body."""
    form = f"{environ.get('QUERY_STRING', '')}&{body.decode('utf-8', 'replace')}"
    return dict(parse_qsl(form, keep_blank_values=True))


def read_json_operation(environ: Mapping[str, Any]) -> str:
    """Read the operation of a request to a JSON service; "" when it names none."""
    return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]


def read_object(body: bytes) -> dict[str, Any]:
    """Read the body of a request to a JSON service; an empty one is an empty object.

    Raises ServiceError: SerializationException for anything but an object.
    """
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise ServiceError("SerializationException", str(error)) from error
    if not isinstance(found, dict):
        raise ServiceError("SerializationException", "The body is no JSON object.")
    return found


def _content_length(environ: dict[str, Any]) -> int:
    text = environ.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit()):
        raise ServiceError("BadRequest", f"Content-Length is {text!r}, which is no length.")
    return int(text)


def _read(stream: Any, length: int) -> bytes:
    """Read up to `length` bytes, in as many reads as necessary."""
    pieces: list[bytes] = []
    while length > 0 and (piece := stream.read(min(length, MIB))):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Bedrock, parsed and within AWS's constraints.

    Attributes:
        operation: AWS's name, such as "CreateModelCustomizationJob".
        parameters: By botocore's member names; blobs are bytes, timestamps aware datetimes.
        region: From the request's signature.
        account_id: The account, twelve digits.
    """

    operation: str
    parameters: dict[str, Any]
    region: str
    account_id: str


Handler = Callable[[Call], dict[str, Any]]
"""Answers a call with a result by botocore's member names: timestamps aware, blobs bytes.

Further response headers stand under EXTRA_HEADERS; errors of AWS are raised as ServiceError.
"""


def validation_error(message: str) -> ServiceError:
    """Return the error for a request that breaks a rule of the operation."""
    return ServiceError("ValidationException", message)


def conflict_error(message: str) -> ServiceError:
    """Return the error for a request that the state of a resource does not allow."""
    return ServiceError("ConflictException", message)


def quota_error(message: str) -> ServiceError:
    """Return the error for a request that would exceed a quota."""
    return ServiceError("ServiceQuotaExceededException", message)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; a streamed response has frames in place of a body."""

    status: int
    headers: dict[str, str]
    body: bytes
    frames: Iterator[bytes] | None = None


def write_refusal(
    service: str, environ: Mapping[str, Any], error: ServiceError, request_id: str
) -> Response:
    """Write an error response in the form that the service's clients can read."""
    code, message, status = escape(error.code), escape(error.message), error.status or 400
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if service == "s3":
        text = f"<Error>{inner}</Error>"
    elif service == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors></Response>"
    elif "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    else:
        document = {"__type": error.code, "message": error.message}
        answer = write_json(status, document, request_id)
        answer.headers["x-amzn-ErrorType"] = error.code
        return answer
    headers = {"Content-Type": "application/xml", "x-amzn-RequestId": request_id}
    return Response(status, headers, text.encode("utf-8"))


def report_failure(error: Exception) -> str:
    """Log why a request failed in the sandbox; return the message for the client.

    What the user can fix is one sentence there; a fault of ours has a traceback.
    """
    if isinstance(error, HaikuftError):
        write_log(str(error))
        return visible(str(error))
    write_log("".join(traceback.format_exception(error)))
    return f"The sandbox failed: {type(error).__name__}: {error}. Its log says more."


def write_json(status: int, document: Any, request_id: str = "") -> Response:
    """Write a JSON response that no service model describes."""
    headers = {"Content-Type": "application/json"}
    headers |= {"x-amzn-RequestId": request_id} if request_id else {}
    return Response(status, headers, json.dumps(document).encode("utf-8"))
