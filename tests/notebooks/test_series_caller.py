"""The whole series by a user who has the policy that notebook 1 prints, and nothing else."""

import json
from collections.abc import Callable

import pytest

from haikuft import aws, iam, s3
from haikuft.base_models import CLAUDE_3_HAIKU

RUN = "ann"
ACCOUNT, REGION = "123456789012", "us-west-2"
QUICK = ("-p", "epoch_count", "1", "-p", "max_records", "4")


@pytest.fixture
def access_key(project) -> str:
    """What an administrator does before notebook 1: a user, the policy attached, a key."""
    client = project.client("iam")
    bucket = s3.default_bucket_name(RUN, account_id=ACCOUNT, region=REGION)
    policy = iam.build_caller_policy(
        ACCOUNT, REGION, bucket, iam.default_role_name(RUN), serving=CLAUDE_3_HAIKU.serving
    )
    made = client.create_policy(PolicyName="series", PolicyDocument=json.dumps(policy))
    client.create_user(UserName="ann")
    client.attach_user_policy(UserName="ann", PolicyArn=made["Policy"]["Arn"])
    return client.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]


def test_run_when_a_user_has_the_printed_policy_then_walks_from_1_to_7(
    project,
    access_key: str,
    holdings: Callable[[], dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """She makes bucket and role and cleans up; without the policy, 01 says what is missing.

    The kernels learn the key from the environment, as an open JupyterLab would.
    """
    monkeypatch.setenv(aws.connection.ACCESS_KEY, access_key)
    assert project.run("--run", RUN, *QUICK) == 0
    assert (project.root / "runs" / RUN / "evaluation.json").exists()
    held = holdings()
    assert len(held["jobs"]) == 1
    assert held["buckets"] == held["models"] == held["throughputs"] == held["roles"] == []
    client = project.client("iam")
    client.detach_user_policy(UserName="ann", PolicyArn=held["policies"][0])
    capsys.readouterr()
    assert project.run("--run", "second", "--to", "1") == 1
    told = capsys.readouterr().err
    assert f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform" in told
    assert "bedrock:ListFoundationModels" in told
    assert "policy that notebook 1 prints" in told
