"""A job past its time: warned of with a source, and given up by the wait, never by the job."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fakes import NOON, Time

from haikuft import customization as c
from haikuft.aws.waiting import Waiting
from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_2_LITE, JobTime
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.readings import CustomizationJob
from haikuft.customization.stalls import StallWatch
from haikuft.errors import WaitTimeoutError
from haikuft.runs.run_record import Run

TWO_HOURS = JobTime(7200, "such jobs, 1 to 2 hours", "a page")


@pytest.fixture
def stuck(new_run: Callable[..., Run], set_up: Callable[[Run], Run]) -> tuple[Any, str]:
    """Start a job that stays in its first stage; give a client, and the job's ARN."""
    run = set_up(new_run(stick_stage="validation"))
    bedrock = run.connection.client("bedrock")
    plan = c.plan_job(bedrock, run, {"epochCount": "1"})
    return bedrock, c.start_job(bedrock, plan.request)


def wait(
    bedrock: Any, arn: str, expected: JobTime | None = None, **waiting: Any
) -> tuple[list[str], str, Time]:
    """Wait 24 hours in no time; give the warnings, the last words and the time."""
    time, warnings = Time(c.get_job(bedrock, arn).created), []
    with pytest.raises(WaitTimeoutError) as caught:
        wait_for_job(
            bedrock,
            arn,
            time.waiting(poll_seconds=1800, **waiting),
            now=time.now,
            warn=warnings.append,
            expected=expected,
        )
    return warnings, str(caught.value), time


def test_wait_for_job_when_a_stage_sticks_then_warns_at_each_doubling_and_ends_the_wait_alone(
    stuck: tuple[Any, str],
) -> None:
    """Past 2, 4, 8 and 16 hours; at the deadline the job continues, the error says what to do."""
    bedrock, arn = stuck
    warnings, last, time = wait(bedrock, arn, expected=TWO_HOURS)
    assert [one.partition(" for ")[2].split(" (")[0] for one in warnings] == [
        "2.5 hours",
        "4.5 hours",
        "8.5 hours",
        "16.5 hours",
    ]
    assert "such jobs, 1 to 2 hours (a page)" in warnings[0]
    assert "training NotStarted" in warnings[0]
    assert time.seconds == 24 * 3600
    assert "continues. It was waited for as long as allowed, 24 hours. To" in last
    for words in (warnings[0], last):
        assert "customization.stop_job(bedrock, job_arn)" in words
        assert "new_job = True" in words
        assert "the data in S3 is kept; on AWS the tokens" in words
    assert c.get_job(bedrock, arn).status == "InProgress"


def test_wait_for_job_when_nobody_said_how_long_then_warns_of_nothing(
    stuck: tuple[Any, str],
) -> None:
    """No time is made up; the deadline ends the wait all the same."""
    warnings, last, _ = wait(*stuck, deadline_seconds=3600)
    assert warnings == []
    assert "1 hour. To wait longer" in last


def test_wait_for_job_when_resumed_then_counts_from_the_job_s_beginning(
    stuck: tuple[Any, str],
) -> None:
    """A wait that begins anew after a night knows that the job is late."""
    bedrock, arn = stuck
    created, warnings = c.get_job(bedrock, arn).created, []
    with pytest.raises(WaitTimeoutError):
        wait_for_job(
            bedrock,
            arn,
            Waiting(poll_seconds=0, deadline_seconds=0),
            expected=TWO_HOURS,
            warn=warnings.append,
            now=lambda: created + timedelta(hours=25),
        )
    assert len(warnings) == 1
    assert "for 25 hours" in warnings[0]


def test_stall_watch_when_the_job_has_ended_then_is_silent() -> None:
    """However long it took."""
    warnings: list[str] = []
    watch = StallWatch(TWO_HOURS, warnings.append)
    job = CustomizationJob("arn", "j", "Completed", "m", "r", "t", "o", NOON)
    watch.check(job, NOON + timedelta(days=2))
    assert warnings == []


def test_expect_time_when_not_given_then_is_the_documented_one_with_its_source_or_none() -> None:
    """Claude's documentation says hours and no figure."""
    assert c.expect_time(CLAUDE_3_HAIKU) is None
    assert c.expect_time(NOVA_2_LITE) == NOVA_2_LITE.job_time
    given = c.expect_time(NOVA_2_LITE, 5400)
    assert given == JobTime(5400, "1.5 hours", "as given")
    for model in BASE_MODELS.values():
        if model.job_time:
            assert model.job_time.seconds > 0
            assert model.job_time.of
            assert model.job_time.source
