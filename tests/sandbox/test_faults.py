"""Injected faults, and that the helpers continue after them."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError
from urllib3.exceptions import ProtocolError

import haikuft.sandbox
from haikuft import customization
from haikuft.aws.waiting import Waiting
from haikuft.customization.jobs import wait_for_job
from haikuft.runs.run_record import Run
from haikuft.sandbox.http.faults import Faults, make_faults
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.settings import SandboxSettings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SEED = 9  # cuts the connection of the first two calls, which create the job
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"


def draw(settings: SandboxSettings, count: int) -> list[str]:
    """Choose for so many calls; return the fault of each."""
    faults = Faults(settings)

    def inject() -> str:
        try:
            return "cut" if faults.inject() else "none"
        except ServiceError as error:
            return error.code

    return [inject() for _ in range(count)]


def ask(local: Any) -> Any:
    """Ask the base model of a sandbox."""
    messages = [{"role": "user", "content": [{"text": "Hello?"}]}]
    return local.client("bedrock-runtime").converse(modelId=HAIKU, messages=messages)


def test_faults_occur_in_the_shares_that_are_set() -> None:
    """Of many calls each fault gets its share, within what chance allows."""
    settings = SandboxSettings(throttle_share=0.1, error_share=0.05, drop_share=0.02)
    counts = Counter(draw(settings, 10_000))
    assert counts["ThrottlingException"] == pytest.approx(1000, abs=100)
    assert counts["InternalServerException"] == pytest.approx(500, abs=75)
    assert counts["cut"] == pytest.approx(200, abs=50)


def test_faults_with_the_same_seed_occur_in_the_same_calls() -> None:
    """A lesson has the same faults each time; another seed gives others."""
    settings = SandboxSettings(throttle_share=0.3, fault_seed=7)
    assert draw(settings, 100) == draw(settings, 100)
    assert draw(settings, 100) != draw(SandboxSettings(throttle_share=0.3, fault_seed=8), 100)


def test_faults_when_none_are_set_do_not_occur() -> None:
    """As the sandbox is by default; with a share of any kind there is what injects them."""
    assert set(draw(SandboxSettings(), 100)) == {"none"}
    assert make_faults(SandboxSettings()) is None
    for share in ("throttle_share", "error_share", "drop_share"):
        assert make_faults(SandboxSettings(**{share: 0.1})) is not None


def test_faults_when_settings_are_set_to_what_they_are_then_go_on(
    local_sandbox: Callable[..., Any],
) -> None:
    """As by each notebook that names them; only a change starts the faults anew."""
    shares = {"throttle_share": 0.5, "fault_seed": SEED}
    local = local_sandbox(handlers=None, **shares)
    found = []
    for _ in range(8):
        haikuft.sandbox.configure(local.url, **shares)
        try:
            ask(local)
            found.append("none")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])
    assert found == draw(SandboxSettings(**shares), 8)  # type: ignore[arg-type]
    assert len(set(found)) == 2


@pytest.mark.parametrize(
    ("share", "code", "status"),
    [
        ("throttle_share", "ThrottlingException", 429),
        ("error_share", "InternalServerException", 500),
    ],
)
def test_call_when_refused_by_a_fault_has_aws_code_and_status(
    local_sandbox: Callable[..., Any], share: str, code: str, status: int
) -> None:
    """Clients see what AWS would send."""
    local = local_sandbox(handlers=None, **{share: 1.0})
    with pytest.raises(ClientError) as refused:
        ask(local)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_call_when_its_connection_is_cut_has_been_carried_out(
    local_sandbox: Callable[..., Any],
) -> None:
    """The client hears nothing, and yet the throughput is there."""
    local = local_sandbox(handlers=None, drop_share=1.0)
    bedrock = local.client("bedrock")
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        bedrock.create_provisioned_model_throughput(
            modelUnits=1, provisionedModelName="cut", modelId=f"{HAIKU}:200k"
        )
    local.application.change_settings({"drop_share": 0.0})
    found = bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"]
    assert [throughput["provisionedModelName"] for throughput in found] == ["cut"]


def test_stream_when_its_connection_is_cut_breaks_off_after_its_first_events(
    local_sandbox: Callable[..., Any],
) -> None:
    """The client has HTTP 200 and a beginning, and then no end."""
    runtime = local_sandbox(handlers=None, drop_share=1.0).client("bedrock-runtime")
    messages = [{"role": "user", "content": [{"text": "Hello?"}]}]
    events = iter(runtime.converse_stream(modelId=HAIKU, messages=messages)["stream"])
    assert [next(iter(next(events))) for _ in range(2)] == ["messageStart", "contentBlockDelta"]
    with pytest.raises((ProtocolError, HTTPClientError)):
        next(events)


def test_job_when_calls_fail_and_connections_are_cut_is_made_once_and_waited_for(
    new_run: Callable[..., Run], set_up: Callable[[Run], Run]
) -> None:
    """Our clients ask again, with the same token: no doubled job, no job lost from sight."""
    run = set_up(new_run(throttle_share=0.1, error_share=0.1, drop_share=0.3, fault_seed=SEED))
    bedrock = run.connection.client("bedrock")
    planned = customization.plan_job(bedrock, run, {"epochCount": "1"})

    arn = customization.start_job(bedrock, planned.request)
    job = wait_for_job(bedrock, arn, Waiting(poll_seconds=0.2))

    assert job.status == "Completed"
    jobs = bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]
    assert [job["jobArn"] for job in jobs] == [arn]
    models = bedrock.list_custom_models()["modelSummaries"]
    assert [model["modelArn"] for model in models] == [job.custom_model_arn]
