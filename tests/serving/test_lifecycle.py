"""Deployments and throughput: started, updated, waited for, deleted, and what prevents it."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import NOON, SOON, Scripted, Time, refusal

from haikuft.aws.waiting import Waiting
from haikuft.base_models import NOVA_MICRO, Serving
from haikuft.errors import (
    AccessError,
    ConflictError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
    WaitTimeoutError,
)
from haikuft.runs.run_record import Run
from haikuft.serving import wait_for_served
from haikuft.serving.lifecycle import (
    DELETING,
    change_model,
    check_same,
    find_served,
    get_served,
    start_serving,
    stop_serving,
)
from haikuft.serving.served import Served

DEPLOYMENT, THROUGHPUT = "deployment", "provisioned_throughput"
ARNS = {
    DEPLOYMENT: "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl",
    THROUGHPUT: "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl",
}
MODEL = "arn:aws:bedrock:us-west-2:123456789012:custom-model/a.b-v1:0:200k/abcdefghijkl"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
GONE = refusal("ResourceNotFoundException", "Could not find it.", 404)
KINDS = pytest.mark.parametrize("kind", [DEPLOYMENT, THROUGHPUT])


def deployment(status: str = "Active", update: str = "", **changes: Any) -> dict[str, Any]:
    """Build an answer of GetCustomModelDeployment."""
    details = {"updateDetails": {"modelArn": MODEL, "updateStatus": update}} if update else {}
    return {
        "customModelDeploymentArn": ARNS[DEPLOYMENT],
        "modelDeploymentName": "serve-1",
        "modelArn": MODEL,
        "createdAt": NOON,
        "status": status,
        **details,
        **changes,
    }


def throughput(status: str = "InService", **changes: Any) -> dict[str, Any]:
    """Build an answer of GetProvisionedModelThroughput."""
    return {
        "provisionedModelArn": ARNS[THROUGHPUT],
        "provisionedModelName": "serve-1",
        "modelArn": MODEL,
        "desiredModelArn": MODEL,
        "modelUnits": 1,
        "desiredModelUnits": 1,
        "status": status,
        "creationTime": NOON,
        "lastModifiedTime": NOON,
        **changes,
    }


def reading(kind: str, status: str = "", **changes: Any) -> dict[str, Any]:
    """Build an answer of Get; of one that is ready unless a status is given."""
    build = deployment if kind == DEPLOYMENT else throughput
    return build(status, **changes) if status else build(**changes)


def start(client: Any, kind: Any, name: str = "serve-1", **changes: Any) -> str:
    """Start what these tests serve with."""
    return start_serving(client, kind, name, **{"model_arn": MODEL, "tags": TAGS, **changes})


def wait(client: Any, kind: str, time: Time | None = None, **changes: Any) -> Served:
    """Wait without losing a second."""
    waiting = (time or Time()).waiting(Waiting(deadline_seconds=2 * 3600.0), **changes)
    return wait_for_served(client, ARNS[kind], waiting)


def delete(client: Any, kind: str) -> bool:
    """Delete without losing a second."""
    return stop_serving(client, ARNS[kind], Time().waiting(DELETING))


# --- Both, by scripted answers ---------------------------------------------------------------


@KINDS
def test_find_when_gone_then_is_none(kind: Serving) -> None:
    """What AWS does not know is shown as gone, never a crash."""
    client: Any = Scripted(GONE)
    assert find_served(client, ARNS[kind]) is None
    with pytest.raises(NotFoundError, match="abcdefghijkl"):
        get_served(client, ARNS[kind])


@KINDS
def test_wait_when_it_becomes_ready_then_returns_it(kind: str) -> None:
    """Each status is shown once."""
    shown: list[Served] = []
    client = Scripted(reading(kind, "Creating"), reading(kind, "Creating"), reading(kind))
    assert wait(client, kind, on_change=shown.append).ready
    assert [one.status for one in shown] == ["Creating", reading(kind)["status"]]


@KINDS
@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"status": "Failed", "failureMessage": "No room."}, JobFailedError, r"No room\. Delete"),
        ({"status": "Failed"}, JobFailedError, "AWS gives no reason"),
        ({"status": "Sleeping"}, HaikuftError, r'"Sleeping", which this version.*may bill'),
    ],
)
def test_wait_when_it_ends_badly_then_says_why(
    kind: str, changes: dict[str, Any], error: type[HaikuftError], words: str
) -> None:
    """Also a word that nobody knows, which may well bill."""
    with pytest.raises(error, match=words):
        wait(Scripted(reading(kind, **changes)), kind)


@KINDS
def test_wait_when_the_deadline_passes_then_says_that_it_continues(kind: str) -> None:
    """The wait ends, what serves does not."""
    time = Time()
    with pytest.raises(WaitTimeoutError, match=r"continues.*haikuft run --from 5"):
        wait(Scripted(reading(kind, "Creating")), kind, time, resume="haikuft run --from 5")
    assert timedelta(seconds=time.seconds) == timedelta(hours=2)


@KINDS
def test_stop_when_ready_then_waits_until_it_is_gone(kind: str) -> None:
    """Only what AWS no longer knows is deleted."""
    client = Scripted(reading(kind), None, reading(kind), reading(kind), GONE)
    assert delete(client, kind) is True
    operations = [operation.partition("_")[0] for operation, _ in client.calls]
    assert operations == ["get", "delete", "get", "get", "get"]
    assert list(client.calls[1][1].values()) == [ARNS[kind]]


@KINDS
def test_stop_when_gone_then_succeeds(kind: str) -> None:
    """Deleting twice is fine."""
    client = Scripted(GONE)
    assert delete(client, kind) is False
    assert len(client.calls) == 1


@KINDS
def test_stop_when_it_stays_then_does_not_call_it_deleted(kind: str) -> None:
    """A deletion without effect is a time-out, not a success."""
    with pytest.raises(WaitTimeoutError, match=r"Deleting .* serve-1"):
        delete(Scripted(reading(kind)), kind)


# --- Provisioned Throughput ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("commitment", "duration"),
    [("none", None), ("1 month", "OneMonth"), ("6 months", "SixMonths")],
)
def test_start_throughput_when_asked_then_carries_our_tags_and_token(
    commitment: str, duration: str | None
) -> None:
    """No commitment means that AWS's member is left out."""
    client = Scripted({"provisionedModelArn": ARNS[THROUGHPUT]})
    arn = start(client, THROUGHPUT, commitment=commitment, model_units=2, token="t")
    assert arn == ARNS[THROUGHPUT]
    (request,) = client.requests("create_provisioned_model_throughput")
    assert request == {
        "provisionedModelName": "serve-1",
        "modelId": MODEL,
        "modelUnits": 2,
        "tags": [{"key": key, "value": value} for key, value in TAGS.items()],
        "clientRequestToken": "t",
        **({"commitmentDuration": duration} if duration else {}),
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_arn": "arn:other"}, "model_arn is .*, not arn:other"),
        ({"model_units": 2}, "model_units is 1, not 2"),
        ({"commitment": "1 month"}, "commitment is none, not 1 month"),
    ],
)
def test_check_same_when_it_differs_then_says_how(change: dict[str, Any], words: str) -> None:
    """What exists is not silently taken for what was asked."""
    client: Any = Scripted(throughput())
    found = get_served(client, ARNS[THROUGHPUT])
    asked = {"model_arn": MODEL, "model_units": 1, "commitment": "none"}
    check_same(found, asked)
    with pytest.raises(ConflictError, match=words):
        check_same(found, asked | change)


def test_start_throughput_when_quota_is_zero_then_says_whom_to_ask() -> None:
    """AWS's default is no units at all; the tuned model is safe meanwhile."""
    message = "Your account does not currently have any no commitment model units reserved for x"
    client = Scripted(refusal("ServiceQuotaExceededException", message))
    with pytest.raises(AccessError, match=r"model units reserved.*AWS Support.*model stays"):
        start(client, THROUGHPUT)


def test_get_throughput_when_committed_then_tells_until_when() -> None:
    """AWS's words for terms become ours."""
    answer = throughput(commitmentDuration="OneMonth", commitmentExpirationTime=NOON)
    client: Any = Scripted(answer)
    found = get_served(client, ARNS[THROUGHPUT])
    assert (found.commitment, found.expires, found.model_units) == ("1 month", NOON, 1)


def test_wait_for_throughput_when_it_updates_then_waits() -> None:
    """Throughput says Updating as its status."""
    client = Scripted(throughput("Updating"), throughput())
    assert wait(client, THROUGHPUT).status == "InService"


def test_stop_throughput_when_committed_then_says_until_when() -> None:
    """A term cannot be cut short, and renews by itself."""
    committed = throughput(commitmentDuration="SixMonths", commitmentExpirationTime=NOON)
    refused = refusal("ConflictException", "Committed.")
    client = Scripted(committed, delete_provisioned_model_throughput=refused)
    with pytest.raises(ConflictError, match=r"6 months, until 2026-11-21 12:00 UTC.*renew"):
        delete(client, THROUGHPUT)


def test_stop_throughput_when_it_is_being_created_then_deletes_at_once() -> None:
    """It bills already."""
    client = Scripted(throughput("Creating"), None, GONE)
    assert delete(client, THROUGHPUT) is True
    assert client.calls[1][0] == "delete_provisioned_model_throughput"


# --- On-demand deployments -------------------------------------------------------------------


def test_wait_for_deployment_when_updated_then_each_state_is_shown_once() -> None:
    """An update leaves the status Active, and is waited for all the same."""
    shown: list[Served] = []
    updates = ("Updating", "Updating", "UpdateCompleted")
    script = [deployment("Creating"), *(deployment(update=one) for one in updates)]
    found = wait(Scripted(*script), DEPLOYMENT, on_change=shown.append)
    assert found.update_status == "UpdateCompleted"
    assert [(one.status, one.update_status) for one in shown] == [
        ("Creating", ""),
        ("Active", "Updating"),
        ("Active", "UpdateCompleted"),
    ]


def test_wait_for_deployment_when_an_update_failed_then_says_what_it_serves() -> None:
    """The model of before answers on."""
    with pytest.raises(JobFailedError, match=r"still serves .*custom-model/a"):
        wait(Scripted(deployment(update="UpdateFailed")), DEPLOYMENT)


def test_change_model_when_it_is_being_created_for_another_then_says_to_wait() -> None:
    """AWS would refuse the change now."""
    client: Any = Scripted(deployment("Creating"))
    found = get_served(client, ARNS[DEPLOYMENT])
    with pytest.raises(ConflictError, match=r"being created or updated for.*run this again"):
        change_model(client, found, "arn:other")


def test_stop_deployment_when_it_is_being_created_then_waits_until_it_can_be_deleted() -> None:
    """AWS may refuse to delete it before; it is deleted after the reading that says Active."""
    making = deployment("Creating")
    client = Scripted(making, making, deployment(update="Updating"), deployment(), None, GONE)
    assert delete(client, DEPLOYMENT) is True
    assert client.calls[4][0] == "delete_custom_model_deployment"


# --- On-demand deployments, on the sandbox ---------------------------------------------------


@pytest.fixture
def run(tuned_run: Callable[..., Run]) -> Run:
    """Open a run whose custom model can be deployed."""
    return tuned_run(NOVA_MICRO)


@pytest.fixture
def bedrock(run: Run) -> Any:
    """Give the run's client."""
    return run.connection.client("bedrock")


def deploy(bedrock: Any, run: Run, name: str = "serve-1") -> str:
    """Deploy the run's custom model."""
    return start(bedrock, DEPLOYMENT, name, model_arn=run.record.custom_model_arn)


def test_deployment_when_walked_through_then_is_found_again_active_and_gone_at_the_end(
    bedrock: Any, run: Run
) -> None:
    """Started once, tagged as ours, asked for, deleted, and deleted again."""
    arn = deploy(bedrock, run)
    found = wait_for_served(bedrock, arn, SOON)
    assert (found.status, found.name, found.model_arn) == (
        "Active",
        "serve-1",
        run.record.custom_model_arn,
    )
    assert find_served(bedrock, arn) == found
    tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == TAGS
    assert len(bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]) == 1
    assert stop_serving(bedrock, arn, SOON) is True
    assert bedrock.list_custom_model_deployments()["modelDeploymentSummaries"] == []
    assert stop_serving(bedrock, arn, SOON) is False
    assert find_served(bedrock, arn) is None
    with pytest.raises(NotFoundError, match="reading custom model deployment arn:"):
        get_served(bedrock, arn)


def test_change_model_when_it_serves_another_then_is_given_this_one(
    bedrock: Any, run: Run, tune: Callable[[Run], Run]
) -> None:
    """Its ARN stays, and no second one is left behind."""
    arn = deploy(bedrock, run)
    wait_for_served(bedrock, arn, SOON)
    second = tune(run).record.custom_model_arn
    for _ in range(2):
        change_model(bedrock, get_served(bedrock, arn), second)
    assert wait_for_served(bedrock, arn, SOON).model_arn == second
    assert len(bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]) == 1


def test_start_deployment_when_the_quota_is_full_then_says_what_to_do(
    bedrock: Any, run: Run
) -> None:
    """Ten are AWS's default; the model is safe."""
    for number in range(10):
        deploy(bedrock, run, f"serve-{number}")
    with pytest.raises(AccessError, match=r"limited to 10 .*Delete one.*the custom model stays"):
        deploy(bedrock, run, "one-too-many")


def test_start_deployment_when_the_name_is_taken_then_says_so(bedrock: Any, run: Run) -> None:
    """It is found by running again."""
    deploy(bedrock, run)
    with pytest.raises(ConflictError, match=r"currently in use.*Run this again"):
        deploy(bedrock, run)


def test_start_deployment_when_the_base_model_has_none_then_aws_s_reason_is_told(
    tuned_run: Callable[..., Run],
) -> None:
    """Claude 3 Haiku's custom models are served through throughput only."""
    claude = tuned_run()
    with pytest.raises(SettingsError, match="Provisioned Throughput only"):
        deploy(claude.connection.client("bedrock"), claude)


def test_wait_for_deployment_when_the_model_is_gone_then_gives_aws_s_reason(
    bedrock: Any, run: Run, tmp_path: Path
) -> None:
    """AWS says Failed of one that has become unavailable."""
    arn = deploy(bedrock, run)
    (files,) = (path for path in tmp_path.rglob("models/*") if path.is_dir())
    shutil.rmtree(files)
    with pytest.raises(JobFailedError, match=r"files of custom model .* are gone.*Delete it"):
        wait_for_served(bedrock, arn, SOON)
