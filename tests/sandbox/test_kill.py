"""Servers killed with SIGKILL, as real processes: what the next start finds."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fakes import start_in_processes

import haikuft.sandbox
from haikuft import aws, customization, serving
from haikuft.aws.waiting import Waiting
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.customization.jobs import check_ended_well, wait_for_job
from haikuft.errors import NotFoundError
from haikuft.runs.prerequisites import require
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run
from haikuft.sandbox import Endpoint
from haikuft.sandbox.directory import SERVER_LOCK, hold_lock

REGION = "us-west-2"
TAGS = [{"key": "team", "value": "reading"}]

OpenRun = Callable[[], Run]
SetUp = Callable[[Run], Run]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Name a state directory; what was started there is stopped."""
    yield tmp_path / "state"
    haikuft.sandbox.stop(tmp_path / "state")


@pytest.fixture
def open_run(state: Path, tmp_path: Path) -> OpenRun:
    """`open_run()` connects a run to the state's sandbox, as each notebook does."""

    def connect() -> Run:
        connection = aws.connect("sandbox", region=REGION, state=state)
        record = RunRecord(
            run="first",
            target="sandbox",
            owner="0123456789abcdef",
            base_model_id=CLAUDE_3_HAIKU.id,
        )
        return Run(record, connection, CLAUDE_3_HAIKU, tmp_path)

    return connect


def kill(state: Path) -> None:
    """Kill the server with SIGKILL, and wait until it is no more."""
    found = haikuft.sandbox.status(state)
    assert found.pid is not None
    os.kill(found.pid, signal.SIGKILL)
    with hold_lock(state / SERVER_LOCK):
        pass


def start_job(run: Run) -> Run:
    """Start a job as notebook 3 does."""
    bedrock = run.connection.client("bedrock")
    asked = {"epochCount": "1", "batchSize": "8"}
    planned = customization.plan_job(bedrock, run, asked)
    arn = customization.start_job(bedrock, {**planned.request, "jobTags": TAGS})
    return replace(run, record=replace(run.record, **{**planned.changes, "job_arn": arn}))


def wait_for_stage(bedrock: Any, arn: str, stage: str) -> None:
    """Wait until the job is in a stage or past it; "" waits until it has ended."""
    while True:
        job = bedrock.get_model_customization_job(jobIdentifier=arn)
        if job["status"] != "InProgress" or (
            stage and job["statusDetails"][stage]["status"] != "NotStarted"
        ):
            return


def test_kill_while_a_throughput_is_made_then_it_goes_on_by_the_clock(
    state: Path, open_run: OpenRun
) -> None:
    """Its ARN, birth, tags and token are there; its name is taken; it comes into service."""
    haikuft.sandbox.start(state, settings={"stage_seconds": 1.0})
    request = {
        "provisionedModelName": "pt-1",
        "modelId": CLAUDE_3_HAIKU.id,
        "modelUnits": 1,
        "tags": TAGS,
        "clientRequestToken": "token-1",
    }
    bedrock: Any = open_run().connection.client("bedrock")
    arn = bedrock.create_provisioned_model_throughput(**request)["provisionedModelArn"]
    told = bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
    assert told["status"] == "Creating"
    kill(state)
    bedrock = open_run().connection.client("bedrock")
    waiting = Waiting(poll_seconds=0.05, deadline_seconds=60)
    ready = serving.wait_for_served(bedrock, arn, waiting)
    assert (ready.status, ready.name) == ("InService", "pt-1")
    found = bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
    assert found["creationTime"] == told["creationTime"]
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == TAGS
    assert bedrock.create_provisioned_model_throughput(**request)["provisionedModelArn"] == arn
    with pytest.raises(ClientError, match="name is currently in use"):
        bedrock.create_provisioned_model_throughput(**{**request, "clientRequestToken": "other"})


def test_kill_four_times_while_a_job_runs_then_it_completes_under_the_same_name(
    state: Path, open_run: OpenRun, set_up: SetUp
) -> None:
    """Same ARN, name, tags and birth, one model, and no files that no record names."""
    haikuft.sandbox.start(state, settings={"stage_seconds": 0.2})
    run = start_job(set_up(open_run()))
    arn = run.record.job_arn
    bedrock: Any = run.connection.client("bedrock")
    told = bedrock.get_model_customization_job(jobIdentifier=arn)
    train, validate, process = "trainingDetails", "validationDetails", "dataProcessingDetails"
    for stage in (train, validate, process, train):
        wait_for_stage(bedrock, arn, stage)
        kill(state)
        bedrock = open_run().connection.client("bedrock")
    job = wait_for_job(bedrock, arn, Waiting(poll_seconds=0.05))
    found = bedrock.get_model_customization_job(jobIdentifier=told["jobName"])
    assert (found["jobArn"], found["creationTime"]) == (arn, told["creationTime"])
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == TAGS
    (model,) = bedrock.list_custom_models()["modelSummaries"]
    assert model["modelArn"] == job.custom_model_arn
    haikuft.sandbox.stop(state)
    assert [path.name for path in (state / "models").iterdir()] == [
        model["modelArn"].rpartition("/")[2]
    ]


def test_kill_after_notebook_3_then_the_run_goes_on_with_notebook_5(
    state: Path, open_run: OpenRun, set_up: SetUp
) -> None:
    """Job and model are found, the model is provisioned, and answers as it was trained."""
    haikuft.sandbox.start(state, settings={"stage_seconds": 0})
    run = start_job(set_up(open_run()))
    wait_for_stage(run.connection.client("bedrock"), run.record.job_arn, "")
    kill(state)
    run = replace(open_run(), record=run.record)
    bedrock: Any = run.connection.client("bedrock")
    job = check_ended_well(customization.get_job(bedrock, run.record.job_arn))
    run = replace(run, record=replace(run.record, custom_model_arn=job.custom_model_arn or ""))
    assert len(require(run, "bucket", "role", "data", "job", "custom model").rows) == 5
    arn = bedrock.create_provisioned_model_throughput(
        provisionedModelName="pt-1", modelId=run.record.custom_model_arn, modelUnits=1
    )["provisionedModelArn"]
    answer = run.connection.client("bedrock-runtime").converse(
        modelId=arn,
        messages=[{"role": "user", "content": [{"text": "training/train.jsonl 3"}]}],
        additionalModelResponseFieldPaths=["/model"],
    )
    assert answer["additionalModelResponseFields"]["model"].startswith("sandbox-stand-in/haikuft-")


def test_start_when_a_killed_server_is_started_by_three_at_once_then_they_get_one(
    state: Path,
) -> None:
    """The killed one's port and files do no harm."""
    haikuft.sandbox.start(state)
    kill(state)
    assert start_in_processes(state, 3) == {haikuft.sandbox.status(state).pid}


def test_reset_when_a_run_lived_there_then_its_notebooks_name_the_one_that_makes_it_again(
    state: Path, open_run: OpenRun, set_up: SetUp
) -> None:
    """Reset, and only reset, empties it; the record then knows more than the sandbox."""
    run = start_job(set_up(open_run()))
    haikuft.sandbox.reset(state)
    run = replace(open_run(), record=run.record)
    with pytest.raises(NotFoundError, match=r"This sandbox is new.* 01_setup_iam"):
        require(run, "bucket", "role")
    with pytest.raises(NotFoundError, match=r"all of run .* is gone"):
        require(run, "job")
    bedrock: Any = run.connection.client("bedrock")
    assert bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"] == []
    assert list((state / "models").iterdir()) == []


def test_stop_when_something_was_set_and_made_then_the_next_start_finds_it(
    state: Path, open_run: OpenRun
) -> None:
    """Settings of a start, of `configure`, and on top of them those of the next start."""
    first: Endpoint = haikuft.sandbox.start(state, settings={"stage_seconds": 0})
    haikuft.sandbox.configure(first, model_units_quota=5, lifecycle="active")
    bedrock: Any = open_run().connection.client("bedrock")
    arn = bedrock.create_provisioned_model_throughput(
        provisionedModelName="pt-1", modelId=CLAUDE_3_HAIKU.id, modelUnits=4
    )["provisionedModelArn"]
    haikuft.sandbox.stop(state)
    again = haikuft.sandbox.start(state, settings={"idle_seconds": 60})
    expected = {"stage_seconds": 0, "model_units_quota": 5, "idle_seconds": 60}
    kept = haikuft.sandbox.read_settings(again)
    assert {name: getattr(kept, name) for name in expected} == expected
    found = bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
    assert found["modelUnits"] == 4


def test_idle_when_the_server_has_ended_by_itself_then_the_next_start_finds_all(
    state: Path, open_run: OpenRun
) -> None:
    """An hour's pause costs nothing but a second's start."""
    endpoint = haikuft.sandbox.start(state)
    bedrock: Any = open_run().connection.client("bedrock")
    bedrock.create_provisioned_model_throughput(
        provisionedModelName="pt-1", modelId=CLAUDE_3_HAIKU.id, modelUnits=1
    )
    haikuft.sandbox.configure(endpoint, idle_seconds=0)
    with hold_lock(state / SERVER_LOCK):  # free once it has ended
        assert not haikuft.sandbox.status(state).running
    haikuft.sandbox.start(state, settings={"idle_seconds": 60})
    bedrock = open_run().connection.client("bedrock")
    (found,) = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    assert found["provisionedModelName"] == "pt-1"
