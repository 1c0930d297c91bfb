"""The run's bucket: made once, private, ours alone to fill and to delete."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import Time, refusal

from haikuft import s3
from haikuft.errors import AccessError, ConflictError, DataError, NotFoundError, SettingsError
from haikuft.iam.policies import build_tls_policy

ACCOUNT = "123456789012"
REGION = "us-west-2"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{'1' * 8}-1111-1111-1111-{'1' * 12}"
ENCRYPTION = ("ServerSideEncryption", "SSEKMSKeyId")
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
    s3.ensure_bucket(client, BUCKET, region=REGION, tags=TAGS, kms_key_arn=KEY)
    encryption = client.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
    rule = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}


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
    """Files go there and back unchanged, also under a policy that demands TLS."""
    path = tmp_path / "train.jsonl"
    path.write_text('{"text": "Grüße"}\n', encoding="utf-8")
    uri = s3.upload_file(client, path, bucket, s3.TRAINING_KEY)
    assert uri == f"s3://{bucket}/training/train.jsonl"
    assert s3.read_text(client, uri) == path.read_text(encoding="utf-8")


def default_to(client: Any, bucket: str, **default: str) -> None:
    """Set a bucket's default encryption."""
    rules: Any = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)


@pytest.mark.parametrize(
    ("default", "given", "named"),
    [
        ({}, "", {"ServerSideEncryption": "AES256"}),
        ({"SSEAlgorithm": "AES256"}, "", {"ServerSideEncryption": "AES256"}),
        ({"SSEAlgorithm": "aws:kms"}, "", {"ServerSideEncryption": "aws:kms"}),
        (
            {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
            "",
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        ),
        (
            {"SSEAlgorithm": "AES256"},
            KEY,
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY},
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [1, 9_000_000], ids=["whole", "in parts"])
def test_upload_file_when_uploaded_then_the_request_names_its_encryption(
    default: dict[str, str],
    given: str,
    named: dict[str, str],
    size: int,
    client: Any,
    bucket: str,
    tmp_path: Path,
) -> None:
    """By the key, else the bucket's default, else AES256. Case sse_header_required."""
    if default:
        default_to(client, bucket, **default)
    else:
        client.delete_bucket_encryption(Bucket=bucket)
    sent: list[dict[str, str]] = []
    for operation in ("PutObject", "CreateMultipartUpload"):
        client.meta.events.register(
            f"provide-client-params.s3.{operation}", lambda params, **_: sent.append(params)
        )
    path = tmp_path / "train.jsonl"
    path.write_bytes(b"x" * size)
    s3.upload_file(client, path, bucket, s3.TRAINING_KEY, kms_key_arn=given)
    (request,) = sent
    assert {name: request[name] for name in request if name in ENCRYPTION} == named
    held = client.head_object(Bucket=bucket, Key=s3.TRAINING_KEY)
    assert held["ServerSideEncryption"] == named["ServerSideEncryption"]


def test_ensure_bucket_when_the_organisation_sets_a_default_then_keeps_it(
    client: Any, bucket: str
) -> None:
    """Only a given key, or no default at all, makes a change."""
    default_to(client, bucket, SSEAlgorithm="aws:kms", KMSMasterKeyID=KEY)
    s3.ensure_bucket(client, bucket, region=REGION, tags=TAGS)
    found = client.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert found["Rules"][0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY


@pytest.mark.parametrize("region", ["us-west-2", "us-east-1"])
def test_ensure_bucket_when_new_then_the_creating_request_has_tags_and_ownership(
    region: str, local_sandbox: Callable[..., Any]
) -> None:
    """Where a policy denies what is not tagged, or ACLs, a later request would come too late."""
    client = local_sandbox().client("s3", region)
    sent: list[Any] = []
    client.meta.events.register(
        "provide-client-params.s3.CreateBucket", lambda params, **_: sent.append(params)
    )
    s3.ensure_bucket(client, BUCKET, region=region, tags=TAGS)
    (request,) = sent
    tags = request["CreateBucketConfiguration"]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == TAGS
    assert request["ObjectOwnership"] == "BucketOwnerEnforced"
    assert s3.bucket_tags(client, BUCKET) == TAGS


class Freeing:
    """A client whose first so many CreateBucket find the name not free yet."""

    def __init__(self, client: Any, refusals: int) -> None:
        self._client, self._refusals = client, refusals

    def __getattr__(self, name: str) -> Any:
        """Give the client's own operation."""
        return getattr(self._client, name)

    def create_bucket(self, **parameters: Any) -> Any:
        """Refuse, or create."""
        self._refusals -= 1
        if self._refusals >= 0:
            raise refusal("OperationAborted", "A conflicting operation is in progress.", 409)
        return self._client.create_bucket(**parameters)


def test_ensure_bucket_when_its_name_was_deleted_a_moment_ago_then_tries_again(
    client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says once what it waits for. Case operation_aborted."""
    freeing: Any = Freeing(client, 3)
    waiting = Time().waiting(s3.FREED)
    s3.ensure_bucket(freeing, BUCKET, region=REGION, tags=TAGS, waiting=waiting)
    assert s3.bucket_tags(client, BUCKET) == TAGS
    (sentence,) = capsys.readouterr().out.splitlines()
    assert "deleted a moment ago" in sentence


def test_ensure_bucket_when_its_name_stays_taken_then_names_the_other_way(client: Any) -> None:
    """After five minutes: another bucket or run name."""
    freeing: Any = Freeing(client, 10**6)
    time = Time()
    with pytest.raises(ConflictError, match=r"another name as bucket, or another run name"):
        s3.ensure_bucket(freeing, BUCKET, region=REGION, tags=TAGS, waiting=time.waiting(s3.FREED))
    assert 240 < time.seconds <= 300
    assert client.list_buckets()["Buckets"] == []


def test_ensure_bucket_when_a_platform_team_has_made_the_given_one_then_only_reads_it(
    client: Any,
) -> None:
    """Neither policy, encryption nor tags are set. Case admin_made_role."""
    place: Any = {"LocationConstraint": REGION}
    client.create_bucket(Bucket="team-data", CreateBucketConfiguration=place)
    s3.ensure_bucket(client, "team-data", region=REGION, tags=TAGS, kms_key_arn=KEY, given=True)
    assert s3.bucket_tags(client, "team-data") == {}
    assert not s3.owns_bucket(client, "team-data", tags=TAGS)
    for read in (client.get_bucket_policy, client.get_bucket_encryption):
        with pytest.raises(client.exceptions.ClientError, match=r"NoSuch|NotFound"):
            read(Bucket="team-data")


def test_delete_objects_when_a_bucket_is_shared_then_only_the_run_s_own_go(
    client: Any, bucket: str
) -> None:
    """All versions below its folders, and its unfinished uploads."""
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    own = s3.own_key(s3.TRAINING_KEY, "haikuft-first-012345")
    assert own == "training/haikuft-first-012345/train.jsonl"
    output = "output/haikuft-first-012345-1/metrics.csv"
    theirs = ["training/train.jsonl", "training/haikuft-first-0123456/train.jsonl", "other"]
    for key in (own, own, output, *theirs):
        client.put_object(Bucket=bucket, Key=key, Body=b"1")
    for key in (own, "other"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    s3.delete_objects(client, bucket, s3.own_prefixes("haikuft-first-012345"))
    left = client.list_object_versions(Bucket=bucket)
    assert sorted(one["Key"] for one in left["Versions"]) == sorted(theirs)
    assert "DeleteMarkers" not in left
    (upload,) = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert upload["Key"] == "other"


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
