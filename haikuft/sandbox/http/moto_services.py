"""S3, IAM, STS and KMS, served by moto, with three corrections.

- Requests are authorized before moto sees them, because moto takes every condition operator but
  StringEquals as matched, so that a TLS-only Deny would block every object.
- A caller whose access key IAM does not know is the account's administrator, with a valid ARN.
- An object put with the content type of a form, the default of urllib and curl, keeps its bytes.
"""

import inspect
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, cast
from urllib.parse import parse_qsl

from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend
from werkzeug.test import run_wsgi_app

from haikuft.sandbox.http.messages import Response

_create_app = cast(Callable[[str], Any], create_backend_app)

SERVICES = ("s3", "iam", "sts", "kms")


class MotoServices:
    """The four services, one request at a time, because moto's backends have no locks.

    Args:
        lock: Held while moto answers.
        persist: Given the service, and whether the request only reads, stores what moto changes
            within the block.
        administrator: User id of the caller whose access key IAM does not know, and what returns
            its ARN in an account.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        persist: Callable[[str, bool], AbstractContextManager[None]],
        administrator: tuple[str, Callable[[str], str]],
    ) -> None:
        _correct_moto(*administrator)
        self._lock = lock
        self._persist = persist
        self._apps: dict[str, Any] = {}

    def answer(self, service: str, environ: dict[str, Any], body: bytes) -> Response:
        """Have moto answer a WSGI request, whose header names the account, with this body.

        Raises what moto raises apart from AWS's errors.
        """
        length = str(len(body))
        environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length}
        is_put = service == "s3" and environ["REQUEST_METHOD"] == "PUT"
        if is_put and "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            environ = {**environ, "CONTENT_TYPE": "binary/octet-stream"}
        with self._lock:
            if service not in self._apps:
                self._apps[service] = _create_app(service)
            with self._persist(service, _only_reads(service, environ, body)):
                chunks, status, headers = run_wsgi_app(self._apps[service], environ, buffered=True)
                answer = b"".join(chunks)
        return Response(int(status.split()[0]), dict(headers), answer)


def _only_reads(service: str, environ: dict[str, Any], body: bytes) -> bool:
    """Whether a request cannot change anything. KMS creates AWS's own keys when they are read."""
    if service == "s3":
        return environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if service == "kms":
        return False
    form = f"{environ.get('QUERY_STRING', '')}&{body.decode('utf-8', 'replace')}"
    return dict(parse_qsl(form)).get("Action", "").startswith(("Get", "List"))


def _correct_moto(administrator_id: str, administrator_arn: Callable[[str], str]) -> None:
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
