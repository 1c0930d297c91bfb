"""The records of Bedrock's resources: jobs, custom models, throughputs, deployments and tags.

Records are frozen; a change replaces a record by a new one, always under one lock, and is in the
database when the lock is released. Ids have the pattern in botocore's service model: twelve
lower-case letters or digits.
"""

import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from haikuft.base_models import BaseModel
from haikuft.sandbox.access.service_role import Store
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.persistence.tables import Tables
from haikuft.sandbox.settings import SandboxSettings

UNFINISHED = frozenset({"InProgress", "Stopping"})

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Resource:
    """What every record has.

    Attributes:
        arn: The ARN; its fourth field is the Region.
        name: The name from the request that created it.
        created: The creation time, UTC.
    """

    arn: str
    name: str
    created: datetime


Record = TypeVar("Record", bound=Resource)


@dataclass(frozen=True, slots=True)
class Stage:
    """One of a job's three stages.

    Attributes:
        status: AWS's status: NotStarted, InProgress, Completed, Stopping, Stopped or Failed.
        created: When it began, UTC; None before.
        changed: When its status last changed, UTC; None before it began.
    """

    status: str = "NotStarted"
    created: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Job(Resource):
    """A model customization job.

    Attributes:
        request: The parameters it was created with, in AWS's member names.
        base_model_id: The base model's id with its context suffix.
        hyperparameters: All of them in AWS's names and strings, defaults filled in.
        stages: AWS's stage name -> its state.
        model_arn: The custom model it created; "" until Completed.
        training_loss: Mean loss of the kept model on the training records; None until Completed.
        validation_loss: The same on the validation records; None without them.
    """

    changed: datetime
    status: str
    request: Mapping[str, Any] = field(repr=False)
    base_model_id: str
    hyperparameters: Mapping[str, str]
    stages: Mapping[str, Stage]
    kms_key_arn: str = ""
    ended: datetime | None = None
    failure_message: str = ""
    model_arn: str = ""
    training_loss: float | None = None
    validation_loss: float | None = None


@dataclass(frozen=True, slots=True)
class CustomModel(Resource):
    """A custom model, the result of a completed job.

    Attributes:
        job_arn: The job that created it; jobs are never deleted.
        base_model_id: The base model's id with its context suffix.
        directory: The directory of the stand-in's files.
    """

    job_arn: str
    base_model_id: str
    directory: Path


@dataclass(frozen=True, slots=True)
class Throughput(Resource):
    """Provisioned Throughput for a custom or a base model.

    Attributes:
        model_arn: What it serves now.
        desired_model_arn: What it will serve once `ready`.
        base_model_id: The base model of the served model, with its context suffix.
        custom: It was created for a custom model, and can be given another of the same base model.
        units: Model units.
        commitment: "", "OneMonth" or "SixMonths".
        expires: End of the committed term; None without commitment.
        pending: "Creating" or "Updating" until `ready`, "" after.
        ready: When the pending creation or update ends, UTC.
    """

    changed: datetime
    model_arn: str
    desired_model_arn: str
    base_model_id: str
    custom: bool
    units: int
    commitment: str
    expires: datetime | None
    pending: str
    ready: datetime

    @property
    def status(self) -> str:
        """AWS's status."""
        return self.pending or "InService"


@dataclass(frozen=True, slots=True)
class Deployment(Resource):
    """A custom model deployment: the model answers on demand.

    Attributes:
        model_arn: The custom model that it serves now.
        desired_model_arn: What it will serve once `ready`.
        description: The description in the request; "" without one.
        pending: "Creating" or "Updating" until `ready`, "" after.
        ready: When the pending creation or update ends, UTC.
        updated: It has been given another model since its creation.
        failure_message: Why it cannot answer; "" while it can.
    """

    changed: datetime
    model_arn: str
    desired_model_arn: str
    description: str
    pending: str
    ready: datetime
    updated: bool = False
    failure_message: str = ""

    @property
    def status(self) -> str:
        """AWS's status; it stays Active during an update."""
        if self.pending == "Creating":
            return "Creating"
        return "Failed" if self.failure_message else "Active"


@dataclass(frozen=True, slots=True)
class EvaluationJob(Resource):
    """An evaluation job.

    Attributes:
        status: AWS's status: InProgress, Completed, Failed, Stopping or Stopped.
        request: The parameters it was created with, in AWS's member names.
        failure_messages: Why it failed; empty unless it did.
    """

    changed: datetime
    status: str
    request: Mapping[str, Any] = field(repr=False)
    failure_messages: tuple[str, ...] = ()


class State:
    """All records of one sandbox. Hold `lock` from the first read to the last change.

    All changes are in the database when the lock is released; when the block raises, nothing has
    changed.

    Args:
        database: Where the records are kept.
        models_dir: Where custom models' files are; the database stores paths relative to it.
    """

    def __init__(self, database: Database, models_dir: Path) -> None:
        tables = Tables(database, models_dir)
        self.lock = tables
        self.jobs = tables.add("bedrock.jobs", Job)
        self.models = tables.add("bedrock.models", CustomModel)
        self.throughputs = tables.add("bedrock.throughputs", Throughput)
        self.deployments = tables.add("bedrock.deployments", Deployment)
        self.evaluations = tables.add("bedrock.evaluations", EvaluationJob)
        self.tags = tables.add("bedrock.tags", dict[str, str])
        # operation/Region/client request token -> the ARN that the first request made
        self.tokens = tables.add("bedrock.tokens", str)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What every control plane operation works with.

    Attributes:
        state: The records.
        store: S3, IAM and KMS as a service role sees them.
        settings: Returns the current settings.
        now: Returns the time, aware, UTC.
        models_dir: Where custom models' files are kept.
        base_models: What is offered, by customization id.
    """

    state: State
    store: Store
    settings: Callable[[], SandboxSettings]
    now: Callable[[], datetime]
    models_dir: Path
    base_models: Mapping[str, BaseModel]


def utc_now() -> datetime:
    """Return the time, aware, UTC, in whole milliseconds.

    AWS gives times in milliseconds; finer ones would differ from what a client has received.
    """
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def new_id() -> str:
    """Draw twelve random lower-case letters or digits, as at the end of AWS's ARNs."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def build_arn(region: str, account_id: str, resource: str) -> str:
    """Build an ARN of Bedrock's; `resource` is like "custom-model/<base model id>/<id>"."""
    return f"arn:aws:bedrock:{region}:{account_id}:{resource}"


def region_of(arn: str) -> str:
    """Read the Region in an ARN."""
    return arn.split(":")[3]


def id_of(arn: str) -> str:
    """Read the last segment of an ARN."""
    return arn.rpartition("/")[2]


def in_region(table: Mapping[str, Record], region: str) -> list[Record]:
    """List the records of one Region; Regions are independent of each other."""
    return [record for record in table.values() if region_of(record.arn) == region]


def find(table: Mapping[str, Record], identifier: str, region: str) -> Record | None:
    """Find a record of this Region by ARN, name or id."""
    matches = [
        record
        for record in in_region(table, region)
        if identifier in (record.arn, record.name, id_of(record.arn))
    ]
    return max(matches, key=lambda record: record.created, default=None)


def present(**members: Any) -> dict[str, Any]:
    """Leave out the members that have no value, as AWS does."""
    return {name: value for name, value in members.items() if value is not None}
