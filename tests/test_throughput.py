"""Provisioned Throughput: found or started, waited for, deleted, and what holds it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from haikuft import throughput as t
from haikuft.errors import (
    AccessError,
    ConflictError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
    WaitTimeoutError,
)

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
MODEL = "arn:aws:bedrock:us-west-2:123456789012:custom-model/a.b-v1:0:200k/abcdefghijkl"
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}


def refusal(code: str, message: str, status: int = 400) -> ClientError:
    """Build an error as botocore raises it."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Operation")


GONE = refusal("ResourceNotFoundException", "Could not find provisioned model.", 404)


def reading(status: str = "InService", **changes: Any) -> dict[str, Any]:
    """Build an answer of GetProvisionedModelThroughput."""
    return {
        "provisionedModelArn": ARN,
        "provisionedModelName": "serve-1",
        "modelArn": MODEL,
        "desiredModelArn": MODEL,
        "modelUnits": 1,
        "desiredModelUnits": 1,
        "status": status,
        "creationTime": NOW,
        "lastModifiedTime": NOW,
        **changes,
    }


class Scripted:
    """A Bedrock client whose readings the test has written down; it keeps what it is asked."""

    def __init__(self, *script: Any, create: Any = None, delete: Any = None) -> None:
        self.script = list(script)
        self.create, self.delete = create, delete
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def get_provisioned_model_throughput(self, **_: Any) -> Any:
        """Give the next reading; the last one is repeated for good."""
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(line, Exception):
            raise line
        return line

    def create_provisioned_model_throughput(self, **request: Any) -> Any:
        """Create it, or refuse."""
        if self.create is not None:
            raise self.create
        self.created.append(request)
        return {"provisionedModelArn": ARN}

    def delete_provisioned_model_throughput(self, *, provisionedModelId: str) -> None:  # noqa: N803
        """Delete it, or refuse."""
        if self.delete is not None:
            raise self.delete
        self.deleted.append(provisionedModelId)


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


def start(client: Any, **changes: Any) -> str:
    """Start the throughput of these tests."""
    return t.start_throughput(client, "serve-1", **{"model_arn": MODEL, "tags": TAGS, **changes})


def wait(client: Any, time: Time | None = None, **options: Any) -> t.Throughput:
    """Wait without losing a second."""
    time = time or Time()
    return t.wait_for_throughput(client, ARN, sleep=time.sleep, clock=time.clock, **options)


def delete(client: Any, time: Time | None = None) -> bool:
    """Delete without losing a second."""
    time = time or Time()
    return t.delete_throughput(client, ARN, sleep=time.sleep, clock=time.clock)


@pytest.mark.parametrize(
    ("commitment", "duration"),
    [("none", None), ("1 month", "OneMonth"), ("6 months", "SixMonths")],
)
def test_start_throughput_when_asked_then_carries_our_tags_and_token(
    commitment: str, duration: str | None
) -> None:
    """No commitment means that AWS's member is left out."""
    client = Scripted(GONE)
    assert start(client, commitment=commitment, model_units=2, token="t") == ARN
    (request,) = client.created
    assert request.get("commitmentDuration") == duration
    assert request["modelUnits"] == 2
    assert request["modelId"] == MODEL
    assert request["tags"] == [{"key": key, "value": value} for key, value in TAGS.items()]
    assert request["clientRequestToken"] == "t"


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
    client: Any = Scripted(reading())
    found = t.get_throughput(client, ARN)
    t.check_same(found, model_arn=MODEL)
    with pytest.raises(ConflictError, match=words):
        t.check_same(found, **{"model_arn": MODEL, **change})


@pytest.mark.parametrize(
    ("change", "words"),
    [({"model_units": 0}, "take 1 or more"), ({"commitment": "1 year"}, "none, 1 month, 6 months")],
)
def test_start_throughput_when_asked_for_the_impossible_then_sends_nothing(
    change: dict[str, Any], words: str
) -> None:
    """Faults are found before AWS is asked."""
    client: Any = Scripted(GONE)
    with pytest.raises(SettingsError, match=words):
        t.start_throughput(client, "serve-1", **{"model_arn": MODEL, **change})
    with pytest.raises(SettingsError, match=r'throughput name "a\.b"'):
        t.start_throughput(client, "a.b", model_arn=MODEL)
    assert client.created == []


def test_start_throughput_when_quota_is_zero_then_says_whom_to_ask() -> None:
    """AWS's default is no units at all; the tuned model is safe meanwhile."""
    message = "Your account does not currently have any no commitment model units reserved for x"
    client = Scripted(GONE, create=refusal("ServiceQuotaExceededException", message))
    with pytest.raises(AccessError, match=r"model units reserved.*AWS Support.*model stays"):
        start(client)


def test_get_throughput_when_committed_then_tells_until_when() -> None:
    """AWS's words for terms become ours."""
    client: Any = Scripted(reading(commitmentDuration="OneMonth", commitmentExpirationTime=NOW))
    found = t.get_throughput(client, ARN)
    assert (found.commitment, found.expires) == ("1 month", NOW)


def test_find_throughput_when_gone_then_is_none() -> None:
    """What AWS does not know is shown as gone, never a crash."""
    client: Any = Scripted(GONE)
    assert t.find_throughput(client, ARN) is None
    with pytest.raises(NotFoundError):
        t.get_throughput(client, ARN)


def test_wait_for_throughput_when_in_service_then_returns_it() -> None:
    """Creating and Updating are waited out, each shown once."""
    changes: list[t.Throughput] = []
    client = Scripted(reading("Creating"), reading("Creating"), reading("InService"))
    assert wait(client, on_change=changes.append).status == "InService"
    assert [one.status for one in changes] == ["Creating", "InService"]


def test_wait_for_throughput_when_it_fails_then_gives_aws_s_reason() -> None:
    """A failed one has to be deleted before another try."""
    client = Scripted(reading("Failed", failureMessage="No capacity."))
    with pytest.raises(JobFailedError, match=r"No capacity\. Delete it"):
        wait(client)


def test_wait_for_throughput_when_status_is_unknown_then_is_an_error() -> None:
    """A word nobody knows may well bill."""
    with pytest.raises(HaikuftError, match=r'"Sleeping", which.*may bill'):
        wait(Scripted(reading("Sleeping")))


def test_wait_for_throughput_when_deadline_passes_then_says_that_it_goes_on() -> None:
    """The wait ends, the throughput does not."""
    time = Time()
    with pytest.raises(WaitTimeoutError, match=r"goes on.*haikuft run --run first --from 5"):
        wait(Scripted(reading("Creating")), time, resume="haikuft run --run first --from 5")
    assert time.seconds == 7200


def test_delete_throughput_when_in_service_then_waits_until_it_is_gone() -> None:
    """Only what AWS no longer knows is deleted."""
    client = Scripted(reading(), reading(), reading(), GONE)
    assert delete(client) is True
    assert client.deleted == [ARN]


def test_delete_throughput_when_gone_then_succeeds() -> None:
    """Deleting twice is fine."""
    client = Scripted(GONE)
    assert delete(client) is False
    assert client.deleted == []


def test_delete_throughput_when_committed_then_says_until_when() -> None:
    """A term cannot be cut short, and renews by itself."""
    committed = reading(commitmentDuration="SixMonths", commitmentExpirationTime=NOW)
    client = Scripted(committed, delete=refusal("ConflictException", "Committed."))
    with pytest.raises(ConflictError, match=r"6 months, until 2026-11-21 12:00 UTC.*renew"):
        delete(client)


def test_delete_throughput_when_it_stays_then_does_not_call_it_deleted() -> None:
    """A deletion without effect is a time-out, not a success."""
    with pytest.raises(WaitTimeoutError, match="Deleting Provisioned Throughput serve-1"):
        delete(Scripted(reading()))
