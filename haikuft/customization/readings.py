"""A customization job as Bedrock describes it, and its stages, as values.

Source: Bedrock API, GetModelCustomizationJob. The stages are optional there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

RUNNING = frozenset({"InProgress", "Stopping"})  # AWS's words
FINAL = frozenset({"Completed", "Failed", "Stopped"})  # anything else is an error
STAGES = {
    "validationDetails": "validation",
    "dataProcessingDetails": "data processing",
    "trainingDetails": "training",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a job: its name, AWS's status, and when it started and changed."""

    name: str
    status: str
    started: datetime | None = None
    updated: datetime | None = None

    @classmethod
    def from_response(cls, name: str, answer: Mapping[str, Any]) -> Self:
        """Read one stage of `statusDetails`."""
        times = answer.get("creationTime"), answer.get("lastModifiedTime")
        return cls(name, answer.get("status", ""), *times)


@dataclass(frozen=True, slots=True)
class CustomizationJob:
    """One reading of a job.

    Attributes:
        arn: identity of the job; what we store and pass on.
        status: AWS's word: InProgress, Stopping, Completed, Failed or Stopped.
        custom_model_arn: the model it made; None until it has completed.
        hyperparameters: AWS's names and strings.
        stages: validation, data processing, training; empty where AWS gives none.
        failure_message: AWS's reason; None unless it failed.
        training_loss: loss of the last training step, in nats per token.
        validation_losses: one for each validation file.
    """

    arn: str
    name: str
    status: str
    custom_model_name: str
    role_arn: str
    training_uri: str
    output_uri: str
    created: datetime
    ended: datetime | None = None
    custom_model_arn: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    failure_message: str | None = None
    training_loss: float | None = None
    validation_losses: tuple[float, ...] = ()

    def elapsed(self, now: datetime) -> float:
        """Return how many seconds the job has taken so far, or took until its end."""
        return max(0.0, ((self.ended or now) - self.created).total_seconds())

    @property
    def stage(self) -> str:
        """The stage in progress, such as "training"; "" where there is none."""
        return next((one.name for one in self.stages if one.status == "InProgress"), "")

    @classmethod
    def from_response(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetModelCustomizationJob."""
        details = answer.get("statusDetails") or {}
        known = {name: details[key] for key, name in STAGES.items() if key in details}
        losses = [one.get("validationLoss") for one in answer.get("validationMetrics", [])]
        return cls(
            arn=answer["jobArn"],
            name=answer["jobName"],
            status=answer.get("status", ""),
            custom_model_name=answer["outputModelName"],
            role_arn=answer["roleArn"],
            training_uri=answer["trainingDataConfig"].get("s3Uri", ""),
            output_uri=answer["outputDataConfig"]["s3Uri"],
            created=answer["creationTime"],
            ended=answer.get("endTime"),
            custom_model_arn=answer.get("outputModelArn"),
            hyperparameters=answer.get("hyperParameters", {}),
            stages=tuple(Stage.from_response(name, one) for name, one in known.items()),
            failure_message=answer.get("failureMessage"),
            training_loss=answer.get("trainingMetrics", {}).get("trainingLoss"),
            validation_losses=tuple(loss for loss in losses if loss is not None),
        )


def describe_job(job: CustomizationJob, now: datetime) -> str:
    """Say in one line which status and stage a job has and how long it has taken."""
    took = format_span(job.elapsed(now))
    return f"{job.status} · {job.stage} · {took}" if job.stage else f"{job.status} · {took}"


def format_span(seconds: float) -> str:
    """Write a time in hours, minutes and seconds, such as 1:02:03."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
