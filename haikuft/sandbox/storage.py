"""S3, IAM and KMS as a service role sees them: moto's backends behind the role's policies.

moto serves these services over HTTP to anyone; a customization job reaches the same data
through here, and only as far as trust policy, role policies, bucket policy and keys allow.
Everything is looked up when it is asked for, so a policy changed during a job counts at once.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from haikuft.sandbox.keeping import Keeper
from haikuft.sandbox.policies import Decision, PolicyError, combine, evaluate
from haikuft.sandbox.settings import SandboxSettings

BEDROCK = "bedrock.amazonaws.com"


class AccessDenied(Exception):  # noqa: N818 - AWS's own word
    """The role may not do that; `str()` says it in AWS's words, naming action and resource."""

    def __init__(self, *, role_arn: str, action: str, resource: str, reason: str) -> None:
        super().__init__(
            f"{role_arn} is not authorized to perform: {action} on resource: {resource} {reason}"
        )
        self.action = action
        self.resource = resource
        self.reason = reason


class RoleNotAssumable(Exception):  # noqa: N818 - a state of the role, not a fault of ours
    """Bedrock may not act as that role; `reason` says why, AWS itself does not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Role:
    """A role that Bedrock acts as.

    Attributes:
        arn: Of the IAM role.
        name: Its last segment.
        source_arn: The ARN of the Bedrock resource on whose behalf it acts.
    """

    arn: str
    name: str
    source_arn: str


class Store:
    """The account's storage and identities; `lock` is held around every access to moto.

    What is changed in moto is changed within `keeper.keeping`, or it would not outlive the server.
    """

    def __init__(
        self,
        *,
        settings: Callable[[], SandboxSettings],
        now: Callable[[], datetime],
        keeper: Keeper,
    ) -> None:
        self.lock = RLock()
        self.keeper = keeper
        self._settings = settings
        self._now = now

    def assume_role(self, role_arn: str, *, source_arn: str) -> Role:
        """Let Bedrock act as a role, on behalf of the resource `source_arn`.

        Raises RoleNotAssumable when there is no such role, when it is younger than
        settings.role_delay_seconds, or when its trust policy does not let Bedrock have it.
        """
        with self.lock:
            role = self._find_role(role_arn)
            if role is None:
                raise RoleNotAssumable(f"There is no role {role_arn}.")
            age = self._now() - _aware(role.create_date)
            delay = timedelta(seconds=self._settings().role_delay_seconds)
            if age < delay:
                raise RoleNotAssumable(f"The role {role_arn} is too new to be used yet.")
            trust = [json.loads(role.assume_role_policy_document)]
            name = str(role.name)
        context = {"aws:SourceAccount": self._settings().account_id, "aws:SourceArn": source_arn}
        try:
            decision = evaluate(
                trust, action="sts:AssumeRole", resource=None, context=context, principal=BEDROCK
            )
        except PolicyError as error:
            raise RoleNotAssumable(f"Its trust policy cannot be judged. {error}") from error
        if not decision.allowed:
            raise RoleNotAssumable(
                f"The trust policy of {role_arn} does not let {BEDROCK} act for {source_arn}."
            )
        return Role(role_arn, name, source_arn)

    def bucket_region(self, bucket: str) -> str | None:
        """Return the bucket's Region; None when there is no such bucket."""
        with self.lock:
            found = self._buckets().get(bucket)
            return None if found is None else str(found.region_name)

    def get_object(self, role: Role, bucket: str, key: str) -> bytes:
        """Read an object as the role; KMS decrypts it as the role, too.

        Raises AccessDenied naming the missing action. For a missing object: KeyError for a
        role that may list the bucket, AccessDenied for any other, as on AWS.
        """
        with self.lock:
            arn = f"arn:aws:s3:::{bucket}/{key}"
            self._require(role, "s3:GetObject", arn, bucket)
            found = self._find_object(bucket, key)
            if found is None:
                listing = {"s3:prefix": key}
                self._require(role, "s3:ListBucket", f"arn:aws:s3:::{bucket}", bucket, listing)
                raise KeyError(f"s3://{bucket}/{key}")
            if found.encryption == "aws:kms":
                self._require_key(role, "kms:Decrypt", found.kms_key_id, bucket)
            return bytes(found.value)

    def put_object(self, role: Role, bucket: str, key: str, data: bytes) -> None:
        """Write an object as the role, encrypted as the bucket's default says.

        Raises AccessDenied naming the missing action, KeyError for a missing bucket.
        """
        with self.lock:
            found = self._buckets().get(bucket)
            if found is None:
                raise KeyError(f"s3://{bucket}")
            self._require(role, "s3:PutObject", f"arn:aws:s3:::{bucket}/{key}", bucket)
            rule = ((found.encryption or {}).get("Rule") or {}).get(
                "ApplyServerSideEncryptionByDefault", {}
            )
            if rule.get("SSEAlgorithm") == "aws:kms":
                self._require_key(role, "kms:GenerateDataKey", rule.get("KMSMasterKeyID"), bucket)
            with self.keeper.keeping("s3"):
                self._s3().put_object(bucket, key, data)

    def _require(
        self,
        role: Role,
        action: str,
        resource: str,
        bucket: str,
        further: Mapping[str, str] | None = None,
    ) -> None:
        """Raise AccessDenied unless the role's own policies or the bucket's let it."""
        context = self._context(role) | dict(further or {})
        found = self._buckets().get(bucket)
        on_resource = [json.loads(found.policy)] if found is not None and found.policy else []
        self._judge(role, action, resource, context, on_resource)

    def _require_key(self, role: Role, action: str, key_id: str | None, bucket: str) -> None:
        """Raise AccessDenied unless the role may use the key that encrypts a bucket's object."""
        if key_id is None or "alias/aws/s3" in key_id:
            return  # AWS's own key for S3, which anyone with access to the object may use
        region = self.bucket_region(bucket) or ""
        via = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
        arn = self._key_arn(key_id, region)
        self._judge(role, action, arn, self._context(role) | via, [])

    def _judge(
        self,
        role: Role,
        action: str,
        resource: str,
        context: Mapping[str, str],
        on_resource: list[dict[str, Any]],
    ) -> None:
        def deny(reason: str) -> AccessDenied:
            return AccessDenied(role_arn=role.arn, action=action, resource=resource, reason=reason)

        def judge(policies: Iterable[dict[str, Any]], principal: str | None = None) -> Decision:
            return evaluate(
                policies, action=action, resource=resource, context=context, principal=principal
            )

        found = self._find_role(role.arn)
        if found is None:
            raise deny("because the role no longer exists")
        try:
            own = judge(_role_policies(found))
            resources = judge(on_resource, role.arn)
            boundary = self._boundary(found)
            bounded = judge(boundary) if boundary else Decision(True, False)
        except PolicyError as error:
            raise deny(f"because a policy cannot be judged: {error}") from error
        if resources.explicit_deny:
            raise deny("with an explicit deny in a resource-based policy")
        if own.explicit_deny:
            raise deny("with an explicit deny in an identity-based policy")
        if not bounded.allowed:
            raise deny(f"because no permissions boundary allows the {action} action")
        if not combine(own, resources).allowed:
            raise deny(f"because no identity-based policy allows the {action} action")

    def _context(self, role: Role) -> dict[str, str]:
        account = self._settings().account_id
        return {
            "aws:SecureTransport": "true",  # loopback counts as secure
            "aws:PrincipalAccount": account,
            "aws:PrincipalArn": role.arn,
            "aws:PrincipalType": "AssumedRole",
            "aws:ResourceAccount": account,
            "s3:ResourceAccount": account,
            "kms:CallerAccount": account,
        }

    def _find_role(self, arn: str) -> Any | None:
        roles = list(self._iam().roles.values())
        return next((role for role in roles if role.arn == arn), None)

    def _boundary(self, role: Any) -> list[dict[str, Any]]:
        arn = role.permissions_boundary_arn
        found = self._iam().managed_policies.get(arn) if arn else None
        return [] if found is None else [_document(found)]

    def _find_object(self, bucket: str, key: str) -> Any | None:
        return self._s3().get_object(bucket, key) if bucket in self._buckets() else None

    def find_key(self, key_id: str, region: str) -> str | None:
        """Return the ARN of a Region's key named by id, ARN, alias or an alias's ARN."""
        name = key_id.rpartition(":")[2]
        with self.lock:
            for key in list(kms_backends[self._settings().account_id][region].keys.values()):
                if name in (key.id, f"key/{key.id}") or name in key.aliases:
                    return str(key.arn)
        return None

    def _key_arn(self, key_id: str, region: str) -> str:
        """Return the key's ARN, or the one that it would have, were it there."""
        own = f"arn:aws:kms:{region}:{self._settings().account_id}:key/{key_id}"
        return self.find_key(key_id, region) or (key_id if key_id[:4] == "arn:" else own)

    def _iam(self) -> Any:
        return iam_backends[self._settings().account_id]["aws"]

    def _s3(self) -> Any:
        return s3_backends[self._settings().account_id]["aws"]

    def _buckets(self) -> Mapping[str, Any]:
        buckets: Mapping[str, Any] = self._s3().buckets
        return buckets


def _role_policies(role: Any) -> Iterable[dict[str, Any]]:
    yield from (json.loads(text) for text in role.policies.values())
    yield from (_document(policy) for policy in role.managed_policies.values())


def _document(policy: Any) -> dict[str, Any]:
    """Return the default version of a managed policy."""
    text = next(v.document for v in policy.versions if v.version_id == policy.default_version_id)
    document: dict[str, Any] = json.loads(text)
    return document


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
