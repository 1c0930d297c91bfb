"""What boto3 has above its clients, on the real server: resources, paginators and waiters."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import WaiterError

from haikuft import iam
from haikuft.sandbox import Endpoint

ACCOUNT = "123456789012"
REGION = "us-west-2"


@pytest.fixture
def resource(sandbox: Endpoint) -> Callable[[str], Any]:
    """`resource("s3")` is a boto3 resource of this module's sandbox."""
    session = boto3.Session("anyone", "anything", region_name=REGION)

    def make(service: str) -> Any:
        config = Config(proxies={})
        return session.resource(service, endpoint_url=sandbox.url, config=config)

    return make


def test_resources_when_used_for_s3_and_iam_then_do_as_on_aws(
    resource: Callable[[str], Any],
) -> None:
    """Buckets, objects, their collections, multipart copies, roles."""
    bucket = resource("s3").Bucket("haikuft-resources")
    bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket.wait_until_exists()
    for n in range(5):
        bucket.put_object(Key=f"training/{n}.jsonl", Body=b"x" * n)
    bucket.Object("copy").copy({"Bucket": bucket.name, "Key": "training/4.jsonl"})
    assert bucket.Object("copy").get()["Body"].read() == b"xxxx"
    assert {item.key: item.size for item in bucket.objects.filter(Prefix="training/")} == {
        f"training/{n}.jsonl": n for n in range(5)
    }
    role = resource("iam").create_role(
        RoleName="by-resource",
        AssumeRolePolicyDocument=json.dumps(iam.build_trust_policy(ACCOUNT, REGION)),
    )
    assert role.arn in [found.arn for found in resource("iam").roles.all()]
    role.delete()
    bucket.objects.all().delete()
    bucket.delete()
    bucket.wait_until_not_exists()


def test_paginators_and_waiters_when_used_for_s3_then_see_every_object(
    sandbox_clients: Callable[..., Any],
) -> None:
    """Pages of two follow each other; a waiter sees what is there, and gives up on what is not."""
    s3 = sandbox_clients("s3")
    location = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="haikuft-pages", CreateBucketConfiguration=location)
    names = [f"k{n}" for n in range(5)]
    for name in names:
        s3.put_object(Bucket="haikuft-pages", Key=name, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="haikuft-pages", PaginationConfig={"PageSize": 2}
    )
    assert [[item["Key"] for item in page["Contents"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    once = {"Delay": 0, "MaxAttempts": 1}
    s3.get_waiter("object_exists").wait(Bucket="haikuft-pages", Key="k0", WaiterConfig=once)
    s3.get_waiter("object_not_exists").wait(Bucket="haikuft-pages", Key="k9", WaiterConfig=once)
    with pytest.raises(WaiterError):
        s3.get_waiter("object_exists").wait(Bucket="haikuft-pages", Key="k9", WaiterConfig=once)
