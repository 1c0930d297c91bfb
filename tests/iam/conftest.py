"""The series' steps as functions, walked by a user who has the caller's policy and no more."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import SOON

from haikuft import aws, customization, iam, inference, metrics, s3, serving
from haikuft.aws.errors import explaining
from haikuft.base_models import CLAUDE_3_HAIKU, BaseModel
from haikuft.customization.jobs import wait_for_job
from haikuft.dataset.formats import to_training
from haikuft.dataset.records import write_records
from haikuft.errors import AccessError
from haikuft.evaluation.jobs import evaluate_replies, read_scores
from haikuft.inventory import delete_resources, list_resources
from haikuft.runs import prerequisites
from haikuft.runs.lookup import find_own
from haikuft.runs.preflight import run_preflight
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run, resource_prefix
from haikuft.sandbox.access.policy_evaluation import Caller, Permission
from haikuft.serving.lifecycle import stop_serving
from haikuft.serving.served import APIS

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
MESSAGES: Any = [{"role": "user", "content": "training/train.jsonl 3"}]


def told(lines: Iterable[str]) -> None:
    """Take it as a failure when a step says that it was not allowed to look."""
    for line in lines:
        if "not authorized to perform" in line:
            raise AccessError(line)


@dataclass
class Walk:
    """One run on one sandbox: what the administrator prepares, and what its user walks.

    Attributes:
        application: The sandbox, a `haikuft.sandbox.application.Sandbox`.
        admin: The run as the administrator has it.
        run: The run as the user has it.
        needs: Each permission asked of the user: the step it was asked in, and what for.
    """

    application: Any
    admin: Run
    run: Run
    key_arn: str
    permissions: list[tuple[str, Caller, Permission]] = field(default_factory=list)
    step: str = ""

    @property
    def base_model(self) -> BaseModel:
        """What the run tunes."""
        return self.run.base_model

    @property
    def region(self) -> str:
        """Where it does."""
        return self.base_model.region

    @property
    def today(self) -> date:
        """The day the preflight holds the model's dates against."""
        return datetime.now(UTC).date()

    @property
    def bucket(self) -> str:
        """The run's bucket."""
        return s3.default_bucket_name("first", account_id=ACCOUNT, region=self.region)

    @property
    def role_name(self) -> str:
        """The run's role."""
        return iam.default_role_name("first")

    @property
    def caller_policy(self) -> dict[str, Any]:
        """What notebook 1 prints for this run."""
        return iam.build_caller_policy(
            ACCOUNT,
            self.region,
            self.bucket,
            self.role_name,
            kms_key_arn=self.key_arn,
            serving=self.base_model.serving,
        )

    def allow(self, policy: dict[str, Any]) -> None:
        """Give the user this policy and no other; inline, where IAM would count its length."""
        client = self.admin.connection.client("iam")
        client.put_user_policy(
            UserName="ann", PolicyName="caller", PolicyDocument=json.dumps(policy)
        )

    def save(self, **changes: Any) -> None:
        """Write the record, for the user and the administrator alike."""
        record = replace(self.run.record, **changes)
        self.run, self.admin = replace(self.run, record=record), replace(self.admin, record=record)

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Name each step, in the series' order."""
        for step in (
            self.preflight,
            self.make_bucket,
            self.make_role,
            self.upload,
            self.start_job,
            self.stop_job,
            self.read_metrics,
            *([self.deploy] if "deployment" in self.base_model.serving else []),
            self.provision,
            self.ask,
            self.run_evaluation,
            self.look_around,
            self.clean_up,
        ):
            yield step.__name__, step

    def go(self, *names: str) -> None:
        """Take these steps, or all of them."""
        for name, step in self.steps():
            if not names or name in names:
                self.step = name
                step()

    def preflight(self) -> None:
        """Notebook 1: look first."""
        found = run_preflight(self.run, bucket=self.bucket, today=self.today)
        told(check.message for check in found.checks)
        found.raise_if_stopped()

    def make_bucket(self) -> None:
        """Notebook 1, step 1; what exists is found."""
        client = self.run.connection.client("s3")
        options: Any = {"region": self.region, "tags": self.run.tags, "kms_key_arn": self.key_arn}
        for _ in range(2):
            s3.ensure_bucket(client, self.bucket, **options)
        self.save(bucket=self.bucket)
        with explaining("reading the bucket back"):
            client.get_public_access_block(Bucket=self.bucket)

    def make_role(self) -> None:
        """Notebook 1, steps 2 and 3; a role changed by hand is repaired, and given a boundary."""
        options: Any = {
            "trust_policy": iam.build_trust_policy(ACCOUNT, self.region),
            "role_policy": iam.build_role_policy(
                self.bucket, region=self.region, account_id=ACCOUNT, kms_key_arn=self.key_arn
            ),
            "tags": self.run.tags,
        }
        client = self.run.connection.client("iam")
        iam.ensure_role(client, self.role_name, **options)
        changed = json.dumps(iam.build_trust_policy(ACCOUNT, "eu-west-1"))
        self.admin.connection.client("iam").update_assume_role_policy(
            RoleName=self.role_name, PolicyDocument=changed
        )
        arn = iam.ensure_role(client, self.role_name, permissions_boundary=BOUNDARY, **options)
        self.save(role_name=self.role_name, role_arn=arn, kms_key_arn=self.key_arn)

    def upload(self) -> None:
        """Notebook 2; the training file goes in parts."""
        client = self.run.connection.client("s3")
        uris = []
        for key in (s3.TRAINING_KEY, s3.VALIDATION_KEY):
            path = self.run.data / Path(key).name
            path.write_text(
                "".join(f"{_record(key, number, self.base_model)}\n" for number in range(32))
            )
            own = s3.own_key(key, self.run.resource_name)
            uris.append(s3.upload_file(client, path, self.run.record.bucket, own))
        self.save(training_uri=uris[0], validation_uri=uris[1])
        s3.list_objects(client, self.run.record.bucket)

    def start_job(self) -> None:
        """Notebook 3, to a custom model; what exists is found."""
        prerequisites.require(self.run, "role", "data")
        bedrock = self.run.connection.client("bedrock")
        plan = customization.plan_job(bedrock, self.run, {"epochCount": "1"}, new_job=True)
        self.save(**plan.changes)
        self.save(job_arn=customization.start_job(bedrock, plan.request))
        job = wait_for_job(bedrock, self.run.record.job_arn, SOON)
        self.save(custom_model_arn=job.custom_model_arn or "")
        prerequisites.require(self.run, "job", "custom model")

    def stop_job(self) -> None:
        """Notebook 3, where it says how a job is stopped; this one has ended, as AWS will say."""
        bedrock = self.run.connection.client("bedrock")
        with explaining("stopping the job"):
            try:
                bedrock.stop_model_customization_job(jobIdentifier=self.run.record.job_arn)
            except bedrock.exceptions.ConflictException:
                return

    def read_metrics(self) -> None:
        """Notebook 4."""
        job = customization.get_job(self.run.connection.client("bedrock"), self.run.record.job_arn)
        client = self.run.connection.client("s3")
        files = metrics.find_metrics(client, job.output_uri, job.arn)
        assert metrics.download_metrics(client, files.training_uri, self.run.metrics) is not None

    def deploy(self) -> None:
        """Notebook 5, on demand: an earlier model of the run first, then the one of its record."""
        name = resource_prefix("first")
        admin = self.admin.connection.client("bedrock")
        self.end("deployment")
        plan = customization.plan_job(admin, self.admin, {"epochCount": "1"}, new_job=True)
        job = wait_for_job(admin, customization.start_job(admin, plan.request), SOON)
        for model_arn in (job.custom_model_arn or "", self.run.record.custom_model_arn):
            self.save(custom_model_arn=model_arn)
            self.serve("deployment")
        admin.create_custom_model_deployment(
            modelDeploymentName=f"{name}-theirs", modelArn=job.custom_model_arn
        )

    def end(self, kind: Any) -> None:
        """Let the administrator end what was started when this step was taken in vain."""
        bedrock = self.admin.connection.client("bedrock")
        for one in find_own(self.run, APIS[kind].noun):
            stop_serving(bedrock, one.arn, SOON)

    def serve(self, kind: Any) -> None:
        """Notebook 5, step 2: find it, or start it, and wait."""
        bedrock = self.run.connection.client("bedrock")
        turns = [{"role": role, "content": "x"} for role in ("user", "assistant")]
        cost = serving.estimate_costs(self.run, [{"messages": turns}])[kind]
        plan = serving.plan_serving(bedrock, self.run, cost)
        self.save(**plan.changes)
        arn = serving.ensure_served(bedrock, plan)
        self.save(**serving.name_served(arn))
        serving.wait_for_served(bedrock, arn, SOON)

    def provision(self) -> None:
        """Notebook 5; somebody else buys throughput, too, under a name that begins like ours."""
        self.end("provisioned_throughput")
        self.serve("provisioned_throughput")
        self.admin.connection.client("bedrock").create_provisioned_model_throughput(
            provisionedModelName=f"{resource_prefix('first')}-theirs",
            modelId=self.base_model.id,
            modelUnits=1,
        )

    def ask(self) -> None:
        """Notebooks 5 and 6: the tuned model and the base model."""
        runtime = self.run.connection.client("bedrock-runtime")
        record = self.run.record
        for model_id in (
            record.deployment_arn,
            record.throughput_arn,
            self.base_model.inference_id,
        ):
            if model_id:
                assert inference.ask(runtime, model_id, MESSAGES).stop_reason
                assert list(inference.stream(runtime, model_id, MESSAGES))

    def run_evaluation(self) -> None:
        """Notebook 6, where the tuned replies are scored by Bedrock."""
        prompts = [
            {
                "prompt": f"Question {number}",
                "referenceResponse": "odd",
                "modelResponses": [{"response": "odd", "modelIdentifier": "tuned"}],
            }
            for number in range(2)
        ]
        path = write_records(self.run.data / "evaluation.jsonl", prompts)
        self.run, job = evaluate_replies(self.run, path, "labels", source="tuned", waiting=SOON)
        self.admin = replace(self.admin, record=self.run.record)
        scores = read_scores(self.run.connection.client("s3"), job)
        assert scores["Accuracy"].mean() == 1.0

    def look_around(self) -> None:
        """The table at the end of notebooks 1, 3, 5 and 6."""
        told(one.hint for one in list_resources(self.run))

    def clean_up(self) -> None:
        """Notebook 7, with an upload cut short in the bucket."""
        self.admin.connection.client("s3").create_multipart_upload(Bucket=self.bucket, Key="part")
        told(one.hint for one in delete_resources(self.run))


def _record(key: str, number: int, base_model: BaseModel) -> str:
    turns = [("user", f"{key} {number}"), ("assistant", "even" if number % 2 else "odd")]
    record = {"messages": [{"role": role, "content": text} for role, text in turns]}
    return json.dumps(to_training(record, base_model))


@pytest.fixture
def walk(local_sandbox: Callable[..., Any], tmp_path: Path, request: Any) -> Walk:
    """Give user ann of an empty sandbox an access key, the caller's policy and a KMS key.

    A test that names a base model walks with it; others walk with Claude 3 Haiku.
    """
    base_model: BaseModel = getattr(request, "param", CLAUDE_3_HAIKU)
    local = local_sandbox(handlers=None)

    def open_run(access_key: str = "") -> Run:
        connection = aws.Connection(
            target="sandbox",
            region=base_model.region,
            account_id=ACCOUNT,
            caller_arn="",
            endpoint=local.url,
            sandbox_state="",
            bills=False,
            poll_seconds=0.02,
            session=aws.connection._sandbox_session(base_model.region, access_key=access_key),
        )
        record = RunRecord(
            run="first",
            target="sandbox",
            owner="0123456789abcdef",
            account_id=ACCOUNT,
            region=base_model.region,
            base_model_id=base_model.id,
        )
        return Run(record, connection, base_model, tmp_path)

    admin = open_run()
    client = admin.connection.client("iam")
    client.create_user(UserName="ann")
    all_allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [all_allowed]})
    client.create_policy(PolicyName=BOUNDARY.rpartition("/")[2], PolicyDocument=document)
    key = client.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    key_arn = admin.connection.client("kms").create_key()["KeyMetadata"]["Arn"]
    found = Walk(local.application, admin, open_run(key), key_arn)
    found.allow(found.caller_policy)

    store = local.application.store
    check = store.check

    def note(caller: Caller, permissions: Iterable[Permission]) -> None:
        for permission in permissions:
            if not caller.administrator:
                found.permissions.append((found.step, caller, permission))
            check(caller, [permission])

    store.check = note
    return found
