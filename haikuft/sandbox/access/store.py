"""One account's storage and identities in moto: who calls, which policies apply, what a role does.

Everything is read when it is asked for, so a changed policy takes effect at once, during a job too.
A job reads and writes moto's data only through `Store.get_object` and `Store.put_object`, as far as
the trust policy, the role's policies, the bucket's policy and the key's policy allow.

Not evaluated, because moto does not store them: permissions boundaries of users, session tags, and
managed session policies. KMS grants are not evaluated either; only policies allow the use of a key.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NewType

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from haikuft.package_data import read_toml
from haikuft.sandbox.access.policy_evaluation import (
    AccessDenied,
    Caller,
    Permission,
    Policy,
    PolicyError,
    ResourceKind,
    authorize,
    evaluate,
)
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.persistence.moto_state import MotoState
from haikuft.sandbox.settings import SandboxSettings

ADMINISTRATOR_ID = "AIDASANDBOXADMINIST8R"  # 21 characters, as IAM's user ids have
BEDROCK = "bedrock.amazonaws.com"
_CALLER = read_toml("haikuft.sandbox.access", "permissions.toml")["caller"]

Role = NewType("Role", str)
"""The ARN of an IAM role that Bedrock has assumed for one of its resources."""


class RoleNotAssumable(Exception):  # noqa: N818 - a state of the role, not a fault of ours
    """Bedrock may not assume that role; `str()` is AWS's sentence, then its own reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Could not assume provided IAM role. {reason}")


class Store:
    """One account's storage and identities.

    A change in moto outlives the server only when it is made within `moto_state.persist`.

    Args:
        account_id: Its id, twelve digits.
        settings: Returns the current settings.
        now: Returns the time, aware, UTC; it decides whether a session has expired.
        moto_state: What stores moto's data.

    Attributes:
        lock: moto's. The methods that act as a role hold it; callers of the others do.
    """

    def __init__(
        self,
        account_id: str,
        *,
        settings: Callable[[], SandboxSettings],
        now: Callable[[], datetime],
        moto_state: MotoState,
    ) -> None:
        self.account_id = account_id
        self.lock = moto_state.lock
        self.moto_state = moto_state
        self._settings = settings
        self._now = now

    def iam(self) -> Any:
        """Moto's IAM."""
        return iam_backends[self.account_id]["aws"]

    def s3(self) -> Any:
        """Moto's S3."""
        return s3_backends[self.account_id]["aws"]

    def check(self, caller: Caller, permissions: Iterable[Permission]) -> None:
        """Check that a caller has all of these permissions.

        Raises AccessDenied for the first that is missing, and PolicyError for a policy that cannot
        be evaluated.
        """
        for permission in permissions:
            if not (caller.administrator and permission.action in _CALLER["root_rights"]):
                self._authorize(caller, permission)

    def find_caller(self, access_key: str, service: str = "") -> Caller:
        """Find the caller of an access key; a key that IAM did not create is the administrator.

        Raises ServiceError, as `service` gives it, for an inactive key and for an expired session.
        """
        session = sts_backends[self.account_id]["aws"].get_assumed_role_from_access_key(access_key)
        if session is not None:
            if _aware(session.expiration) <= self._now():
                raise _unusable(service, expired=True)
            return self._caller_of_session(session)
        for user in list(self.iam().users.values()):
            for key in user.access_keys:
                if key.access_key_id == access_key:
                    if key.status != "Active":
                        raise _unusable(service, expired=False)
                    return self._caller_of_user(user)
        return self._administrator

    @cached_property
    def _administrator(self) -> Caller:
        arn = administrator_arn(self.account_id)
        administrator = self._caller(arn, "User", context={"aws:userid": ADMINISTRATOR_ID})
        return replace(administrator, administrator=True)

    def is_others(self, bucket: str) -> bool:
        """Tell whether a bucket belongs to another account of the sandbox."""
        _, owner = s3_backends.bucket_accounts.get(bucket, ("", self.account_id))
        return bool(owner != self.account_id)

    def find_bucket(self, name: str) -> Any | None:
        """Find a bucket by its name; returns moto's object."""
        return self.s3().buckets.get(name)

    def bucket_region(self, bucket: str) -> str | None:
        """Return the bucket's Region; None when there is no such bucket."""
        with self.lock:
            found = self.find_bucket(bucket)
            return None if found is None else str(found.region_name)

    def find_key(self, name: str, region: str) -> str | None:
        """Return the ARN of a Region's key named by id, ARN, alias or an alias's ARN."""
        with self.lock:
            key = self._find_key(name, region)
        return None if key is None or key.region != region else str(key.arn)

    def key_arn(self, name: str, region: str) -> str:
        """Return a key's ARN; for a key that does not exist, the ARN it would have."""
        key = self._find_key(name, region)
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
            key = self._find_key(permission.resource, "us-east-1")
            if key is not None:  # for a key that does not exist KMS returns the error
                return (read_policy(key.policy),), "key"
        if permission.action == "sts:AssumeRole":
            role = self._find_role(permission.resource)
            return () if role is None else (read_policy(role.assume_role_policy_document),), "role"
        return (), "bucket"

    def path_of(self, kind: str, name: str) -> str | None:
        """Return the path of a role, user or group; None when none has that name."""
        iam = self.iam()
        tables = {"role": iam.roles, "user": iam.users, "group": iam.groups}
        found = (one for one in list(tables.get(kind, {}).values()) if one.name == name)
        return next((str(one.path) for one in found), None)

    def assume_role(self, role_arn: str, *, source_arn: str) -> Role:
        """Assume a role for the Bedrock resource `source_arn`.

        Raises RoleNotAssumable when there is no such role, when it is younger than
        settings.role_delay_seconds, or when its trust policy does not allow Bedrock to.
        """
        with self.lock:
            role = self._find_role(role_arn)
            if role is None:
                raise RoleNotAssumable(f"There is no role {role_arn}.")
            delay = timedelta(seconds=self._settings().role_delay_seconds)
            if self._now() - _aware(role.create_date) < delay:
                raise RoleNotAssumable(f"The role {role_arn} is too new to be used yet.")
            document = role.assume_role_policy_document
        context = {"aws:SourceAccount": self.account_id, "aws:SourceArn": source_arn}
        action = "sts:AssumeRole"
        try:
            trust = (read_policy(document),)
            decision = evaluate(
                trust, action=action, resource=None, context=context, principal=BEDROCK
            )
        except PolicyError as error:
            raise RoleNotAssumable(f"Its trust policy cannot be evaluated. {error}") from error
        if decision != "Allow":
            raise RoleNotAssumable(
                f"The trust policy of {role_arn} does not let {BEDROCK} act for {source_arn}."
            )
        return Role(role_arn)

    def require(self, role: Role, permission: Permission) -> None:
        """Check that the policies of the role, the bucket and the key allow the role an action.

        Raises AccessDenied naming the action.
        """
        with self.lock:
            found = self._find_role(role)
            if found is None:
                raise AccessDenied(role, permission, "because the role no longer exists")
            try:
                self._authorize(self._caller(role, "AssumedRole", found), permission)
            except PolicyError as error:
                reason = f"because a policy cannot be evaluated: {error}"
                raise AccessDenied(role, permission, reason) from error

    def require_key(self, role: Role, key_arn: str, actions: Iterable[str]) -> None:
        """Check that the role may use a customer managed key through Bedrock.

        Raises AccessDenied naming the missing action, KeyError for a key that does not exist.
        """
        with self.lock:
            key = self._find_key(key_arn, "")
            if key is None:
                raise KeyError(key_arn)
            via = {"kms:ViaService": f"bedrock.{key.region}.amazonaws.com"}
            for action in actions:
                self.require(role, Permission(action, str(key.arn), via))

    def get_object(self, role: Role, bucket: str, key: str) -> bytes:
        """Read an object as the role; KMS decrypts it as the role, too.

        Raises AccessDenied naming the missing action. For a missing object: KeyError for a
        role that may list the bucket, AccessDenied for any other, as on AWS.
        """
        with self.lock:
            self.require(role, Permission("s3:GetObject", object_arn(bucket, key)))
            found = self._find_object(bucket, key)
            if found is None:
                self.require(role, listing_permission(bucket, key))
                raise KeyError(f"s3://{bucket}/{key}")
            used = self.key_of_object(bucket, key)
            for permission in self.key_permissions(bucket, used, ["kms:Decrypt"]):
                self.require(role, permission)
            return bytes(found.value)

    def put_object(self, role: Role, bucket: str, key: str, data: bytes) -> None:
        """Write an object as the role, encrypted as the bucket's default says.

        Raises AccessDenied naming the missing action, KeyError for a missing bucket.
        """
        with self.lock:
            if self.find_bucket(bucket) is None:
                raise KeyError(f"s3://{bucket}")
            self.require(role, Permission("s3:PutObject", object_arn(bucket, key)))
            used = self.default_key(bucket)
            for permission in self.key_permissions(bucket, used, ["kms:GenerateDataKey"]):
                self.require(role, permission)
            with self.moto_state.persist("s3"):
                self.s3().put_object(bucket, key, data)

    def key_of_object(self, bucket: str, key: str) -> str:
        """Find the KMS key that encrypts an object; "" for none, and without such an object."""
        found = self._find_object(bucket, key)
        if found is None or found.encryption != "aws:kms":
            return ""
        return str(found.kms_key_id or "")

    def default_key(self, bucket: str) -> str:
        """Find the KMS key of a bucket's default encryption; "" for none, and without a bucket."""
        found = self.find_bucket(bucket)
        rule = ((found and found.encryption) or {}).get("Rule") or {}
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        used = default.get("SSEAlgorithm") == "aws:kms" and default.get("KMSMasterKeyID")
        return str(used or "")

    def key_permissions(self, bucket: str, key_id: str, actions: Sequence[str]) -> list[Permission]:
        """Return the permissions to use a key for a bucket's objects, through S3.

        None for the AWS managed key of S3, which everyone with access to the object may use.
        """
        if not key_id or "alias/aws/s3" in key_id:
            return []
        region = self.bucket_region(bucket) or ""
        via = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
        arn = self.key_arn(key_id, region)
        return [Permission(action, arn, via) for action in actions]

    def _authorize(self, caller: Caller, permission: Permission) -> None:
        with self.lock:
            on_resource, kind = self.policies_on(permission)
            authorize(caller, permission, on_resource=on_resource, kind=kind)

    def _find_role(self, arn: str) -> Any | None:
        return next((role for role in list(self.iam().roles.values()) if role.arn == arn), None)

    def _find_object(self, bucket: str, key: str) -> Any | None:
        return None if self.find_bucket(bucket) is None else self.s3().get_object(bucket, key)

    def _find_key(self, name: str, region: str) -> Any | None:
        """Find a key by id, ARN, alias or alias ARN; returns moto's object."""
        parts = name.split(":")
        if len(parts) > 5:
            region = parts[3]
        wanted = parts[-1].removeprefix("key/")
        backends = kms_backends[self.account_id]
        keys = list(backends[region].keys.values()) if region in backends else []
        return next((key for key in keys if wanted == key.id or wanted in key.aliases), None)

    def _caller_of_user(self, user: Any) -> Caller:
        groups = [group for group in list(self.iam().groups.values()) if user in group.users]
        context = {"aws:username": str(user.name), "aws:userid": str(user.id)}
        return self._caller(str(user.arn), "User", user, *groups, context=context)

    def _caller_of_session(self, session: Any) -> Caller:
        arn, role_arn = str(session.arn), str(session.role_arn)
        role = self._find_role(role_arn)
        context = {"aws:userid": str(session.user_id)}
        holders = [] if role is None else [role]
        caller = self._caller(role_arn, "AssumedRole", *holders, context=context)
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


def _unusable(service: str, *, expired: bool) -> ServiceError:
    code = _CALLER["unusable"].get(service, _CALLER["unusable"]["others"])[expired]
    state = "expired" if expired else "invalid"
    message = f"The security token included in the request is {state}."
    return ServiceError(code, message, status=403)


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


def _aware(moment: datetime) -> datetime:
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
