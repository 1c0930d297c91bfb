"""Custom model deployments: found or started, given another model, waited for, deleted."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from haikuft import deployments as d
from haikuft.base_models import NOVA_MICRO
from haikuft.errors import (
    AccessError,
    ConflictError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
    WaitTimeoutError,
)
from haikuft.run_record import Run

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
MODEL = "arn:aws:bedrock:us-east-1:123456789012:custom-model/a.b-v1:0:128k/abcdefghijkl"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}


@pytest.fixture
def run(new_run: Callable[..., Run], tune: Callable[[Run], Run]) -> Run:
    """Open a run whose custom model can be deployed."""
    return tune(new_run(NOVA_MICRO))


@pytest.fixture
def bedrock(run: Run) -> Any:
    """Give the run's client."""
    return run.connection.client("bedrock")


def start(bedrock: Any, run: Run, name: str = "serve-1") -> str:
    """Start the deployment of these tests."""
    return d.start_deployment(bedrock, name, model_arn=run.record.custom_model_arn, tags=TAGS)


class Time:
    """A clock that moves when someone sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.seconds += seconds

    def clock(self) -> float:
        """Tell the time."""
        return self.seconds


def test_deployment_when_walked_through_then_is_found_again_active_and_gone_at_the_end(
    bedrock: Any, run: Run
) -> None:
    """Started once, tagged as ours, asked for by name or ARN, deleted, and deleted again."""
    arn = start(bedrock, run)
    found = d.wait_for_deployment(bedrock, arn, poll_seconds=0)
    assert (found.status, found.name, found.model_arn) == (
        "Active",
        "serve-1",
        run.record.custom_model_arn,
    )
    assert d.find_deployment(bedrock, "serve-1") == found
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == TAGS
    assert len(bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]) == 1
    assert d.delete_deployment(bedrock, arn, poll_seconds=0) is True
    assert bedrock.list_custom_model_deployments()["modelDeploymentSummaries"] == []
    assert d.delete_deployment(bedrock, arn, poll_seconds=0) is False
    assert d.find_deployment(bedrock, "serve-1") is None
    with pytest.raises(NotFoundError, match="reading custom model deployment serve-1"):
        d.get_deployment(bedrock, "serve-1")


def test_change_model_when_it_serves_another_then_is_given_this_one(
    bedrock: Any, run: Run, tune: Callable[[Run], Run]
) -> None:
    """Its ARN stays, and no second one is left behind."""
    arn = start(bedrock, run)
    d.wait_for_deployment(bedrock, arn, poll_seconds=0)
    second = tune(run).record.custom_model_arn
    for _ in range(2):
        d.change_model(bedrock, d.get_deployment(bedrock, arn), second)
    assert d.wait_for_deployment(bedrock, arn, poll_seconds=0).model_arn == second
    assert len(bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]) == 1


def test_start_deployment_when_the_quota_is_full_then_says_what_to_do(
    bedrock: Any, run: Run
) -> None:
    """Ten are AWS's default; the model is safe."""
    for number in range(10):
        start(bedrock, run, f"serve-{number}")
    with pytest.raises(AccessError, match=r"limited to 10 .*Delete one.*the custom model stays"):
        start(bedrock, run, "one-too-many")


def test_start_deployment_when_the_name_cannot_be_or_is_taken_then_says_so(
    bedrock: Any, run: Run
) -> None:
    """Nothing is sent for the first; the second is found by running again."""
    model_arn = run.record.custom_model_arn
    with pytest.raises(SettingsError, match=r'deployment name "a\.b"'):
        d.start_deployment(bedrock, "a.b", model_arn=model_arn)
    start(bedrock, run)
    with pytest.raises(ConflictError, match=r"currently in use.*Run this again"):
        d.start_deployment(bedrock, "serve-1", model_arn=model_arn)


def test_start_deployment_when_the_base_model_has_none_then_aws_s_reason_is_told(
    new_run: Callable[..., Run], tune: Callable[[Run], Run]
) -> None:
    """Claude 3 Haiku's custom models are served through throughput only."""
    claude = tune(new_run())
    with pytest.raises(SettingsError, match="Provisioned Throughput only"):
        start(claude.connection.client("bedrock"), claude)


def test_wait_for_deployment_when_the_model_is_gone_then_gives_aws_s_reason(
    bedrock: Any, run: Run, tmp_path: Path
) -> None:
    """AWS says Failed of one that has become unavailable."""
    arn = start(bedrock, run)
    (files,) = (path for path in tmp_path.rglob("models/*") if path.is_dir())
    shutil.rmtree(files)
    with pytest.raises(JobFailedError, match=r"files of custom model .* are gone.*Delete it"):
        d.wait_for_deployment(bedrock, arn, poll_seconds=0)


def reading(status: str = "Active", **changes: Any) -> dict[str, Any]:
    """Build an answer of GetCustomModelDeployment."""
    return {
        "customModelDeploymentArn": ARN,
        "modelDeploymentName": "serve-1",
        "modelArn": MODEL,
        "createdAt": NOW,
        "status": status,
        **changes,
    }


GONE = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "No."}}, "Get")
UPDATING = {"updateDetails": {"modelArn": MODEL, "updateStatus": "Updating"}}
UPDATED = {"updateDetails": {"modelArn": MODEL, "updateStatus": "UpdateCompleted"}}
UNCHANGED = {"updateDetails": {"modelArn": MODEL, "updateStatus": "UpdateFailed"}}


class Scripted:
    """A Bedrock client whose readings the test has written down; the last is repeated for good."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.deleted_at: list[int] = []
        self.read = 0

    def get_custom_model_deployment(self, **_: Any) -> Any:
        """Give the next reading."""
        self.read += 1
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(line, Exception):
            raise line
        return line

    def delete_custom_model_deployment(self, **_: Any) -> None:
        """Note after how many readings it was deleted."""
        self.deleted_at.append(self.read)


def wait(client: Any, time: Time | None = None, **options: Any) -> d.Deployment:
    """Wait without losing a second."""
    time = time or Time()
    return d.wait_for_deployment(client, ARN, sleep=time.sleep, clock=time.clock, **options)


def test_wait_for_deployment_when_made_and_updated_then_each_state_is_shown_once() -> None:
    """An update leaves the status Active, and is waited out all the same."""
    shown: list[d.Deployment] = []
    script = (reading("Creating"), reading("Creating"), reading(**UPDATING), reading(**UPDATED))
    assert wait(Scripted(*script), on_change=shown.append).update_status == "UpdateCompleted"
    assert [(one.status, one.update_status) for one in shown] == [
        ("Creating", ""),
        ("Active", "Updating"),
        ("Active", "UpdateCompleted"),
    ]


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (reading("Failed", failureMessage="No room."), JobFailedError, r"No room\. Delete it"),
        (reading(**UNCHANGED), JobFailedError, "goes on serving .*custom-model/a"),
        (reading("Sleeping"), HaikuftError, '"Sleeping", which this version'),
    ],
)
def test_wait_for_deployment_when_it_ends_badly_then_says_why(
    answer: dict[str, Any], error: type[HaikuftError], words: str
) -> None:
    """Also a word that nobody knows."""
    with pytest.raises(error, match=words):
        wait(Scripted(answer))


def test_wait_for_deployment_when_the_deadline_passes_then_says_that_it_goes_on() -> None:
    """The wait ends, the deployment does not."""
    time = Time()
    with pytest.raises(WaitTimeoutError, match=r"goes on.*haikuft run --from 5"):
        wait(Scripted(reading("Creating")), time, resume="haikuft run --from 5")
    assert timedelta(seconds=time.seconds) == timedelta(hours=2)


def test_change_model_when_it_is_being_made_for_another_then_says_to_wait() -> None:
    """AWS would refuse the change now."""
    client: Any = Scripted(reading("Creating"))
    with pytest.raises(ConflictError, match=r"just being made.*run this again"):
        d.change_model(client, d.get_deployment(client, ARN), "arn:other")


def test_delete_deployment_when_it_is_being_made_then_waits_until_it_can_be() -> None:
    """AWS may refuse to delete it before; it is deleted after the reading that says Active."""
    time, client = Time(), Scripted(reading("Creating"), reading("Creating"), reading(), GONE)
    client_: Any = client
    assert d.delete_deployment(client_, ARN, sleep=time.sleep, clock=time.clock) is True
    assert client.deleted_at == [3]


def test_delete_deployment_when_it_stays_then_does_not_call_it_deleted() -> None:
    """A deletion without effect is a time-out, not a success."""
    time, client = Time(), Scripted(reading())
    client_: Any = client
    with pytest.raises(WaitTimeoutError, match="Deleting custom model deployment serve-1"):
        d.delete_deployment(client_, ARN, sleep=time.sleep, clock=time.clock)
