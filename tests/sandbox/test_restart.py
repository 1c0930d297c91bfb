"""A server killed at any moment: the next one has all that was answered, and finishes what began.

What is on disk changes with each entry in the database and with the files before it. So these tests
copy the state directory before and after every entry, and open each copy as the next server does.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.jobs.customization_runner import WORK_PREFIX
from haikuft.sandbox.jobs.files import UNEXPECTED
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database

VPC = {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]}
TAG = [{"key": "team", "value": "reading"}]


@dataclass
class Recorder:
    """Copies a state directory at each moment at which a kill would leave another one.

    Attributes:
        promised: What clients had been told by the moment that now is: ARN -> what it is.
        moments: (copy of the directory, what had been promised) for each moment so far.
    """

    directory: Path
    promised: dict[str, str] = field(default_factory=dict)
    moments: list[tuple[Path, dict[str, str]]] = field(default_factory=list)

    def open(self, state: Path) -> Database:
        """Open the database of a state directory that is to be recorded."""
        recorder = self

        class RecordedDatabase(Database):
            def _commit(self) -> None:
                recorder.copy(state)
                super()._commit()
                recorder.copy(state)

        return RecordedDatabase(state / DATABASE_FILE)

    def copy(self, state: Path) -> None:
        """Copy the directory as it is now."""
        copy = self.directory / str(len(self.moments))
        shutil.copytree(state, copy)
        self.moments.append((copy, dict(self.promised)))


@pytest.fixture
def recorder(desk: Any, tmp_path: Path) -> Recorder:
    """Let the desk work in a directory that is recorded."""
    recorder = Recorder(tmp_path / "moments")
    desk.bedrock.runner.close()
    desk.open(tmp_path / "recorded", recorder.open(tmp_path / "recorded"))
    return recorder


@pytest.fixture
def reopen(desk: Any) -> Iterator[Callable[[Path], None]]:
    """`reopen(state)` is the next server's start on a directory; it waits for its jobs."""

    def start(state: Path) -> None:
        desk.bedrock.runner.close()
        desk.open(state)
        desk.bedrock.runner.resume()
        for arn in list(desk.bedrock.plane.state.jobs):
            desk.bedrock.runner.join(arn, 30)

    yield start
    desk.bedrock.runner.close()


def describe(desk: Any, arn: str) -> dict[str, Any]:
    """Read a record by its ARN, whatever it is."""
    if ":provisioned-model/" in arn:
        return desk.ask("GetProvisionedModelThroughput", provisionedModelId=arn)
    if ":custom-model/" in arn:
        return desk.ask("GetCustomModel", modelIdentifier=arn)
    return desk.ask("GetModelCustomizationJob", jobIdentifier=arn)


def check_files(desk: Any) -> None:
    """Check that each model has its files, and that there are no other files."""
    models = desk.bedrock.plane.state.models.values()
    for model in models:
        assert json.loads((model.directory / "job.json").read_text())["base_model_id"]
    left = set(desk.bedrock.plane.models_dir.iterdir())
    assert left == {model.directory for model in models}


def test_kill_at_any_moment_of_a_job_then_the_next_server_completes_it(
    desk: Any, recorder: Recorder, reopen: Callable[[Path], None]
) -> None:
    """The same ARN, name, birth, tags and token; one model, with its files; no name is free."""
    request = {"jobTags": TAG, "customModelTags": TAG, "clientRequestToken": "token-1"}
    arn = desk.create_job("job-1", **request)
    recorder.promised[arn] = "job"
    created = desk.ask("GetModelCustomizationJob", jobIdentifier=arn)["creationTime"]
    desk.bedrock.runner.join(arn)
    recorder.copy(desk.bedrock.plane.models_dir.parent)
    assert len(recorder.moments) > 10
    for state, promised in recorder.moments:
        desk.pass_time(minutes=1)
        reopen(state)
        check_files(desk)
        if not promised and not desk.bedrock.plane.state.jobs:
            continue  # killed before the response, and before the job was stored
        job = desk.ask("GetModelCustomizationJob", jobIdentifier="job-1")
        assert (job["jobArn"], job["status"], job["creationTime"]) == (arn, "Completed", created)
        stages = [stage["status"] for stage in job["statusDetails"].values()]
        assert stages == ["Completed"] * 3
        (model,) = desk.ask("ListCustomModels")["modelSummaries"]
        assert model["modelArn"] == job["outputModelArn"]
        for tagged in (arn, model["modelArn"]):
            assert desk.ask("ListTagsForResource", resourceARN=tagged) == {"tags": TAG}
        assert desk.create_job("job-1", **request) == arn
        with pytest.raises(ServiceError, match="job name is currently in use"):
            desk.create_job("job-1", customModelName="another")
        with pytest.raises(ServiceError, match="custom model name is currently in use"):
            desk.create_job("job-2", customModelName="model-of-job-1")


def test_kill_several_times_in_a_row_then_the_job_still_completes_once(
    desk: Any, recorder: Recorder, tmp_path: Path
) -> None:
    """Each server is killed in another stage; the last one finishes."""
    arn = desk.create_job()
    desk.bedrock.runner.join(arn)
    for number, stage in enumerate(("validationDetails", "dataProcessingDetails") * 2):
        state = next(copy for copy, _ in recorder.moments if _stage_of(copy, arn) == stage)
        recorder.moments.clear()
        recorder.directory = tmp_path / f"round-{number}"
        desk.bedrock.runner.close()
        desk.open(state, recorder.open(state))
        desk.bedrock.runner.resume()
        desk.bedrock.runner.join(arn)
    assert desk.ask("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "Completed"
    check_files(desk)


def _stage_of(state: Path, arn: str) -> str:
    """Read from a copy in which stage the job is; "" when in none."""
    from haikuft.sandbox.bedrock.records import State

    database = Database(state / DATABASE_FILE)
    jobs = State(database, state / "models").jobs
    database.close()
    stages = jobs[arn].stages.items() if arn in jobs else ()
    return next((name for name, stage in stages if stage.status == "InProgress"), "")


def test_kill_while_a_job_is_stopping_then_it_has_stopped(
    desk: Any, recorder: Recorder, reopen: Callable[[Path], None]
) -> None:
    """A job that was stopped is Stopped in all stages; one that was not continues."""
    desk.on_wait = lambda: desk.ask("StopModelCustomizationJob", jobIdentifier="job-1")
    arn = desk.create_job()
    desk.bedrock.runner.join(arn)
    desk.on_wait = lambda: None
    outcomes = []
    for state, _ in recorder.moments:
        reopen(state)
        if arn in desk.bedrock.plane.state.jobs:
            job = desk.ask("GetModelCustomizationJob", jobIdentifier=arn)
            outcomes.append(job["status"])
            ended = {"Completed", "Stopped", "NotStarted"}
            assert {stage["status"] for stage in job["statusDetails"].values()} <= ended
            assert job["endTime"] == job["lastModifiedTime"]
        check_files(desk)
    told = outcomes.index("Stopped")
    assert outcomes == ["Completed"] * told + ["Stopped"] * (len(outcomes) - told)
    assert 0 < told < len(outcomes) - 1


def test_kill_while_a_job_fails_then_it_fails_for_the_same_reason(
    desk: Any, recorder: Recorder, reopen: Callable[[Path], None]
) -> None:
    """The role still may not read."""
    desk.store.denied = {"s3:GetObject"}
    arn = desk.create_job()
    desk.bedrock.runner.join(arn)
    reason = desk.ask("GetModelCustomizationJob", jobIdentifier=arn)["failureMessage"]
    for state, _ in recorder.moments[1:]:
        reopen(state)
        job = desk.ask("GetModelCustomizationJob", jobIdentifier=arn)
        assert (job["status"], job["failureMessage"]) == ("Failed", reason)
        check_files(desk)


def test_kill_at_any_moment_of_other_operations_then_what_was_told_holds(
    desk: Any, recorder: Recorder, reopen: Callable[[Path], None]
) -> None:
    """Throughputs and tags, made, changed and deleted: each whole or not at all."""
    model = desk.run_job()["outputModelArn"]
    recorder.moments.clear()
    recorder.directory = recorder.directory.with_name("others")

    def note(**changes: Any) -> None:
        recorder.promised = {**recorder.promised, **changes}

    throughput = desk.provision("pt-1", tags=TAG, clientRequestToken="token-2", modelId=model)
    created = describe(desk, throughput)["creationTime"]
    note(name="pt-1", tags="team")
    desk.pass_time(seconds=5)
    desk.ask(
        "UpdateProvisionedModelThroughput",
        provisionedModelId=throughput,
        desiredProvisionedModelName="pt-2",
        desiredModelId="anthropic.claude-3-haiku-20240307-v1:0:200k",
    )
    note(name="pt-2")
    desk.ask("TagResource", resourceARN=throughput, tags=[{"key": "more", "value": "1"}])
    note(tags="more,team")
    desk.ask("UntagResource", resourceARN=throughput, tagKeys=["team"])
    note(tags="more")
    desk.pass_time(seconds=5)
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId=throughput)
    note(name="", tags="")
    desk.ask("DeleteCustomModel", modelIdentifier=model)
    note(model="deleted")
    moments = list(recorder.moments)
    assert len(moments) == 12
    for number, (state, promised) in enumerate(moments):
        reopen(state)
        check_files(desk)
        found = desk.ask("ListProvisionedModelThroughputs")["provisionedModelSummaries"]
        later = moments[min(number + 1, 11)][1]  # a stored operation may not be answered yet
        names = {told.get("name", "") for told in (promised, later)}
        tags = {told.get("tags", "") for told in (promised, later)}
        assert (found[0]["provisionedModelName"] if found else "") in names
        if found:
            assert found[0]["creationTime"] == created
            assert found[0]["status"] == "InService"  # the time has passed
            kept = desk.ask("ListTagsForResource", resourceARN=throughput)["tags"]
            assert ",".join(sorted(tag["key"] for tag in kept)) in tags
            again = desk.provision("x", tags=TAG, clientRequestToken="token-2", modelId=model)
            assert again == throughput


def test_throughput_when_creating_at_the_kill_then_is_ready_when_it_would_have_been(
    desk: Any, tmp_path: Path, reopen: Callable[[Path], None]
) -> None:
    """Time also counts while no server runs."""
    arn = desk.provision()
    desk.pass_time(seconds=1.5)
    reopen(tmp_path)
    assert describe(desk, arn)["status"] == "Creating"
    desk.pass_time(seconds=0.5)
    assert describe(desk, arn)["status"] == "InService"


def test_close_while_a_job_trains_then_the_record_says_that_it_runs(
    desk: Any, records: Callable[..., bytes], tmp_path: Path, reopen: Callable[[Path], None]
) -> None:
    """A stopped sandbox does not stop the job: the next start resumes it."""
    training = "data", "training/train.jsonl"
    desk.store.objects[training] = records(40, "hang")
    arn = desk.create_job()
    while arn not in desk.bedrock.runner._children:
        desk.bedrock.runner.join(arn, 0.01)
    desk.bedrock.runner.close()
    assert not list((tmp_path / "models").glob(f"{WORK_PREFIX}*"))
    assert desk.ask("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "InProgress"
    desk.store.objects[training] = records(40)
    reopen(tmp_path)
    assert desk.ask("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "Completed"


def test_open_when_files_are_left_that_no_record_names_then_they_go(
    desk: Any, tmp_path: Path, reopen: Callable[[Path], None]
) -> None:
    """Work of killed jobs and models that never were; a completed job's model stays."""
    desk.run_job()
    for name in (f"{WORK_PREFIX}abcdefghijkl-x", "mnopqrstuvwx"):
        (tmp_path / "models" / name).mkdir()
        (tmp_path / "models" / name / "weights").touch()
    reopen(tmp_path)
    check_files(desk)


def test_open_when_the_database_is_damaged_then_no_file_is_touched(
    desk: Any, tmp_path: Path
) -> None:
    """Without the records it is unknown which files belong to a model."""
    desk.run_job()
    desk.bedrock.runner.close()
    database = Database(tmp_path / DATABASE_FILE)
    (key,) = database.read("bedrock.models")
    with database.transaction() as write:
        write("bedrock.models", key, b"\xff")
    before = sorted((tmp_path / "models").rglob("*"))
    with pytest.raises(SandboxError, match="damaged"):
        desk.open(tmp_path)
    assert sorted((tmp_path / "models").rglob("*")) == before


def test_job_when_its_end_cannot_be_written_then_ends_once_it_can(
    desk: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk that is full in the middle of a job: it fails, and the log says why."""
    waits: list[str] = []

    def fill() -> None:
        waits.append("wait")
        desk.database._connection.execute(f"PRAGMA query_only = {len(waits) < 4}")

    desk.on_wait = fill
    job = desk.run_job()
    assert (job["status"], job["failureMessage"]) == ("Failed", UNEXPECTED)
    assert len(waits) == 4  # once in the first stage, then between tries to write down the end
    assert "has ended: Failed. The sandbox cannot use its database" in capsys.readouterr().err


def test_operation_when_the_database_cannot_be_written_then_nothing_has_happened(desk: Any) -> None:
    """The error goes out instead of an answer that would not hold."""
    desk.database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(SandboxError, match="readonly database"):
        desk.provision("pt-1")
    assert desk.ask("ListProvisionedModelThroughputs")["provisionedModelSummaries"] == []
    desk.database._connection.execute("PRAGMA query_only = OFF")
    assert desk.provision("pt-1")


def test_two_sandboxes_when_side_by_side_then_know_nothing_of_each_other(
    desk: Any, tmp_path: Path
) -> None:
    """One participant's names are free in another's."""
    first = desk.bedrock
    desk.provision("pt-1")
    desk.open(tmp_path / "other")
    assert desk.ask("ListProvisionedModelThroughputs")["provisionedModelSummaries"] == []
    desk.provision("pt-1")
    desk.bedrock.runner.close()
    desk.bedrock = first


def test_records_when_kept_then_come_back_equal(deployer: Any, tmp_path: Path) -> None:
    """Every attribute of every record."""
    example = "amazon.example-v1:0:128k"
    job = deployer.run_job(baseModelIdentifier=example, customModelTags=TAG, vpcConfig=VPC)
    deployer.deploy(job["outputModelArn"], tags=TAG, clientRequestToken="token-3")
    deployer.provision(commitmentDuration="OneMonth")
    before = deployer.bedrock.plane.state
    deployer.open(tmp_path)
    after = deployer.bedrock.plane.state
    for name in ("jobs", "models", "throughputs", "deployments", "tags", "tokens"):
        assert dict(getattr(after, name)) == dict(getattr(before, name)) != {}, name
    (kept,) = after.jobs.values()
    assert kept.request["vpcConfig"] == VPC
