"""The records of Bedrock's resources: jobs, custom models, throughputs, deployments and tags.

Records are frozen; a change replaces a record by a new one, always under one lock, and is in the
database when the lock is released:

    tables = Tables(database, root)
    jobs = Table(tables, "bedrock.jobs", Job)
    with tables:
        jobs[job.arn] = job

Values are written by msgspec in MessagePack; paths in them are stored relative to a root that may
be moved.
"""

import threading
from collections import UserDict
from collections.abc import Callable, Mapping, ValuesView
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from haikuft.base_models import BaseModel
from haikuft.sandbox.access.store import Store
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.settings import SandboxSettings

UNFINISHED = frozenset({"InProgress", "Stopping"})


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

    @property
    def region(self) -> str:
        """The Region in its ARN."""
        return self.arn.split(":")[3]

    @property
    def account_id(self) -> str:
        """The account in its ARN."""
        return self.arn.split(":")[4]


@dataclass(frozen=True, slots=True)
class OfBaseModel(Resource):
    """What has a base model.

    Attributes:
        base_model_id: The base model's id with its context suffix.
    """

    base_model_id: str

    @property
    def base_model_arn(self) -> str:
        """The base model's ARN in the record's Region."""
        return base_model_arn(self.base_model_id, self.region)


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
class Job(OfBaseModel):
    """A model customization job.

    Attributes:
        request: The parameters it was created with, in AWS's member names.
        hyperparameters: All of them in AWS's names and strings, defaults filled in.
        stages: AWS's stage name -> its state.
        model_arn: The custom model it created; "" until Completed.
        training_loss: Mean loss of the kept model on the training records; None until Completed.
        validation_loss: The same on the validation records; None without them.
    """

    changed: datetime
    status: str
    request: Mapping[str, Any] = field(repr=False)
    hyperparameters: Mapping[str, str]
    stages: Mapping[str, Stage]
    kms_key_arn: str = ""
    ended: datetime | None = None
    failure_message: str = ""
    model_arn: str = ""
    training_loss: float | None = None
    validation_loss: float | None = None

    @property
    def status_details(self) -> dict[str, Any]:
        """The stages in AWS's member names."""
        return {
            name: present(status=one.status, creationTime=one.created, lastModifiedTime=one.changed)
            for name, one in self.stages.items()
        }

    @property
    def validation_data(self) -> Any:
        """The configuration of the validation data."""
        return self.request.get("validationDataConfig", {"validators": []})

    @property
    def training_metrics(self) -> dict[str, float] | None:
        """AWS's trainingMetrics; None until Completed."""
        return present(trainingLoss=self.training_loss) or None

    @property
    def validation_metrics(self) -> list[dict[str, float]] | None:
        """AWS's validationMetrics; None without validation records."""
        return None if self.validation_loss is None else [{"validationLoss": self.validation_loss}]


@dataclass(frozen=True, slots=True)
class CustomModel(OfBaseModel):
    """A custom model, the result of a completed job.

    Attributes:
        job_arn: The job that created it; jobs are never deleted.
        directory: The directory of the stand-in's files.
    """

    job_arn: str
    directory: Path

    @property
    def base_model_name(self) -> str:
        """The id up to its version: AWS's shape takes no spaces, capitals or colons."""
        return self.base_model_id.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Throughput(OfBaseModel):
    """Provisioned Throughput for a custom or a base model.

    Attributes:
        model_arn: What it serves now.
        desired_model_arn: What it will serve once `ready`.
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

    @property
    def update_details(self) -> dict[str, str] | None:
        """AWS's updateDetails; None before the first update."""
        status = "Updating" if self.pending else "UpdateCompleted"
        return (
            {"modelArn": self.desired_model_arn, "updateStatus": status} if self.updated else None
        )


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

    @property
    def automated(self) -> Any:
        """The configuration of its data sets, metrics and judges."""
        return self.request["evaluationConfig"]["automated"]

    @property
    def task_types(self) -> list[str]:
        """The task type of each data set."""
        return [config["taskType"] for config in self.automated["datasetMetricConfigs"]]

    @property
    def judges(self) -> list[str]:
        """The identifiers of the evaluator models."""
        configs = self.automated.get("evaluatorModelConfig", {}).get("bedrockEvaluatorModels", [])
        return [config["modelIdentifier"] for config in configs]

    @property
    def source(self) -> str:
        """Whose responses the data sets have; "" when a model is asked."""
        [model] = self.request["inferenceConfig"]["models"]
        return str(model.get("precomputedInferenceSource", {}).get("inferenceSourceIdentifier", ""))

    @property
    def models(self) -> list[str]:
        """The identifiers of the models that are asked: one, or none with a source."""
        [model] = self.request["inferenceConfig"]["models"]
        return [model["bedrockModel"]["modelIdentifier"]] if "bedrockModel" in model else []

    @property
    def inference_summary(self) -> dict[str, Any]:
        """AWS's inferenceConfigSummary."""
        summary = {
            "bedrockModelIdentifiers": self.models,
            "precomputedInferenceSourceIdentifiers": [self.source] if self.source else [],
        }
        return {"modelConfigSummary": summary}


Value = TypeVar("Value")


class Table(UserDict[str, Value]):
    """One kind of values, as the database has them. Only a thread in `with tables` may change it.

    Raises SandboxError, naming the file, for an entry that is not such a value.
    """

    def __init__(self, tables: "Tables", kind: str, value_type: type[Value]) -> None:
        self._tables = tables
        self._kind = kind
        self._decoder = msgspec.msgpack.Decoder(
            value_type, dec_hook=lambda _, text: tables.root / text
        )
        super().__init__()
        self.reload()

    def reload(self) -> None:
        """Read all entries again, after a transaction that was not written."""
        entries: dict[str, Value] = {}
        for key, data in self._tables.database.read(self._kind).items():
            try:
                entries[key] = self._decoder.decode(data)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                reason = f"{key} among {self._kind}: {error}"
                raise self._tables.database.damaged(reason) from error
        self.data = entries

    def values(self) -> ValuesView[Value]:
        """Return the values, at the speed of a dict's."""
        return self.data.values()

    def __setitem__(self, key: str, value: Value) -> None:
        self._tables.change(self, self._kind, key, value)
        self.data[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self.data:
            raise KeyError(key)
        self._tables.change(self, self._kind, key, None)
        del self.data[key]


class Tables:
    """The tables of one database, and the lock around them, which is also a transaction.

    `with tables:` may be nested. When the outermost block ends, its changes are written, all or
    none; when it raised, or the database cannot be written (SandboxError), the tables are again
    what the database has.

    Args:
        database: Where they are stored.
        root: What paths in the values are relative to.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self.database = database
        self.root = root
        self._encoder = msgspec.msgpack.Encoder(enc_hook=self._relative)
        self._lock = threading.RLock()
        self._holder = 0
        self._depth = 0
        # (kind, key) -> the table, and the value to write there; None deletes the entry
        self._changes: dict[tuple[str, str], tuple[Table[Any], bytes | None]] = {}

    def __enter__(self) -> None:
        self._lock.acquire()
        self._holder = threading.get_ident()
        self._depth += 1

    def __exit__(self, error: object, *_: object) -> None:
        self._depth -= 1
        try:
            if self._depth == 0:
                self._holder = 0
                self._end(write=error is None)
        finally:
            self._lock.release()

    def change(self, table: Table[Any], kind: str, key: str, value: Any | None) -> None:
        """Note that an entry of a table is changed or, for None, deleted in this block."""
        if self._holder != threading.get_ident():
            raise RuntimeError(f"{kind} is changed without the lock, so the change would be lost.")
        data = None if value is None else self._encoder.encode(value)
        self._changes[kind, key] = table, data

    def _end(self, *, write: bool) -> None:
        """Write the changes; where that is not wanted or fails, undo them in the tables."""
        changes, self._changes = self._changes, {}
        undone = [table for table, _ in changes.values()]
        try:
            if write and changes:
                with self.database.transaction() as write_entry:
                    for (kind, key), (_, data) in changes.items():
                        write_entry(kind, key, data)
                undone = []
        finally:
            for table in undone:
                table.reload()

    def _relative(self, value: object) -> str:
        if isinstance(value, Path):
            return str(value.relative_to(self.root))
        raise NotImplementedError(f"The database cannot hold a {type(value).__name__}.")


class State:
    """All records of one account. Hold `lock` from the first read to the last change.

    All changes are in the database when the lock is released; when the block raises, nothing has
    changed.

    Args:
        database: Where the records are kept.
        models_dir: Where custom models' files are; the database stores paths relative to it.
        prefix: What begins the names of their kinds in the database.
    """

    def __init__(self, database: Database, models_dir: Path, prefix: str = "") -> None:
        tables = Tables(database, models_dir)
        self.lock = tables
        self.jobs = Table(tables, f"{prefix}bedrock.jobs", Job)
        self.models = Table(tables, f"{prefix}bedrock.models", CustomModel)
        self.throughputs = Table(tables, f"{prefix}bedrock.throughputs", Throughput)
        self.deployments = Table(tables, f"{prefix}bedrock.deployments", Deployment)
        self.evaluations = Table(tables, f"{prefix}bedrock.evaluations", EvaluationJob)
        self.tags = Table(tables, f"{prefix}bedrock.tags", dict[str, str])
        # operation/Region/client request token -> the ARN that the first request made
        self.tokens = Table(tables, f"{prefix}bedrock.tokens", str)


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


def base_model_arn(model_id: str, region: str) -> str:
    """Build the ARN of a base model in that Region; its account field is empty."""
    return f"arn:aws:bedrock:{region}::foundation-model/{model_id}"


def present(**members: Any) -> dict[str, Any]:
    """Leave out the members that have no value, as AWS does."""
    return {name: value for name, value in members.items() if value is not None}
