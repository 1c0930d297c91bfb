"""The role's two policies, held against a job: each part is needed, and nothing else gets in."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from haikuft import iam
from haikuft.customization.plan import build_job_request
from haikuft.iam import roles

ACCOUNT = "123456789012"
REGION = "us-west-2"
# Listed by AWS ("Model customization access and security": GetObject, PutObject and ListBucket on
# the output bucket), and cannot be shown here: the sandbox's jobs do not read their output back.
NOT_SHOWN = {("WriteOutput", "s3:GetObject")}
JOB = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/*"


@pytest.fixture
def ready(walk: Any) -> Any:
    """A walk up to the job, by the administrator: bucket, key, role and data are there."""
    walk.run = walk.admin
    walk.go("make_bucket", "make_role", "upload")
    return walk


def create_job(walk: Any, name: str) -> str:
    """Ask for a job and give its ARN."""
    run = replace(walk.admin, record=replace(walk.admin.record, kms_key_arn=walk.key_arn))
    request = build_job_request(run, name, {"epochCount": "1"})
    bedrock = walk.admin.connection.client("bedrock")
    return str(bedrock.create_model_customization_job(**request)["jobArn"])


def parts(policy: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (Sid, action, policy without that action), and (Sid, "", policy without it all)."""
    for number, statement in enumerate(policy["Statement"]):
        listed = statement["Action"]
        actions = [listed] if isinstance(listed, str) else listed
        for action in actions if len(actions) > 1 else []:
            changed = copy.deepcopy(policy)
            changed["Statement"][number]["Action"].remove(action)
            yield statement["Sid"], action, changed
        changed = copy.deepcopy(policy)
        del changed["Statement"][number]
        yield statement["Sid"], "", changed


def test_role_policy_when_any_part_is_missing_then_the_job_fails_in_validation_naming_it(
    ready: Any,
) -> None:
    """No statement, and no action of one, is there for nothing."""
    policy = iam.build_role_policy(
        ready.bucket, region=REGION, account_id=ACCOUNT, kms_key_arn=ready.key_arn
    )
    client = ready.admin.connection.client("iam")
    bedrock = ready.admin.connection.client("bedrock")
    seen = set()
    for number, (sid, action, changed) in enumerate(parts(policy)):
        if (sid, action) in NOT_SHOWN:
            continue
        client.put_role_policy(
            RoleName=ready.role_name,
            PolicyName=roles.POLICY_NAME,
            PolicyDocument=json.dumps(changed),
        )
        arn = create_job(ready, f"job-{number}")
        ready.application.bedrock.runner.join(arn)
        job = bedrock.get_model_customization_job(jobIdentifier=arn)
        (statement,) = [one for one in policy["Statement"] if one["Sid"] == sid]
        missing = job["failureMessage"].partition("The role is not allowed ")[2].split()[0]
        assert missing == action or (not action and missing in statement["Action"]), (sid, job)
        assert job["statusDetails"]["validationDetails"]["status"] == "Failed"
        seen.add(sid)
    assert seen == {
        "FindDataAndOutput",
        "ReadData",
        "WriteOutput",
        "EncryptModel",
        "UseKeyOnObjects",
    }


def test_role_policy_when_listing_is_missing_then_fails_in_aws_s_words(ready: Any) -> None:
    """AWS's guide names s3:ListBucket beside s3:GetObject for this very message."""
    policy = iam.build_role_policy(
        ready.bucket, region=REGION, account_id=ACCOUNT, kms_key_arn=ready.key_arn
    )
    policy["Statement"] = [one for one in policy["Statement"] if one["Sid"] != "FindDataAndOutput"]
    ready.admin.connection.client("iam").put_role_policy(
        RoleName=ready.role_name, PolicyName=roles.POLICY_NAME, PolicyDocument=json.dumps(policy)
    )
    arn = create_job(ready, "job")
    ready.application.bedrock.runner.join(arn)
    job = ready.admin.connection.client("bedrock").get_model_customization_job(jobIdentifier=arn)
    assert job["failureMessage"].startswith(
        f"Could not validate GetObject permissions to access Amazon S3 bucket: {ready.bucket} "
        "at key training/haikuft-first-012345/train.jsonl"
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["Effect"], "Deny"),
        (["Principal", "Service"], "sagemaker.amazonaws.com"),
        (["Principal"], {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        (["Action"], "sts:TagSession"),
        (["Condition", "StringEquals", "aws:SourceAccount"], "999999999999"),
        (["Condition", "ArnLike", "aws:SourceArn"], JOB.replace(REGION, "us-east-1")),
        (["Condition", "ArnLike", "aws:SourceArn"], JOB.replace(ACCOUNT, "999999999999")),
        (["Condition", "ArnLike", "aws:SourceArn"], JOB.replace("customization", "import")),
    ],
    ids=str,
)
def test_trust_policy_when_any_part_says_otherwise_then_the_job_is_refused(
    ready: Any, path: list[str], value: Any
) -> None:
    """A condition taken away lets more in, never less; so each is shown by another value."""
    trust: dict[str, Any] = iam.build_trust_policy(ACCOUNT, REGION)
    inner = trust["Statement"][0]
    for name in path[:-1]:
        inner = inner[name]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    ready.admin.connection.client("iam").update_assume_role_policy(
        RoleName=ready.role_name, PolicyDocument=json.dumps(trust)
    )
    with pytest.raises(ClientError, match="Could not assume provided IAM role"):
        create_job(ready, "job")


def test_key_policy_when_it_leaves_the_account_out_then_the_role_policy_is_in_vain(
    ready: Any,
) -> None:
    """A key's own policy decides first: it must name the role, or let the account decide."""
    kms = ready.admin.connection.client("kms")
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}

    def rule(arn: str) -> None:
        statement = {**everything, "Principal": {"AWS": arn}}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        if arn != admin:  # nobody may shut himself out here, since nobody could undo it
            document["Statement"].append({**everything, "Principal": {"AWS": admin}})
        kms.put_key_policy(KeyId=ready.key_arn, PolicyName="default", Policy=json.dumps(document))

    admin = f"arn:aws:iam::{ACCOUNT}:user/administrator"
    runner = ready.application.bedrock.runner
    bedrock = ready.admin.connection.client("bedrock")
    rule(admin)
    arn = create_job(ready, "shut-out")
    runner.join(arn)
    refusal = bedrock.get_model_customization_job(jobIdentifier=arn)["failureMessage"]
    assert "no resource-based policy allows the kms:" in refusal
    rule(ready.admin.record.role_arn)
    client = ready.admin.connection.client("iam")
    policy = iam.build_role_policy(ready.bucket, region=REGION, account_id=ACCOUNT)
    client.put_role_policy(
        RoleName=ready.role_name, PolicyName=roles.POLICY_NAME, PolicyDocument=json.dumps(policy)
    )
    ready.application.bedrock.runner.join(create_job(ready, "named"))
    named = bedrock.get_model_customization_job(jobIdentifier="named")
    assert named["status"] == "Completed", named
