"""One account's callers, roles, buckets and keys, read from moto's IAM, STS, S3 and KMS.

Everything is read when it is asked for, so a changed policy takes effect at once. The caller of
these functions holds the store's lock. Not evaluated, because moto does not store them:
permissions boundaries of users, session tags, and managed session policies. KMS grants are not
evaluated either; only policies allow the use of a key.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from haikuft.sandbox.access.policy_evaluation import (
    Caller,
    Permission,
    Policy,
    PolicyError,
    ResourceKind,
    authorize,
)

ADMINISTRATOR_ID = "AIDASANDBOXADMINIST8R"  # 21 characters, as IAM's user ids have


class KeyNotUsable(Exception):  # noqa: N818 - a state of the access key, not a fault of ours
    """An access key that IAM created and that is expired (`expired`) or inactive."""

    def __init__(self, *, expired: bool) -> None:
        super().__init__("expired" if expired else "inactive")
        self.expired = expired


class Account:
    """One AWS account.

    Args:
        account_id: Its id, twelve digits.
        now: Returns the time, aware, UTC; it decides whether a session has expired.
    """

    def __init__(self, account_id: str, now: Callable[[], datetime]) -> None:
        self.account_id = account_id
        self._now = now

    def require(self, caller: Caller, permission: Permission) -> None:
        """Check that a caller has a permission, by its own policies and those on the resource.

        Raises AccessDenied, and PolicyError for a policy that cannot be evaluated.
        """
        on_resource, kind = self.policies_on(permission)
        authorize(caller, permission, on_resource=on_resource, kind=kind)

    def find_caller(self, access_key: str) -> Caller:
        """Find the caller of an access key; a key that IAM did not create is the administrator.

        Raises KeyNotUsable for an inactive key and for an expired session.
        """
        session = sts_backends[self.account_id]["aws"].get_assumed_role_from_access_key(access_key)
        if session is not None:
            if aware(session.expiration) <= self._now():
                raise KeyNotUsable(expired=True)
            return self._of_session(session)
        for user in list(self.iam().users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key:
                    if key.status != "Active":
                        raise KeyNotUsable(expired=False)
                    return self._of_user(user)
        arn = administrator_arn(self.account_id)
        administrator = self._caller(arn, "User", context={"aws:userid": ADMINISTRATOR_ID})
        return replace(administrator, administrator=True)

    def find_role(self, arn: str) -> Any | None:
        """Find a role by its ARN; returns moto's object."""
        return next((role for role in list(self.iam().roles.values()) if role.arn == arn), None)

    def caller_of_role(self, role: Any) -> Caller:
        """Return the caller that a service is when it acts as a role; `role` is moto's object."""
        return self._caller(str(role.arn), "AssumedRole", role)

    def is_others(self, bucket: str) -> bool:
        """Tell whether a bucket belongs to another account of the sandbox."""
        _, owner = s3_backends.bucket_accounts.get(bucket, ("", self.account_id))
        return bool(owner != self.account_id)

    def find_bucket(self, name: str) -> Any | None:
        """Find a bucket by its name; returns moto's object."""
        return self.s3().buckets.get(name)

    def find_key(self, name: str, region: str) -> Any | None:
        """Find a key by id, ARN, alias or alias ARN; returns moto's object."""
        parts = name.split(":")
        if len(parts) > 5:
            region = parts[3]
        wanted = parts[-1].removeprefix("key/")
        backends = kms_backends[self.account_id]
        keys = list(backends[region].keys.values()) if region in backends else []
        for key in keys:
            if wanted == key.id or wanted in key.aliases:
                return key
        return None

    def key_arn(self, name: str, region: str) -> str:
        """Return a key's ARN; for a key that does not exist, the ARN it would have."""
        key = self.find_key(name, region)
        if key is not None:
            return str(key.arn)
        where = name if name.startswith("alias/") else f"key/{name}"
        return name if name[:4] == "arn:" else f"arn:aws:kms:{region}:{self.account_id}:{where}"

    def policies_on(self, permission: Permission) -> tuple[tuple[Policy, ...], ResourceKind]:
        """Find the policies on the resource of a request, and what kind of resource it is."""
        if permission.action.startswith("s3:"):
            name = permission.resource.removeprefix("arn:aws:s3:::").partition("/")[0]
            bucket = self.find_bucket(name)
            text = None if bucket is None else bucket.policy
            return (read_policy(text),) if text else (), "bucket"
        if permission.action.startswith("kms:") and ":key/" in permission.resource:
            key = self.find_key(permission.resource, "us-east-1")
            if key is not None:  # for a key that does not exist KMS returns the error
                return (read_policy(key.policy),), "key"
        if permission.action == "sts:AssumeRole":
            return self.trust_policies(permission.resource), "role"
        return (), "bucket"

    def trust_policies(self, arn: str) -> tuple[Policy, ...]:
        """Read a role's trust policy; empty when there is no such role."""
        role = self.find_role(arn)
        return () if role is None else (read_policy(role.assume_role_policy_document),)

    def path_of(self, kind: str, name: str) -> str | None:
        """Return the path of a role, user or group; None when none has that name."""
        iam = self.iam()
        tables = {"role": iam.roles, "user": iam.users, "group": iam.groups}
        found = (one for one in list(tables.get(kind, {}).values()) if one.name == name)
        return next((str(one.path) for one in found), None)

    def iam(self) -> Any:
        """Moto's IAM."""
        return iam_backends[self.account_id]["aws"]

    def s3(self) -> Any:
        """Moto's S3."""
        return s3_backends[self.account_id]["aws"]

    def _of_user(self, user: Any) -> Caller:
        groups = [group for group in list(self.iam().groups.values()) if user in group.users]
        context = {"aws:username": str(user.name), "aws:userid": str(user.id)}
        return self._caller(str(user.arn), "User", user, *groups, context=context)

    def _of_session(self, session: Any) -> Caller:
        arn, role_arn = str(session.arn), str(session.role_arn)
        role = self.find_role(role_arn)
        context = {"aws:userid": str(session.user_id)}
        caller = self._caller(
            role_arn, "AssumedRole", *([] if role is None else [role]), context=context
        )
        policy = (read_policy(session.policy),) if session.policy else None
        return replace(caller, arn=arn, names=(arn, role_arn), session=policy)

    def _caller(
        self, arn: str, kind: str, *holders: Any, context: Mapping[str, str] | None = None
    ) -> Caller:
        """Return the caller with the policies of moto's user, groups or role, and its context."""
        return Caller(
            arn,
            (arn,),
            self.account_id,
            own=tuple(policy for holder in holders for policy in _policies_of(holder)),
            boundary=self._boundary(holders[0]) if kind == "AssumedRole" and holders else None,
            context={
                "aws:SecureTransport": "true",  # loopback counts as secure
                "aws:PrincipalAccount": self.account_id,
                "aws:PrincipalArn": arn,
                "aws:PrincipalType": kind,
                "aws:ResourceAccount": self.account_id,
                "s3:ResourceAccount": self.account_id,
                "kms:CallerAccount": self.account_id,
                **(context or {}),
            },
        )

    def _boundary(self, role: Any) -> tuple[Policy, ...] | None:
        if not role.permissions_boundary_arn:
            return None
        found = self.iam().managed_policies.get(role.permissions_boundary_arn)
        return () if found is None else (_document(found),)


def administrator_arn(account_id: str) -> str:
    """Return the ARN of the caller whose access key IAM does not know."""
    return f"arn:aws:iam::{account_id}:user/administrator"


def object_arn(bucket: str, key: str = "") -> str:
    """Build the ARN of an object, or of its bucket."""
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def listing_permission(bucket: str, key: str) -> Permission:
    """Return the permission to learn that an object does not exist."""
    return Permission("s3:ListBucket", object_arn(bucket), {"s3:prefix": key})


@lru_cache(maxsize=256)
def read_policy(text: str | bytes) -> Policy:
    """Parse a policy's JSON. The result is cached and must not be changed.

    Raises PolicyError for invalid JSON.
    """
    try:
        document: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise PolicyError(f"A policy is not JSON: {error}.") from error
    return document


def aware(moment: datetime) -> datetime:
    """Return a time as aware; one without a zone, as moto's are, is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _policies_of(entity: Any) -> Iterator[Policy]:
    """Yield the inline and the attached policies of a user, a group or a role."""
    yield from (read_policy(text) for text in list(entity.policies.values()))
    yield from (_document(policy) for policy in list(entity.managed_policies.values()))


def _document(policy: Any) -> Policy:
    """Return the default version of a managed policy."""
    return read_policy(
        next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
    )
