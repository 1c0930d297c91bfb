"""The series on a base model that AWS deploys on demand: asked by the token, no hour billed."""

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from haikuft.base_models import NOVA_MICRO
from haikuft.runs.run_record import resource_prefix

RUN = "nova"
QUICK = ("-p", "epoch_count", "1", "-p", "max_records", "8")


@pytest.fixture(scope="module")
def bedrock(project):
    """A client in the model's own Region."""
    return boto3.client(
        "bedrock",
        region_name=NOVA_MICRO.region,
        endpoint_url=project.endpoint.url,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(proxies={}),
    )


@pytest.fixture
def serving(bedrock) -> Callable[[], tuple[list[str], list[str]]]:
    """What serves: deployments and throughputs, by ARN."""

    def listed() -> tuple[list[str], list[str]]:
        deployments = bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
        throughputs = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
        return (
            [one["customModelDeploymentArn"] for one in deployments],
            [one["provisionedModelArn"] for one in throughputs],
        )

    return listed


@pytest.fixture(scope="module")
def walked(project) -> Path:
    """The folder of a run that tuned Nova Micro and went from notebook 1 to 6."""
    asked = ("--run", RUN, "-p", "base_model_id", NOVA_MICRO.id, "--to", "6", *QUICK)
    assert project.run(*asked) == 0
    return project.root / "runs" / RUN


def test_run_when_the_model_can_be_deployed_then_a_deployment_serves_it_alone(
    walked, project, bedrock, serving
):
    """The cheaper way is taken unasked; the record keeps what was asked, and it was evaluated."""
    record = project.record(RUN)
    assert record.serving == "deployment"
    assert serving() == ([record.served_arn], [])
    (found,) = bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
    assert found["customModelDeploymentName"].startswith(f"{resource_prefix(RUN)}-")
    assert found["modelArn"] == record.custom_model_arn
    replies = [json.loads(line) for line in (walked / "replies" / "tuned.jsonl").open()]
    assert {(one["model_id"], one["answered_by"]) for one in replies} == {
        (record.served_arn, record.custom_model_arn)
    }
    evaluation = json.loads((walked / "evaluation.json").read_text())
    assert "tuned is deployed on demand: " in evaluation["break_even"]
    assert "Provisioned Throughput in its place: price not given" in evaluation["break_even"]


def test_notebook_5_when_asked_for_throughput_then_it_is_what_is_asked_from_then_on(
    walked, project, serving
):
    """Both stand in the record; replies are those of the same model, so none is asked again."""
    replies = (walked / "replies" / "tuned.jsonl").read_bytes()
    asked = ("--run", RUN, "--from", "5", "--to", "6", "-p", "max_records", "8")
    assert project.run(*asked, "-p", "serving", "provisioned_throughput") == 0
    record = project.record(RUN)
    assert serving() == ([record.deployment_arn], [record.throughput_arn])
    assert record.served_arn == record.throughput_arn
    assert (walked / "replies" / "tuned.jsonl").read_bytes() == replies


def test_notebook_5_when_run_again_unasked_then_finds_the_deployment(walked, project, serving):
    """Nothing doubles, and the deployment is asked again."""
    before = serving()
    assert project.run("--run", RUN, "--from", "5", "--to", "5") == 0
    assert serving() == before
    assert project.record(RUN).served_arn == before[0][0]


def test_clean_up_when_told_to_delete_then_both_go_and_the_model_after_them(
    walked, project, bedrock, serving
):
    """In an order that AWS allows."""
    assert project.run("--run", RUN, "--from", "7") == 0
    assert serving() == ([], [])
    assert bedrock.list_custom_models()["modelSummaries"] == []
