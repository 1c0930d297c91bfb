"""Check requests to S3, IAM, STS and KMS that moto takes, or fails at, and AWS refuses.

Required members, lengths, patterns and enums are those of botocore's models. Further sources: the
Amazon S3 User Guide (bucketnamingrules, object-keys, checking-object-integrity), the S3 API
Reference (error responses), and IAM's messages for names and paths.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from botocore.model import OperationNotFoundError

from haikuft.sandbox.http.messages import RefusedError, ServiceError
from haikuft.sandbox.http.rest_json import find_rules, load_service, parse, validate

MAX_KEY_BYTES = 1024

_BUCKET_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}", re.ASCII)
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS")
_NUMBERS = {"max-keys", "max-uploads", "max-parts", "partNumber", "part-number-marker"}
_XML = {  # sub-resources that are written as XML
    *("tagging", "delete", "versioning", "lifecycle", "encryption", "cors", "website", "logging"),
    *("notification", "replication", "object-lock", "ownershipControls", "publicAccessBlock"),
    *("accelerate", "inventory", "legal-hold", "retention"),
}
_VALUES = {  # headers of which S3 takes these values only
    "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION": ("AES256", "aws:kms", "aws:kms:dsse", "aws:fsx"),
    "HTTP_X_AMZ_ACL": (
        *("private", "public-read", "public-read-write", "authenticated-read"),
        *("aws-exec-read", "bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"),
    ),
}
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
_ALLOWED = {  # what IAM says of a value that does not fit a pattern, by the member's last word
    "name": "It must contain only alphanumeric characters and/or the following: +=,.@_-",
    "path": "It must begin and end with / and contain only alphanumeric characters and/or / "
    "characters.",
}


def check_moto_request(
    service: str, environ: Mapping[str, Any], path: str, body: bytes, s3: Any
) -> None:
    """Check a request to one of moto's services; `s3` is moto's S3.

    Raises RefusedError in AWS's words.
    """
    if service == "s3":
        _check_s3(environ, path, body)
        _check_tokens(_read_query(environ), unquote(path).lstrip("/").partition("/")[0], s3)
    elif service == "kms":
        _check_kms(environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2], body)
    else:
        form = f"{environ.get('QUERY_STRING', '')}&{body.decode('utf-8', 'replace')}"
        _check_form(service, dict(parse_qsl(form, keep_blank_values=True)))


def _check_s3(environ: Mapping[str, Any], path: str, body: bytes) -> None:
    method, query = environ["REQUEST_METHOD"], _read_query(environ)
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    if method not in _METHODS or (method == "POST" and key and not query):
        message = "The specified method is not allowed against this resource."
        raise RefusedError(405, "MethodNotAllowed", message)
    for name in _NUMBERS & query.keys():
        if not re.fullmatch(r"[0-9]{1,9}", query[name], re.ASCII):
            message = f"Provided {name} not an integer or within integer range"
            raise RefusedError(400, "InvalidArgument", message)
    for header, allowed in _VALUES.items():
        if environ.get(header, allowed[0]) not in allowed:
            name = header.removeprefix("HTTP_").lower().replace("_", "-")
            message = f"The value of {name} is not one of {', '.join(allowed)}."
            raise RefusedError(400, "InvalidArgument", message)
    if method not in ("PUT", "POST"):
        return
    if _XML & query.keys() or (method == "POST" and "uploadId" in query):
        _check_xml(body)
    if method == "POST":
        return
    if not key and not query:
        if not _is_bucket_name(bucket):
            raise RefusedError(400, "InvalidBucketName", "The specified bucket is not valid.")
        if body:
            _check_xml(body)
    if len(key.encode()) > MAX_KEY_BYTES:
        raise RefusedError(400, "KeyTooLongError", "Your key is too long")
    if not key and "policy" in query and not _is_object(body):
        message = "Policies must be valid JSON and the first byte must be '{'"
        raise RefusedError(400, "MalformedPolicy", message)
    if "/" not in unquote(environ.get("HTTP_X_AMZ_COPY_SOURCE", "//")).removeprefix("/"):
        raise RefusedError(400, "InvalidArgument", "Invalid copy source object key")
    if "aws-chunked" in environ.get("HTTP_CONTENT_ENCODING", ""):
        return  # the body is framed, and its checksum comes after it
    for name, digest in _DIGESTS.items():
        given = environ.get(f"HTTP_X_AMZ_CHECKSUM_{name}")
        if given is None:
            continue
        found = digest(body)
        if len(_decode(given)) != len(found):
            message = f"Value for x-amz-checksum-{name.lower()} header is invalid."
            raise RefusedError(400, "InvalidRequest", message)
        if _decode(given) != found:
            message = f"The {name} you specified did not match the calculated checksum."
            raise RefusedError(400, "BadDigest", message)
    given = environ.get("HTTP_CONTENT_MD5")
    if given is not None:
        if len(_decode(given)) != 16:
            raise RefusedError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        if _decode(given) != hashlib.md5(body, usedforsecurity=False).digest():
            message = "The Content-MD5 you specified did not match what we received."
            raise RefusedError(400, "BadDigest", message)


def _check_tokens(query: Mapping[str, str], bucket: str, s3: Any) -> None:
    """Refuse an upload and a page of a listing that S3 does not know."""
    found = s3.buckets.get(bucket)
    if found is not None and query.get("uploadId", "") not in ("", *found.multiparts):
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may "
            "have been aborted or completed."
        )
        raise RefusedError(404, "NoSuchUpload", message)
    if query.get("continuation-token", "") not in ("", *s3._pagination_tokens):
        message = "The continuation token provided is incorrect"
        raise RefusedError(400, "InvalidArgument", message)


def _read_query(environ: Mapping[str, Any]) -> dict[str, str]:
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def _check_xml(body: bytes) -> None:
    try:
        ElementTree.fromstring(body)  # noqa: S314 - expat bounds how far entities expand
    except (ElementTree.ParseError, ValueError) as error:
        message = (
            "The XML you provided was not well-formed or did not validate against our published "
            "schema"
        )
        raise RefusedError(400, "MalformedXML", message) from error


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _is_bucket_name(name: str) -> bool:
    return bool(
        _BUCKET_NAME.fullmatch(name)
        and not _ADDRESS.fullmatch(name)
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_kms(operation: str, body: bytes) -> None:
    try:
        model = load_service("kms").operation_model(operation)
    except OperationNotFoundError as error:
        raise RefusedError(400, "UnknownOperationException", "") from error
    try:
        validate(model, parse(model, labels={}, query="", headers={}, body=body or b"{}"))
    except ServiceError as error:
        raise RefusedError(400, error.code, error.message) from error


def _check_form(service: str, form: Mapping[str, str]) -> None:
    """Check the members that are plain values; moto reads lists and structures by itself."""
    operation, version = form.get("Action", ""), form.get("Version", "")
    if not operation:
        message = "The request is missing an action or a required parameter."
        raise RefusedError(400, "MissingAction", message)
    try:
        shape = load_service(service).operation_model(operation).input_shape
    except OperationNotFoundError as error:
        message = f"Could not find operation {operation} for version {version}"
        raise RefusedError(400, "InvalidAction", message) from error
    faults = []
    if shape is None:
        return
    for name, member in shape.members.items():
        shown = name[:1].lower() + name[1:]
        if name not in form:
            listed = any(key.startswith(f"{name}.") for key in form)
            if name in shape.required_members and not listed:
                faults.append(
                    f"Value null at '{shown}' failed to satisfy constraint: Member must not be null"
                )
            continue
        value: Any = form[name]
        if member.type_name in ("integer", "long"):
            if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
                message = f"Value '{value}' at '{shown}' is not a number"
                raise RefusedError(400, "MalformedInput", message)
            value = int(value)
        elif member.type_name != "string":
            continue
        for rule in find_rules(member, value):
            allowed = _ALLOWED.get(re.sub(r".*(?=name|path)", "", name.lower()))
            if "pattern" in rule and allowed:
                message = f"The specified value for {shown} is invalid. {allowed}"
                raise RefusedError(400, "ValidationError", message)
            quoted = "" if member.metadata.get("sensitive") else f" '{value}'"
            faults.append(f"Value{quoted} at '{shown}' failed to satisfy constraint: {rule}")
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        message = f"{len(faults)} validation {noun} detected: {'; '.join(faults)}"
        raise RefusedError(400, "ValidationError", message)
