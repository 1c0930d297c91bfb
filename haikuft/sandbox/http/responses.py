"""HTTP responses: error responses in each service's own form, and plain JSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from haikuft.sandbox.http.requests import RefusedError


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; a streamed response has frames in place of a body."""

    status: int
    headers: dict[str, str]
    body: bytes
    frames: Iterator[bytes] | None = None


def write_refusal(
    service: str, environ: Mapping[str, Any], error: RefusedError, request_id: str
) -> Response:
    """Write an error response in the form that the service's clients can read."""
    code, message = escape(error.code), escape(error.message)
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    if service == "s3":
        text = f"<Error>{inner}</Error>"
    elif service == "ec2":
        text = f"<Response><Errors><Error>{inner}</Error></Errors></Response>"
    elif "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
    else:
        document = {"__type": error.code, "message": error.message}
        answer = write_json(error.status, document, request_id)
        answer.headers["x-amzn-ErrorType"] = error.code
        return answer
    headers = {"Content-Type": "application/xml", "x-amzn-RequestId": request_id}
    return Response(error.status, headers, text.encode("utf-8"))


def write_json(status: int, document: Any, request_id: str = "") -> Response:
    """Write a JSON response that no service model describes."""
    headers = {"Content-Type": "application/json"}
    headers |= {"x-amzn-RequestId": request_id} if request_id else {}
    return Response(status, headers, json.dumps(document).encode("utf-8"))
