"""Requests to S3, IAM, STS and KMS that AWS refuses and moto takes, or fails at."""

import base64
import json
import urllib.error
import urllib.request
import zlib
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

PLACE = (
    b"<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint>"
    b"</CreateBucketConfiguration>"
)
FORM = "application/x-www-form-urlencoded"
TRUST = '{"Version": "2012-10-17", "Statement": []}'


@pytest.fixture
def local(local_sandbox: Any) -> Any:
    """Serve a sandbox with a bucket."""
    found = local_sandbox()
    place = {"LocationConstraint": "us-west-2"}
    found.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=place)
    return found


def send(
    local: Any, service: str, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, str]:
    """Send a request as no SDK would; (status, body)."""
    scope = f"Credential=k/20261121/us-west-2/{service}/aws4_request"
    request = urllib.request.Request(local.url + path, data=body, method=method)  # noqa: S310
    request.add_header("Authorization", f"AWS4-HMAC-SHA256 {scope}")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Upper", "under_score", "two..dots", "192.168.1.1", "-dash", "dash-",
     "xn--name", "name-s3alias", "sthree-name", "amzn-s3-demo-name", "name--ol-s3"],
)  # fmt: skip
def test_bucket_when_its_name_breaks_s3s_rules_then_is_refused(local: Any, name: str) -> None:
    """The rules of the guide, where moto looks at the length only."""
    status, text = send(local, "s3", "PUT", f"/{name}", PLACE)
    assert (status, "<Code>InvalidBucketName</Code>" in text) == (400, True)


@pytest.mark.parametrize("name", ["abc", "a.b-c.1", "1" * 63, "1.2.3", "my-data-123456789012"])
def test_bucket_when_its_name_keeps_s3s_rules_then_is_made(local: Any, name: str) -> None:
    """Dots, dashes and digits are allowed within."""
    assert send(local, "s3", "PUT", f"/{name}", PLACE)[0] == 200


def test_key_when_longer_than_1024_bytes_then_is_refused(local: Any) -> None:
    """Bytes of UTF-8 count, not characters."""
    s3 = local.client("s3")
    s3.put_object(Bucket="data", Key="k" * 1024, Body=b"")
    with pytest.raises(ClientError, match="Your key is too long") as caught:
        s3.put_object(Bucket="data", Key="é" * 513, Body=b"")
    assert caught.value.response["Error"]["Code"] == "KeyTooLongError"


@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        ("x_amz_checksum_crc32", "AAAAAA==", "The CRC32 you specified did not match"),
        ("x_amz_checksum_crc32", "nothing", "Value for x-amz-checksum-crc32 header is invalid"),
        ("x_amz_checksum_sha1", "A" * 27 + "=", "The SHA1 you specified did not match"),
        ("x_amz_checksum_sha256", "A" * 43 + "=", "The SHA256 you specified did not match"),
        ("content_md5", "A" * 22 + "==", "The Content-MD5 you specified did not match"),
        ("content_md5", "nothing", "The Content-MD5 you specified was invalid"),
    ],
)
def test_object_when_its_checksum_is_wrong_then_is_not_written(
    local: Any, header: str, value: str, words: str
) -> None:
    """What was damaged on its way is refused; a right checksum is taken."""
    status, text = send(local, "s3", "PUT", "/data/k", b"text", **{header: value})
    assert status == 400
    assert words in text
    s3 = local.client("s3")
    assert "Contents" not in s3.list_objects_v2(Bucket="data")
    right = base64.b64encode(zlib.crc32(b"text").to_bytes(4, "big")).decode()
    s3.put_object(Bucket="data", Key="k", Body=b"text", ChecksumCRC32=right)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PATCH", "/data/k", b"", "MethodNotAllowed"),
        ("POST", "/data/k", b"x", "MethodNotAllowed"),
        ("GET", "/data?max-keys=x", b"", "InvalidArgument"),
        ("GET", "/data?list-type=2&max-keys=-1", b"", "InvalidArgument"),
        ("GET", "/data?list-type=2&continuation-token=x", b"", "InvalidArgument"),
        ("PUT", "/data/k?partNumber=x&uploadId=y", b"", "InvalidArgument"),
        ("PUT", "/data/k?partNumber=1&uploadId=y", b"x", "NoSuchUpload"),
        ("POST", "/data/k?uploadId=y", b"<x", "MalformedXML"),
        ("PUT", "/data?tagging", b"<x", "MalformedXML"),
        ("PUT", "/data?lifecycle", b"", "MalformedXML"),
        ("POST", "/data?delete", b"<x", "MalformedXML"),
        ("PUT", "/data?policy", b"{", "MalformedPolicy"),
        ("PUT", "/data?policy", b"[]", "MalformedPolicy"),
        ("PUT", "/new-bucket", b"<x", "MalformedXML"),
    ],
)
def test_s3_when_a_request_is_malformed_then_answers_4xx_with_its_code(
    local: Any, method: str, path: str, body: bytes, code: str
) -> None:
    """And the bucket is as usable as before."""
    status, text = send(local, "s3", method, path, body)
    assert 400 <= status < 500
    assert f"<Code>{code}</Code>" in text
    local.client("s3").put_object(Bucket="data", Key="k", Body=b"text")


@pytest.mark.parametrize(
    "headers",
    [{"x_amz_acl": "nope"}, {"x_amz_server_side_encryption": "nope"}, {"x_amz_copy_source": "x"}],
)
def test_s3_when_a_header_has_no_meaning_then_refuses_it(local: Any, headers: Any) -> None:
    """None of them is passed over."""
    status, text = send(local, "s3", "PUT", "/data/k", b"", **headers)
    assert (status, "<Code>InvalidArgument</Code>" in text) == (400, True)


@pytest.mark.parametrize("name", ["a b", "é", "a/b", "", "a" * 65])
def test_iam_when_a_name_breaks_its_rules_then_is_refused(local: Any, name: str) -> None:
    """Roles and users are not made, and a good name is taken."""
    config = Config(parameter_validation=False)
    iam = boto3.Session("k", "k").client("iam", "us-west-2", endpoint_url=local.url, config=config)
    for call, given in (
        (iam.create_role, {"RoleName": name, "AssumeRolePolicyDocument": TRUST}),
        (iam.create_user, {"UserName": name}),
    ):
        with pytest.raises(ClientError, match=r"must|Member") as caught:
            call(**given)
        assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert iam.list_users()["Users"] == []
    iam.create_user(UserName="a+=,.@_-" + "b" * 56)


@pytest.mark.parametrize(
    ("service", "form", "words"),
    [
        ("iam", b"", "The request is missing an action"),
        ("iam", b"Action=Nope&Version=2010-05-08", "Could not find operation Nope"),
        ("iam", b"Action=GetRole", "Value null at 'roleName' failed to satisfy constraint"),
        ("iam", b"Action=ListRoles&MaxItems=x", "'maxItems' is not a number"),
        ("iam", b"Action=ListRoles&Marker=x", "Invalid Marker."),
        ("iam", b"Action=ListPolicies&Marker=-1", "Invalid Marker."),
        ("iam", b"Action=ListRoles&MaxItems=0", "value greater than or equal to 1"),
        ("iam", b"Action=GetRole&RoleName=a%20b", "The specified value for roleName is invalid"),
        ("sts", b"Action=AssumeRole", "2 validation errors detected: Value null at 'roleArn'"),
        ("sts", b"Action=Nope", "Could not find operation Nope"),
    ],
)
def test_form_when_it_is_malformed_then_is_refused_in_aws_words(
    local: Any, service: str, form: bytes, words: str
) -> None:
    """Before moto reads it, which fails at some and makes a role named None of another."""
    status, text = send(local, service, "POST", "/", form, content_type=FORM)
    assert status == 400
    assert words in text.replace("&apos;", "'")


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("CreateKey", b"{", "SerializationException"),
        ("CreateKey", b"[]", "SerializationException"),
        ("DescribeKey", b'{"KeyId": 5}', "SerializationException"),
        ("Encrypt", b'{"KeyId": "k", "Plaintext": "%%"}', "SerializationException"),
        ("GenerateDataKey", b"{}", "ValidationException"),
        ("CreateKey", b'{"KeySpec": "x"}', "ValidationException"),
        ("Nope", b"{}", "UnknownOperationException"),
    ],
)
def test_kms_when_a_body_is_malformed_then_is_refused_in_aws_words(
    local: Any, operation: str, body: bytes, code: str
) -> None:
    """Types, required members and enums are those of botocore's model."""
    target = f"TrentService.{operation}"
    kind = "application/x-amz-json-1.1"
    status, text = send(local, "kms", "POST", "/", body, x_amz_target=target, content_type=kind)
    assert (status, json.loads(text)["__type"]) == (400, code)
