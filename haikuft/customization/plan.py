"""Which job a notebook goes on with: the one that the record knows, or a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from haikuft import s3
from haikuft.customization.jobs import find_job
from haikuft.customization.models import find_custom_model
from haikuft.customization.readings import CustomizationJob
from haikuft.customization.request import build_job_request, unique_name
from haikuft.errors import SettingsError
from haikuft.run_record import Run, resource_prefix

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What comes next.

    Attributes:
        found: The job to go on with; None when a new one must be started.
        request: What would start it: the arguments of `create_model_customization_job`.
        changes: What the record must say before it starts, so that no job is ever lost.
        sentence: The plan in words.
    """

    found: CustomizationJob | None
    request: dict[str, Any]
    changes: dict[str, str]
    sentence: str


def plan_job(
    bedrock: "BedrockClient",
    run: Run,
    hyperparameters: Mapping[str, str],
    *,
    now: datetime,
    new_job: bool = False,
) -> JobPlan:
    """Find the job of the record, or plan a new one.

    A job that runs or has made a model that still exists is gone on with. One that failed, was
    stopped, or whose model is gone makes room for a new one.

    Args:
        bedrock: A client.
        run: Its record names data, role and any earlier job.
        hyperparameters: AWS's names and strings.
        now: Goes into the new names, which can never be used twice.
        new_job: True plans a new job whatever the record says.

    Raises:
        SettingsError: the job of the record has other hyperparameters.
    """
    record = run.record
    known = record.job_arn or record.job_name
    found = None if new_job or not known else find_job(bedrock, known)
    name = unique_name(resource_prefix(record.run), now)
    request = build_job_request(
        job_name=name,
        custom_model_name=name,
        role_arn=record.role_arn,
        base_model_id=record.base_model_id,
        training_uri=record.training_uri,
        validation_uri=record.validation_uri,
        output_uri=s3.join_uri(record.bucket, s3.output_prefix(name)),
        hyperparameters=hyperparameters,
        kms_key_arn=record.kms_key_arn,
        subnet_ids=record.subnet_ids,
        security_group_ids=record.security_group_ids,
        tags=run.tags,
    )
    changes = {
        "job_name": name,
        "job_arn": "",
        "custom_model_name": name,
        "custom_model_arn": "",
        "output_uri": request["outputDataConfig"]["s3Uri"],
    }
    reason = _why_not(bedrock, found, known, new_job=new_job)
    if reason or found is None:
        return JobPlan(None, request, changes, f"A new job, {name}, because {reason}.")
    _check_same(found, hyperparameters)
    sentence = f"Going on with job {found.name}, which is {found.status}; nothing is started."
    return JobPlan(found, request, {}, sentence)


def _why_not(
    bedrock: "BedrockClient", found: CustomizationJob | None, known: str, *, new_job: bool
) -> str:
    """Why the record's job will not do; "" when it will."""
    if new_job:
        return "new_job is True"
    if found is None:
        return f"AWS does not know {known}" if known else "this run has none yet"
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
