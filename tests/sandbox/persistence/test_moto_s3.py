"""Buckets, objects and uploads: what a sandbox answers about them after it was opened again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import answer

from haikuft.sandbox.persistence.database import Database

REGION = "us-west-2"
TAGS = {"TagSet": [{"Key": "run", "Value": "first"}]}
STATEMENT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "arn:aws:s3:::data/*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})
CONFIGURATIONS: dict[str, dict[str, Any]] = {  # put_bucket_... -> arguments
    "versioning": {"VersioningConfiguration": {"Status": "Enabled"}},
    "policy": {"Policy": POLICY},
    "tagging": {"Tagging": TAGS},
    "encryption": {
        "ServerSideEncryptionConfiguration": {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": "alias/haikuft",
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        }
    },
    "cors": {
        "CORSConfiguration": {
            "CORSRules": [
                {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 9}
            ]
        }
    },
    "lifecycle_configuration": {
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "ID": "old",
                    "Status": "Enabled",
                    "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "run", "Value": "first"}]}},
                    "Expiration": {"Days": 30},
                    "Transitions": [{"Days": 10, "StorageClass": "GLACIER"}],
                    "NoncurrentVersionTransitions": [
                        {"NoncurrentDays": 5, "StorageClass": "GLACIER"}
                    ],
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        }
    },
    "notification_configuration": {
        "NotificationConfiguration": {
            "QueueConfigurations": [
                {
                    "Id": "q",
                    "QueueArn": f"arn:aws:sqs:{REGION}:123456789012:queue",
                    "Events": ["s3:ObjectRemoved:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "z/"}]}},
                }
            ]
        }
    },
    "ownership_controls": {
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    },
    "website": {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}},
    "accelerate_configuration": {"AccelerateConfiguration": {"Status": "Enabled"}},
    "replication": {
        "ReplicationConfiguration": {
            "Role": "arn:aws:iam::123456789012:role/r",
            "Rules": [
                {
                    "ID": "all",
                    "Status": "Enabled",
                    "Prefix": "",
                    "Destination": {"Bucket": "arn:aws:s3:::other"},
                }
            ],
        }
    },
}


def describe_bucket(s3: Any, bucket: str) -> dict[str, Any]:
    """Ask everything that can be asked about a bucket and its objects."""
    about = {
        name: answer(getattr(s3, name), Bucket=bucket)
        for name in sorted(dir(s3))
        if name.startswith(("get_bucket_", "get_public_access_block", "get_object_lock_conf"))
        and not name.startswith(("get_bucket_inventory", "get_bucket_metadata", "get_bucket_abac"))
        and "analytics" not in name and "metrics" not in name and "tiering" not in name
    }  # fmt: skip
    about["inventories"] = answer(s3.list_bucket_inventory_configurations, Bucket=bucket)
    about["objects"] = answer(s3.list_objects_v2, Bucket=bucket)
    about["versions"] = answer(s3.list_object_versions, Bucket=bucket)
    about["uploads"] = answer(s3.list_multipart_uploads, Bucket=bucket)
    for upload in about["uploads"].get("Uploads", []):
        names = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
        about[f"parts of {upload['Key']}"] = answer(s3.list_parts, **names)
    for version in about["versions"].get("Versions", []):
        names = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        for name in ("head_object", "get_object", "get_object_tagging", "get_object_acl",
                     "get_object_legal_hold", "get_object_retention"):  # fmt: skip
            about[f"{name} {version['Key']} {version['VersionId']}"] = answer(
                getattr(s3, name), **names
            )
    return about


def describe(s3: Any) -> dict[str, Any]:
    """Ask everything that can be asked."""
    buckets = answer(s3.list_buckets)
    names = [bucket["Name"] for bucket in buckets["Buckets"]]
    return {"buckets": buckets} | {name: describe_bucket(s3, name) for name in names}


@pytest.fixture
def reopen(local_sandbox: Any) -> Callable[..., Any]:
    """Open the state, which was not closed before, and return a client of it."""
    return lambda region=REGION: local_sandbox().client("s3", region)


def create_bucket(s3: Any, name: str = "data", **parameters: Any) -> None:
    """Create a bucket in the tests' Region."""
    place = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=name, CreateBucketConfiguration=place, **parameters)


def stored_files(state: Path) -> int:
    """Count the files that hold objects' bytes."""
    return len(list((state / "objects").iterdir()))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configuration_of_a_bucket_when_opened_again_then_is_the_same(
    reopen: Callable[..., Any], name: str
) -> None:
    """Whatever can be put on a bucket is there again."""
    s3 = reopen()
    create_bucket(s3)
    if name == "replication":
        s3.put_bucket_versioning(Bucket="data", **CONFIGURATIONS["versioning"])
    getattr(s3, f"put_bucket_{name}")(Bucket="data", **CONFIGURATIONS[name])
    before = describe(s3)
    assert describe(reopen()) == before


def test_settings_of_a_bucket_when_opened_again_then_are_the_same(
    reopen: Callable[..., Any],
) -> None:
    """Public access, access lists, logging, inventories and locks, in buckets of two Regions."""
    ireland = {"LocationConstraint": "eu-west-1"}
    reopen("eu-west-1").create_bucket(Bucket="zzz", CreateBucketConfiguration=ireland)
    s3 = reopen()
    create_bucket(s3, "logs", ACL="log-delivery-write")
    create_bucket(s3, "data")
    create_bucket(s3, "locked", ObjectLockEnabledForBucket=True)
    s3.put_public_access_block(
        Bucket="data",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True, "BlockPublicPolicy": False},
    )
    s3.put_bucket_acl(Bucket="data", ACL="public-read")
    log = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "data/"}}
    s3.put_bucket_logging(Bucket="data", BucketLoggingStatus=log)
    inventory = {
        "Id": "weekly",
        "IsEnabled": True,
        "IncludedObjectVersions": "All",
        "Schedule": {"Frequency": "Weekly"},
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::logs", "Format": "CSV"}},
    }
    s3.put_bucket_inventory_configuration(
        Bucket="data", Id="weekly", InventoryConfiguration=inventory
    )
    lock = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}},
    }
    s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=lock)
    s3.put_object(Bucket="locked", Key="k", Body=b"locked", ObjectLockLegalHoldStatus="ON")
    before = {name: describe_bucket(s3, name) for name in ("zzz", "locked")}
    before["logging"] = answer(s3.get_bucket_logging, Bucket="data")
    before["buckets"] = answer(s3.list_buckets)
    count = s3.list_objects_v2(Bucket="logs")["KeyCount"]
    again = reopen()
    after = {name: describe_bucket(again, name) for name in ("zzz", "locked")}
    after["logging"] = answer(again.get_bucket_logging, Bucket="data")
    after["buckets"] = answer(again.list_buckets)
    assert after == before
    assert again.list_objects_v2(Bucket="logs")["KeyCount"] > count > 0
    grants = again.get_bucket_acl(Bucket="data")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL", "READ"]


def test_objects_when_opened_again_then_are_the_same(reopen: Callable[..., Any]) -> None:
    """Bytes, ETag, dates, metadata, tags, storage class, encryption, checksum, access list."""
    s3 = reopen()
    create_bucket(s3)
    s3.put_object(Bucket="data", Key="empty", Body=b"")
    s3.put_object(
        Bucket="data",
        Key="a/é ü+%2F?&.jsonl",
        Body=bytes(range(256)) * 40,
        ContentType="application/jsonl",
        ContentEncoding="identity",
        CacheControl="no-store",
        Metadata={"Run": "first", "seed": "0"},
        Tagging="run=first&step=2",
        StorageClass="STANDARD_IA",
        ServerSideEncryption="aws:kms",
        SSEKMSKeyId="alias/haikuft",
        ChecksumAlgorithm="SHA256",
        WebsiteRedirectLocation="/elsewhere",
        ACL="public-read",
    )
    s3.put_object(Bucket="data", Key="archived", Body=b"cold", StorageClass="GLACIER")
    s3.restore_object(Bucket="data", Key="archived", RestoreRequest={"Days": 3})
    s3.copy_object(
        Bucket="data", Key="copy", CopySource={"Bucket": "data", "Key": "a/é ü+%2F?&.jsonl"}
    )
    s3.put_object_tagging(Bucket="data", Key="empty", Tagging=TAGS)
    before = describe(s3)
    assert len(before["data"]["objects"]["Contents"]) == 4
    assert describe(reopen()) == before


def test_versions_and_delete_markers_when_opened_again_then_are_the_same(
    reopen: Callable[..., Any],
) -> None:
    """Every version answers to its id, and the latest is what it was, object or marker."""
    s3 = reopen()
    create_bucket(s3)
    s3.put_object(Bucket="data", Key="k", Body=b"before versioning")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    versions = [
        s3.put_object(Bucket="data", Key="k", Body=body, Tagging="n=1")["VersionId"]
        for body in (b"1", b"2", b"3")
    ]
    s3.delete_object(Bucket="data", Key="k")
    s3.delete_object(Bucket="data", Key="k")
    s3.delete_object(Bucket="data", Key="k", VersionId=versions[1])
    s3.put_object(Bucket="data", Key="other", Body=b"seen")
    before = describe(s3)
    assert len(before["data"]["versions"]["Versions"]) == 4
    assert len(before["data"]["versions"]["DeleteMarkers"]) == 2
    again = reopen()
    assert describe(again) == before
    for marker in before["data"]["versions"]["DeleteMarkers"]:
        again.delete_object(Bucket="data", Key="k", VersionId=marker["VersionId"])
    assert reopen().get_object(Bucket="data", Key="k")["Body"].read() == b"3"


def test_upload_in_progress_when_opened_again_then_can_be_completed(
    reopen: Callable[..., Any],
) -> None:
    """Parts of before and after make one object, with what was said when it was begun."""
    s3 = reopen()
    create_bucket(s3)
    parts = [b"a" * 5 * 1024 * 1024, b"b" * 5 * 1024 * 1024, b"end"]
    begun = s3.create_multipart_upload(
        Bucket="data", Key="whole", Metadata={"run": "first"}, Tagging="run=first"
    )
    names = {"Bucket": "data", "Key": "whole", "UploadId": begun["UploadId"]}
    given_up = s3.create_multipart_upload(Bucket="data", Key="never")["UploadId"]
    s3.upload_part(**names, PartNumber=1, Body=b"wrong")
    for number, part in enumerate(parts[:2], 1):
        s3.upload_part(**names, PartNumber=number, Body=part)
    before = describe(s3)
    again = reopen()
    assert describe(again) == before
    again.upload_part(**names, PartNumber=3, Body=parts[2])
    again.abort_multipart_upload(Bucket="data", Key="never", UploadId=given_up)
    again = reopen()
    listed = again.list_parts(**names)["Parts"]
    done = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
    completed = again.complete_multipart_upload(**names, MultipartUpload={"Parts": done})
    last = reopen()
    found = last.get_object(Bucket="data", Key="whole")
    assert found["Body"].read() == b"".join(parts)
    assert (found["ETag"], found["Metadata"]) == (completed["ETag"], {"run": "first"})
    assert last.get_object_tagging(Bucket="data", Key="whole")["TagSet"] == TAGS["TagSet"]
    assert "Uploads" not in last.list_multipart_uploads(Bucket="data")


@pytest.mark.parametrize("delimiter", ["", "/"])
def test_listing_when_opened_again_between_two_pages_then_goes_on(
    reopen: Callable[..., Any], delimiter: str
) -> None:
    """The token of a page is good for the next one, whether it ended with a key or a folder."""
    s3 = reopen()
    create_bucket(s3)
    for key in ("a/1", "a/2", "b/é/1", "c"):
        s3.put_object(Bucket="data", Key=key, Body=b"x")

    def names(page: dict[str, Any]) -> list[str]:
        folders = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        return sorted([*folders, *(item["Key"] for item in page.get("Contents", []))])

    whole = names(s3.list_objects_v2(Bucket="data", Delimiter=delimiter))
    first = s3.list_objects_v2(Bucket="data", Delimiter=delimiter, MaxKeys=2)
    rest = reopen().list_objects_v2(
        Bucket="data", Delimiter=delimiter, ContinuationToken=first["NextContinuationToken"]
    )
    assert names(first) + names(rest) == whole


def test_what_is_deleted_when_opened_again_then_is_gone_with_its_files(
    reopen: Callable[..., Any], tmp_path: Path
) -> None:
    """Overwritten, deleted one by one or together, moved by a copy: no bytes are left behind."""
    s3 = reopen()
    create_bucket(s3)
    for key in ("a", "b", "c", "d"):
        s3.put_object(Bucket="data", Key=key, Body=key.encode())
    s3.put_object(Bucket="data", Key="a", Body=b"again")
    s3.copy_object(Bucket="data", Key="e", CopySource="data/b")
    s3.delete_object(Bucket="data", Key="b")
    s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "c"}, {"Key": "d"}]})
    begun = s3.create_multipart_upload(Bucket="data", Key="f")["UploadId"]
    s3.upload_part(Bucket="data", Key="f", UploadId=begun, PartNumber=1, Body=b"part")
    assert stored_files(tmp_path) == 3
    again = reopen()
    assert [item["Key"] for item in again.list_objects_v2(Bucket="data")["Contents"]] == ["a", "e"]
    again.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "a"}, {"Key": "e"}]})
    again.delete_bucket(Bucket="data")
    assert stored_files(tmp_path) == 0
    assert reopen().list_buckets()["Buckets"] == []
    database = Database(tmp_path / "ledger.sqlite")
    assert [database.read(kind) for kind in ("s3.bucket", "s3.object", "s3.upload")] == [{}, {}, {}]
