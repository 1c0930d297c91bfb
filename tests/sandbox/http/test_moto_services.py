"""S3, IAM, STS and KMS over HTTP: what boto3 sees where moto was corrected."""

import base64
import hashlib
import json
import urllib.request
import zlib
from typing import Any

import pytest
from botocore.config import Config

ADMINISTRATOR = "arn:aws:iam::123456789012:user/administrator"


def deny(**condition: Any) -> str:
    """Write a bucket policy that denies everything under a condition."""
    statement = {
        "Sid": "Shut",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::data", "arn:aws:s3:::data/*"],
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def s3(local_sandbox: Any) -> Any:
    """Make an S3 client with a bucket that holds one object."""
    client = local_sandbox().client("s3")
    client.create_bucket(
        Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    client.put_object(Bucket="data", Key="a/b c+d.txt", Body=b"text")
    return client


def test_caller_when_key_is_any_then_is_the_administrator(local_sandbox: Any) -> None:
    """Dummy credentials are the account's administrator, in IAM's form of an ARN."""
    sts = local_sandbox().client("sts")
    found = sts.get_caller_identity()
    assert (found["Account"], found["Arn"]) == ("123456789012", ADMINISTRATOR)


def test_caller_when_role_is_assumed_then_is_the_role(local_sandbox: Any) -> None:
    """Only unknown keys are the administrator's."""
    local = local_sandbox()
    local.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=deny_nobody())
    arn = "arn:aws:iam::123456789012:role/r"
    made = local.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")
    import boto3

    key = made["Credentials"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
    sts = session.client("sts", region_name="us-west-2", endpoint_url=local.url)
    assert sts.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/r/session"


def deny_nobody() -> str:
    """Write a trust policy for the account."""
    principal = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_objects_when_bucket_is_tls_only_then_all_calls_go_through(s3: Any) -> None:
    """Loopback counts as secure transport, so the Deny does not match."""
    s3.put_bucket_policy(Bucket="data", Policy=deny(Bool={"aws:SecureTransport": "false"}))
    s3.put_object(Bucket="data", Key="new", Body=b"new")
    assert s3.get_object(Bucket="data", Key="a/b c+d.txt")["Body"].read() == b"text"
    assert s3.head_object(Bucket="data", Key="new")["ContentLength"] == 3
    deleted = s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "new"}]})
    assert [item["Key"] for item in deleted["Deleted"]] == ["new"]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_url_when_opened_then_reads_and_writes(
    local_sandbox: Any, s3: Any, version: str
) -> None:
    """Both versions of S3's signature route to S3, from the query alone."""
    import boto3

    session = boto3.Session("testing", "testing", region_name="us-west-2")
    url = s3.meta.endpoint_url
    signer = session.client("s3", endpoint_url=url, config=Config(signature_version=version))
    where = {"Bucket": "data", "Key": "a/b c+d.txt"}
    to_put = signer.generate_presigned_url("put_object", Params=where)
    request = urllib.request.Request(to_put, data=b"changed", method="PUT")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310
    with urllib.request.urlopen(signer.generate_presigned_url("get_object", Params=where)) as got:  # noqa: S310
        assert got.read() == b"changed"


def upload_parts(s3: Any, **options: Any) -> dict[str, Any]:
    """Upload an object in two parts; what CompleteMultipartUpload answers."""
    names = {"Bucket": "data", "Key": "parts"}
    names["UploadId"] = s3.create_multipart_upload(**names, **options)["UploadId"]
    parts = []
    for number, body in ((1, bytes(5 * 2**20)), (2, b"end")):
        given = {"ChecksumAlgorithm": options["ChecksumAlgorithm"]} if options else {}
        part = s3.upload_part(**names, PartNumber=number, Body=body, **given)
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(**names, MultipartUpload={"Parts": parts})
    # Again, as by a client whose connection broke: S3 answers the same.
    return dict(s3.complete_multipart_upload(**names, MultipartUpload={"Parts": parts}))


def test_checksum_when_an_object_is_put_then_every_answer_says_that_it_is_of_the_whole(
    s3: Any,
) -> None:
    """S3 API Reference: for PutObject uploads the type is always FULL_OBJECT."""
    where = {"Bucket": "data", "Key": "k"}
    put = s3.put_object(**where, Body=b"text", ChecksumAlgorithm="SHA256")
    expected = base64.b64encode(hashlib.sha256(b"text").digest()).decode()
    for found in (put, *(call(**where, ChecksumMode="ENABLED") for call in (
        s3.head_object, s3.get_object))):  # fmt: skip
        assert (found["ChecksumSHA256"], found["ChecksumType"]) == (expected, "FULL_OBJECT")
    assert "ChecksumType" not in s3.head_object(**where)


def test_checksum_when_of_an_upload_in_parts_then_ends_in_their_number(s3: Any) -> None:
    """A composite checksum is one of the parts' checksums; another type is asked for."""
    digests = [hashlib.sha256(part).digest() for part in (bytes(5 * 2**20), b"end")]
    composite = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    whole = zlib.crc32(bytes(5 * 2**20) + b"end").to_bytes(4, "big")
    for options, value, kind in (
        ({"ChecksumAlgorithm": "SHA256"}, f"{composite}-2", "COMPOSITE"),
        (
            {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"},
            base64.b64encode(whole).decode(),
            "FULL_OBJECT",
        ),
    ):
        name = f"Checksum{options['ChecksumAlgorithm']}"
        where = {"Bucket": "data", "Key": "parts", "ChecksumMode": "ENABLED"}
        for found in (upload_parts(s3, **options), s3.head_object(**where), s3.get_object(**where)):
            assert (found[name], found["ChecksumType"]) == (value, kind)


def test_upload_when_it_names_an_encryption_then_the_object_has_it(s3: Any) -> None:
    """As CreateMultipartUpload asked, in every answer about the object."""
    import boto3

    session = boto3.Session("testing", "testing", region_name="us-west-2")
    kms = session.client("kms", endpoint_url=s3.meta.endpoint_url)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    asked = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    completed = upload_parts(s3, ChecksumAlgorithm="CRC32", **asked)
    where = {"Bucket": "data", "Key": "parts"}
    for found in (completed, s3.head_object(**where), s3.get_object(**where)):
        assert {name: found[name] for name in asked} == asked


def test_upload_when_file_is_large_then_its_parts_come_together(s3: Any, tmp_path: Any) -> None:
    """Files beyond 8 MiB travel in parts, as boto3's transfer sends them."""
    data = bytes(range(256)) * 40_000
    (tmp_path / "large").write_bytes(data)
    s3.upload_file(str(tmp_path / "large"), "data", "large")
    assert s3.get_object(Bucket="data", Key="large")["Body"].read() == data
