"""Threads that work on one job each."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.jobs.files import UNEXPECTED, JobError
from haikuft.sandbox.jobs.runner import JobRunner, JobStoppedError


class Runner(JobRunner):
    """A runner whose work a test gives."""

    def __init__(self, work: Callable[[JobRunner, str], object]) -> None:
        super().__init__(cast(Any, SimpleNamespace(models_dir=Path("/s/models"))), cast(Any, None))
        self._work = work
        self.interrupted: list[str] = []
        self.ended: list[tuple[str, ...]] = []

    def work(self, arn: str) -> None:
        """Do what the test says."""
        self._work(self, arn)

    def describe_change(self, job: Any, status: str, *failure_messages: str) -> dict[str, Any]:
        """Change nothing: there is no record."""
        return {}

    def set_status(self, arn: str, status: str, *failure_messages: str) -> None:
        """Note how the job ended."""
        self.ended.append((arn, status, *failure_messages))

    def interrupt(self, arn: str) -> None:
        """Note which job is stopped."""
        self.interrupted.append(arn)
        super().interrupt(arn)


def test_work_when_told_to_stop_ends_and_is_counted_no_more() -> None:
    """Only the event of the job that is stopped is set."""
    began = threading.Barrier(3)

    def work(threads: JobRunner, arn: str) -> None:
        event = threads.stop_event(arn)
        began.wait(5)
        event.wait()

    threads = Runner(work)
    threads.start("a")
    threads.start("b")
    began.wait(5)
    assert threads.running == 2
    threads.interrupt("a")
    threads.join("a")
    assert threads.running == 1
    assert not threads.stop_event("b").is_set()
    threads.interrupt("b")
    threads.join("b")
    assert threads.running == 0


def test_work_when_it_has_ended_can_be_stopped_and_waited_for_in_vain() -> None:
    """Nothing happens, and it is not at work any more."""
    threads = Runner(lambda threads, arn: None)
    threads.start("a")
    threads.join("a")
    threads.interrupt("a")
    assert threads.running == 0


def test_close_stops_all_and_says_that_the_server_ends() -> None:
    """Each is stopped by the subclass's own way of stopping, and waited for."""
    threads = Runner(lambda threads, arn: threads.stop_event(arn).wait())
    for arn in ("a", "b"):
        threads.start(arn)
    threads.close()
    assert sorted(threads.interrupted) == ["a", "b"]
    assert threads.closing.is_set()
    assert threads.running == 0


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (JobError("The file is empty."), ("a", "Failed", "The file is empty.")),
        (
            ServiceError("ThrottlingException", "Slow down."),
            ("a", "Failed", "ThrottlingException: Slow down."),
        ),
        (RuntimeError("unknown"), ("a", "Failed", UNEXPECTED)),
        (JobStoppedError(), ("a", "Stopped")),
    ],
)
def test_run_when_the_work_raises_then_the_end_is_recorded(
    error: Exception, ended: tuple[str, ...]
) -> None:
    """A fault that a user can fix is in the message; any other is logged, with AWS's sentence."""

    def work(runner: JobRunner, arn: str) -> None:
        raise error

    runner = Runner(work)
    runner.start("a")
    runner.join("a")
    assert runner.ended == [ended]


def test_run_when_the_disk_is_full_then_the_log_has_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It names the state directory; the job has AWS's sentence for what a user cannot see."""

    def work(runner: JobRunner, arn: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    runner = Runner(work)
    runner.start("a")
    runner.join("a")
    assert runner.ended == [("a", "Failed", UNEXPECTED)]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The sandbox cannot use its state directory /s: [Errno 28] No space")


def test_run_when_the_server_closes_then_the_record_stays_for_the_next_server() -> None:
    """Nothing is recorded: the job is not over."""

    def work(runner: JobRunner, arn: str) -> None:
        runner.stop_event(arn).wait()
        runner.check_stop(arn)

    runner = Runner(work)
    runner.start("a")
    runner.close()
    assert runner.ended == []
