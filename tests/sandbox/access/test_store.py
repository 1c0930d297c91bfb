"""What a service role may do with the account's data, and the messages when it may not."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from haikuft.sandbox.access.policy_evaluation import AccessDenied
from haikuft.sandbox.access.store import Role, RoleNotAssumable, Store

ACCOUNT = "123456789012"
NAME = "AmazonBedrock-haikuft-first"
ARN = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
JOB = f"arn:aws:bedrock:us-west-2:{ACCOUNT}:model-customization-job/base:0:200k/abcdefghijkl"
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "bedrock.amazonaws.com"},
    "Action": "sts:AssumeRole",
    "Condition": {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-west-2:{ACCOUNT}:*job/*"},
    },
}
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/training/*"}
LIST = {
    "Effect": "Allow",
    "Action": "s3:ListBucket",
    "Resource": "arn:aws:s3:::data",
    "Condition": {"StringLike": {"s3:prefix": "training/*"}},
}
WRITE = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::data/output/*"}


def document(*statements: dict[str, Any]) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class Account:
    """One account as its administrator and as Bedrock see it."""

    client: Callable[..., Any]
    store: Store

    def make_role(self, *statements: dict[str, Any], trust: dict[str, Any] | None = None) -> Role:
        """Create the role with an inline policy, and assume it."""
        iam = self.client("iam")
        iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=document(trust or TRUST))
        if statements:
            self.put_policy(*statements)
        return self.store.assume_role(ARN, source_arn=JOB)

    def put_policy(self, *statements: dict[str, Any]) -> None:
        """Replace the role's inline policy."""
        self.client("iam").put_role_policy(
            RoleName=NAME, PolicyName="data", PolicyDocument=document(*statements)
        )


@pytest.fixture
def account(local_sandbox: Any) -> Account:
    """An account with a bucket in us-west-2 and one training file in it."""
    local = local_sandbox()
    s3 = local.client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="data", Key="training/train.jsonl", Body=b"records")
    return Account(local.client, local.application.store)


def test_assume_role_when_trust_policy_fits_then_role_has_its_name(account: Account) -> None:
    """Account and job fit the conditions of the trust policy."""
    role = account.make_role()
    assert role == ARN


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"Service": "sagemaker.amazonaws.com"}},
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}},
        {"Action": "sts:TagSession"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "210987654321"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{ACCOUNT}:*"}}},
        {"Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}},
        {"Effect": "Deny"},
    ],
)
def test_assume_role_when_trust_policy_does_not_fit_then_refused(
    account: Account, change: dict[str, Any]
) -> None:
    """Each part of the trust policy counts; what cannot be judged does not pass."""
    with pytest.raises(RoleNotAssumable, match="trust policy"):
        account.make_role(trust=TRUST | change)


def test_assume_role_when_there_is_none_then_names_it(account: Account) -> None:
    """The reason says which role was looked for."""
    with pytest.raises(RoleNotAssumable, match=f"no role {ARN}"):
        account.store.assume_role(ARN, source_arn=JOB)


def test_assume_role_when_role_is_new_then_refused_until_the_delay_is_over(
    local_sandbox: Any,
) -> None:
    """As on AWS, a new role takes a while to be usable; the clock is ours."""
    later = [timedelta(0)]
    local = local_sandbox(now=lambda: datetime.now(UTC) + later[0], role_delay_seconds=10)
    account = Account(local.client, local.application.store)
    with pytest.raises(RoleNotAssumable, match="too new"):
        account.make_role()
    later[0] = timedelta(seconds=9)
    with pytest.raises(RoleNotAssumable, match="too new"):
        account.store.assume_role(ARN, source_arn=JOB)
    later[0] = timedelta(seconds=10)
    assert account.store.assume_role(ARN, source_arn=JOB) == ARN


def test_get_object_when_role_may_then_returns_the_bytes(account: Account) -> None:
    """The role's inline policy is enough."""
    role = account.make_role(READ)
    assert account.store.get_object(role, "data", "training/train.jsonl") == b"records"


def test_get_object_when_role_may_not_then_names_action_and_resource(account: Account) -> None:
    """The message is AWS's: who, what, on what, and why not."""
    role = account.make_role(LIST, WRITE)
    with pytest.raises(AccessDenied) as caught:
        account.store.get_object(role, "data", "training/train.jsonl")
    assert caught.value.action == "s3:GetObject"
    assert caught.value.resource == "arn:aws:s3:::data/training/train.jsonl"
    assert str(caught.value) == (
        f"User: {ARN} is not authorized to perform: s3:GetObject on resource: "
        "arn:aws:s3:::data/training/train.jsonl because no identity-based policy allows the "
        "s3:GetObject action"
    )


def test_get_object_when_permission_is_taken_away_then_it_counts_at_once(account: Account) -> None:
    """Policies are read when the object is, not when the role was assumed."""
    role = account.make_role(READ)
    account.put_policy(LIST)
    with pytest.raises(AccessDenied):
        account.store.get_object(role, "data", "training/train.jsonl")
    iam = account.client("iam")
    iam.delete_role_policy(RoleName=NAME, PolicyName="data")
    iam.delete_role(RoleName=NAME)
    with pytest.raises(AccessDenied, match="no longer exists"):
        account.store.get_object(role, "data", "training/train.jsonl")


def test_get_object_when_it_is_missing_then_only_who_may_list_is_told_so(account: Account) -> None:
    """To a role that may not list, a missing object looks like a forbidden one."""
    role = account.make_role(READ)
    with pytest.raises(AccessDenied, match="s3:ListBucket"):
        account.store.get_object(role, "data", "training/gone.jsonl")
    account.put_policy(READ, LIST)
    with pytest.raises(KeyError, match=r"s3://data/training/gone\.jsonl"):
        account.store.get_object(role, "data", "training/gone.jsonl")


def test_get_object_when_bucket_policy_speaks_then_it_counts_beside_the_roles(
    account: Account,
) -> None:
    """A bucket may let a role in by itself; its Deny beats the role's Allow."""
    role = account.make_role(LIST)
    s3 = account.client("s3")
    grant = {**READ, "Principal": {"AWS": ARN}}
    s3.put_bucket_policy(Bucket="data", Policy=document(grant))
    assert account.store.get_object(role, "data", "training/train.jsonl") == b"records"
    account.put_policy(READ)
    s3.put_bucket_policy(Bucket="data", Policy=document({**grant, "Effect": "Deny"}))
    with pytest.raises(AccessDenied, match="explicit deny in a resource-based policy"):
        account.store.get_object(role, "data", "training/train.jsonl")


def test_get_object_when_bucket_denies_plain_http_then_loopback_counts_as_secure(
    account: Account,
) -> None:
    """The TLS-only policy of notebook 01 lets the sandbox's own traffic through."""
    role = account.make_role(READ)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    account.client("s3").put_bucket_policy(Bucket="data", Policy=document(deny))
    assert account.store.get_object(role, "data", "training/train.jsonl") == b"records"


def test_get_object_when_role_has_a_managed_policy_and_a_boundary_then_both_count(
    account: Account,
) -> None:
    """A managed policy allows as an inline one does; a boundary limits both."""
    role = account.make_role()
    iam = account.client("iam")
    policy = iam.create_policy(PolicyName="read", PolicyDocument=document(READ))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=NAME, PolicyArn=policy)
    assert account.store.get_object(role, "data", "training/train.jsonl") == b"records"
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=document(LIST))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=NAME, PermissionsBoundary=limit)
    with pytest.raises(AccessDenied, match="permissions boundary"):
        account.store.get_object(role, "data", "training/train.jsonl")


def test_put_object_when_role_may_then_the_administrator_finds_it(account: Account) -> None:
    """What a job writes is there for everyone to read over S3."""
    role = account.make_role(WRITE)
    account.store.put_object(role, "data", "output/metrics.csv", b"loss")
    found = account.client("s3").get_object(Bucket="data", Key="output/metrics.csv")
    assert found["Body"].read() == b"loss"
    with pytest.raises(AccessDenied, match="s3:PutObject"):
        account.store.put_object(role, "data", "training/metrics.csv", b"loss")
    with pytest.raises(KeyError, match="s3://gone"):
        account.store.put_object(role, "gone", "output/metrics.csv", b"loss")


@pytest.mark.parametrize("name_key_by", ["Arn", "KeyId", "alias"])
def test_objects_when_bucket_is_encrypted_with_a_key_then_the_role_needs_the_key(
    account: Account, name_key_by: str
) -> None:
    """Writing needs kms:GenerateDataKey, reading kms:Decrypt, on that very key."""
    kms = account.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=key["KeyId"])
    default = {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "alias/data" if name_key_by == "alias" else key[name_key_by],
    }
    account.client("s3").put_bucket_encryption(
        Bucket="data",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    reading = {**READ, "Resource": "arn:aws:s3:::data/output/*"}
    use = {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key["Arn"]}
    role = account.make_role(WRITE, reading)
    with pytest.raises(AccessDenied, match=f"kms:GenerateDataKey on resource: {key['Arn']}"):
        account.store.put_object(role, "data", "output/a", b"a")
    account.put_policy(WRITE, reading, use)
    account.store.put_object(role, "data", "output/a", b"a")
    with pytest.raises(AccessDenied, match=f"kms:Decrypt on resource: {key['Arn']}"):
        account.store.get_object(role, "data", "output/a")
    via = {"StringEquals": {"kms:ViaService": "s3.us-west-2.amazonaws.com"}}
    account.put_policy(reading, {**use, "Action": "kms:Decrypt", "Condition": via})
    assert account.store.get_object(role, "data", "output/a") == b"a"


def test_bucket_region_when_bucket_is_there_or_not_then_says_so(account: Account) -> None:
    """The Region is the bucket's own; None without a bucket."""
    account.client("s3", "us-east-1").create_bucket(Bucket="elsewhere")
    assert account.store.bucket_region("data") == "us-west-2"
    assert account.store.bucket_region("elsewhere") == "us-east-1"
    assert account.store.bucket_region("gone") is None
