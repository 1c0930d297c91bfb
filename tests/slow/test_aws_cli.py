"""A client that we did not write, on the real server: the AWS CLI, a process a command."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft import iam
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.sandbox import Endpoint

ACCOUNT = "123456789012"
REGION = "us-west-2"
BUCKET = "haikuft-command-line"
ROLE = "AmazonBedrock-command-line"
Aws = Callable[..., Any]


@pytest.fixture
def aws(sandbox: Endpoint, tmp_path: Path) -> Aws:
    """`aws("s3api", "list-buckets")` runs the AWS CLI with no configuration; its JSON, if any."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "empty"),
        "AWS_ACCESS_KEY_ID": "anyone",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "awscli", "--endpoint-url", sandbox.url, "--output", "json"]

    def run(*words: str | Path) -> Any:
        done = subprocess.run(
            [*command, *map(str, words)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    return run


def wait_until(read: Callable[[], str], wanted: str) -> None:
    """Read a status until it is the wanted one; another process works, so this really waits."""
    deadline = time.monotonic() + 90
    while (status := read()) != wanted:
        assert status in ("InProgress", "Creating"), status
        assert time.monotonic() < deadline
        time.sleep(0.05)


def write_records(folder: Path) -> None:
    """Write a training and a validation file, each for the same two labels."""
    for name, count in (("training/train.jsonl", 40), ("validation/validation.jsonl", 32)):
        path = folder / name
        path.parent.mkdir(parents=True)
        with path.open("w") as file:
            for n in range(count):
                asked, answer = (f"{n}: is grass?", "green") if n % 2 else (f"{n}: a rose?", "red")
                turns = [("user", asked), ("assistant", answer)]
                messages = [{"role": role, "content": text} for role, text in turns]
                file.write(json.dumps({"messages": messages}) + "\n")


def test_aws_cli_when_it_walks_then_tunes_serves_asks_and_deletes(
    aws: Aws, sandbox_clients: Callable[..., Any], tmp_path: Path
) -> None:
    """The whole walk with `aws --endpoint-url`, from the bucket to the last deletion."""
    write_records(tmp_path / "data")
    aws("s3api", "create-bucket", "--bucket", BUCKET, "--create-bucket-configuration",
        f"LocationConstraint={REGION}")  # fmt: skip
    aws("s3", "cp", "--recursive", tmp_path / "data", f"s3://{BUCKET}/")
    trust = iam.build_trust_policy(ACCOUNT, REGION)
    policy = iam.build_role_policy(BUCKET, region=REGION, account_id=ACCOUNT)
    role = aws("iam", "create-role", "--role-name", ROLE,
               "--assume-role-policy-document", json.dumps(trust))["Role"]["Arn"]  # fmt: skip
    aws("iam", "put-role-policy", "--role-name", ROLE, "--policy-name", "data",
        "--policy-document", json.dumps(policy))  # fmt: skip
    validators = [{"s3Uri": f"s3://{BUCKET}/validation/validation.jsonl"}]
    job = aws("bedrock", "create-model-customization-job", "--job-name", "by-cli",
              "--custom-model-name", "by-cli", "--role-arn", role,
              "--base-model-identifier", CLAUDE_3_HAIKU.id,
              "--training-data-config", f"s3Uri=s3://{BUCKET}/training/train.jsonl",
              "--validation-data-config", json.dumps({"validators": validators}),
              "--output-data-config", f"s3Uri=s3://{BUCKET}/output/",
              "--hyper-parameters", "epochCount=3,batchSize=4")["jobArn"]  # fmt: skip
    bedrock = sandbox_clients("bedrock")
    wait_until(
        lambda: bedrock.get_model_customization_job(jobIdentifier=job)["status"], "Completed"
    )
    found = aws("bedrock", "get-model-customization-job", "--job-identifier", "by-cli")
    assert found["jobArn"] == job
    assert found["hyperParameters"]["epochCount"] == "3"
    listed = aws("bedrock", "list-custom-models", "--name-contains", "by-cli")["modelSummaries"]
    assert [model["modelArn"] for model in listed] == [found["outputModelArn"]]
    served = aws("bedrock", "create-provisioned-model-throughput", "--model-units", "1",
                 "--provisioned-model-name", "by-cli",
                 "--model-id", "by-cli")["provisionedModelArn"]  # fmt: skip
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 20,
        "temperature": 0,
        "messages": [{"role": "user", "content": "99: a rose?"}],
    }
    aws("bedrock-runtime", "invoke-model", "--model-id", served, "--body", json.dumps(body),
        "answer.json")  # fmt: skip
    message = json.loads((tmp_path / "answer.json").read_text())
    assert message["content"][0]["text"] == "red"
    answer = aws("bedrock-runtime", "converse", "--model-id", served, "--inference-config",
                 "temperature=0,maxTokens=20", "--messages",
                 '[{"role": "user", "content": [{"text": "98: is grass?"}]}]')  # fmt: skip
    assert answer["output"]["message"]["content"] == [{"text": "green"}]
    aws("bedrock", "delete-provisioned-model-throughput", "--provisioned-model-id", served)
    aws("bedrock", "delete-custom-model", "--model-identifier", "by-cli")
    assert bedrock.list_custom_models()["modelSummaries"] == []
    assert bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []
