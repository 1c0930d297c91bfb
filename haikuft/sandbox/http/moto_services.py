"""S3, IAM, STS and KMS, served by moto, with four corrections.

- Requests are authorized before moto sees them, because moto takes every condition operator but
  StringEquals as matched, so that a TLS-only Deny would block every object.
- A caller whose access key IAM does not know is the account's administrator, with a valid ARN.
- An object put with the content type of a form, the default of urllib and curl, keeps its bytes.
- Answers say of an object's checksum its type and the number of its parts.
"""

import inspect
import io
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, cast

from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeBucket, s3_backends
from moto.sts.models import STSBackend
from werkzeug.test import run_wsgi_app

from haikuft.sandbox.http.messages import Response, raw_path, read_form, read_query, split_path

_PARTS = {"partNumber", "tagging", "acl", "retention", "legal-hold"}  # of an object, not the whole
_COMPLETED = b"</CompleteMultipartUploadResult>"
SERVICES = ("s3", "iam", "sts", "kms")


def answer(state: Any, service: str, environ: dict[str, Any], body: bytes) -> Response:
    """Have moto answer a WSGI request, whose header names the account, with this body.

    Its requests are answered one at a time, because moto's backends have no locks.

    Args:
        state: Stores moto's data: its `lock` is held while moto answers, and its `persist` stores
            what moto changes within the block.
        service: One of SERVICES.
        environ: The request.
        body: What moto reads as the request's body.

    Raises what moto raises apart from AWS's errors.
    """
    length = str(len(body))
    environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length}
    is_put = service == "s3" and environ["REQUEST_METHOD"] == "PUT"
    if is_put and "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        environ = {**environ, "CONTENT_TYPE": "binary/octet-stream"}
    with state.lock, state.persist(service, reads=_only_reads(service, environ, body)):
        chunks, status, headers = run_wsgi_app(_create_app(service), environ, buffered=True)
        data, found = b"".join(chunks), dict(headers)
        if service == "s3" and status.startswith("2"):
            data = _complete_checksum(environ, found, data)
    return Response(int(status.split()[0]), found, data)


@cache
def _create_app(service: str) -> Any:
    create: Any = create_backend_app  # without types
    return create(service)


def _complete_checksum(environ: dict[str, Any], headers: dict[str, str], body: bytes) -> bytes:
    """Add to an answer what moto leaves out of an object's checksum; return the answer's body.

    That is its type and, to a composite checksum, the number of parts; in the answer to
    CompleteMultipartUpload all of it. Sources: S3 API Reference, PutObject, HeadObject and
    CompleteMultipartUpload; S3 User Guide, "Checking object integrity".
    """
    method, query = environ["REQUEST_METHOD"], read_query(environ)
    given = any(name.startswith("x-amz-checksum-") for name in headers)
    described = given and method in ("PUT", "HEAD") and not query.keys() & _PARTS
    completed = method == "POST" and "uploadId" in query
    if not described and not completed:
        return body
    bucket, key = split_path(raw_path(environ))
    partition, account = s3_backends.bucket_accounts[bucket]
    version = query.get("versionId")
    found: Any = s3_backends[account][partition].get_object(bucket, key, version_id=version)
    if found is None or found.checksum_algorithm is None:
        return body
    found.checksum_type = found.checksum_type or "FULL_OBJECT"
    composite = found.checksum_type == "COMPOSITE"
    value = f"{found.checksum_value}-{found.checksum_parts}" if composite else found.checksum_value
    if completed:
        name = f"Checksum{found.checksum_algorithm}"
        headers.pop("Content-Length", None)
        added = f"<{name}>{value}</{name}><ChecksumType>{found.checksum_type}</ChecksumType>"
        return body.replace(_COMPLETED, added.encode() + _COMPLETED, 1)
    headers[f"x-amz-checksum-{found.checksum_algorithm.lower()}"] = value
    headers["x-amz-checksum-type"] = found.checksum_type
    return body


def _only_reads(service: str, environ: dict[str, Any], body: bytes) -> bool:
    """Whether a request cannot change anything. KMS creates AWS's own keys when they are read."""
    if service == "s3":
        return environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if service == "kms":
        return False
    return read_form(environ, body).get("Action", "").startswith(("Get", "List"))


def correct_moto(administrator_id: str, administrator_arn: Callable[[str], str]) -> None:
    """Correct whom moto authorizes and how it names a caller whose access key IAM does not know.

    Args:
        administrator_id: That caller's user id.
        administrator_arn: Returns that caller's ARN in an account.
    """
    bucket, sts = cast(Any, FakeBucket), cast(Any, STSBackend)
    bucket.get_permission = lambda *_: PermissionResult.PERMITTED
    original = inspect.unwrap(sts.get_caller_identity)

    @wraps(original)
    def get_caller_identity(backend: Any, *args: Any, **named: Any) -> tuple[str, str, str]:
        user_id, arn, account_id = original(backend, *args, **named)
        if arn.endswith(":user/moto"):
            return administrator_id, administrator_arn(account_id), account_id
        return user_id, arn, account_id

    sts.get_caller_identity = get_caller_identity
