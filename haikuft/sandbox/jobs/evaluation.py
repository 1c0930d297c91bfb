"""Evaluation jobs: create, list. `evaluation_runner` does a job's work, and stops it.

The create request fails for what the sandbox does not support (human workers, retrieval, built-in
data sets) and for the same errors as that of a customization job. A job that needs an evaluator
model, or a metric that cannot be computed without one, is created as on AWS and then fails.
"""

from collections.abc import Callable
from typing import Any

from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.records import ControlPlane, EvaluationJob
from haikuft.sandbox.bedrock.resources import EVALUATION_JOBS
from haikuft.sandbox.http.messages import Call, validation_error
from haikuft.sandbox.jobs.files import check_bucket, check_role, split_uri


def create_job(plane: ControlPlane, start: Callable[[str], None], call: Call) -> dict[str, Any]:
    """CreateEvaluationJob; `start` is given the new job's ARN."""
    return resources.create(plane, call, EVALUATION_JOBS, _build, start=start)


def list_evaluation_jobs(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListEvaluationJobs; all jobs of the sandbox are model evaluations."""
    found = resources.list_page(plane, call, EVALUATION_JOBS)
    return found if found["jobSummaries"] else {}  # AWS's model has no empty list here


def _build(plane: ControlPlane, call: Call) -> EvaluationJob:
    asked = call.parameters
    _check_kind(asked)
    _check_files(plane, call)
    identity = resources.identify(plane, call, EVALUATION_JOBS)
    check_role(plane.store, asked, identity["arn"])
    return EvaluationJob(**identity, status="InProgress", request=asked)


def _check_kind(asked: dict[str, Any]) -> None:
    """Refuse everything but an automated evaluation of one model on a custom data set."""
    retrieves = "ragConfigs" in asked["inferenceConfig"]
    if "automated" not in asked["evaluationConfig"]:
        raise validation_error("The sandbox has no human workers. Give evaluationConfig.automated.")
    if asked.get("applicationType") == "RagEvaluation" or retrieves:
        raise validation_error(
            "The sandbox evaluates models, not retrieval. Give inferenceConfig.models."
        )
    if len(asked["inferenceConfig"]["models"]) != 1:
        raise validation_error("An automated evaluation job takes one model.")
    names = [
        config["dataset"]["name"]
        for config in asked["evaluationConfig"]["automated"]["datasetMetricConfigs"]
        if "datasetLocation" not in config["dataset"]
    ]
    if names:
        raise validation_error(
            f"The sandbox has none of Bedrock's own data sets ({', '.join(names)}). Give "
            "dataset.datasetLocation."
        )


def _check_files(plane: ControlPlane, call: Call) -> None:
    """Each data set is one .jsonl object, and all buckets are in the job's Region."""
    asked = call.parameters
    configs = asked["evaluationConfig"]["automated"]["datasetMetricConfigs"]
    uris = [config["dataset"]["datasetLocation"]["s3Uri"] for config in configs]
    for uri in uris:
        if not split_uri(uri)[1].endswith(".jsonl"):
            raise validation_error(f"The data set {uri} is no .jsonl object in S3.")
    for uri in (*uris, asked["outputDataConfig"]["s3Uri"]):
        check_bucket(plane.store, uri, call.region, f"{uri} cannot be used.")
