"""moto's S3, IAM, STS and KMS, corrected in the three places where they would mislead.

- What a caller may do has been judged before moto is asked: moto itself counts every condition
  operator but StringEquals as matched, so that a TLS-only Deny would block every object.
- A caller whose key IAM does not know is the account's administrator, by an ARN of AWS's shape.
- An object put with the content type of a form, as urllib and curl do by default, keeps its bytes.
"""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend
from werkzeug.test import run_wsgi_app

_create_app = cast(Callable[[str], Any], create_backend_app)

SERVICES = ("s3", "iam", "sts", "kms")
ADMINISTRATOR_ID = "AIDASANDBOXADMINIST8R"  # 21 characters, as IAM's user ids have


@dataclass(frozen=True, slots=True)
class Reply:
    """What moto answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MotoServices:
    """The four services, one request at a time: moto's backends know no locks.

    Args:
        lock: Held while moto answers.
        persist: Given the service, keeps what moto changes within the block.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        persist: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        _correct_moto()
        self._lock = lock
        self._persist = persist
        self._apps: dict[str, Any] = {}

    def answer(self, service: str, environ: dict[str, Any], body: bytes) -> Reply:
        """Hand a WSGI request with this body to moto.

        Raises whatever moto raises beyond AWS's own errors.
        """
        length = str(len(body))
        environ = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": length}
        is_put = service == "s3" and environ["REQUEST_METHOD"] == "PUT"
        if is_put and "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            environ = {**environ, "CONTENT_TYPE": "binary/octet-stream"}
        with self._lock:
            if service not in self._apps:
                self._apps[service] = _create_app(service)
            with self._persist(service):
                chunks, status, headers = run_wsgi_app(self._apps[service], environ, buffered=True)
                answer = b"".join(chunks)
        return Reply(int(status.split()[0]), list(headers), answer)


def administrator_arn(account_id: str) -> str:
    """Return the ARN of the caller whose access key IAM does not know."""
    return f"arn:aws:iam::{account_id}:user/administrator"


def _correct_moto() -> None:
    bucket, sts = cast(Any, FakeBucket), cast(Any, STSBackend)
    bucket.get_permission = lambda *_: PermissionResult.PERMITTED
    if not hasattr(sts.get_caller_identity, "__wrapped__"):
        sts.get_caller_identity = _name_administrator(sts.get_caller_identity)


def _name_administrator(original: Callable[..., tuple[str, str, str]]) -> Any:
    @wraps(original)
    def get_caller_identity(backend: Any, *args: Any, **named: Any) -> tuple[str, str, str]:
        user_id, arn, account_id = original(backend, *args, **named)
        if arn.endswith(":user/moto"):
            return ADMINISTRATOR_ID, administrator_arn(account_id), account_id
        return user_id, arn, account_id

    return get_caller_identity
