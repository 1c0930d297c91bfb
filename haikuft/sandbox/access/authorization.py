"""Authorize a request: find the caller, the permissions it requires, and evaluate the policies.

A denial is a ServiceError with the code that the request's service gives. A PolicyError names a
policy that the sandbox cannot evaluate. What only S3 requires is in `s3_authorization`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from haikuft.package_data import read_toml
from haikuft.sandbox.access import required_permissions
from haikuft.sandbox.access.policy_evaluation import AccessDenied, Caller, Permission
from haikuft.sandbox.access.store import Store
from haikuft.sandbox.http.messages import (
    Call,
    Scope,
    ServiceError,
    read_form,
    read_json_operation,
    read_object,
)

_CALLER = read_toml("haikuft.sandbox.access", "permissions.toml")["caller"]


def check_call(store: Store, names: required_permissions.Names, scope: Scope, call: Call) -> None:
    """Authorize a call to Bedrock.

    Args:
        store: The account's storage and identities.
        names: Finds the ARN of what the request names by name or id.
        scope: The scope of the request's signature.
        call: The request.

    Raises ServiceError: AccessDeniedException, in AWS's words.
    """
    caller = store.find_caller(scope.access_key, scope.service)
    permissions = required_permissions.bedrock_permissions(call, names)
    if caller.administrator:  # only a key's policy can deny it anything in Bedrock
        permissions = (one for one in permissions if one.action.startswith("kms:"))
    try:
        store.check(caller, permissions)
    except AccessDenied as error:
        raise ServiceError("AccessDeniedException", error.describe()) from error


def check_request(store: Store, scope: Scope, environ: Mapping[str, Any], body: bytes) -> None:
    """Authorize a request to IAM, STS, KMS or Service Quotas. Raises ServiceError."""
    caller = store.find_caller(scope.access_key, scope.service)
    if scope.service in ("iam", "sts"):
        permissions = _form_permissions(store, scope, caller, read_form(environ, body))
        status, code = 403, "AccessDenied"
    else:
        permissions = _json_permissions(store, scope, read_json_operation(environ), body)
        status, code = 400, "AccessDeniedException"
    try:
        with store.lock:
            store.check(caller, permissions)
    except AccessDenied as error:
        raise ServiceError(code, error.describe(), status=status) from error


def _json_permissions(
    store: Store, scope: Scope, operation: str, body: bytes
) -> Iterable[Permission]:
    asked = read_object(body)
    prefix = f"arn:aws:{scope.service}:{scope.region}:{store.account_id}:"
    if scope.service == "servicequotas":
        return required_permissions.quota_permissions(operation, asked, prefix=prefix)
    return required_permissions.kms_permissions(
        operation, asked, key_arn=lambda name: store.key_arn(name, scope.region), prefix=prefix
    )


def _form_permissions(
    store: Store, scope: Scope, caller: Caller, asked: Mapping[str, str]
) -> Iterable[Permission]:
    operation = asked.get("Action", "")
    if scope.service == "iam":
        return required_permissions.iam_permissions(
            asked, account_id=store.account_id, caller_arn=caller.arn, path_of=store.path_of
        )
    if operation in _CALLER["unsigned"]:
        return ()  # the token authorizes the request; it is not signed
    if operation in _CALLER["no_session"] and not caller.administrator:
        message = (
            f"The sandbox creates no keys by {operation} to which your policies would apply. "
            "Use your own access key, or AssumeRole."
        )
        raise ServiceError("NotImplemented", message, status=501)
    return required_permissions.sts_permissions(asked)
