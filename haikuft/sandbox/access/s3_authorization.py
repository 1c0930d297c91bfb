"""S3's requests past the policies: objects deleted many at once, missing objects, encryption.

DeleteObjects is judged key by key, as on AWS: what the caller may not delete comes back among the
errors of the answer, and the rest is deleted.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from haikuft.sandbox.access.authorization import Guard
from haikuft.sandbox.access.principals import AccessDenied, Caller, Need
from haikuft.sandbox.access.s3_permissions import (
    Request,
    UnknownPermissionError,
    deletion_needs,
    listing_need,
    read_request,
    s3_needs,
)
from haikuft.sandbox.access.service_role import default_key
from haikuft.sandbox.http.moto_services import Reply
from haikuft.sandbox.http.requests import RefusedError, Scope

Forward = Callable[[bytes], Reply]  # hands the request to S3 with this body

_READS = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_END = b"</DeleteResult>"
_NOTHING_DELETED = b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + _END


def answer_s3(
    guard: Guard,
    scope: Scope,
    environ: Mapping[str, Any],
    *,
    path: str,
    body: bytes,
    forward: Forward,
) -> Reply:
    """Answer a request to S3 as far as its caller's policies, the bucket's and the key's let it.

    Raises RefusedError: AccessDenied; NotImplemented where it is not known what a request takes.
    """
    caller = guard.find_caller(scope)
    headers = {
        name[5:].replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    query = environ.get("QUERY_STRING", "")
    request = read_request(environ["REQUEST_METHOD"], path, query, headers)
    if _is_open(guard, caller, request):
        return forward(body)
    try:
        needs = list(s3_needs(request))
    except UnknownPermissionError as error:
        message = f"The sandbox does not know which permission it takes to {error}."
        raise RefusedError(501, "NotImplemented", message) from error
    _check(guard, caller, [*needs, *_key_needs(guard, request, needs)])
    if request.deletes_many:
        return _delete_many(guard, caller, request, body, forward)
    reply = forward(body)
    missing = reply.status == 404 and request.key and request.method in ("GET", "HEAD")
    if missing and guard.account.find_bucket(request.bucket) is not None:
        _check(guard, caller, [listing_need(request.bucket, request.key)])
    return reply


def _is_open(guard: Guard, caller: Caller, request: Request) -> bool:
    """Tell whether nothing can forbid this: the administrator's, no policy, no key."""
    if not caller.administrator or "x-amz-copy-source" in request.headers:
        return False
    with guard.store.lock:
        bucket = guard.account.find_bucket(request.bucket)
        if bucket is None:
            return True
        encrypted = default_key(bucket) or _KEY_HEADER in request.headers
        reads = request.method == "GET" and request.key
        return not (bucket.policy or encrypted or (reads and _read_key(guard, request)))


def _check(guard: Guard, caller: Caller, needs: Iterable[Need]) -> None:
    try:
        guard.require(caller, needs)
    except AccessDenied as error:
        raise RefusedError(403, "AccessDenied", error.describe(quote='"')) from error


def _key_needs(guard: Guard, request: Request, needs: Iterable[Need]) -> list[Need]:
    """Tell what encryption takes: the key of what is read, and of what is written."""
    actions = {need.action for need in needs}
    found = []
    with guard.store.lock:
        if actions & _READS and request.method != "HEAD":
            found += _with_key(guard, request.bucket, _read_key(guard, request), "kms:Decrypt")
        if "s3:PutObject" in actions:
            bucket = guard.account.find_bucket(request.bucket)
            key = request.headers.get(_KEY_HEADER) or (default_key(bucket) if bucket else "")
            found += _with_key(guard, request.bucket, key, "kms:GenerateDataKey")
            if {"uploads", "uploadId"} & set(request.query):
                # AWS reads the parts again, to put them together.
                found += _with_key(guard, request.bucket, key, "kms:Decrypt")
    return found


def _read_key(guard: Guard, request: Request) -> str:
    """Name the key that encrypts the object to be read, or the source of a copy; "" for none."""
    source = request.headers.get("x-amz-copy-source", "")
    if source:
        request = read_request("GET", source.partition("?")[0], "", {})
    return guard.store.key_of_object(request.bucket, request.key)


def _with_key(guard: Guard, bucket: str, key: str, action: str) -> list[Need]:
    return guard.store.key_needs(bucket, key, [action])


def _delete_many(
    guard: Guard, caller: Caller, request: Request, body: bytes, forward: Forward
) -> Reply:
    """Delete what the caller may, and report the rest as denied."""
    try:
        # S314: expat bounds how far entities expand, and bodies are bounded.
        document = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError:
        return forward(body)  # S3 says what is wrong with it
    denied = ""
    for one in document.findall("{*}Object"):
        key, version = one.findtext("{*}Key", ""), one.findtext("{*}VersionId", "")
        try:
            guard.require(caller, deletion_needs(request.bucket, key, version))
        except AccessDenied as error:
            message = escape(error.describe(quote='"'))
            denied += f"<Error><Key>{escape(key)}</Key><Code>AccessDenied</Code>"
            denied += f"<Message>{message}</Message></Error>"
            document.remove(one)
    if not denied:
        return forward(body)
    if document.find("{*}Object") is not None:
        namespace = document.tag[1:].partition("}")[0] if document.tag[0] == "{" else None
        reply = forward(ElementTree.tostring(document, default_namespace=namespace))
    else:
        reply = Reply(200, [("Content-Type", "application/xml")], _NOTHING_DELETED)
    answer = reply.body.replace(_END, denied.encode() + _END, 1)
    kept = [(name, value) for name, value in reply.headers if name.lower() != "content-length"]
    return Reply(reply.status, kept, answer)
