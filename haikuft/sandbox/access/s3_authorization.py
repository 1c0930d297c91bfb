"""Authorize requests to S3: with DeleteObjects, missing objects and encryption keys.

DeleteObjects is authorized key by key, as on AWS: keys that the caller may not delete are in the
errors of the response, and the others are deleted.
"""

from collections.abc import Callable, Iterable
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from werkzeug.datastructures import EnvironHeaders

from haikuft.sandbox.access.policy_evaluation import AccessDenied, Caller, Permission
from haikuft.sandbox.access.s3_permissions import (
    S3Request,
    UnknownPermissionError,
    deletion_permissions,
    read_request,
    request_permissions,
)
from haikuft.sandbox.access.store import Store, listing_permission
from haikuft.sandbox.http.messages import Request, Response, ServiceError

Forward = Callable[[bytes], Response]  # sends the request to S3 with this body

_READS = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
_END = b"</DeleteResult>"
_NOTHING_DELETED = b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + _END


def answer_s3(store: Store, sent: Request, forward: Forward) -> Response:
    """Authorize a request to S3 and have it answered.

    Raises ServiceError: AccessDenied; NotImplemented for a request whose permissions are unknown.
    """
    caller = store.find_caller(sent.scope.access_key, sent.scope.service)
    environ, body = sent.environ, sent.body
    query = environ.get("QUERY_STRING", "")
    request = read_request(environ["REQUEST_METHOD"], sent.path, query, EnvironHeaders(environ))
    _check_account(store, request)
    if _is_open(store, caller, request):
        return forward(body)
    try:
        permissions = list(request_permissions(request))
    except UnknownPermissionError as error:
        message = f"The sandbox does not know which permission is required to {error}."
        raise ServiceError("NotImplemented", message, status=501) from error
    _check(store, caller, [*permissions, *_key_permissions(store, request, permissions)])
    if request.deletes_many:
        return _delete_many(store, caller, request, body, forward)
    reply = forward(body)
    missing = reply.status == 404 and request.key and request.method in ("GET", "HEAD")
    if missing and store.find_bucket(request.bucket) is not None:
        _check(store, caller, [listing_permission(request.bucket, request.key)])
    return reply


def _check_account(store: Store, request: S3Request) -> None:
    """Refuse a request to another account's bucket, or from it; S3 refuses to create it again."""
    source = request.headers.get("x-amz-copy-source", "")
    creates = request.method == "PUT" and not (request.key or request.query)
    buckets = (read_request("GET", source, "", {}).bucket, "" if creates else request.bucket)
    if any(store.is_others(bucket) for bucket in buckets):
        raise ServiceError("AccessDenied", "Access Denied", status=403)


def _is_open(store: Store, caller: Caller, request: S3Request) -> bool:
    """Return whether no policy can deny this: the administrator's request, no policy, no key."""
    if not caller.administrator or "x-amz-copy-source" in request.headers:
        return False
    with store.lock:
        bucket = store.find_bucket(request.bucket)
        if bucket is None:
            return True
        encrypted = store.default_key(request.bucket) or _KEY_HEADER in request.headers
        reads = request.method == "GET" and request.key
        return not (bucket.policy or encrypted or (reads and _read_key(store, request)))


def _check(store: Store, caller: Caller, permissions: Iterable[Permission]) -> None:
    try:
        store.check(caller, permissions)
    except AccessDenied as error:
        raise ServiceError("AccessDenied", error.describe(quote='"'), status=403) from error


def _key_permissions(
    store: Store, request: S3Request, permissions: Iterable[Permission]
) -> list[Permission]:
    """Find the permissions that encryption requires, for the object read or written."""
    actions = {permission.action for permission in permissions}
    bucket, found = request.bucket, []
    with store.lock:
        if actions & _READS and request.method != "HEAD":
            key = _read_key(store, request)
            found += store.key_permissions(bucket, key, ["kms:Decrypt"])
        if "s3:PutObject" in actions:
            key = request.headers.get(_KEY_HEADER) or store.default_key(bucket)
            # AWS reads the parts of an upload again, to put them together.
            parts = {"uploads", "uploadId"} & set(request.query)
            used = ["kms:GenerateDataKey", *(["kms:Decrypt"] if parts else [])]
            found += store.key_permissions(bucket, key, used)
    return found


def _read_key(store: Store, request: S3Request) -> str:
    """Find the key that encrypts the object to be read, or the source of a copy; "" for none."""
    source = request.headers.get("x-amz-copy-source", "")
    if source:
        request = read_request("GET", source.partition("?")[0], "", {})
    return store.key_of_object(request.bucket, request.key)


def _delete_many(
    store: Store, caller: Caller, request: S3Request, body: bytes, forward: Forward
) -> Response:
    """Delete the objects that the caller may delete, and report the others as denied."""
    try:
        # S314: expat bounds how far entities expand, and bodies are bounded.
        document = ElementTree.fromstring(body)  # noqa: S314
    except ElementTree.ParseError:
        return forward(body)  # S3 returns the error
    denied = ""
    for one in document.findall("{*}Object"):
        key, version = one.findtext("{*}Key", ""), one.findtext("{*}VersionId", "")
        try:
            store.check(caller, deletion_permissions(request.bucket, key, version))
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
        reply = Response(200, {"Content-Type": "application/xml"}, _NOTHING_DELETED)
    answer = reply.body.replace(_END, denied.encode() + _END, 1)
    headers = {
        name: value for name, value in reply.headers.items() if name.lower() != "content-length"
    }
    return Response(reply.status, headers, answer)
