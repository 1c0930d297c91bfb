"""Required permissions of requests to S3, by method, path, query and headers. Pure.

A table has the action of each method and sub-resource. S3's own service model says what is a
sub-resource, so that one that is not in the table, or a second one, is never taken for a parameter.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; Service
Authorization Reference of S3. Paths are bucket first, the only form that reaches the sandbox.
"""

from collections.abc import Iterator, Mapping
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
    def context(self) -> dict[str, str]:
        """Its parameters and headers that policies have condition keys for."""
        named = {key: self.query[name] for name, key in _S3["keys"].items() if name in self.query}
        headers = (name for name in _S3["headers"] if name in self.headers)
        return named | {f"s3:{name}": self.headers[name] for name in headers}

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

    Raises UnknownPermissionError for a request that is no operation of the table.
    """
    if request.deletes_many:
        return
    if not request.bucket:
        yield Permission("s3:ListAllMyBuckets")
        return
    action, version = _find_action(request), request.query.get("versionId", "")
    if action == "DeleteObject":
        yield from deletion_permissions(request.bucket, request.key, version)
        return
    named = action
    if version and action in _S3["versioned"]:
        named = action.replace("Object", "ObjectVersion", 1)
    context = request.context if action in _S3["with_context"] else {}
    yield Permission(f"s3:{named}", request.arn, context)
    if action == "PutObject":
        yield from _copied(request)
    for header, other in _S3["with_header"].get(action, {}).items():
        if request.headers.get(header):
            yield Permission(f"s3:{other}", request.arn)


def deletion_permissions(bucket: str, key: str, version: str = "") -> Iterator[Permission]:
    """Yield the permissions to delete one object, or one version of it.

    According to AWS s3:DeleteObject is always required, and for a version the other as well.
    """
    yield Permission("s3:DeleteObject", object_arn(bucket, key))
    if version:
        yield Permission("s3:DeleteObjectVersion", object_arn(bucket, key))


def _find_action(request: S3Request) -> str:
    """Find the action of a request's method and sub-resource."""
    possible = _sub_resources(bool(request.key))
    names = "&".join(name for name in request.query if name in possible)
    about = f"{'object' if request.key else 'bucket'}{'?' if names else ''}{names}"
    action: str | None = _S3["actions"].get(f"{request.method} {about}")
    if action is None:
        where = "an object with " if request.key else f"/{request.bucket}"
        raise UnknownPermissionError(f"{request.method} {where}?{names or '&'.join(request.query)}")
    return action


def _copied(request: S3Request) -> Iterator[Permission]:
    """Yield the permission to read the source of a copy."""
    source, _, version = request.headers.get("x-amz-copy-source", "").partition("?versionId=")
    if source:
        arn = object_arn(*split_path(source))
        yield Permission(f"s3:GetObject{'Version' if version else ''}", arn)


@cache
def _sub_resources(of_objects: bool) -> frozenset[str]:
    """List the sub-resources that S3's own service model knows; an upload is one of its object."""
    model = load_service("s3")
    paths = (model.operation_model(name).http["requestUri"] for name in model.operation_names)
    found = (path.partition("?") for path in paths if ("{Key" in path) == of_objects)
    names = {name for _, _, query in found for name in query.split("&")} - {*_S3["parameters"], ""}
    return frozenset(names | ({"uploadId"} if of_objects else set()))
