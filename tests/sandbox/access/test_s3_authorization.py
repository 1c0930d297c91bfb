"""Buckets' policies on every call, deletions judged key by key, missing objects, and keys."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT, REGION = "123456789012", "us-west-2"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/administrator"
OBJECTS = "arn:aws:s3:::data/*"


def deny(*actions: str, **condition: Any) -> str:
    """Write a bucket policy that denies some actions, under a condition or always."""
    statement = {
        "Sid": "Shut",
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions) or "s3:*",
        "Resource": ["arn:aws:s3:::data", OBJECTS],
        **({"Condition": condition} if condition else {}),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def local(local_sandbox: Callable[..., Any]) -> Any:
    """A sandbox with a bucket that holds two objects."""
    local = local_sandbox()
    client = local.client("s3")
    client.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("a/b c+d.txt", "b"):
        client.put_object(Bucket="data", Key=key, Body=b"text")
    return local


@pytest.fixture
def s3(local: Any) -> Any:
    """The administrator's client of it."""
    return local.client("s3")


@pytest.fixture
def user(local: Any) -> Callable[..., Any]:
    """`user(statement, …)` is the S3 client of a user with these statements."""

    def make(*statements: dict[str, Any]) -> Any:
        iam = local.client("iam")
        iam.create_user(UserName="ann")
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        session = boto3.Session(key, "not checked", region_name=REGION)
        return session.client("s3", endpoint_url=local.url, config=config)

    return make


def allow(*actions: str, resource: Any = OBJECTS) -> dict[str, Any]:
    """Write a statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def test_bucket_policy_when_it_denies_then_holds_on_every_call(s3: Any) -> None:
    """Objects old and new, listings, sub-resources; for the administrator, too."""
    s3.put_bucket_policy(Bucket="data", Policy=deny(ArnLike={"aws:PrincipalArn": ADMINISTRATOR}))
    for call in (
        lambda: s3.get_object(Bucket="data", Key="b"),
        lambda: s3.put_object(Bucket="data", Key="new", Body=b""),
        lambda: s3.delete_object(Bucket="data", Key="b"),
        lambda: s3.list_objects_v2(Bucket="data"),
        lambda: s3.list_object_versions(Bucket="data"),
        lambda: s3.get_bucket_tagging(Bucket="data"),
        lambda: s3.put_bucket_tagging(Bucket="data", Tagging={"TagSet": []}),
        lambda: s3.create_multipart_upload(Bucket="data", Key="new"),
        lambda: s3.delete_bucket(Bucket="data"),
    ):
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy") as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "AccessDenied"
    for head in (
        lambda: s3.head_object(Bucket="data", Key="b"),
        lambda: s3.head_bucket(Bucket="data"),
    ):
        with pytest.raises(ClientError, match="403"):
            head()


def test_bucket_policy_when_it_shuts_everyone_out_then_the_administrator_can_mend_it(
    s3: Any,
) -> None:
    """As AWS leaves it to the account's root, whatever the policy says."""
    s3.put_bucket_policy(Bucket="data", Policy=deny())
    assert json.loads(s3.get_bucket_policy(Bucket="data")["Policy"])["Statement"]
    s3.put_bucket_policy(Bucket="data", Policy=deny("s3:GetObject"))
    s3.delete_bucket_policy(Bucket="data")
    assert s3.get_object(Bucket="data", Key="b")["Body"].read() == b"text"


def test_bucket_policy_when_it_lets_a_user_in_then_no_other_policy_is_needed(
    s3: Any, user: Callable[..., Any]
) -> None:
    """Within one account a bucket may let in by itself, and for objects alone."""
    ann = user(allow("iam:GetUser", resource="*"))
    statement = allow("s3:GetObject") | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"}}
    s3.put_bucket_policy(
        Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert ann.get_object(Bucket="data", Key="a/b c+d.txt")["Body"].read() == b"text"
    with pytest.raises(ClientError, match="s3:PutObject"):
        ann.put_object(Bucket="data", Key="b", Body=b"")


def test_bucket_policy_when_it_cannot_be_judged_then_the_error_says_why(s3: Any) -> None:
    """An operator that is not known is an error, never a match."""
    s3.put_bucket_policy(Bucket="data", Policy=deny(IpAddress={"aws:SourceIp": "10.0.0.0/8"}))
    with pytest.raises(ClientError, match=r"'Shut'.*IpAddress is not known"):
        s3.get_object(Bucket="data", Key="b")


@pytest.mark.parametrize("keys", [["b"], ["b", "a/b c+d.txt"], ["a/b c+d.txt", "b", "new & <1>"]])
def test_delete_objects_when_some_are_denied_then_the_others_go(
    s3: Any, user: Callable[..., Any], keys: list[str]
) -> None:
    """Each key is judged; what may not go comes back among the errors, as on AWS."""
    ann = user(allow("s3:DeleteObject", resource="arn:aws:s3:::data/a/*"))
    s3.put_object(Bucket="data", Key="new & <1>", Body=b"")
    answer = ann.delete_objects(Bucket="data", Delete={"Objects": [{"Key": key} for key in keys]})
    allowed = [key for key in keys if key.startswith("a/")]
    assert [item["Key"] for item in answer.get("Deleted", [])] == allowed
    assert [item["Key"] for item in answer["Errors"]] == [key for key in keys if key[:2] != "a/"]
    assert {item["Code"] for item in answer["Errors"]} == {"AccessDenied"}
    assert "s3:DeleteObject on resource" in answer["Errors"][0]["Message"]
    left = {item["Key"] for item in s3.list_objects_v2(Bucket="data")["Contents"]}
    assert left == {"a/b c+d.txt", "b", "new & <1>"} - set(allowed)


def test_delete_objects_when_all_may_go_then_all_go(user: Callable[..., Any]) -> None:
    """Versions take the permission for versions as well."""
    ann = user(allow("s3:DeleteObject"), allow("s3:ListBucketVersions", resource="*"))
    version = ann.list_object_versions(Bucket="data")["Versions"][0]
    named = {"Key": version["Key"], "VersionId": version["VersionId"]}
    answer = ann.delete_objects(Bucket="data", Delete={"Objects": [named, {"Key": "b"}]})
    assert [item["Key"] for item in answer["Deleted"]] == ["b"]
    assert "s3:DeleteObjectVersion" in answer["Errors"][0]["Message"]


def test_get_object_when_it_is_missing_then_only_who_may_list_is_told_so(
    local: Any, user: Callable[..., Any]
) -> None:
    """To a user who may not list, a missing object looks like a forbidden one."""
    ann = user(allow("s3:GetObject"))
    with pytest.raises(ClientError, match=r"AccessDenied.*s3:ListBucket"):
        ann.get_object(Bucket="data", Key="gone")
    with pytest.raises(ClientError, match="403"):
        ann.head_object(Bucket="data", Key="gone")
    local.client("iam").put_user_policy(
        UserName="ann",
        PolicyName="list",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [allow("s3:ListBucket", resource="*")]}
        ),
    )
    with pytest.raises(ClientError, match="NoSuchKey"):
        ann.get_object(Bucket="data", Key="gone")


def test_list_objects_when_the_policy_names_a_folder_then_no_other_is_listed(
    user: Callable[..., Any],
) -> None:
    """`s3:prefix` is filled from the request; a listing without one does not pass."""
    condition = {"Condition": {"StringLike": {"s3:prefix": "a/*"}}}
    ann = user(allow("s3:ListBucket", resource="arn:aws:s3:::data") | condition)
    assert ann.list_objects_v2(Bucket="data", Prefix="a/")["KeyCount"] == 1
    for asked in ({"Prefix": "b"}, {}):
        with pytest.raises(ClientError, match="s3:ListBucket"):
            ann.list_objects_v2(Bucket="data", **asked)


def test_copy_when_the_source_may_not_be_read_then_is_refused(user: Callable[..., Any]) -> None:
    """Writing is not enough."""
    ann = user(allow("s3:PutObject"))
    source = {"Bucket": "data", "Key": "a/b c+d.txt"}
    with pytest.raises(ClientError, match=r's3:GetObject on resource: "arn:aws:s3:::data/a/b c\+d'):
        ann.copy_object(Bucket="data", Key="c", CopySource=source)


def test_objects_when_the_bucket_is_encrypted_then_the_user_needs_the_key(
    local: Any, s3: Any, user: Callable[..., Any]
) -> None:
    """Writing takes kms:GenerateDataKey, reading kms:Decrypt, parts both; through S3."""
    key = local.client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    }
    s3.put_bucket_encryption(Bucket="data", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="data", Key="a/secret", Body=b"text")
    ann = user(allow("s3:*"))

    def use(*actions: str) -> None:
        via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
        statement = allow(*actions, resource=key) | {"Condition": via}
        local.client("iam").put_user_policy(
            UserName="ann",
            PolicyName="key",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    with pytest.raises(ClientError, match="kms:Decrypt"):
        ann.get_object(Bucket="data", Key="a/secret")
    with pytest.raises(ClientError, match="kms:GenerateDataKey"):
        ann.put_object(Bucket="data", Key="new", Body=b"")
    use("kms:GenerateDataKey")
    ann.put_object(Bucket="data", Key="new", Body=b"")
    with pytest.raises(ClientError, match="kms:Decrypt"):
        ann.create_multipart_upload(Bucket="data", Key="large")
    use("kms:Decrypt")
    assert ann.get_object(Bucket="data", Key="a/secret")["Body"].read() == b"text"
    assert ann.head_object(Bucket="data", Key="a/secret")["ContentLength"] == 4
    assert ann.get_object(Bucket="data", Key="b")["Body"].read() == b"text"  # from before


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_url_when_its_signer_may_not_then_is_refused(
    user: Callable[..., Any], version: str
) -> None:
    """A URL may do what the key behind it may, by either version of S3's signature."""
    ann = user(allow("s3:GetObject", resource="arn:aws:s3:::data/a/*"))
    key = ann._request_signer._credentials.access_key
    signer = boto3.Session(key, "not checked", region_name=REGION).client(
        "s3", endpoint_url=ann.meta.endpoint_url, config=Config(signature_version=version)
    )

    def read(name: str) -> bytes:
        where = {"Bucket": "data", "Key": name}
        url = signer.generate_presigned_url("get_object", Params=where)
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - the sandbox's own
            return bytes(answer.read())

    assert read("a/b c+d.txt") == b"text"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        read("b")
