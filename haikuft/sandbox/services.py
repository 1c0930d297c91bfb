"""moto's S3, IAM, STS and KMS, corrected in the three places where they would mislead.

- A bucket's policy is judged by `policies`: moto counts every condition operator but
  StringEquals as matched, so that a TLS-only Deny would block every object.
- A caller whose key IAM does not know is the account's administrator, by an ARN of AWS's shape.
- An object put with the content type of a form, as urllib and curl do by default, keeps its bytes.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import create_backend_app
from moto.s3.models import FakeBucket
from moto.sts.models import STSBackend
from werkzeug.test import run_wsgi_app

from haikuft.sandbox.policies import evaluate
from haikuft.sandbox.storage import Store

_create_app = cast(Callable[[str], Any], create_backend_app)

SERVICES = ("s3", "iam", "sts", "kms")
_ADMINISTRATOR_ID = "AIDASANDBOXADMINIST8R"  # 21 characters, as IAM's user ids have
_ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:PostObject": "s3:PutObject"}  # moto -> IAM


@dataclass(frozen=True, slots=True)
class Reply:
    """What moto answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class MotoServices:
    """The four services, one request at a time: moto's backends know no locks."""

    def __init__(self, store: Store) -> None:
        _correct_moto()
        self._store = store
        self._apps: dict[str, Any] = {}

    def answer(self, service: str, environ: dict[str, Any]) -> Reply:
        """Hand a WSGI request to moto. Raises whatever moto raises beyond AWS's own errors."""
        is_put = service == "s3" and environ["REQUEST_METHOD"] == "PUT"
        if is_put and "x-www-form-urlencoded" in environ.get("CONTENT_TYPE", ""):
            environ = {**environ, "CONTENT_TYPE": "binary/octet-stream"}
        with self._store.lock:
            if service not in self._apps:
                self._apps[service] = _create_app(service)
            with self._store.keeper.keeping(service):
                chunks, status, headers = run_wsgi_app(self._apps[service], environ, buffered=True)
                body = b"".join(chunks)
        code = int(status.split()[0])
        if service == "s3" and code == 403 and not body and environ["REQUEST_METHOD"] != "HEAD":
            body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            headers["Content-Type"] = "application/xml"
            headers["Content-Length"] = str(len(body))
        return Reply(code, list(headers), body)


def administrator_arn(account_id: str) -> str:
    """Return the ARN of the caller whose access key IAM does not know."""
    return f"arn:aws:iam::{account_id}:user/administrator"


def _correct_moto() -> None:
    bucket, sts = cast(Any, FakeBucket), cast(Any, STSBackend)
    bucket.get_permission = _judge_bucket_policy
    if not hasattr(sts.get_caller_identity, "__wrapped__"):
        sts.get_caller_identity = _name_administrator(sts.get_caller_identity)


def _judge_bucket_policy(bucket: Any, action: str, resource: str) -> PermissionResult:
    """Judge what the administrator asks of a bucket; takes the place of moto's own method."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    caller = administrator_arn(bucket.account_id)
    context = {
        "aws:SecureTransport": "true",  # loopback counts as secure
        "aws:PrincipalAccount": bucket.account_id,
        "aws:PrincipalArn": caller,
        "aws:PrincipalType": "User",
        "aws:ResourceAccount": bucket.account_id,
        "s3:ResourceAccount": bucket.account_id,
    }
    decision = evaluate(
        [json.loads(bucket.policy)],
        action=_ACTIONS.get(action, action),
        resource=resource,
        context=context,
        principal=caller,
    )
    if decision.explicit_deny:
        return PermissionResult.DENIED
    return PermissionResult.PERMITTED if decision.allowed else PermissionResult.NEUTRAL


def _name_administrator(original: Callable[..., tuple[str, str, str]]) -> Any:
    @wraps(original)
    def get_caller_identity(backend: Any, *args: Any, **named: Any) -> tuple[str, str, str]:
        user_id, arn, account_id = original(backend, *args, **named)
        if arn.endswith(":user/moto"):
            return _ADMINISTRATOR_ID, administrator_arn(account_id), account_id
        return user_id, arn, account_id

    return get_caller_identity
