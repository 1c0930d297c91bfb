"""Accounts of one sandbox: an access key of twelve digits names one, and nobody meets another's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import haikuft.sandbox
from haikuft.sandbox import Endpoint
from haikuft.sandbox.process import list_accounts

REGION = "us-west-2"
ANN, BEN = "111111111111", "222222222222"
TRUST = '{"Version": "2012-10-17", "Statement": []}'

Clients = Callable[..., Any]


def connect(url: str, key: str, service: str) -> Any:
    """Make a client with an access key."""
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    return boto3.Session(key, "any").client(service, REGION, endpoint_url=url, config=config)


def refusal_of(call: Callable[..., Any], **parameters: Any) -> str:
    """Say with which code a call is refused."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def make_bucket(url: str, key: str, name: str) -> Any:
    """Make a bucket, and return a client of its account."""
    s3 = connect(url, key, "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return s3


@pytest.fixture
def url(local_sandbox: Callable[..., Any]) -> str:
    """Serve a sandbox with all of its services."""
    found: str = local_sandbox(handlers=None).url
    return found


def test_account_when_a_key_has_twelve_digits_then_it_is_that_accounts_administrator(
    url: str,
) -> None:
    """Any other key is the administrator of the account of the settings."""
    for key, account in ((ANN, ANN), ("any", "123456789012"), ("12345", "123456789012")):
        identity = connect(url, key, "sts").get_caller_identity()
        assert identity["Arn"] == f"arn:aws:iam::{account}:user/administrator"
    assert list_accounts(url) == ["123456789012", ANN]


def test_account_when_two_make_things_of_one_name_then_each_has_its_own(url: str) -> None:
    """Roles, keys, quotas, and Bedrock's resources, with the account in their ARNs."""
    for account in (ANN, BEN):
        role = connect(url, account, "iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=TRUST
        )
        assert role["Role"]["Arn"] == f"arn:aws:iam::{account}:role/r"
        bedrock = connect(url, account, "bedrock")
        arn = bedrock.create_provisioned_model_throughput(
            modelUnits=1,
            provisionedModelName="mine",
            modelId="anthropic.claude-3-haiku-20240307-v1:0:200k",
            clientRequestToken="the-same",
        )["provisionedModelArn"]
        assert f":{account}:" in arn
        (found,) = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
        assert found["provisionedModelArn"] == arn
        quotas = connect(url, account, "service-quotas").list_service_quotas(ServiceCode="bedrock")
        assert f":{account}:" in quotas["Quotas"][0]["QuotaArn"]
    assert refusal_of(
        connect(url, ANN, "bedrock").get_provisioned_model_throughput, provisionedModelId=arn
    ) == ("ResourceNotFoundException")
    assert refusal_of(connect(url, ANN, "bedrock").list_tags_for_resource, resourceARN=arn) == (
        "ResourceNotFoundException"
    )


def test_account_when_it_asks_for_another_ones_bucket_then_it_is_denied(url: str) -> None:
    """Names of buckets are shared by all, as on AWS; what is in them is not."""
    make_bucket(url, ANN, "anns-bucket").put_object(Bucket="anns-bucket", Key="k", Body=b"secret")
    ben = make_bucket(url, BEN, "bens-bucket")
    assert [one["Name"] for one in ben.list_buckets()["Buckets"]] == ["bens-bucket"]
    where = {"LocationConstraint": REGION}
    mine = {"Bucket": "bens-bucket", "Key": "k"}
    assert {
        refusal_of(ben.list_objects_v2, Bucket="anns-bucket"),
        refusal_of(ben.get_object, Bucket="anns-bucket", Key="k"),
        refusal_of(ben.put_object, Bucket="anns-bucket", Key="k", Body=b""),
        refusal_of(ben.delete_bucket, Bucket="anns-bucket"),
        refusal_of(ben.put_bucket_tagging, Bucket="anns-bucket", Tagging={"TagSet": []}),
        refusal_of(ben.copy_object, CopySource="anns-bucket/k", **mine),
        refusal_of(ben.copy_object, CopySource={"Bucket": "anns-bucket", "Key": "k"}, **mine),
    } == {"AccessDenied"}
    assert refusal_of(ben.create_bucket, Bucket="anns-bucket", CreateBucketConfiguration=where) == (
        "BucketAlreadyExists"
    )
    assert connect(url, ANN, "s3").get_object(Bucket="anns-bucket", Key="k")["Body"].read()


def test_account_when_a_key_was_made_by_its_iam_then_it_belongs_to_it(url: str) -> None:
    """Its user's policies hold, and name that account."""
    iam = connect(url, ANN, "iam")
    iam.create_user(UserName="teacher")
    key = iam.create_access_key(UserName="teacher")["AccessKey"]["AccessKeyId"]
    identity = connect(url, key, "sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ANN}:user/teacher"
    assert refusal_of(connect(url, key, "s3").list_buckets) == "AccessDenied"


def test_account_when_a_role_is_assumed_then_its_session_belongs_to_it(url: str) -> None:
    """A role of another account cannot be assumed: its trust policy is not seen from outside."""
    root = {"AWS": f"arn:aws:iam::{ANN}:root"}
    allow = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
    role = connect(url, ANN, "iam").create_role(
        RoleName="r", AssumeRolePolicyDocument=json.dumps({**json.loads(TRUST), "Statement": allow})
    )["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "lesson"}
    assert refusal_of(connect(url, BEN, "sts").assume_role, **asked) == "AccessDenied"
    key = connect(url, ANN, "sts").assume_role(**asked)["Credentials"]["AccessKeyId"]
    identity = connect(url, key, "sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ANN}:assumed-role/r/lesson"


def test_account_when_the_server_starts_again_then_all_is_there(
    sandbox: Endpoint, sandbox_state: Path
) -> None:
    """And a reset leaves nothing of any account."""
    make_bucket(sandbox.url, ANN, "anns-bucket")
    haikuft.sandbox.stop(sandbox_state)
    again = haikuft.sandbox.start(sandbox_state)
    assert list_accounts(again) == ["123456789012", ANN]
    (bucket,) = connect(again.url, ANN, "s3").list_buckets()["Buckets"]
    assert bucket["Name"] == "anns-bucket"
    haikuft.sandbox.reset(sandbox_state)
    assert {path.name for path in sandbox_state.iterdir()} == {"server.lock", "start.lock"}
