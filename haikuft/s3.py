"""The run's bucket and the files in it.

A bucket that somebody else has made, such as a platform team, is used as it is and only read; the
objects of a run lie in folders of its own there.
Sources: S3 API; Bedrock API, shape S3Uri; Bedrock User Guide, fine-tuning troubleshooting (the
bucket and the job must share a Region).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from haikuft.aws.errors import error_code, explaining, unless_absent
from haikuft.aws.ownership import check_named, is_foreign, is_ours, list_tags
from haikuft.aws.waiting import Waiting, retry
from haikuft.errors import AccessError, ConflictError, DataError, SettingsError
from haikuft.iam.policies import build_tls_policy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TRAINING_KEY = "training/train.jsonl"
VALIDATION_KEY = "validation/validation.jsonl"
TEST_KEY = "test/test.jsonl"
_NAME_LENGTH = 63  # S3's limit for a bucket's name
# All that keep a bucket from being public. S3 API, PublicAccessBlockConfiguration
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# S3 frees the name of a deleted bucket within minutes, sometimes only after an hour.
FREED = Waiting(poll_seconds=3.0, deadline_seconds=300.0)


def default_bucket_name(run: str, *, account_id: str, region: str) -> str:
    """Name a run's bucket; one that would be too long carries a digest in the run's place."""
    name = f"haikuft-{run}-{account_id}-{region}"
    if len(name) <= _NAME_LENGTH:
        return name
    digest = hashlib.sha256(run.encode()).hexdigest()[:10]
    return f"haikuft-{digest}-{account_id}-{region}"


def ensure_bucket(
    s3: "S3Client",
    name: str,
    *,
    region: str,
    tags: Mapping[str, str],
    kms_key_arn: str = "",
    recorded: bool = False,
    given: bool = False,
    waiting: Waiting = FREED,
) -> None:
    """Create the bucket, or find ours, and make it private, encrypted and TLS-only.

    Args:
        s3: a client.
        name: the bucket.
        region: where it must be: the job's Region.
        tags: what marks it as ours: `run.tags`.
        kms_key_arn: key for its default encryption; "" for S3's own keys.
        recorded: whether the run's record names it, which is enough for a bucket from before
            there were owner ids; it is given the run's tags.
        given: whether the user has named it: then one that no run has made is used as it is.
        waiting: how to wait for the name of a bucket that was deleted a moment ago; that it
            waits is printed once.

    Raises:
        ConflictError: the name is taken by somebody else, or the bucket is elsewhere.
    """
    try:
        found = bucket_region(s3, name)
    except AccessError as error:
        raise ConflictError(
            f"Bucket {name} exists and this caller may not read it: it belongs to somebody else, "
            "or your policy lacks s3:GetBucketLocation. Set bucket to another name, or ask your "
            f"administrator. ({error})"
        ) from error
    if found not in (None, region):
        raise ConflictError(
            f"Bucket {name} is in {found}, and the job in {region} can only read a bucket of its "
            "own Region. Set bucket to another name."
        )
    if found is None:
        _create(s3, name, region, tags, waiting)
    found_tags = bucket_tags(s3, name)
    if found is not None:
        if given and is_foreign(found_tags):
            return
        check_named("bucket", name, found_tags, tags, recorded=recorded)
    if not tags.items() <= found_tags.items():
        tag_set = list_tags({**found_tags, **tags}, key="Key", value="Value")
        with explaining(f"tagging bucket {name}"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    with explaining(f"making bucket {name} private, encrypted and TLS-only"):
        blocks: Any = dict.fromkeys(_BLOCKS, True)
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=blocks)
        default = _read_default_encryption(s3, name)
        wanted = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key_arn} if kms_key_arn else {}
        # Where no key is given, S3's or the organisation's own default stays.
        if not default or not wanted.items() <= default.items():
            rule: Any = {"ApplyServerSideEncryptionByDefault": wanted or {"SSEAlgorithm": "AES256"}}
            rules: Any = {"Rules": [rule | ({"BucketKeyEnabled": True} if wanted else {})]}
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=rules)
        policy = json.dumps(build_tls_policy(name, region=region))
        s3.put_bucket_policy(Bucket=name, Policy=policy)


def bucket_region(s3: "S3Client", name: str) -> str | None:
    """Say in which Region a bucket is; None where no bucket has that name.

    Raises:
        AccessError: there is one, and we may not look at it.
    """
    with explaining(f"looking for bucket {name}"):
        # Not HeadBucket, whose errors have no body: an expired login would be "400".
        answer = unless_absent(s3.get_bucket_location, Bucket=name)
    if answer is None:
        return None
    place = answer.get("LocationConstraint")
    return {"": "us-east-1", "EU": "eu-west-1"}.get(place or "", place)


def bucket_tags(s3: "S3Client", name: str) -> dict[str, str]:
    """Read a bucket's tags; empty where it has none.

    Raises:
        NotFoundError: no bucket has that name.
    """
    with explaining(f"reading the tags of bucket {name}"):
        try:
            tags = s3.get_bucket_tagging(Bucket=name)["TagSet"]
        except ClientError as error:
            if error_code(error) != "NoSuchTagSet":
                raise
            tags = []
    return {tag["Key"]: tag["Value"] for tag in tags}


def list_buckets(s3: "S3Client", prefix: str) -> list[str]:
    """List the names of the account's buckets that begin so.

    Raises:
        AccessError: we may not list them.
    """
    with explaining("listing the buckets"):
        return [one["Name"] for one in s3.list_buckets(Prefix=prefix)["Buckets"]]


def owns_bucket(s3: "S3Client", name: str, *, tags: Mapping[str, str]) -> bool:
    """Tell whether a bucket carries the run's tags; False for somebody else's, or for none."""
    return is_ours(unless_absent(bucket_tags, s3, name) or {}, tags)


def own_key(key: str, name: str) -> str:
    """Put a key into a run's own folder, so that two runs can share a bucket.

    Example: `own_key(TRAINING_KEY, run.resource_name)` is training/<name>/train.jsonl, which the
    policies of role and caller cover like training/train.jsonl.
    """
    folder, _, file = key.partition("/")
    return f"{folder}/{name}/{file}"


def own_prefixes(name: str) -> tuple[str, ...]:
    """Name all folders of a run in a bucket; its jobs write to output/<name>-<number>/."""
    keys = (TRAINING_KEY, VALIDATION_KEY, TEST_KEY)
    folders = (own_key(key, name).rpartition("/")[0] + "/" for key in keys)
    return *folders, f"evaluation/{name}/", f"output/{name}-"


def split_uri(uri: str) -> tuple[str, str]:
    """Split s3://bucket/key into bucket and key.

    Raises:
        SettingsError: not an S3 URI.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise SettingsError(f'"{uri}" is no S3 URI: write s3://bucket/key.')
    return bucket, key


def join_uri(bucket: str, key: str) -> str:
    """Join a bucket and a key to an S3 URI."""
    return f"s3://{bucket}/{key.lstrip('/')}"


def upload_file(s3: "S3Client", path: Path, bucket: str, key: str, *, kms_key_arn: str = "") -> str:
    """Upload a file, in parts where it is large. Returns its URI.

    The request names the encryption, because policies in wide use refuse one that does not: by the
    key, else the bucket's own default, else S3's AES256.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file, so nothing was uploaded. Run notebook 2 to write it.")
    with explaining(f"uploading {path.name} to bucket {bucket}"):
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": kms_key_arn}
        default = default if kms_key_arn else _read_default_encryption(s3, bucket)
        named = {"ServerSideEncryption": default.get("SSEAlgorithm", "AES256")}
        if default.get("KMSMasterKeyID"):
            named["SSEKMSKeyId"] = default["KMSMasterKeyID"]
        s3.upload_file(str(path), bucket, key, ExtraArgs=named)
    return join_uri(bucket, key)


def read_text(s3: "S3Client", uri: str) -> str:
    """Read an object as UTF-8 text.

    Raises:
        NotFoundError: no such object.
        DataError: it is not UTF-8.
    """
    bucket, key = split_uri(uri)
    with explaining(f"reading {uri}"):
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{uri}: not UTF-8 text ({error}).") from error


def list_objects(s3: "S3Client", bucket: str, prefix: str = "") -> list[tuple[str, int]]:
    """List the keys under a prefix with their sizes in bytes."""
    with explaining(f"listing bucket {bucket}"):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", [])]


def empty_bucket(
    s3: "S3Client", bucket: str, *, tags: Mapping[str, str], recorded: bool = False
) -> bool:
    """Delete all objects, versions and unfinished uploads of our bucket. False where there is none.

    Raises:
        ConflictError: the bucket does not carry our tags.
        AccessError: something keeps an object from being deleted.
    """
    found = unless_absent(bucket_tags, s3, bucket)
    if found is None:
        return False
    check_named("bucket", bucket, found, tags, recorded=recorded)
    delete_objects(s3, bucket, ("",))
    return True


def delete_objects(s3: "S3Client", bucket: str, prefixes: Sequence[str]) -> None:
    """Delete all objects, versions and unfinished uploads under each of these prefixes.

    Raises:
        AccessError: something keeps an object from being deleted.
    """
    with explaining(f"deleting objects of bucket {bucket}"):
        uploads = s3.get_paginator("list_multipart_uploads")
        for prefix in prefixes:
            begun = uploads.paginate(Bucket=bucket, Prefix=prefix).build_full_result()
            for upload in begun.get("Uploads", []):
                key, upload_id = upload["Key"], upload["UploadId"]
                s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
            for batch in _version_batches(s3, bucket, prefix):
                answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
                if refused := answer.get("Errors", []):
                    first = refused[0]
                    raise AccessError(
                        f"{len(refused)} objects of bucket {bucket} could not be deleted; the "
                        f"first is {first.get('Key')}: {first.get('Code')}: "
                        f"{first.get('Message')}. A lock or a policy keeps them; remove it and run "
                        "this again."
                    )


def delete_bucket(
    s3: "S3Client", bucket: str, *, tags: Mapping[str, str], recorded: bool = False
) -> bool:
    """Empty and delete our bucket. Returns False where it was gone already.

    Raises:
        ConflictError: the bucket does not carry our tags.
    """
    if not empty_bucket(s3, bucket, tags=tags, recorded=recorded):
        return False
    with explaining(f"deleting bucket {bucket}"):
        s3.delete_bucket(Bucket=bucket)
    return True


def _create(
    s3: "S3Client", name: str, region: str, tags: Mapping[str, str], waiting: Waiting
) -> None:
    """Create a bucket; tags and ownership stand in the request, where policies demand them.

    moto 5.2.5 drops such tags, so the caller reads them back.
    """
    options: Any = {"Tags": list_tags(tags, key="Key", value="Value")}
    if region != "us-east-1":  # the one Region that may not be named
        options["LocationConstraint"] = region

    def create() -> None:
        with explaining(f"creating bucket {name}"):
            s3.create_bucket(
                Bucket=name,
                CreateBucketConfiguration=options,
                ObjectOwnership="BucketOwnerEnforced",
            )
            s3.get_waiter("bucket_exists").wait(
                Bucket=name, WaiterConfig={"Delay": 2, "MaxAttempts": 15}
            )

    def explain_pause(error: object) -> None:
        print(f"{error} Trying again for {waiting.deadline_seconds / 60:.0f} minutes.")

    retry(
        create,
        lambda error: error_code(error.__cause__) == "OperationAborted",
        replace(waiting, on_change=explain_pause),
    )


def _read_default_encryption(s3: "S3Client", bucket: str) -> Any:
    """Read a bucket's default: SSEAlgorithm, and KMSMasterKeyID for a key; empty for none."""
    found = unless_absent(s3.get_bucket_encryption, Bucket=bucket)
    given = found["ServerSideEncryptionConfiguration"]["Rules"] if found else []
    rules = (rule.get("ApplyServerSideEncryptionByDefault") for rule in given)
    return next((rule for rule in rules if rule), {})


def _version_batches(s3: "S3Client", bucket: str, prefix: str) -> Iterator[list[Any]]:
    """Yield versions and delete markers, at most 1,000 at a time, until a listing is empty.

    Each listing begins anew, because the batch before it has been deleted meanwhile.
    """
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=prefix, MaxKeys=1000)
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not found:
            return
        yield [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
