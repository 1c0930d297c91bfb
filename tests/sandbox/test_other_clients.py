"""Clients that we did not write, on the real server: the AWS CLI, and boto3 above its clients."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import WaiterError

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
    """The whole series of steps with `aws --endpoint-url`, from the bucket to the last deletion."""
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


@pytest.fixture
def resource(sandbox: Endpoint) -> Callable[[str], Any]:
    """`resource("s3")` is a boto3 resource of this module's sandbox."""
    session = boto3.Session("anyone", "anything", region_name=REGION)

    def make(service: str) -> Any:
        config = Config(proxies={})
        return session.resource(service, endpoint_url=sandbox.url, config=config)

    return make


def test_resources_when_used_for_s3_and_iam_then_do_as_on_aws(
    resource: Callable[[str], Any],
) -> None:
    """Buckets, objects, their collections, multipart copies, roles."""
    bucket = resource("s3").Bucket("haikuft-resources")
    bucket.create(CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket.wait_until_exists()
    for n in range(5):
        bucket.put_object(Key=f"training/{n}.jsonl", Body=b"x" * n)
    bucket.Object("copy").copy({"Bucket": bucket.name, "Key": "training/4.jsonl"})
    assert bucket.Object("copy").get()["Body"].read() == b"xxxx"
    assert {item.key: item.size for item in bucket.objects.filter(Prefix="training/")} == {
        f"training/{n}.jsonl": n for n in range(5)
    }
    role = resource("iam").create_role(
        RoleName="by-resource",
        AssumeRolePolicyDocument=json.dumps(iam.build_trust_policy(ACCOUNT, REGION)),
    )
    assert role.arn in [found.arn for found in resource("iam").roles.all()]
    role.delete()
    bucket.objects.all().delete()
    bucket.delete()
    bucket.wait_until_not_exists()


def test_paginators_and_waiters_when_used_for_s3_then_see_every_object(
    sandbox_clients: Callable[..., Any],
) -> None:
    """Pages of two follow each other; a waiter sees what is there, and gives up on what is not."""
    s3 = sandbox_clients("s3")
    location = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket="haikuft-pages", CreateBucketConfiguration=location)
    names = [f"k{n}" for n in range(5)]
    for name in names:
        s3.put_object(Bucket="haikuft-pages", Key=name, Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="haikuft-pages", PaginationConfig={"PageSize": 2}
    )
    assert [[item["Key"] for item in page["Contents"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    once = {"Delay": 0, "MaxAttempts": 1}
    s3.get_waiter("object_exists").wait(Bucket="haikuft-pages", Key="k0", WaiterConfig=once)
    s3.get_waiter("object_not_exists").wait(Bucket="haikuft-pages", Key="k9", WaiterConfig=once)
    with pytest.raises(WaiterError):
        s3.get_waiter("object_exists").wait(Bucket="haikuft-pages", Key="k9", WaiterConfig=once)
