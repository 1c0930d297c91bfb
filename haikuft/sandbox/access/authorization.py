"""Every request's way past the policies: who signed it, what it takes, whether it may.

Denials are raised in the form in which the request's service answers: ServiceError for Bedrock,
RefusedError for the others. A PolicyError names a policy that the sandbox cannot judge. What S3
needs beyond this is in `s3_guard`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from haikuft.sandbox.access import required_permissions
from haikuft.sandbox.access.account import KeyNotUsable
from haikuft.sandbox.access.principals import AccessDenied, Caller, Need, authorize
from haikuft.sandbox.access.service_role import Store
from haikuft.sandbox.http.requests import RefusedError, Scope
from haikuft.sandbox.http.routing import Call, ServiceError

_NO_SESSION = frozenset({"GetSessionToken", "GetFederationToken"})
_UNSIGNED = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_OWNERS_RIGHTS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})
_DEAD_KEYS = {  # service -> AWS's code for a key switched off, and for a session that has ended
    "s3": ("InvalidAccessKeyId", "ExpiredToken"),
    "iam": ("InvalidClientTokenId", "ExpiredToken"),
    "sts": ("InvalidClientTokenId", "ExpiredToken"),
}
_DEAD_KEY = ("UnrecognizedClientException", "ExpiredTokenException")  # JSON services


class Guard:
    """Lets requests pass, or refuses them.

    Args:
        store: The account's storage and identities; its lock is held while policies are read.
        names: Finds what requests to Bedrock name otherwise than by ARN.

    `on_need(caller, need, given)` is told of every permission that was asked for.
    """

    def __init__(self, store: Store, names: required_permissions.Names) -> None:
        self.store = store
        self.account = store.account
        self.on_need: Callable[[Caller, Need, bool], None] = lambda caller, need, given: None
        self._names = names

    def find_caller(self, scope: Scope) -> Caller:
        """Tell who signed a request.

        Raises RefusedError for an access key that IAM made and that counts no longer.
        """
        try:
            return self.account.find_caller(scope.access_key)
        except KeyNotUsable as error:
            code = _DEAD_KEYS.get(scope.service, _DEAD_KEY)[error.expired]
            what = "The security token included in the request is "
            message = f"{what}{'expired' if error.expired else 'invalid'}."
            raise RefusedError(403, code, message) from error

    def require(self, caller: Caller, needs: Iterable[Need]) -> None:
        """Let a request pass when each of its needs is met.

        Raises AccessDenied for the first that is not.
        """
        for need in needs:
            if caller.administrator and need.action in _OWNERS_RIGHTS:
                continue  # AWS leaves an account's root these, whatever a bucket's policy says
            with self.store.lock:
                on_resource, kind = self.account.policies_on(need)
            try:
                authorize(caller, need, on_resource=on_resource, kind=kind)
            except AccessDenied:
                self.on_need(caller, need, False)
                raise
            self.on_need(caller, need, True)

    def check_call(self, scope: Scope, call: Call) -> None:
        """Let a call to Bedrock pass.

        Raises ServiceError: AccessDeniedException, in AWS's words.
        """
        caller = self.find_caller(scope)
        needs = required_permissions.bedrock_needs(call, self._names)
        try:
            self.require(
                caller,
                # Nothing but a key's policy can forbid the administrator anything of Bedrock.
                (n for n in needs if not caller.administrator or n.action.startswith("kms:")),
            )
        except AccessDenied as error:
            raise ServiceError("AccessDeniedException", error.describe()) from error

    def check_quotas(self, scope: Scope, operation: str, asked: Mapping[str, Any]) -> None:
        """Let a request to Service Quotas pass. Raises RefusedError."""
        prefix = f"arn:aws:servicequotas:{scope.region}:{self.account.account_id}:"
        needs = required_permissions.quota_needs(operation, asked, prefix=prefix)
        self._refuse_unless(self.find_caller(scope), needs, "AccessDeniedException", 400)

    def check_request(self, scope: Scope, environ: Mapping[str, Any], body: bytes) -> None:
        """Let a request to IAM, STS or KMS pass. Raises RefusedError."""
        if scope.service == "kms":
            operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
            self._check_kms(scope, operation, body)
        else:
            self._check_query(scope, body, environ.get("QUERY_STRING", ""))

    def _check_kms(self, scope: Scope, operation: str, body: bytes) -> None:
        caller = self.find_caller(scope)
        try:
            asked = json.loads(body or b"{}")
        except ValueError as error:
            raise RefusedError(400, "SerializationException", str(error)) from error
        needs = required_permissions.kms_needs(
            operation,
            asked if isinstance(asked, dict) else {},
            key_arn=lambda name: self.account.key_arn(name, scope.region),
            prefix=f"arn:aws:kms:{scope.region}:{self.account.account_id}:",
        )
        self._refuse_unless(caller, needs, "AccessDeniedException", 400)

    def _check_query(self, scope: Scope, body: bytes, query: str) -> None:
        asked = dict(parse_qsl(f"{query}&{body.decode('utf-8', 'replace')}"))
        operation = asked.get("Action", "")
        caller = self.find_caller(scope)
        if scope.service == "iam":
            needs = required_permissions.iam_needs(
                asked,
                account_id=self.account.account_id,
                caller_arn=caller.arn,
                path_of=self.account.path_of,
            )
        elif operation in _UNSIGNED:
            return  # whoever presents the token may; the signature says nothing
        elif operation in _NO_SESSION and not caller.administrator:
            message = (
                f"The sandbox makes no keys by {operation} that it could hold to your policies. "
                "Use your own access key, or AssumeRole."
            )
            raise RefusedError(501, "NotImplemented", message)
        else:
            needs = required_permissions.sts_needs(asked)
        self._refuse_unless(caller, needs, "AccessDenied", 403)

    def _refuse_unless(self, caller: Caller, needs: Iterable[Need], code: str, status: int) -> None:
        try:
            with self.store.lock:
                self.require(caller, needs)
        except AccessDenied as error:
            raise RefusedError(status, code, error.describe()) from error
