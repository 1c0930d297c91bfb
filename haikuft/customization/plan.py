"""Which job a notebook resumes: the newest that the run has, or a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haikuft.aws.ownership import list_tags, request_token
from haikuft.customization.jobs import find_job
from haikuft.customization.models import find_custom_model
from haikuft.customization.readings import RUNNING, CustomizationJob
from haikuft.errors import ConflictError, SettingsError
from haikuft.runs.lookup import JOB, find_own
from haikuft.runs.run_record import Run

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What notebook 3 does next: resume a job, or start one.

    Attributes:
        found: The job to resume; None when a new one must be started.
        request: What would start it: the arguments of `create_model_customization_job`.
        changes: What the record must contain before the job starts, so that no job is ever lost.
        sentence: The plan in words.
    """

    found: CustomizationJob | None
    request: dict[str, Any]
    changes: dict[str, Any]
    sentence: str


def plan_job(
    bedrock: "BedrockClient",
    run: Run,
    hyperparameters: Mapping[str, str],
    *,
    new_job: bool = False,
) -> JobPlan:
    """Find the run's newest job at AWS, or plan a new one.

    A job that runs, or has created a model that still exists, is resumed. After one that failed,
    was stopped, or whose model is gone, a new one is planned. AWS is searched by the owner id, so a
    job is also found that another process has started, or a process that died before it saved it.
    A search's jobs are found only where the record names them.

    Args:
        bedrock: A client.
        run: Its record names data, role and any earlier job.
        hyperparameters: AWS's names and strings.
        new_job: True plans a new job although there is one that has completed.

    Raises:
        SettingsError: the run's job has other hyperparameters.
        ConflictError: a new job is asked for while one runs.
        AccessError: we may not look for the run's jobs, so none is planned.
    """
    record = run.record
    own = find_own(run, JOB)
    own = [one for one in own if one.name == record.job_name or run.search_prefix not in one.name]
    found = find_job(bedrock, own[0].arn) if own else None
    # An attempt of which AWS lists no job is requested again with the same token: its answer may
    # have been lost. Only after an attempt that AWS lists does the number increase.
    attempt, taken = max(record.job_attempt, 1), {one.name for one in own}
    while f"{run.resource_name}-{attempt}" in taken:
        attempt += 1
    name = f"{run.resource_name}-{attempt}"
    request = build_job_request(run, name, hyperparameters)
    request["clientRequestToken"] = request_token(record.owner, JOB, attempt, request)
    changes = {
        "job_attempt": attempt,
        "job_name": name,
        "job_arn": "",
        "custom_model_name": name,
        "custom_model_arn": "",
        "output_uri": request["outputDataConfig"]["s3Uri"],
    }
    reason = _why_new(bedrock, found, new_job=new_job)
    if reason or found is None:
        return JobPlan(None, request, changes, f"A new job, {name}, because {reason}.")
    _check_same(found, hyperparameters)
    sentence = f"This run has job {found.name}, which is {found.status}: nothing is started."
    kept = {"job_name": found.name, "job_arn": found.arn, "output_uri": found.output_uri}
    return JobPlan(found, request, kept, sentence)


def build_job_request(run: Run, name: str, hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Build the arguments of `create_model_customization_job` from what the run has made.

    Source: Bedrock API, CreateModelCustomizationJob.

    Args:
        run: has data in S3 and a role.
        name: of the job and its model: at most 63 letters and digits, with single "-" between.
        hyperparameters: AWS's names, and values as strings.
    """
    record, tags = run.record, list_tags(run.tags)
    validation, subnets = record.validation_uri, list(record.subnet_ids)
    network = {"subnetIds": subnets, "securityGroupIds": list(record.security_group_ids)}
    request: dict[str, Any] = {
        "jobName": name,
        "customModelName": name,
        "roleArn": record.role_arn,
        "baseModelIdentifier": record.base_model_id,
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": record.training_uri},
        "outputDataConfig": {"s3Uri": f"s3://{record.bucket}/output/{name}/"},
        "hyperParameters": dict(hyperparameters),
        "jobTags": tags,
        "customModelTags": tags,
        "validationDataConfig": {"validators": [{"s3Uri": validation}]} if validation else None,
        "customModelKmsKeyId": record.kms_key_arn,
        "vpcConfig": network if subnets else None,
    }
    return {member: value for member, value in request.items() if value not in (None, "")}


def _why_new(bedrock: "BedrockClient", found: CustomizationJob | None, *, new_job: bool) -> str:
    """Say why the run's newest job cannot be resumed; "" when it can."""
    if found is None:
        return "AWS knows none of this run"
    if new_job and found.status in RUNNING:
        raise ConflictError(
            f"Job {found.name} of this run is {found.status}, so no other is started. Set new_job "
            "= False to follow it, or stop it first."
        )
    if new_job:
        return "new_job is True"
    if found.status in ("Failed", "Stopped"):
        return f"{found.name} is {found.status}"
    made = found.custom_model_arn
    if found.status == "Completed" and not (made and find_custom_model(bedrock, made)):
        return f"the model of {found.name} is gone"
    return ""


def _check_same(found: CustomizationJob, asked: Mapping[str, str]) -> None:
    differing = [
        f"{name} {found.hyperparameters[name]} (asked: {value})"
        for name, value in asked.items()
        if name in found.hyperparameters and float(found.hyperparameters[name]) != float(value)
    ]
    if differing:
        raise SettingsError(
            f"This run already has job {found.name} ({found.status}) with {', '.join(differing)}. "
            "Set the parameters to what it has, take another name for a new run, or set "
            "new_job = True to start, and pay for, another job."
        )
