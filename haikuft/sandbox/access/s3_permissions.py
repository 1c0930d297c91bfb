"""Required permissions of requests to S3, by method, path, query and headers. Pure.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; Service
Authorization Reference of S3. Paths are bucket first, the only form that reaches the sandbox.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers

from haikuft.package_data import read_toml
from haikuft.sandbox.access.policy_evaluation import Permission
from haikuft.sandbox.access.store import object_arn
from haikuft.sandbox.http.messages import split_path
from haikuft.sandbox.http.rest_json import load_service

_S3 = read_toml("haikuft.sandbox.access", "permissions.toml")["s3"]
_VERBS = {"GET": "Get", "HEAD": "Get", "PUT": "Put", "DELETE": "Delete"}
_BUCKET, _LISTS, _OBJECT = _S3["bucket"], _S3["lists"], _S3["object"]


class UnknownPermissionError(Exception):
    """A request whose required permissions are unknown here; `str()` names it."""


@dataclass(frozen=True, slots=True)
class S3Request:
    """One parsed request to S3.

    Attributes:
        method: In capitals.
        bucket: "" for a request to the account.
        key: "" for a request to the bucket.
        query: Without the parameters of a signature.
        headers: Names in lower case, or in any case as werkzeug has them.
    """

    method: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str] | Headers

    @property
    def arn(self) -> str:
        """Of the object or the bucket."""
        return object_arn(self.bucket, self.key)

    @property
    def header_context(self) -> dict[str, str]:
        """Its headers that policies have condition keys for."""
        return {f"s3:{name}": self.headers[name] for name in _S3["headers"] if name in self.headers}

    @property
    def deletes_many(self) -> bool:
        """It is DeleteObjects, whose keys are in its body and are authorized one by one."""
        return self.method == "POST" and not self.key and "delete" in self.query


def read_request(
    method: str, path: str, query: str, headers: Mapping[str, str] | Headers
) -> S3Request:
    """Parse a request; `path` is percent-encoded, as it was sent."""
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return S3Request(method.upper(), *split_path(path), pairs, headers)


def request_permissions(request: S3Request) -> Iterator[Permission]:
    """Yield the permissions of a request; none for DeleteObjects, see `deletion_permissions`.

    Raises UnknownPermissionError for a sub-resource that this module does not know.
    """
    if not request.bucket:
        yield Permission("s3:ListAllMyBuckets")
    elif request.key:
        yield from _object_permissions(request)
    elif not request.deletes_many:
        yield _bucket_permission(request)
        if request.headers.get("x-amz-object-ownership"):
            yield Permission("s3:PutBucketOwnershipControls", request.arn)


def deletion_permissions(bucket: str, key: str, version: str = "") -> Iterator[Permission]:
    """Yield the permissions to delete one object, or one version of it.

    According to AWS s3:DeleteObject is always required, and for a version the other as well.
    """
    yield Permission("s3:DeleteObject", object_arn(bucket, key))
    if version:
        yield Permission("s3:DeleteObjectVersion", object_arn(bucket, key))


def _bucket_permission(request: S3Request) -> Permission:
    method, query = request.method, request.query
    name = _find_sub_resource(request, (*_BUCKET, *_LISTS))
    context = {key: query[name] for name, key in _S3["keys"].items() if name in query}
    context |= request.header_context
    if not name:
        verbs = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}
        return Permission(f"s3:{verbs.get(method, 'ListBucket')}", request.arn, context)
    if name in _LISTS:
        return Permission(f"s3:{_LISTS[name]}", request.arn, context)
    puts = method == "DELETE" and name not in _S3["own_delete"]
    return Permission(f"s3:{'Put' if puts else _VERBS[method]}{_BUCKET[name]}", request.arn)


def _object_permissions(request: S3Request) -> Iterator[Permission]:
    method, query, arn = request.method, request.query, request.arn
    name = _find_sub_resource(request, _OBJECT, also=("uploads", "restore", "select"))
    version = "Version" if query.get("versionId") else ""
    if method == "POST":
        restores, selects = "restore" in query, "select" in query
        action = "RestoreObject" if restores else "GetObject" if selects else "PutObject"
        yield Permission(f"s3:{action}", arn, request.header_context)
    elif name:
        kind = "" if name in ("legal-hold", "retention") else version
        yield Permission(f"s3:{_VERBS[method]}Object{kind}{_OBJECT[name]}", arn)
    elif "uploadId" in query and method in ("GET", "DELETE"):
        action = "ListMultipartUploadParts" if method == "GET" else "AbortMultipartUpload"
        yield Permission(f"s3:{action}", arn)
    elif method == "PUT":
        yield Permission("s3:PutObject", arn, request.header_context)
        yield from _copied(request)
    elif method == "DELETE":
        yield from deletion_permissions(request.bucket, request.key, query.get("versionId", ""))
    else:
        yield Permission(f"s3:GetObject{version}", arn)
    if method in ("PUT", "POST") and not name:
        if request.headers.get("x-amz-tagging"):
            yield Permission("s3:PutObjectTagging", arn)
        if request.headers.get("x-amz-acl"):
            yield Permission("s3:PutObjectAcl", arn)


def _find_sub_resource(request: S3Request, named: Collection[str], also: Sequence[str] = ()) -> str:
    """Find which of the named sub-resources a request is about; "" for none.

    Raises UnknownPermissionError for a method or another sub-resource, `also` apart.
    """
    query, known = request.query, [*named, *also]
    possible = _sub_resources(bool(request.key))
    unknown = [one for one in query if one in possible and one not in known]
    if unknown or request.method not in (*_VERBS, *(["POST"] if request.key else [])):
        where = "an object with " if request.key else f"/{request.bucket}"
        raise UnknownPermissionError(f"{request.method} {where}?{'&'.join(unknown or query)}")
    return next((one for one in query if one in named), "")


def _copied(request: S3Request) -> Iterator[Permission]:
    """Yield the permission to read the source of a copy."""
    source, _, version = request.headers.get("x-amz-copy-source", "").partition("?versionId=")
    if source:
        arn = object_arn(*split_path(source))
        yield Permission(f"s3:GetObject{'Version' if version else ''}", arn)


@cache
def _sub_resources(of_objects: bool) -> frozenset[str]:
    """List the sub-resources that S3's own service model knows."""
    model = load_service("s3")
    paths = (model.operation_model(name).http["requestUri"] for name in model.operation_names)
    found = (path.partition("?") for path in paths if ("{Key" in path) == of_objects)
    names = {name for _, _, query in found for name in query.split("&")}
    return frozenset(names - {*_S3["parameters"], ""})
