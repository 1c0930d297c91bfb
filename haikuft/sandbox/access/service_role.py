"""S3, IAM and KMS as a service role sees them: moto's backends behind the role's policies.

moto serves these services over HTTP to anyone; a customization job reaches the same data
through here, and only as far as trust policy, role policies, bucket policy and keys allow.
Everything is looked up when it is asked for, so a policy changed during a job counts at once.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from haikuft.sandbox.access.account import Account, aware
from haikuft.sandbox.access.policy_evaluation import PolicyError, evaluate
from haikuft.sandbox.access.principals import AccessDenied, Need, authorize
from haikuft.sandbox.access.s3_permissions import listing_need, object_arn
from haikuft.sandbox.persistence.moto_state import MotoState
from haikuft.sandbox.settings import SandboxSettings

BEDROCK = "bedrock.amazonaws.com"


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

    A change in moto outlives the server only when it is made within `moto_state.persist`.
    """

    def __init__(
        self,
        *,
        settings: Callable[[], SandboxSettings],
        now: Callable[[], datetime],
        moto_state: MotoState,
    ) -> None:
        self.lock = RLock()
        self.moto_state = moto_state
        self.account = Account(lambda: settings().account_id, now)
        self._settings = settings
        self._now = now

    def assume_role(self, role_arn: str, *, source_arn: str) -> Role:
        """Let Bedrock act as a role, on behalf of the resource `source_arn`.

        Raises RoleNotAssumable when there is no such role, when it is younger than
        settings.role_delay_seconds, or when its trust policy does not let Bedrock have it.
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
            name = str(role.name)
        context = {"aws:SourceAccount": self.account.account_id, "aws:SourceArn": source_arn}
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
            found = self.account.find_bucket(bucket)
            return None if found is None else str(found.region_name)

    def find_key(self, key_id: str, region: str) -> str | None:
        """Return the ARN of a Region's key named by id, ARN, alias or an alias's ARN."""
        with self.lock:
            key = self.account.find_key(key_id, region)
        return None if key is None or key.region != region else str(key.arn)

    def require_listing(self, role: Role, bucket: str, prefix: str) -> None:
        """See that the role may list what lies under a prefix.

        Raises AccessDenied naming s3:ListBucket.
        """
        self._require(role, listing_need(bucket, prefix))

    def require_model(self, role: Role, model_arn: str) -> None:
        """See that the role may ask a model.

        Raises AccessDenied naming bedrock:InvokeModel.
        """
        self._require(role, Need("bedrock:InvokeModel", model_arn))

    def require_key(self, role: Role, key_arn: str, actions: Iterable[str]) -> None:
        """See that the role may have Bedrock use a key of the customer's.

        Raises AccessDenied naming the missing action, KeyError for a key that is not there.
        """
        with self.lock:
            key = self.account.find_key(key_arn, "")
            if key is None:
                raise KeyError(key_arn)
            via = {"kms:ViaService": f"bedrock.{key.region}.amazonaws.com"}
            for action in actions:
                self._require(role, Need(action, str(key.arn), via))

    def get_object(self, role: Role, bucket: str, key: str) -> bytes:
        """Read an object as the role; KMS decrypts it as the role, too.

        Raises AccessDenied naming the missing action. For a missing object: KeyError for a
        role that may list the bucket, AccessDenied for any other, as on AWS.
        """
        with self.lock:
            self._require(role, Need("s3:GetObject", object_arn(bucket, key)))
            found = self._find_object(bucket, key)
            if found is None:
                self._require(role, listing_need(bucket, key))
                raise KeyError(f"s3://{bucket}/{key}")
            for need in self.key_needs(bucket, self.key_of_object(bucket, key), ["kms:Decrypt"]):
                self._require(role, need)
            return bytes(found.value)

    def put_object(self, role: Role, bucket: str, key: str, data: bytes) -> None:
        """Write an object as the role, encrypted as the bucket's default says.

        Raises AccessDenied naming the missing action, KeyError for a missing bucket.
        """
        with self.lock:
            found = self.account.find_bucket(bucket)
            if found is None:
                raise KeyError(f"s3://{bucket}")
            self._require(role, Need("s3:PutObject", object_arn(bucket, key)))
            for need in self.key_needs(bucket, default_key(found), ["kms:GenerateDataKey"]):
                self._require(role, need)
            with self.moto_state.persist("s3"):
                self.account.s3().put_object(bucket, key, data)

    def key_of_object(self, bucket: str, key: str) -> str:
        """Name the KMS key that encrypts an object; "" for none, and without such an object."""
        found = self._find_object(bucket, key)
        if found is None or found.encryption != "aws:kms":
            return ""
        return str(found.kms_key_id or "")

    def key_needs(self, bucket: str, key_id: str, actions: Sequence[str]) -> list[Need]:
        """Tell what it takes to use a key for a bucket's objects, through S3.

        Nothing for AWS's own key for S3, which anyone with access to the object may use.
        """
        if not key_id or "alias/aws/s3" in key_id:
            return []
        region = self.bucket_region(bucket) or ""
        via = {"kms:ViaService": f"s3.{region}.amazonaws.com"}
        arn = self.account.key_arn(key_id, region)
        return [Need(action, arn, via) for action in actions]

    def _require(self, role: Role, need: Need) -> None:
        """Raise AccessDenied unless the role's policies, the bucket's and the key's let it."""
        with self.lock:
            found = self.account.find_role(role.arn)
            if found is None:
                raise AccessDenied(role.arn, need, "because the role no longer exists")
            caller = self.account.caller_of_role(found)
            on_resource, kind = self.account.policies_on(need)
        try:
            authorize(caller, need, on_resource=on_resource, kind=kind)
        except PolicyError as error:
            reason = f"because a policy cannot be judged: {error}"
            raise AccessDenied(role.arn, need, reason) from error

    def _find_object(self, bucket: str, key: str) -> Any | None:
        found = self.account.find_bucket(bucket)
        return None if found is None else self.account.s3().get_object(bucket, key)


def default_key(bucket: Any) -> str:
    """Name the KMS key of a bucket's default encryption; "" for none. Moto's object comes in."""
    rule = ((bucket.encryption or {}).get("Rule") or {}).get(
        "ApplyServerSideEncryptionByDefault", {}
    )
    return str(rule.get("KMSMasterKeyID") or "") if rule.get("SSEAlgorithm") == "aws:kms" else ""
