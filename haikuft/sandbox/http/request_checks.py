"""Check requests to S3, IAM, STS and KMS that moto takes, or fails at, and AWS refuses.

Required members, lengths, patterns and enums are those of botocore's models; all else is in
`request_checks.toml`.
"""

import base64
import binascii
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from botocore.model import OperationNotFoundError
from moto.core.utils import get_service_model

from haikuft.package_data import read_toml
from haikuft.sandbox.http.messages import (
    Request,
    ServiceError,
    read_form,
    read_json_operation,
    read_query,
    split_path,
)
from haikuft.sandbox.http.rest_json import find_rules, join_faults, parse, validate

MAX_KEY_BYTES = 1024

_TABLES = read_toml("haikuft.sandbox.http", "request_checks.toml")
_S3, _REFUSALS = _TABLES["s3"], _TABLES["refusals"]
_BUCKET_NAME = re.compile(_S3["bucket_name"], re.ASCII | re.VERBOSE)
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {  # header -> what it must be
    "HTTP_X_AMZ_CHECKSUM_CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "HTTP_X_AMZ_CHECKSUM_SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "HTTP_X_AMZ_CHECKSUM_SHA256": lambda body: hashlib.sha256(body).digest(),
    "HTTP_CONTENT_MD5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
}


def check_moto_request(request: Request, s3: Any) -> None:
    """Check a request to one of moto's services; `s3` is moto's S3.

    Raises ServiceError in AWS's words.
    """
    service, environ, body = request.scope.service, request.environ, request.body
    if service == "s3":
        query = read_query(environ)
        bucket, key = split_path(request.path)
        _check_s3(environ, query, bucket, key, body)
        _check_tokens(query, bucket, key, s3)
    elif service == "kms":
        _check_kms(read_json_operation(environ), body)
    else:
        _check_form(service, read_form(environ, body))


def _refuse(rule: str, **values: str) -> ServiceError:
    row = _REFUSALS[rule]
    return ServiceError(row["code"], row["message"].format(**values), status=row.get("status", 400))


def _check_s3(
    environ: Mapping[str, Any], query: Mapping[str, str], bucket: str, key: str, body: bytes
) -> None:
    method = environ["REQUEST_METHOD"]
    if method not in _S3["methods"] or (method == "POST" and key and not query):
        raise _refuse("method")
    for name in _S3["numbers"]:
        if not re.fullmatch(r"[0-9]{1,9}", query.get(name, "0"), re.ASCII):
            raise _refuse("number", name=name)
    for name, allowed in _S3["values"].items():
        header = f"HTTP_{name.upper().replace('-', '_')}"
        if environ.get(header, allowed[0]) not in allowed:
            raise _refuse("value", name=name, allowed=", ".join(allowed))
    if method not in ("PUT", "POST"):
        return
    creates = method == "PUT" and not key and not query
    if creates and not _BUCKET_NAME.fullmatch(bucket):
        raise _refuse("bucket_name")
    completes = method == "POST" and "uploadId" in query
    if completes or (creates and body) or query.keys() & {*_S3["xml"]}:
        _check_xml(body)
    if method == "POST":
        return
    if len(key.encode()) > MAX_KEY_BYTES:
        raise _refuse("key")
    if not key and "policy" in query and not _is_object(body):
        raise _refuse("policy")
    if "HTTP_X_AMZ_COPY_SOURCE" in environ and not split_path(environ["HTTP_X_AMZ_COPY_SOURCE"])[1]:
        raise _refuse("copy_source")
    if "aws-chunked" not in environ.get("HTTP_CONTENT_ENCODING", ""):
        _check_digests(environ, body)  # else the body is framed, and its checksum comes after it


def _check_digests(environ: Mapping[str, Any], body: bytes) -> None:
    for header in _DIGESTS.keys() & environ.keys():
        given, found = _decode(environ[header]), _DIGESTS[header](body)
        name = header.rpartition("_")[2]
        rule = "md5" if name == "MD5" else "checksum"
        if len(given) != len(found):
            raise _refuse(rule, name=name.lower())
        if given != found:
            raise _refuse(f"wrong_{rule}", name=name)


def _check_tokens(query: Mapping[str, str], bucket: str, key: str, s3: Any) -> None:
    """Refuse an upload and a page of a listing that S3 does not know.

    An upload may be completed again, as by a client that has not received the answer.
    """
    found = s3.buckets.get(bucket)
    if found is not None and query.get("uploadId", "") not in ("", *found.multiparts):
        completed = getattr(found.keys.get(key), "multipart", None)
        if completed is None or completed.id != query["uploadId"]:
            raise _refuse("upload")
    if query.get("continuation-token", "") not in ("", *s3._pagination_tokens):
        raise _refuse("token")


def _check_xml(body: bytes) -> None:
    try:
        ElementTree.fromstring(body)  # noqa: S314 - expat bounds how far entities expand
    except (ElementTree.ParseError, ValueError) as error:
        raise _refuse("xml") from error


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _check_kms(operation: str, body: bytes) -> None:
    try:
        model = get_service_model("kms").operation_model(operation)
        validate(model, parse(model, labels={}, query="", headers={}, body=body or b"{}"))
    except OperationNotFoundError as error:
        raise _refuse("operation") from error


def _check_form(service: str, form: Mapping[str, str]) -> None:
    """Check the members that are plain values; moto reads lists and structures by itself."""
    operation = form.get("Action", "")
    if not operation:
        raise _refuse("no_action")
    try:
        shape: Any = get_service_model(service).operation_model(operation).input_shape
    except OperationNotFoundError as error:
        raise _refuse("action", name=operation, version=form.get("Version", "")) from error
    # moto's markers are numbers of entries.
    if service == "iam" and not re.fullmatch(r"[0-9]{1,9}", form.get("Marker", "0"), re.ASCII):
        raise _refuse("marker")
    faults = []
    for name, member in shape.members.items() if shape else ():
        shown = name[:1].lower() + name[1:]
        if name not in form:
            listed = any(key.startswith(f"{name}.") for key in form)
            if name in shape.required_members and not listed:
                faults.append((f"null at '{shown}'", "Member must not be null"))
            continue
        value: Any = form[name]
        if member.type_name in ("integer", "long"):
            if not re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
                raise _refuse("integer", name=shown, value=value)
            value = int(value)
        elif member.type_name != "string":
            continue
        quoted = "" if member.metadata.get("sensitive") else f"'{value}' "
        for rule in find_rules(member, value):
            allowed = _TABLES["iam"]["allowed"].get(re.sub(r".*(?=name|path)", "", name.lower()))
            if "pattern" in rule and allowed:
                raise _refuse("pattern", name=shown, allowed=allowed)
            faults.append((f"{quoted}at '{shown}'", rule))
    if faults:
        raise _refuse("members", faults=join_faults(faults))
