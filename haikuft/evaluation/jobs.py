"""Bedrock evaluation jobs: request, start, wait, read the scores.

For test sets or judges that are too large for a notebook. Source: Bedrock API, CreateEvaluationJob
and GetEvaluationJob; Bedrock User Guide, "Understand how the results of your model evaluation job
are saved in Amazon S3". botocore has no waiters for Bedrock.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from haikuft import s3
from haikuft.aws.errors import explaining
from haikuft.aws.ownership import list_tags
from haikuft.aws.waiting import Waiting, wait_until
from haikuft.errors import DataError, JobFailedError
from haikuft.iam import policies, roles
from haikuft.runs.run_record import Run, resource_prefix, save

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_s3 import S3Client

RUNNING = frozenset({"InProgress", "Stopping", "Deleting"})  # AWS's words
RESULTS_SUFFIX = "_output.jsonl"


@dataclass(frozen=True, slots=True)
class EvaluationJob:
    """One reading of an evaluation job.

    Attributes:
        arn: Identity of the job; Bedrock knows it by nothing else.
        status: AWS's word: InProgress, Completed, Failed, Stopping, Stopped or Deleting.
        output_uri: Where the job was told to write; its own folder lies below.
        failure_messages: AWS's reasons; empty unless it failed.
    """

    arn: str
    name: str
    status: str
    output_uri: str
    failure_messages: tuple[str, ...] = ()

    @classmethod
    def from_response(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetEvaluationJob."""
        return cls(
            arn=answer["jobArn"],
            name=answer["jobName"],
            status=answer["status"],
            output_uri=answer["outputDataConfig"]["s3Uri"],
            failure_messages=tuple(answer.get("failureMessages", ())),
        )


def build_evaluation_request(
    *,
    job_name: str,
    role_arn: str,
    prompts_uri: str,
    output_uri: str,
    task_type: str,
    source: str,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """Build the arguments of `create_evaluation_job` for the accuracy of existing responses.

    Args:
        job_name: At most 63 lower-case letters, digits and hyphens; unique in account and Region.
        role_arn: Trusted for evaluation jobs, see `iam.build_evaluation_trust_policy`.
        prompts_uri: The dataset, written from `build_prompts`.
        output_uri: Where the scores go.
        task_type: AWS's word, such as "Classification".
        source: Name of the model that gave the responses in the dataset.
        tags: Of the job.
    """
    scored = {
        "taskType": task_type,
        "dataset": {"name": "test", "datasetLocation": {"s3Uri": prompts_uri}},
        "metricNames": ["Builtin.Accuracy"],
    }
    model = {"precomputedInferenceSource": {"inferenceSourceIdentifier": source}}
    return {
        "jobName": job_name,
        "roleArn": role_arn,
        "applicationType": "ModelEvaluation",
        "evaluationConfig": {"automated": {"datasetMetricConfigs": [scored]}},
        "inferenceConfig": {"models": [model]},
        "outputDataConfig": {"s3Uri": output_uri},
        "jobTags": list_tags(tags),
    }


def evaluate_replies(
    run: Run, prompts_path: Path, task: str, *, source: str, waiting: Waiting | None = None
) -> tuple[Run, EvaluationJob]:
    """Have Bedrock score the replies in a file of prompts: role, upload, job, and wait.

    The job that this run's record names is not run again for the same file.

    Args:
        run: whose bucket is used, and whose record keeps role and job.
        prompts_path: written from `build_prompts`, with replies.
        task: kind of task, one of `TASKS`.
        source: name of what replied, as in the file.
        waiting: how to wait for the job; None waits with the target's own pause.

    Returns:
        The run with its new record, and the completed job; `read_scores` reads its scores.

    Raises:
        JobFailedError: the job failed or was stopped.
        HaikuftError: AWS refused; says its reason and how to fix it.
    """
    record, connection = run.record, run.connection
    bedrock = connection.client("bedrock")
    waiting = waiting or Waiting(poll_seconds=connection.poll_seconds)
    digest = hashlib.sha256(prompts_path.read_bytes()).hexdigest()[:8]
    if record.evaluation_job_arn:
        job = get_evaluation_job(bedrock, record.evaluation_job_arn)
        if digest in job.name and job.status in RUNNING | {"Completed"}:
            return run, wait_for_evaluation_job(bedrock, job.arn, waiting)
    place = {"region": record.region, "account_id": record.account_id}
    role_name = policies.name_evaluation_role(record.role_name)
    role_arn = roles.ensure_role(
        connection.client("iam"),
        role_name,
        trust_policy=policies.build_evaluation_trust_policy(**place),
        role_policy=policies.build_evaluation_policy(
            record.bucket, **place, kms_key_arn=record.kms_key_arn
        ),
        tags=run.tags,
        recorded=role_name == record.evaluation_role_name,
        given=record.role_name != roles.default_role_name(record.run),
        permissions_boundary=record.permissions_boundary,
    )
    run = save(run, evaluation_role_name=role_name)
    client, folder = connection.client("s3"), f"evaluation/{run.resource_name}/"
    prompts_uri = s3.upload_file(
        client,
        prompts_path,
        record.bucket,
        f"{folder}prompts.jsonl",
        kms_key_arn=record.kms_key_arn,
    )
    request = build_evaluation_request(
        job_name=f"{resource_prefix(record.run)}-{digest}-{datetime.now(UTC):%H%M%S%f}",
        role_arn=role_arn,
        prompts_uri=prompts_uri,
        output_uri=s3.join_uri(record.bucket, f"{folder}results/"),
        task_type="Classification" if task == "labels" else "QuestionAndAnswer",
        source=source,
        tags=run.tags,
    )
    run = save(run, evaluation_job_arn=start_evaluation_job(bedrock, request))
    return run, wait_for_evaluation_job(bedrock, run.record.evaluation_job_arn, waiting)


def start_evaluation_job(bedrock: "BedrockClient", request: Mapping[str, Any]) -> str:
    """Start a job and return its ARN. On AWS the models it asks cost money.

    Raises:
        HaikuftError: AWS refused; says its reason and how to fix it.
    """
    with explaining(f"starting evaluation job {request['jobName']}"):
        return bedrock.create_evaluation_job(**request)["jobArn"]


def get_evaluation_job(bedrock: "BedrockClient", arn: str) -> EvaluationJob:
    """Read a job once.

    Raises:
        NotFoundError: this account and Region have no such job.
    """
    with explaining(f"reading evaluation job {arn}"):
        return EvaluationJob.from_response(bedrock.get_evaluation_job(jobIdentifier=arn))


def wait_for_evaluation_job(bedrock: "BedrockClient", arn: str, waiting: Waiting) -> EvaluationJob:
    """Wait until a job has completed. Interrupting the wait leaves the job running.

    Raises:
        JobFailedError: it failed or was stopped; AWS's reasons are in the message.
        WaitTimeoutError: the deadline has passed; the job continues.
    """
    job = wait_until(
        lambda reading: reading.status not in RUNNING,
        lambda: get_evaluation_job(bedrock, arn),
        what=f"Evaluation job {arn.rpartition('/')[2]}",
        waiting=waiting,
        state=lambda reading: reading.status,
    )
    if job.status != "Completed":
        reasons = " ".join(job.failure_messages) or "AWS gives no reason."
        raise JobFailedError(f"Evaluation job {job.name} is {job.status}. {reasons}")
    return job


def read_scores(client: "S3Client", job: EvaluationJob) -> pd.DataFrame:
    """Read the scores of a completed job: one row for each prompt, one column for each metric.

    Returns:
        Columns prompt, reference, response, category (where given), and each metric by its name
        without "Builtin."; a score that the job could not compute is missing.

    Raises:
        DataError: the job's folder has no results, or a line of them cannot be read.
    """
    bucket, prefix = s3.split_uri(f"{job.output_uri.rstrip('/')}/{job.name}/")
    keys = [key for key, _ in s3.list_objects(client, bucket, prefix)]
    found = [key for key in keys if key.endswith(RESULTS_SUFFIX)]
    if not found:
        raise DataError(f"There are no results under s3://{bucket}/{prefix}. Has the job ended?")
    rows = []
    for key in found:
        uri = s3.join_uri(bucket, key)
        for number, line in enumerate(s3.read_text(client, uri).split("\n"), 1):
            if not line.strip():
                continue
            try:
                rows.append(_read_row(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(f"{uri}, line {number}: not a result ({error!r}).") from error
    return pd.DataFrame(rows)


def _read_row(line: Mapping[str, Any]) -> dict[str, Any]:
    given = line["inputRecord"]
    responses = line.get("modelResponses") or [{}]
    row = {
        "prompt": given["prompt"],
        "reference": given.get("referenceResponse", ""),
        "response": responses[0].get("response", ""),
    }
    scores = line["automatedEvaluationResult"]["scores"]
    return row | {score["metricName"].removeprefix("Builtin."): score["result"] for score in scores}
