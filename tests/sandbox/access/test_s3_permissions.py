"""What each request to S3 takes, in IAM's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.sandbox.access.s3_permissions import (
    UnknownPermissionError,
    deletion_permissions,
    read_request,
    request_permissions,
)


def asked(line: str, **headers: str) -> list[tuple[str, str]]:
    """List what a request takes as (action, what follows arn:aws:s3:::)."""
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return [
        (permission.action.removeprefix("s3:"), permission.resource.removeprefix("arn:aws:s3:::"))
        for permission in request_permissions(read_request(method, path, query, names))
    ]


@pytest.mark.parametrize(
    ("line", "action", "resource"),
    [
        ("GET /", "ListAllMyBuckets", "*"),
        ("PUT /data", "CreateBucket", "data"),
        ("HEAD /data", "ListBucket", "data"),
        ("GET /data?list-type=2&prefix=a/", "ListBucket", "data"),
        ("GET /data/?versions&prefix=a", "ListBucketVersions", "data"),
        ("GET /data?uploads", "ListBucketMultipartUploads", "data"),
        ("DELETE /data", "DeleteBucket", "data"),
        ("GET /data?location", "GetBucketLocation", "data"),
        ("GET /data?metrics", "GetMetricsConfiguration", "data"),
        ("PUT /data?metrics&id=1", "PutMetricsConfiguration", "data"),
        ("POST /data/a?restore", "RestoreObject", "data/a"),
        ("POST /data/a?select&select-type=2", "GetObject", "data/a"),
        ("PUT /data/a?legal-hold&versionId=1", "PutObjectLegalHold", "data/a"),
        ("PUT /data?tagging", "PutBucketTagging", "data"),
        ("DELETE /data?tagging", "PutBucketTagging", "data"),
        ("PUT /data?encryption", "PutEncryptionConfiguration", "data"),
        ("DELETE /data?encryption", "PutEncryptionConfiguration", "data"),
        ("GET /data?publicAccessBlock", "GetBucketPublicAccessBlock", "data"),
        ("PUT /data?publicAccessBlock", "PutBucketPublicAccessBlock", "data"),
        ("PUT /data?policy", "PutBucketPolicy", "data"),
        ("DELETE /data?policy", "DeleteBucketPolicy", "data"),
        ("PUT /data?lifecycle", "PutLifecycleConfiguration", "data"),
        ("GET /data/a%20b/c", "GetObject", "data/a b/c"),
        ("HEAD /data/a", "GetObject", "data/a"),
        ("GET /data/a?versionId=1", "GetObjectVersion", "data/a"),
        ("GET /data/a?tagging&versionId=1", "GetObjectVersionTagging", "data/a"),
        ("PUT /data/a", "PutObject", "data/a"),
        ("PUT /data/a?partNumber=1&uploadId=u", "PutObject", "data/a"),
        ("PUT /data/a?acl", "PutObjectAcl", "data/a"),
        ("POST /data/a?uploads", "PutObject", "data/a"),
        ("POST /data/a?uploadId=u", "PutObject", "data/a"),
        ("GET /data/a?uploadId=u", "ListMultipartUploadParts", "data/a"),
        ("DELETE /data/a?uploadId=u", "AbortMultipartUpload", "data/a"),
        ("DELETE /data/a", "DeleteObject", "data/a"),
        ("GET /data/a?X-Amz-Signature=1&x-id=GetObject", "GetObject", "data/a"),
    ],
)
def test_s3_needs_when_a_request_comes_then_names_its_action(
    line: str, action: str, resource: str
) -> None:
    """Method, path and query decide; a signature in the query does not."""
    assert asked(line) == [(action, resource)]


def test_s3_needs_when_an_object_is_copied_then_its_source_is_read() -> None:
    """A copy takes two permissions, one of them elsewhere."""
    assert asked("PUT /data/b", x_amz_copy_source="/other/a%20c?versionId=1") == [
        ("PutObject", "data/b"),
        ("GetObjectVersion", "other/a c"),
    ]


def test_s3_needs_when_a_put_brings_tags_or_an_acl_then_they_are_asked_for() -> None:
    """What a header sets takes what the call for it takes."""
    assert asked("PUT /data/a", x_amz_tagging="a=b", x_amz_acl="private") == [
        ("PutObject", "data/a"),
        ("PutObjectTagging", "data/a"),
        ("PutObjectAcl", "data/a"),
    ]


def test_s3_needs_when_a_bucket_is_listed_then_the_prefix_is_a_condition_key() -> None:
    """Policies hold listings to folders by it."""
    (permission,) = request_permissions(read_request("GET", "/data", "prefix=a%2F&max-keys=2", {}))
    assert permission.context == {"s3:prefix": "a/", "s3:max-keys": "2"}
    (permission,) = request_permissions(read_request("GET", "/data", "acl&prefix=a%2F", {}))
    assert permission.context == {}


def test_deletion_needs_when_a_version_is_named_then_takes_both_permissions() -> None:
    """AWS's page: s3:DeleteObject always, s3:DeleteObjectVersion for a version as well."""
    assert [permission.action for permission in deletion_permissions("data", "a")] == [
        "s3:DeleteObject"
    ]
    versioned = [permission.action for permission in deletion_permissions("data", "a", "null")]
    assert versioned == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert asked("POST /data?delete") == []  # its keys stand in its body
    assert asked("DELETE /data/a?versionId=1")[1] == ("DeleteObjectVersion", "data/a")


@pytest.mark.parametrize(
    "line",
    [
        *("PUT /data?metadataTable", "PATCH /data", "PUT /data/a?renameObject", "PATCH /data/a"),
        *("GET /data?acl&policy", "PUT /data/a?acl&tagging", "HEAD /data?policy"),
    ],
)
def test_s3_needs_when_it_is_not_known_then_says_so(line: str) -> None:
    """What has no entry here never passes as something else."""
    with pytest.raises(UnknownPermissionError):
        asked(line)


NAMES = st.text(max_size=12)


@given(
    st.sampled_from(["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]),
    st.text(max_size=30),
    st.text(max_size=30),
    st.dictionaries(st.sampled_from(["x-amz-copy-source", "x-amz-acl"]), NAMES),
)
def test_s3_needs_when_the_request_is_any_then_asks_for_something_or_says_it_cannot(
    method: str, path: str, query: str, headers: Any
) -> None:
    """No path and no query breaks it, and none slips through with nothing asked."""
    request = read_request(method, "/" + path, query, headers)
    try:
        permissions = list(request_permissions(request))
    except UnknownPermissionError:
        return
    assert permissions or request.deletes_many
    assert all(permission.action.startswith("s3:") for permission in permissions)
