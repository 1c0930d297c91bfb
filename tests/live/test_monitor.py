"""A job is watched: what it shows moves, and leaving the watch leaves the job."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from haikuft import customization, live, s3
from haikuft.aws.waiting import Waiting
from haikuft.customization.readings import CustomizationJob
from haikuft.errors import JobFailedError, SandboxError, WaitTimeoutError
from haikuft.live import monitor as module
from haikuft.live.confirm_button import ConfirmButton
from haikuft.runs.run_record import Run

Started = Callable[..., tuple[Run, str]]


def watch(run: Run, arn: str, **options: Any) -> CustomizationJob:
    """Watch to the end, as a program does."""
    return asyncio.run(live.watch_job(run.connection, arn, **options))


@pytest.fixture
def monitors(monkeypatch: pytest.MonkeyPatch) -> list[module.JobMonitor]:
    """Collect the monitors that are shown."""
    shown: list[module.JobMonitor] = []
    show = module.JobMonitor.show

    def collect(self: module.JobMonitor, view: Any) -> None:
        shown.append(self)
        show(self, view)

    monkeypatch.setattr(module.JobMonitor, "show", collect)
    return shown


def test_watch_when_nobody_sits_there_then_each_change_is_a_line_and_nothing_is_shown(
    new_run: Callable[..., Run], start_job: Started, monitors: list[module.JobMonitor]
) -> None:
    """As in a log; the job comes back completed."""
    run, arn = start_job(new_run(stage_seconds=0.2))
    lines: list[str] = []

    job = watch(run, arn, tell=lines.append)

    assert job.status == "Completed"
    assert lines[-1].startswith("Completed · ")
    assert any(line.startswith("InProgress · training · ") for line in lines)
    assert len(set(lines)) == len(lines)
    assert monitors == []


def test_watch_when_the_job_is_over_then_it_is_found_so_at_once(
    new_run: Callable[..., Run], start_job: Started
) -> None:
    """Opening the notebook again finds it."""
    run, arn = start_job(new_run())
    first = watch(run, arn, tell=lambda line: None)

    assert watch(run, arn, tell=lambda line: None, waiting=Waiting(deadline_seconds=0)) == first


def test_watch_when_somebody_sits_there_then_stages_and_losses_are_shown_to_the_end(
    new_run: Callable[..., Run], start_job: Started, monitors: list[module.JobMonitor]
) -> None:
    """No button stays when there is nothing to stop; whoever looks later sees the same losses."""
    run, arn = start_job(new_run(stage_seconds=0.3))

    lines: list[str] = []

    for _ in range(2):
        watch(run, arn, interactive=True, tell=lines.append)

    assert not [line for line in lines if "Completed" in line]  # the view says it

    for monitor in monitors:
        picture = monitor.box.children[0].value
        assert "Completed" in picture
        assert "training loss" in picture
        assert "validation loss after each epoch" in picture
        assert monitor.button.button.layout.display == "none"
    assert len(monitors) == 2


def test_watch_when_left_then_the_job_continues_and_the_next_watch_finds_it(
    new_run: Callable[..., Run], start_job: Started, monitors: list[module.JobMonitor]
) -> None:
    """Interrupting the cell cancels the wait, and only that."""
    run, arn = start_job(new_run(stick_stage="training"))

    async def leave() -> None:
        seen = asyncio.Event()
        watching = asyncio.create_task(
            live.watch_job(run.connection, arn, interactive=True, tell=lambda line: seen.set())
        )
        await seen.wait()
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching

    asyncio.run(leave())

    assert customization.get_job(run.connection.client("bedrock"), arn).status == "InProgress"
    assert "the job continues" in monitors[0].box.children[0].value
    monitors[0].button.button.click()
    monitors[0].button.yes.click()  # it is heard after the watch, too
    with pytest.raises(JobFailedError, match="was stopped"):
        watch(run, arn, tell=lambda line: None)


def test_watch_when_the_deadline_passes_then_it_says_that_the_job_continues(
    new_run: Callable[..., Run], start_job: Started
) -> None:
    """The error of every wait."""
    run, arn = start_job(new_run(stick_stage="validation"))

    with pytest.raises(WaitTimeoutError, match="continues"):
        watch(run, arn, waiting=Waiting(deadline_seconds=0), tell=lambda line: None)

    customization.stop_job(run.connection.client("bedrock"), arn)


def test_watch_when_the_losses_cannot_be_read_then_the_job_is_watched_all_the_same(
    new_run: Callable[..., Run],
    start_job: Started,
    monitors: list[module.JobMonitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong is said, until the job's files tell the losses; then that these are gone."""

    def fail(*_: Any) -> Any:
        raise SandboxError("It does not answer.")

    run, arn = start_job(new_run(stage_seconds=0.2))
    monkeypatch.setattr(type(run.connection), "read_progress", fail)

    job = watch(run, arn, interactive=True, tell=lambda line: None)
    s3.delete_objects(run.connection.client("s3"), run.record.bucket, [""])
    again = watch(run, arn, interactive=True, tell=lambda line: None)

    first, second = (monitor.box.children[0].value for monitor in monitors)
    assert again == job
    assert "training loss" in first
    assert "The losses cannot be read: No step_wise_training_metrics.csv" in second


def test_button_when_clicked_once_then_it_asks_and_does_nothing() -> None:
    """And "no" leaves everything as it was."""
    done: list[str] = []
    one = ConfirmButton("Stop …", "Really?", "Yes", "No", lambda: done.append("x") or "Done.")

    one.button.click()
    assert (one.button.disabled, one._answers.layout.display) == (True, "")
    assert "Really?" in one.message.value
    one.no.click()

    assert (done, one.button.disabled, one._answers.layout.display) == ([], False, "none")
    assert one.message.value == ""


def test_button_when_confirmed_then_it_acts_once_and_says_what_came_of_it() -> None:
    """What cannot be undone is not done twice."""
    done: list[str] = []
    one = ConfirmButton("Stop …", "Really?", "Yes", "No", lambda: done.append("x") or "<Done>.")

    one.button.click()
    one.yes.click()

    assert done == ["x"]
    assert (one.button.disabled, one._answers.layout.display) == (True, "none")
    assert "&lt;Done&gt;." in one.message.value


def test_button_when_the_deed_fails_then_the_reason_is_shown_and_it_can_be_tried_again() -> None:
    """An error in a callback is lost otherwise."""

    def fail() -> str:
        raise SandboxError("Not now.")

    one = ConfirmButton("Stop …", "Really?", "Yes", "No", fail)
    one.button.click()
    one.yes.click()

    assert "⚠ Not now." in one.message.value
    assert one.button.disabled is False


def test_controls_when_looked_at_then_each_button_says_what_it_does() -> None:
    """Words, not colours or icons alone."""
    button = module.JobMonitor(lambda: "").button

    labels = [one.description for one in (button.button, button.yes, button.no)]
    assert labels == ["Stop the job …", "Yes, stop the job", "No, let it run"]
