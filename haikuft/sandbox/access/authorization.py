"""Authorize a request: find the caller, the permissions it requires, and evaluate the policies.

A denial is a ServiceError with the code that the request's service gives. A PolicyError names a
policy that the sandbox cannot evaluate. What only S3 requires is in `s3_authorization`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from haikuft.package_data import read_toml
from haikuft.sandbox.access import required_permissions
from haikuft.sandbox.access.policy_evaluation import AccessDenied, Caller, Permission
from haikuft.sandbox.access.store import KeyNotUsable, Store
from haikuft.sandbox.http.messages import (
    Call,
    Scope,
    ServiceError,
    read_form,
    read_json_operation,
    read_object,
)

_CALLER = read_toml("haikuft.sandbox.access", "permissions.toml")["caller"]


class Authorizer:
    """Authorizes requests of all services.

    Args:
        store: The account's storage and identities; its lock is held while policies are read.
        names: Finds the ARN of what a request to Bedrock names by name or id.

    `on_decision(caller, permission, allowed)` is called for every permission that was evaluated.
    """

    def __init__(self, store: Store, names: required_permissions.Names) -> None:
        self.store = store
        self.on_decision: Callable[[Caller, Permission, bool], None] = (
            lambda caller, permission, given: None
        )
        self._names = names

    def find_caller(self, scope: Scope) -> Caller:
        """Find the caller that signed a request.

        Raises ServiceError for an inactive access key and for an expired session.
        """
        try:
            return self.store.find_caller(scope.access_key)
        except KeyNotUsable as error:
            codes = _CALLER["unusable"]
            code = codes.get(scope.service, codes["others"])[error.expired]
            what = "The security token included in the request is "
            message = f"{what}{'expired' if error.expired else 'invalid'}."
            raise ServiceError(code, message, status=403) from error

    def require(self, caller: Caller, permissions: Iterable[Permission]) -> None:
        """Check that a caller has all of these permissions.

        Raises AccessDenied for the first that is missing.
        """
        for permission in permissions:
            if caller.administrator and permission.action in _CALLER["root_rights"]:
                continue
            try:
                self.store.check(caller, permission)
            except AccessDenied:
                self.on_decision(caller, permission, False)
                raise
            self.on_decision(caller, permission, True)

    def check_call(self, scope: Scope, call: Call) -> None:
        """Authorize a call to Bedrock.

        Raises ServiceError: AccessDeniedException, in AWS's words.
        """
        caller = self.find_caller(scope)
        permissions = required_permissions.bedrock_permissions(call, self._names)
        try:
            self.require(
                caller,
                # Only a key's policy can deny the administrator anything in Bedrock.
                (n for n in permissions if not caller.administrator or n.action.startswith("kms:")),
            )
        except AccessDenied as error:
            raise ServiceError("AccessDeniedException", error.describe()) from error

    def check_request(self, scope: Scope, environ: Mapping[str, Any], body: bytes) -> None:
        """Authorize a request to IAM, STS, KMS or Service Quotas. Raises ServiceError."""
        caller = self.find_caller(scope)
        if scope.service in ("iam", "sts"):
            permissions = self._form_permissions(scope, caller, read_form(environ, body))
            status, code = 403, "AccessDenied"
        else:
            permissions = self._json_permissions(scope, read_json_operation(environ), body)
            status, code = 400, "AccessDeniedException"
        try:
            with self.store.lock:
                self.require(caller, permissions)
        except AccessDenied as error:
            raise ServiceError(code, error.describe(), status=status) from error

    def _json_permissions(self, scope: Scope, operation: str, body: bytes) -> Iterable[Permission]:
        asked = read_object(body)
        prefix = f"arn:aws:{scope.service}:{scope.region}:{self.store.account_id}:"
        if scope.service == "servicequotas":
            return required_permissions.quota_permissions(operation, asked, prefix=prefix)
        return required_permissions.kms_permissions(
            operation,
            asked,
            key_arn=lambda name: self.store.key_arn(name, scope.region),
            prefix=prefix,
        )

    def _form_permissions(
        self, scope: Scope, caller: Caller, asked: Mapping[str, str]
    ) -> Iterable[Permission]:
        operation = asked.get("Action", "")
        if scope.service == "iam":
            return required_permissions.iam_permissions(
                asked,
                account_id=self.store.account_id,
                caller_arn=caller.arn,
                path_of=self.store.path_of,
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
