"""A Bedrock with a clock of its own, a store in a dict, and a training that takes no time."""

import io
import json
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU, BaseModel
from haikuft.sandbox.access.policy_evaluation import AccessDenied, Permission
from haikuft.sandbox.access.store import Role, RoleNotAssumable
from haikuft.sandbox.application import Sandbox
from haikuft.sandbox.http.messages import Call
from haikuft.sandbox.http.rest_json import SERVICES, load_service, serialize
from haikuft.sandbox.jobs import evaluation
from haikuft.sandbox.jobs.customization_runner import CustomizationRunner
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.operations import Bedrock, open_plane
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.runtime.invocation import Runtime
from haikuft.sandbox.settings import SandboxSettings

ACCOUNT = "123456789012"
REGION = "us-west-2"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
SIGNED = "AWS4-HMAC-SHA256 Credential=k/20261121/us-west-2/bedrock/aws4_request, SignedHeaders=host"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/AmazonBedrock-test"

ON_DEMAND = replace(  # a base model whose custom models can be deployed on demand
    CLAUDE_3_HAIKU,
    id="amazon.example-v1:0:128k",
    foundation_id="amazon.example-v1:0",
    inference_id="amazon.example-v1:0",
    name="Example",
    provider="Amazon",
    serving=("provisioned_throughput", "deployment"),
)

# Stands in for haikuft.sandbox.standin.training: the files it must leave, without the training.
TRAINING = """
import json, pathlib, sys
work = pathlib.Path(sys.argv[1])
if (work / "training.jsonl").read_text().count("hang"):
    sys.stdin.read()  # until the pipe closes, or someone kills us
    sys.exit(1)
if (work / "training.jsonl").read_text().count("crash"):
    sys.exit(1)
validated = (work / "validation.jsonl").exists()
(work / "model").mkdir()
(work / "model" / "job.json").write_text((work / "job.json").read_text())
(work / "step_wise_training_metrics.csv").write_text("step_number,epoch_number,training_loss\\n")
if validated:
    (work / "validation_metrics.csv").write_text("step_number,epoch_number,validation_loss\\n")
result = {"training_loss": 0.5, "validation_loss": 0.75 if validated else None}
(work / "result.json").write_text(json.dumps(result | {"stopped_epoch": None, "kept_epoch": 2}))
"""


_UNALLOWED = "because no identity-based policy allows the {} action"


@dataclass
class FakeStore:
    """Buckets in a dict, and permissions that a test takes away."""

    regions: dict[str, str] = field(default_factory=lambda: {"data": REGION, "far": "us-east-1"})
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    unassumable: str = ""
    keys: dict[str, str] = field(default_factory=dict)

    def assume_role(self, role_arn: str, *, source_arn: str) -> Role:
        """Refuse when the test says why."""
        if self.unassumable:
            raise RoleNotAssumable(self.unassumable)
        return Role(role_arn)

    def bucket_region(self, bucket: str) -> str | None:
        """Return the bucket's Region."""
        return self.regions.get(bucket)

    def find_key(self, key_id: str, region: str) -> str | None:
        """Return the ARN of the key of that alias."""
        return self.keys.get(key_id)

    def require(self, role: Role, permission: Permission) -> None:
        """Let the role do anything, unless that is denied."""
        if permission.action in self.denied:
            raise AccessDenied(role, permission, _UNALLOWED.format(permission.action))

    def require_key(self, role: Role, key_arn: str, actions: Iterable[str]) -> None:
        """Let the role use any key, unless an action is denied."""
        for action in actions:
            self.require(role, Permission(action, key_arn))

    def get_object(self, role: Role, bucket: str, key: str) -> bytes:
        """Return the object, unless reading is denied."""
        self.require(role, Permission("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"))
        return self.objects[bucket, key]

    def put_object(self, role: Role, bucket: str, key: str, data: bytes) -> None:
        """Store the object, unless writing is denied."""
        self.require(role, Permission("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"))
        self.objects[bucket, key] = data


class Generation(NamedTuple):
    """What a stand-in's reply looks like."""

    text: str
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    input_tokens: int = 7
    output_tokens: int = 3


@dataclass
class FakeModel:
    """A stand-in that answers with its own name and records its requests."""

    name: str
    asked: list[dict[str, Any]] = field(default_factory=list)

    def generate(self, system: Any, messages: Any, **options: Any) -> Generation:
        """Answer and note the question."""
        self.asked.append({"system": system, "messages": messages, **options})
        return Generation(f"I am {self.name}")


@dataclass
class Desk:
    """One sandbox's Bedrock as its clients see it.

    Attributes:
        seen: What GetModelCustomizationJob said each time a stage waited for its time.
        models: The models loaded so far, with what they were asked.
        on_wait: Called each time a stage waits for its time.
        base_models: What is offered and can be tuned; a test may add to it.
        script: What trains.
    """

    store: FakeStore
    settings: SandboxSettings
    time: datetime
    script: Path
    database: Database = field(init=False)
    bedrock: Bedrock = field(init=False)
    runtime: Runtime = field(init=False)
    seen: list[dict[str, Any]] = field(default_factory=list)
    models: list["FakeModel"] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None
    base_models: dict[str, BaseModel] = field(
        default_factory=lambda: {CLAUDE_3_HAIKU.id: CLAUDE_3_HAIKU}
    )

    def open(self, state: Path, database: Database | None = None) -> None:
        """Open the Bedrock of a state directory, as a server does that starts there."""
        self.database = database or Database(state / DATABASE_FILE)
        plane = open_plane(
            self.store,  # type: ignore[arg-type]
            lambda: self.settings,
            state / "models",
            lambda: self.time,
            base_models=self.base_models,
            database=self.database,
        )
        self.runtime = Runtime(
            plane,
            load=self.load,  # type: ignore[arg-type]
            sleep=lambda seconds: self.pass_time(seconds=seconds),
        )
        runner = CustomizationRunner(plane)
        runner.command = (sys.executable, str(self.script))
        runner.wait = self.wait  # type: ignore[method-assign]
        evaluations = EvaluationRunner(plane, self.runtime.converse)
        self.bedrock = Bedrock(plane, runner, evaluations, self.runtime)

    def ask(self, operation: str, *, region: str = REGION, **parameters: Any) -> dict[str, Any]:
        """Call an operation and see that its result fits AWS's model."""
        service = next(s for s in SERVICES if operation in load_service(s).operation_names)
        call = Call(operation, parameters, region, ACCOUNT)
        result = self.bedrock.handlers[operation](call)
        model = load_service(service).operation_model(operation)
        if not model.has_event_stream_output:
            serialize(model, result, "request-1")
        return result

    def create_job(self, name: str = "job-1", **changes: Any) -> str:
        """Start a job on the files of `upload`, and give its ARN."""
        request = {
            "jobName": name,
            "customModelName": f"model-of-{name}",
            "roleArn": ROLE,
            "baseModelIdentifier": HAIKU,
            "trainingDataConfig": {"s3Uri": "s3://data/training/train.jsonl"},
            "validationDataConfig": {
                "validators": [{"s3Uri": "s3://data/validation/validation.jsonl"}]
            },
            "outputDataConfig": {"s3Uri": "s3://data/output/"},
            **changes,
        }
        asked = {key: value for key, value in request.items() if value is not None}
        return str(self.ask("CreateModelCustomizationJob", **asked)["jobArn"])

    def run_job(self, name: str = "job-1", **changes: Any) -> dict[str, Any]:
        """Run a job to its end and describe it."""
        arn = self.create_job(name, **changes)
        self.bedrock.runner.join(arn)
        return self.ask("GetModelCustomizationJob", jobIdentifier=arn)

    def provision(self, name: str = "pt-1", **changes: Any) -> str:
        """Create a throughput for the base model by default, and return its ARN."""
        asked = {"modelUnits": 1, "provisionedModelName": name, "modelId": HAIKU, **changes}
        created = self.ask("CreateProvisionedModelThroughput", **asked)
        return str(created["provisionedModelArn"])

    def deploy(self, model_arn: str, name: str = "live", **changes: Any) -> str:
        """Deploy a custom model on demand, and give the deployment's ARN."""
        asked = {"modelDeploymentName": name, "modelArn": model_arn, **changes}
        created = self.ask("CreateCustomModelDeployment", **asked)
        return str(created["customModelDeploymentArn"])

    def evaluate(self, runner: EvaluationRunner, name: str) -> str:
        """Start an evaluation job of the base model, and give its ARN."""
        self.pass_time(seconds=1)
        dataset = {"name": "test", "datasetLocation": {"s3Uri": "s3://data/prompts.jsonl"}}
        config = {"dataset": dataset, "metricNames": ["Builtin.Accuracy"]}
        model = {"bedrockModel": {"modelIdentifier": HAIKU.removesuffix(":200k")}}
        parameters = {
            "jobName": name,
            "roleArn": ROLE,
            "evaluationConfig": {
                "automated": {"datasetMetricConfigs": [{"taskType": "Classification", **config}]}
            },
            "inferenceConfig": {"models": [model]},
            "outputDataConfig": {"s3Uri": "s3://data/output/"},
        }
        call = Call("CreateEvaluationJob", parameters, REGION, ACCOUNT)
        return str(evaluation.create_job(self.bedrock.plane, runner.start, call)["jobArn"])

    def change(self, **settings: Any) -> None:
        """Change the sandbox's settings."""
        self.settings = replace(self.settings, **settings)

    def pass_time(self, **duration: float) -> None:
        """Advance the clock."""
        self.time += timedelta(**duration)

    def load(self, directory: Path) -> "FakeModel":
        """Load a model that answers with its directory's name."""
        self.models.append(FakeModel(directory.name))
        return self.models[-1]

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Advance the clock in place of waiting, and record what the jobs' Get returns."""
        self.pass_time(seconds=seconds)
        self.seen += [
            self.ask("GetModelCustomizationJob", jobIdentifier=arn)
            for arn in list(self.bedrock.plane.state.jobs)
        ]
        self.on_wait()
        return event.is_set()


def build_records(count: int, text: str = "Where is my order?") -> bytes:
    """Write so many different records as JSON Lines."""
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": "user", "content": f"{n}: {text}"},
                    {"role": "assistant", "content": "delivery"},
                ]
            }
        )
        for n in range(count)
    ]
    return ("\n".join(lines) + "\n").encode()


@pytest.fixture
def records() -> Callable[..., bytes]:
    """Write so many different records as JSON Lines."""
    return build_records


@contextmanager
def open_desk(path: Path) -> Iterator[Desk]:
    """Set up a Bedrock below that path, with good data files in its store."""
    path.mkdir(exist_ok=True)
    script = path / "training.py"
    script.write_text(TRAINING)
    settings = SandboxSettings(stage_seconds=2.0)
    desk = Desk(FakeStore(), settings, datetime(2026, 11, 21, tzinfo=UTC), script)
    desk.store.objects = {
        ("data", "training/train.jsonl"): build_records(40),
        ("data", "validation/validation.jsonl"): build_records(32, "Has it left?"),
        ("data", "prompts.jsonl"): b'{"prompt": "Where?", "referenceResponse": "delivery"}\n',
    }
    desk.open(path)
    yield desk
    desk.bedrock.runner.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Set up a Bedrock of a test's own."""
    with open_desk(tmp_path) as desk:
        yield desk


@pytest.fixture
def deployer(desk: Desk) -> Desk:
    """Offer, beside Claude 3 Haiku, a base model whose custom models can be deployed on demand."""
    desk.base_models[ON_DEMAND.id] = ON_DEMAND
    return desk


class World:
    """A Bedrock in which there is one of everything.

    Attributes:
        application: It, behind the whole application.
        handlers: The application's; a test may put another in a handler's place.
        job: ARN of a completed job.
        running_job: ARN of a job that goes on until it is stopped.
        model: ARN of a custom model that `throughput` serves.
        spare_model: ARN of one that nothing serves.
        throughput: ARN of one that is in service.
        deployable: ARN of a custom model that can be deployed on demand.
        deployment: ARN of an active deployment of it.
        spare_deployment: ARN of another one.
        evaluation: ARN of a completed evaluation job.
        running_evaluation: ARN of one that goes on until it is stopped.
    """

    def __init__(self, desk: Desk, path: Path) -> None:
        job, spare = desk.run_job("job-1"), desk.run_job("job-2")
        self.job, self.model = job["jobArn"], job["outputModelArn"]
        self.spare_model = spare["outputModelArn"]
        self.throughput = desk.provision(modelId=self.model)
        desk.base_models[ON_DEMAND.id] = ON_DEMAND
        example = desk.run_job("job-4", baseModelIdentifier=ON_DEMAND.id)
        self.deployable = example["outputModelArn"]
        self.deployment = desk.deploy(self.deployable)
        self.spare_deployment = desk.deploy(self.deployable, "spare")
        desk.pass_time(minutes=1)
        desk.store.objects["data", "hang.jsonl"] = build_records(40, "hang")
        self.running_job = desk.create_job(
            "job-3", trainingDataConfig={"s3Uri": "s3://data/hang.jsonl"}
        )
        plane, converse = desk.bedrock.plane, desk.runtime.converse
        quick = EvaluationRunner(plane, converse)
        quick.wait = lambda event, seconds: event.is_set()  # type: ignore[method-assign]
        self.evaluation = desk.evaluate(quick, "evaluation-1")
        desk.evaluate(quick, "evaluation-2")
        quick.join(self.evaluation)
        self.patient = EvaluationRunner(plane, converse)
        self.patient.wait = lambda event, seconds: event.wait()  # type: ignore[method-assign]
        self.running_evaluation = desk.evaluate(self.patient, "evaluation-3")
        self.handlers: dict[str, Any] = {
            **desk.bedrock.handlers,
            "CreateEvaluationJob": partial(evaluation.create_job, plane, self.patient.start),
            "StopEvaluationJob": self.patient.stop,
        }
        self.application = Sandbox(path / "server", handlers=self.handlers)

    def ask(self, asked: Mapping[str, Any]) -> tuple[int, dict[str, str], bytes]:
        """Send a request, signed for Bedrock; (status, headers, body).

        `asked` is what WSGI would say of it, with the body under "body".
        """
        answered: list[Any] = []
        environ = {
            "PATH_INFO": "/",
            "SERVER_PORT": "80",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": SIGNED,
            "wsgi.input": io.BytesIO(asked["body"]),
            "CONTENT_LENGTH": str(len(asked["body"])),
            **{key: value for key, value in asked.items() if key != "body"},
        }
        body = b"".join(self.application(environ, lambda *head: answered.extend(head)))
        return int(answered[0].split()[0]), dict(answered[1]), body


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Set up a Bedrock in which there is one of everything."""
    path = tmp_path_factory.mktemp("world")
    with open_desk(path) as desk:
        world = World(desk, path)
        yield world
        world.patient.close()
