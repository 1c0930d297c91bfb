"""What the account holds, as the sandbox reads it from moto: callers, keys, paths."""

from typing import Any

import pytest

from haikuft.sandbox.access.policy_evaluation import Permission, PolicyError
from haikuft.sandbox.access.store import Store, read_policy

ACCOUNT, REGION = "123456789012", "us-west-2"
KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}"


@pytest.fixture
def account(local_sandbox: Any) -> Store:
    """An account with one key, one bucket without a policy, and a role in a folder."""
    local = local_sandbox()
    kms = local.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=key)
    local.client("s3", "us-east-1").create_bucket(Bucket="data")
    iam = local.client("iam")
    iam.create_role(RoleName="r", Path="/team/", AssumeRolePolicyDocument='{"Statement": []}')
    iam.create_user(UserName="u")
    found: Store = local.application.store
    return found


def test_find_caller_when_the_key_is_made_up_then_is_the_administrator(account: Store) -> None:
    """Only keys that IAM made are anybody else's."""
    caller = account.find_caller("anything")
    assert caller.administrator
    assert caller.arn == f"arn:aws:iam::{ACCOUNT}:user/administrator"
    assert caller.context["aws:PrincipalArn"] == caller.arn


def test_key_arn_when_named_in_any_way_then_is_the_same(account: Store) -> None:
    """By id, ARN, alias and an alias's ARN; only the Region of the request has ids and aliases."""
    arn = account.find_key("alias/data", REGION)
    assert arn is not None
    for name in (arn.rpartition("/")[2], arn, "alias/data", f"{KEYS}:alias/data"):
        assert account.key_arn(name, REGION) == arn
    assert account.key_arn(arn, "eu-west-1") == arn


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("gone", f"{KEYS}:key/gone"),
        ("alias/gone", f"{KEYS}:alias/gone"),
        (f"{KEYS}:key/gone", f"{KEYS}:key/gone"),
        ("arn:aws:kms:nowhere:1:key/gone", "arn:aws:kms:nowhere:1:key/gone"),
        ("", f"{KEYS}:key/"),
    ],
)
def test_key_arn_when_there_is_no_such_key_then_is_what_it_would_be(
    account: Store, name: str, arn: str
) -> None:
    """The caller's policy is asked about it; KMS itself says that it is not there."""
    assert account.find_key(name, REGION) is None
    assert account.key_arn(name, REGION) == arn
    assert account.policies_on(Permission("kms:Decrypt", arn)) == ((), "bucket")


def test_policies_on_when_there_is_no_policy_then_are_none(account: Store) -> None:
    """A bucket without a policy, a bucket that is not there, a role that is not there."""
    for bucket in ("data", "gone"):
        assert account.policies_on(Permission("s3:GetObject", f"arn:aws:s3:::{bucket}/a")) == (
            (),
            "bucket",
        )
    assert account.policies_on(Permission("sts:AssumeRole", "arn:gone")) == ((), "role")


def test_path_of_when_a_role_lies_in_a_folder_then_says_which(account: Store) -> None:
    """Paths are part of ARNs, and requests do not name them."""
    assert account.path_of("role", "r") == "/team/"
    assert account.path_of("user", "u") == "/"
    assert account.path_of("role", "u") is None
    assert account.path_of("policy", "r") is None


def test_read_policy_when_it_is_no_json_then_says_so() -> None:
    """S3 here accepts any text as a bucket's policy; one that cannot be parsed allows nothing."""
    with pytest.raises(PolicyError, match="A policy is not JSON"):
        read_policy("{")
