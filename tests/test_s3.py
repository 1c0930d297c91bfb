"""The run's bucket: made once, private, ours alone to fill and to delete."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from haikuft import s3
from haikuft.errors import AccessError, ConflictError, DataError, NotFoundError, SettingsError
from haikuft.iam.policies import build_tls_policy

ACCOUNT = "123456789012"
REGION = "us-west-2"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
BUCKET = s3.default_bucket_name("first", account_id=ACCOUNT, region=REGION)


@pytest.fixture
def client(local_sandbox: Callable[..., Any]) -> Iterator[Any]:
    """Give an S3 client of an empty sandbox."""
    return local_sandbox().client("s3")


@pytest.fixture
def bucket(client: Any) -> str:
    """Make the run's bucket."""
    s3.ensure_bucket(client, BUCKET, region=REGION, tags=TAGS)
    return BUCKET


@pytest.mark.parametrize("region", ["us-west-2", "ap-southeast-2", "us-gov-west-1"])
@pytest.mark.parametrize("run", ["a", "007", "a" * 32])
def test_default_bucket_name_when_run_is_long_then_still_fits_s3(run: str, region: str) -> None:
    """S3 allows 63 characters; a run's name and a Region's can use them up."""
    name = s3.default_bucket_name(run, account_id=ACCOUNT, region=region)
    assert len(name) <= 63
    assert name.startswith("haikuft-")
    assert name.endswith(f"-{ACCOUNT}-{region}")


def test_default_bucket_name_when_shortened_then_differs_by_run() -> None:
    """Two long names do not end in one bucket."""
    names = {
        s3.default_bucket_name("a" * 31 + end, account_id=ACCOUNT, region="ap-southeast-2")
        for end in "ab"
    }
    assert len(names) == 2


def test_ensure_bucket_when_new_then_is_private_encrypted_and_tls_only(
    client: Any, bucket: str
) -> None:
    """All that a security review asks of a bucket, without asking the reader."""
    blocked = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(blocked.values())
    assert len(blocked) == 4
    encryption = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    rule = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "AES256"
    policy = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    assert policy == build_tls_policy(bucket, region=REGION)
    assert s3.bucket_tags(client, bucket) == TAGS


def test_ensure_bucket_when_key_is_given_then_encrypts_with_it(client: Any) -> None:
    """A key of one's own becomes the bucket's default."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{'1' * 8}-1111-1111-1111-{'1' * 12}"
    s3.ensure_bucket(client, BUCKET, region=REGION, tags=TAGS, kms_key_arn=key)
    encryption = client.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    rule = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}


def test_ensure_bucket_when_run_twice_then_nothing_doubles(client: Any, bucket: str) -> None:
    """The second run finds the first one's bucket, with what is in it."""
    client.put_object(Bucket=bucket, Key="training/train.jsonl", Body=b"{}")
    s3.ensure_bucket(client, bucket, region=REGION, tags=TAGS)
    assert [one["Name"] for one in client.list_buckets()["Buckets"]] == [bucket]
    assert s3.list_objects(client, bucket) == [("training/train.jsonl", 2)]


@pytest.mark.parametrize("region", ["us-east-1", "us-west-2", "eu-central-1"])
def test_ensure_bucket_when_region_is_given_then_is_there(
    region: str, local_sandbox: Callable[..., Any]
) -> None:
    """Also in us-east-1, which may not be named as a location."""
    client = local_sandbox().client("s3", region)
    assert s3.bucket_region(client, "haikuft-there") is None
    s3.ensure_bucket(client, "haikuft-there", region=region, tags=TAGS)
    assert s3.bucket_region(client, "haikuft-there") == region


def test_ensure_bucket_when_elsewhere_then_names_the_parameter(client: Any, bucket: str) -> None:
    """A job reads only buckets of its own Region."""
    with pytest.raises(ConflictError, match=r"is in us-west-2.*Set bucket to another name"):
        s3.ensure_bucket(client, bucket, region="eu-west-1", tags=TAGS)


@pytest.mark.parametrize("marks", [{}, {"haikuft:run": "second"}, {"owner": "ann"}])
def test_ensure_bucket_when_somebody_else_s_then_leaves_it_alone(
    marks: dict[str, str], client: Any
) -> None:
    """A bucket without this run's tag is neither changed, filled nor emptied."""
    place: Any = {"LocationConstraint": REGION}
    client.create_bucket(Bucket="theirs", CreateBucketConfiguration=place)
    if marks:
        tag_set = [{"Key": key, "Value": value} for key, value in marks.items()]
        client.put_bucket_tagging(Bucket="theirs", Tagging={"TagSet": tag_set})
    client.put_object(Bucket="theirs", Key="precious", Body=b"1")
    for act in (
        lambda: s3.ensure_bucket(client, "theirs", region=REGION, tags=TAGS),
        lambda: s3.empty_bucket(client, "theirs", tags=TAGS),
        lambda: s3.delete_bucket(client, "theirs", tags=TAGS),
    ):
        with pytest.raises(ConflictError, match=r"not made by this run.*Set bucket"):
            act()
    assert s3.list_objects(client, "theirs") == [("precious", 1)]
    with pytest.raises(client.exceptions.ClientError):
        client.get_bucket_policy(Bucket="theirs")


class Refusing:
    """A client whose every call is refused, as in a bucket of another account."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """Refuse the call."""
        error = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}

        def refuse(**_: Any) -> None:
            raise self._client.exceptions.ClientError(error, name)

        return refuse


def test_bucket_region_when_forbidden_then_is_never_absent(client: Any) -> None:
    """Not being allowed to look is an error, and for ensure_bucket a taken name."""
    refusing: Any = Refusing(client)
    with pytest.raises(AccessError):
        s3.bucket_region(refusing, "theirs")
    with pytest.raises(ConflictError, match=r"belongs to somebody else.*Set bucket"):
        s3.ensure_bucket(refusing, "theirs", region=REGION, tags=TAGS)


def test_upload_file_when_uploaded_then_reads_back(
    client: Any, bucket: str, tmp_path: Path
) -> None:
    """Files go there and back byte for byte, also under a policy that demands TLS."""
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "Grüße"}\n', encoding="utf-8")
    uri = s3.upload_file(client, path, bucket, s3.TRAINING_KEY)
    assert uri == f"s3://{bucket}/training/train.jsonl"
    assert s3.read_text(client, uri) == path.read_text(encoding="utf-8")
    copy = s3.download_file(client, uri, tmp_path / "new" / "copy.jsonl")
    assert copy.read_bytes() == path.read_bytes()


def test_upload_file_when_file_is_missing_then_names_notebook_2(
    client: Any, bucket: str, tmp_path: Path
) -> None:
    """Nothing to upload is said before anything is sent."""
    with pytest.raises(DataError, match=r"missing\.jsonl is no file.*notebook 2"):
        s3.upload_file(client, tmp_path / "missing.jsonl", bucket, s3.TRAINING_KEY)


def test_read_text_when_object_is_missing_or_binary_then_says_which(
    client: Any, bucket: str
) -> None:
    """What cannot be read is named by its URI."""
    client.put_object(Bucket=bucket, Key="binary", Body=b"\xff\xfe")
    with pytest.raises(NotFoundError, match=f"s3://{bucket}/missing"):
        s3.read_text(client, f"s3://{bucket}/missing")
    with pytest.raises(DataError, match="not UTF-8"):
        s3.read_text(client, f"s3://{bucket}/binary")


@pytest.mark.parametrize("uri", ["", "bucket/key", "http://bucket/key", "s3:///key"])
def test_split_uri_when_no_s3_uri_then_says_how_to_write_one(uri: str) -> None:
    """A wrong URI is distinguished from a missing object."""
    with pytest.raises(SettingsError, match="s3://bucket/key"):
        s3.split_uri(uri)


def test_split_uri_when_joined_then_is_the_same() -> None:
    """Joining never doubles a slash."""
    assert s3.split_uri(s3.join_uri("b", "/a/b.jsonl")) == ("b", "a/b.jsonl")
    assert s3.split_uri("s3://b") == ("b", "")


def test_delete_bucket_when_full_of_versions_and_uploads_then_goes(
    client: Any, bucket: str
) -> None:
    """Old versions, delete markers and unfinished uploads keep a bucket from being deleted."""
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        client.put_object(Bucket=bucket, Key="a", Body=b"1")
    client.delete_object(Bucket=bucket, Key="a")
    client.create_multipart_upload(Bucket=bucket, Key="b")
    assert s3.list_objects(client, bucket) == []
    assert s3.delete_bucket(client, bucket, tags=TAGS)
    assert client.list_buckets()["Buckets"] == []


def test_delete_bucket_when_gone_then_succeeds(client: Any, bucket: str) -> None:
    """Deleting twice is fine, and says which time did it."""
    assert s3.delete_bucket(client, bucket, tags=TAGS) is True
    assert s3.delete_bucket(client, bucket, tags=TAGS) is False
    s3.empty_bucket(client, bucket, tags=TAGS)


def test_empty_bucket_when_over_a_thousand_objects_then_all_go(
    local_sandbox: Callable[..., Any],
) -> None:
    """S3 lists and deletes a thousand at a time, so it takes more than one call."""
    from moto.s3.models import s3_backends

    client = local_sandbox().client("s3")
    s3.ensure_bucket(client, BUCKET, region=REGION, tags=TAGS)
    backend = s3_backends[ACCOUNT]["aws"]
    for number in range(1005):
        backend.put_object(BUCKET, f"output/{number:04}", b"1")
    s3.empty_bucket(client, BUCKET, tags=TAGS)
    assert s3.list_objects(client, BUCKET) == []


def test_empty_bucket_when_an_object_is_locked_then_says_which(client: Any, bucket: str) -> None:
    """S3 answers 200 to a deletion that did not happen; we read the answer."""
    client.put_object(Bucket=bucket, Key="locked", Body=b"1")

    class Locked:
        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

        def delete_objects(self, **_: Any) -> dict[str, Any]:
            return {"Errors": [{"Key": "locked", "Code": "AccessDenied", "Message": "Locked."}]}

    locked: Any = Locked()
    with pytest.raises(AccessError, match="the first is locked: AccessDenied"):
        s3.empty_bucket(locked, bucket, tags=TAGS)
