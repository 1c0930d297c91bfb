"""The whole series by a user who has the policy that notebook 1 prints, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import build_record

from haikuft import aws, iam, s3
from haikuft.base_models import CLAUDE_3_HAIKU

RUN = "ann"
ACCOUNT, REGION = "123456789012", "us-west-2"


@pytest.fixture(scope="module")
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


def write_orders(path: Path) -> str:
    """Write 120 orders in words, each with its JSON, as one's own file of messages."""
    lines = []
    for number in range(120):
        item = ("tea", "rice", "soap")[number % 3]
        city = ("Oslo", "Lima", "Accra", "Perth")[number % 4]
        wanted = {"item": item, "city": city, "count": number % 9 + 1}
        asked = f"Send {number % 9 + 1} of {item} to {city}, reference {number}"
        record = build_record(asked, json.dumps(wanted))
        lines.append(json.dumps({"system": "JSON Mode: Enabled", **record}))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_run_when_a_user_has_the_printed_policy_then_own_json_walks_from_1_to_7(
    project,
    access_key: str,
    holdings: Callable[..., dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    """She makes bucket and roles, has Bedrock score the replies, too, and cleans up.

    Her own file, named by its path, is scored by its structure. The kernels learn the key from the
    environment, as an open JupyterLab would.
    """
    monkeypatch.setenv(aws.connection.ACCESS_KEY, access_key)
    own = write_orders(tmp_path / "orders.jsonl")
    asked = ("--dataset", own, "-p", "epoch_count", "3", "-p", "evaluation_job", "True")
    assert project.run("--run", RUN, *asked) == 0
    folder = project.root / "runs" / RUN
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert (evaluation["task"], evaluation["metric"]) == ("structured", "json_agreement")
    tuned = {s["metric"]: s["score"] for s in evaluation["scores"] if s["model"] == "tuned"}
    assert tuned["valid_json"] > 0.9
    assert project.record(RUN).evaluation_job_arn
    executed = folder / "notebooks" / "06_evaluate.ipynb"
    assert f"{evaluation['n']} replies." in executed.read_text()
    held = holdings()
    assert len(held["jobs"]) == 1
    assert held["buckets"] == held["models"] == held["throughputs"] == held["roles"] == []


def test_run_when_the_user_has_lost_the_policy_then_01_says_what_is_missing(
    project,
    access_key: str,
    holdings: Callable[..., dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """And whom to ask for it."""
    monkeypatch.setenv(aws.connection.ACCESS_KEY, access_key)
    (policy,) = holdings()["policies"]
    project.client("iam").detach_user_policy(UserName="ann", PolicyArn=policy)
    assert project.run("--run", "second", "--to", "1") == 1
    told = capsys.readouterr().err
    assert f"User: arn:aws:iam::{ACCOUNT}:user/ann is not authorized to perform" in told
    assert "bedrock:ListFoundationModels" in told
    assert "policy that notebook 1 prints" in told
