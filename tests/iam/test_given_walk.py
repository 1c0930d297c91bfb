"""The series in an organisation whose platform team makes buckets and roles, and demands more."""

import json
from typing import Any

import pytest

from haikuft import iam, s3
from haikuft.inventory import delete_resources
from haikuft.inventory.resources import OTHER
from haikuft.runs.preflight import run_preflight

ACCOUNT = "123456789012"
PRECIOUS = ("training/train.jsonl", "precious")  # a key of theirs that looks like one of ours


@pytest.fixture
def given(walk: Any) -> Any:
    """Let the administrator make role and bucket, without tags and with versions, before ann."""
    walk.key_arn = ""
    client, region = walk.admin.connection.client("s3"), walk.region
    place: Any = {"LocationConstraint": region}
    client.create_bucket(Bucket="team-data", CreateBucketConfiguration=place)
    client.put_bucket_versioning(Bucket="team-data", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="team-data", Key=PRECIOUS[0], Body=PRECIOUS[1].encode())
    roles = walk.admin.connection.client("iam")
    role = roles.create_role(
        RoleName="AdminMade",
        Path="/service-role/",
        AssumeRolePolicyDocument=json.dumps(iam.build_trust_policy(ACCOUNT, region)),
    )["Role"]["Arn"]
    policy = iam.build_role_policy("team-data", region=region, account_id=ACCOUNT)
    roles.put_role_policy(
        RoleName="AdminMade", PolicyName="theirs", PolicyDocument=json.dumps(policy)
    )
    caller = iam.build_caller_policy(
        ACCOUNT,
        region,
        "team-data",
        "AdminMade",
        serving=walk.base_model.serving,
        given_bucket=True,
        given_role_arn=role,
    )
    # Whoever uploads without naming the encryption is refused, as in many organisations.
    deny = {
        "Effect": "Deny",
        "Action": "s3:PutObject",
        "Resource": "*",
        "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}},
    }
    walk.allow({**caller, "Statement": [*caller["Statement"], deny]})
    return walk


def test_series_when_role_and_bucket_are_given_then_uses_them_and_only_deletes_its_own(
    given: Any,
) -> None:
    """Ann may only read and pass the role. Cases admin_made_role and sse_header_required."""
    walk = given
    s3_client, iam_client = (walk.run.connection.client(name) for name in ("s3", "iam"))
    admin = walk.admin.connection.client("s3")
    options: Any = {"region": walk.region, "tags": walk.run.tags, "given": True}
    for _ in range(2):
        s3.ensure_bucket(s3_client, "team-data", **options)
        role_arn = iam.ensure_role(
            iam_client,
            "AdminMade",
            trust_policy=iam.build_trust_policy(ACCOUNT, walk.region),
            role_policy={},
            tags=walk.run.tags,
            given=True,
        )
    assert role_arn == f"arn:aws:iam::{ACCOUNT}:role/service-role/AdminMade"
    walk.save(bucket="team-data", role_name="AdminMade", role_arn=role_arn)
    checks = run_preflight(
        walk.run, bucket="team-data", today=walk.today, role_name="AdminMade"
    ).checks
    assert {check.state for check in checks if check.name in ("bucket", "role")} == {"ok"}
    walk.upload()
    walk.go("start_job", "read_metrics")
    held = {key for key, _ in s3.list_objects(admin, "team-data")}
    assert {key for key in held if walk.run.resource_name not in key} == {PRECIOUS[0]}
    left = {one.kind: one for one in delete_resources(walk.run)}
    assert {left["S3 bucket"].status, left["IAM role"].status} == {OTHER}
    versions = admin.list_object_versions(Bucket="team-data")
    assert [one["Key"] for one in versions["Versions"]] == [PRECIOUS[0]]
    assert "DeleteMarkers" not in versions
    assert s3.read_text(admin, f"s3://team-data/{PRECIOUS[0]}") == PRECIOUS[1]
    policies = walk.admin.connection.client("iam").list_role_policies(RoleName="AdminMade")
    assert policies["PolicyNames"] == ["theirs"]
