"""What Bedrock does as a service role in S3 and KMS, under that role's policies.

A job reads and writes moto's data only through this module, and only as far as the trust policy,
the role's policies, the bucket's policy and the key's policy allow. Everything is looked up when
it is asked for, so a policy that is changed during a job takes effect at once.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NewType

from haikuft.sandbox.access.account import Account, aware, listing_permission, object_arn
from haikuft.sandbox.access.policy_evaluation import (
    AccessDenied,
    Permission,
    PolicyError,
    evaluate,
)
from haikuft.sandbox.persistence.moto_state import MotoState
from haikuft.sandbox.settings import SandboxSettings

BEDROCK = "bedrock.amazonaws.com"


class RoleNotAssumable(Exception):  # noqa: N818 - a state of the role, not a fault of ours
    """Bedrock may not assume that role; `reason` says why, which AWS does not tell."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Role = NewType("Role", str)
"""The ARN of an IAM role that Bedrock has assumed for one of its resources."""


class Store:
    """An account's storage and identities; `lock`, which is moto's, is held around every access.

    A change in moto outlives the server only when it is made within `moto_state.persist`.
    """

    def __init__(
        self,
        account_id: str,
        *,
        settings: Callable[[], SandboxSettings],
        now: Callable[[], datetime],
        moto_state: MotoState,
    ) -> None:
        self.lock = moto_state.lock
        self.moto_state = moto_state
        self.account = Account(account_id, now)
        self._settings = settings
        self._now = now

    def assume_role(self, role_arn: str, *, source_arn: str) -> Role:
        """Assume a role for the Bedrock resource `source_arn`.

        Raises RoleNotAssumable when there is no such role, when it is younger than
        settings.role_delay_seconds, or when its trust policy does not allow Bedrock to.
        """
        with self.lock:
            role = self.account.find_role(role_arn)
            if role is None:
                raise RoleNotAssumable(f"There is no role {role_arn}.")
            age = self._now() - aware(role.create_date)
            delay = timedelta(seconds=self._settings().role_delay_seconds)
            if age < delay:
                raise RoleNotAssumable(f"The role {role_arn} is too new to be used yet.")
            trust = self.account.trust_policies(role_arn)
        context = {"aws:SourceAccount": self.account.account_id, "aws:SourceArn": source_arn}
        try:
            decision = evaluate(
                trust, action="sts:AssumeRole", resource=None, context=context, principal=BEDROCK
            )
        except PolicyError as error:
            raise RoleNotAssumable(f"Its trust policy cannot be evaluated. {error}") from error
        if decision != "Allow":
            raise RoleNotAssumable(
                f"The trust policy of {role_arn} does not let {BEDROCK} act for {source_arn}."
            )
        return Role(role_arn)

    def bucket_region(self, bucket: str) -> str | None:
        """Return the bucket's Region; None when there is no such bucket."""
        with self.lock:
            found = self.account.find_bucket(bucket)
            return None if found is None else str(found.region_name)

    def find_key(self, key_id: str, region: str) -> str | None:
        """Return the ARN of a Region's key named by id, ARN, alias or an alias's ARN."""
        with self.lock:
            key = self.account.find_key(key_id, region)
        return None if key is None or key.region != region else str(key.arn)

    def require(self, role: Role, permission: Permission) -> None:
        """Check that the policies of the role, the bucket and the key allow the role an action.

        Raises AccessDenied naming the action.
        """
        with self.lock:
            found = self.account.find_role(role)
            if found is None:
                raise AccessDenied(role, permission, "because the role no longer exists")
            try:
                self.account.require(self.account.caller_of_role(found), permission)
            except PolicyError as error:
                reason = f"because a policy cannot be evaluated: {error}"
                raise AccessDenied(role, permission, reason) from error

    def require_key(self, role: Role, key_arn: str, actions: Iterable[str]) -> None:
        """Check that the role may use a customer managed key through Bedrock.

        Raises AccessDenied naming the missing action, KeyError for a key that does not exist.
        """
        with self.lock:
            key = self.account.find_key(key_arn, "")
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
            for permission in self.key_permissions(
                bucket, self.key_of_object(bucket, key), ["kms:Decrypt"]
            ):
                self.require(role, permission)
            return bytes(found.value)

    def put_object(self, role: Role, bucket: str, key: str, data: bytes) -> None:
        """Write an object as the role, encrypted as the bucket's default says.

        Raises AccessDenied naming the missing action, KeyError for a missing bucket.
        """
        with self.lock:
            found = self.account.find_bucket(bucket)
            if found is None:
                raise KeyError(f"s3://{bucket}")
            self.require(role, Permission("s3:PutObject", object_arn(bucket, key)))
            for permission in self.key_permissions(
                bucket, default_key(found), ["kms:GenerateDataKey"]
            ):
                self.require(role, permission)
            with self.moto_state.persist("s3"):
                self.account.s3().put_object(bucket, key, data)

    def key_of_object(self, bucket: str, key: str) -> str:
        """Find the KMS key that encrypts an object; "" for none, and without such an object."""
        found = self._find_object(bucket, key)
        if found is None or found.encryption != "aws:kms":
            return ""
        return str(found.kms_key_id or "")

    def key_permissions(self, bucket: str, key_id: str, actions: Sequence[str]) -> list[Permission]:
        """Return the permissions to use a key for a bucket's objects, through S3.

        None for the AWS managed key of S3, which everyone with access to the object may use.
        """
        if not key_id or "alias/aws/s3" in key_id:
            return []
        region = self.bucket_region(bucket) or ""
        via = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
        arn = self.account.key_arn(key_id, region)
        return [Permission(action, arn, via) for action in actions]

    def _find_object(self, bucket: str, key: str) -> Any | None:
        found = self.account.find_bucket(bucket)
        return None if found is None else self.account.s3().get_object(bucket, key)


def default_key(bucket: Any) -> str:
    """Find the KMS key of a bucket's default encryption; "" for none. `bucket` is moto's object."""
    rule = ((bucket.encryption or {}).get("Rule") or {}).get(
        "ApplyServerSideEncryptionByDefault", {}
    )
    return str(rule.get("KMSMasterKeyID") or "") if rule.get("SSEAlgorithm") == "aws:kms" else ""
