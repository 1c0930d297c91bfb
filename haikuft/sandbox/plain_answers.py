"""Answers beyond Bedrock's wire format: refusals in each service's own form, and bare JSON."""

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from haikuft.sandbox import wire
from haikuft.sandbox.gate import RefusedError


def write_refusal(
    service: str, environ: Mapping[str, Any], error: RefusedError, request_id: str
) -> wire.Response:
    """Write a refusal in the form that the service's clients can read."""
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
    return wire.Response(error.status, headers, text.encode("utf-8"))


def write_json(status: int, document: Any, request_id: str = "") -> wire.Response:
    """Write an answer that no service model describes."""
    headers = {"Content-Type": "application/json"}
    headers |= {"x-amzn-RequestId": request_id} if request_id else {}
    return wire.Response(status, headers, json.dumps(document).encode("utf-8"))
