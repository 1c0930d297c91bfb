"""Run jobs, each in a thread, and stop them; how a job ends is recorded in any case."""

import threading
from abc import ABC, abstractmethod
from typing import Any

from haikuft.errors import SandboxError
from haikuft.sandbox.access.policy_evaluation import AccessDenied
from haikuft.sandbox.access.store import RoleNotAssumable
from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.records import ControlPlane
from haikuft.sandbox.bedrock.resources import Kind
from haikuft.sandbox.directory import as_state_error, write_log
from haikuft.sandbox.http.messages import Call, ServiceError, conflict_error, report_failure
from haikuft.sandbox.jobs.files import UNEXPECTED, JobError

RETRY_SECONDS = 2.0  # between two attempts to record how a job ended


class JobStoppedError(Exception):
    """The job has been stopped by a request, or the server ends and the next starts it again."""


class JobRunner(ABC):
    """One thread for each running job; a subclass defines what a job does.

    Args:
        plane: The records the jobs change.
        kind: The kind of jobs.

    Attributes:
        closing: Set when the server ends; the next server resumes the jobs that stop then.
    """

    def __init__(self, plane: ControlPlane, kind: Kind[Any]) -> None:
        self.closing = threading.Event()
        self._plane = plane
        self._kind = kind
        # ARN -> its thread, and the event that stops it. Each use is one step, which needs no lock.
        self._at_work: dict[str, tuple[threading.Thread, threading.Event]] = {}

    @abstractmethod
    def work(self, arn: str) -> None:
        """Do the job's work and complete it; `check_stop` between two parts of it."""

    @abstractmethod
    def describe_change(self, job: Any, status: str, *failure_messages: str) -> dict[str, Any]:
        """Return the attributes of a job's record that change with its status."""

    def set_status(self, arn: str, status: str, *failure_messages: str) -> None:
        """Record a job's status; InProgress means that it starts again."""
        with self._plane.state.lock:
            job = self._kind.table(self._plane.state)[arn]
            changes = self.describe_change(job, status, *failure_messages)
            resources.update(self._plane, self._kind, job, status=status, **changes)

    def resume(self) -> None:
        """Start the jobs again that the last server left unfinished; one Stopping has stopped."""
        for job in list(self._kind.table(self._plane.state).values()):
            if job.status == "Stopping":
                self.set_status(job.arn, "Stopped")
            elif job.status == "InProgress":
                self.set_status(job.arn, "InProgress")
                self.start(job.arn)

    def stop(self, call: Call) -> dict[str, Any]:
        """Stop the job that a request names, only while InProgress; its thread records the end."""
        with self._plane.state.lock:
            job = resources.require(self._plane, call, self._kind)
            if job.status != "InProgress":
                raise conflict_error(f"Job {job.name} is {job.status} and cannot be stopped.")
            self.set_status(job.arn, "Stopping")
            self.interrupt(job.arn)
        return {}

    @property
    def running(self) -> int:
        """The number of running jobs; a sandbox with running jobs is not idle."""
        return len(self._at_work)

    def start(self, arn: str) -> None:
        """Run the job in a new thread."""
        thread = threading.Thread(
            target=self._run, args=(arn,), name=arn.rpartition(":")[2], daemon=True
        )
        self._at_work[arn] = thread, threading.Event()
        thread.start()

    def stop_event(self, arn: str) -> threading.Event:
        """Return the event that stops this job; only while it runs."""
        return self._at_work[arn][1]

    def check_stop(self, arn: str) -> None:
        """Raise JobStoppedError if the job is stopped or the server ends."""
        if self.closing.is_set() or self.stop_event(arn).is_set():
            raise JobStoppedError

    def pause(self, arn: str, seconds: float) -> None:
        """Wait some seconds, or until the job is to stop; then as `check_stop`."""
        if seconds > 0:
            self.wait(self.stop_event(arn), seconds)
        self.check_stop(arn)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for an event or some seconds, whichever is first; return whether it is the event."""
        return event.wait(seconds)

    def interrupt(self, arn: str) -> None:
        """Stop a job; one that has ended is ignored."""
        if found := self._at_work.get(arn):
            found[1].set()

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until the job has ended, or for some seconds."""
        if found := self._at_work.get(arn):
            found[0].join(seconds)

    def close(self, *, seconds: float = 5.0) -> None:
        """Stop all jobs and wait for each thread, at most `seconds`.

        The records stay as they are: the next server resumes the jobs.
        """
        self.closing.set()
        arns = list(self._at_work)
        for arn in arns:
            self.interrupt(arn)
        for arn in arns:
            self.join(arn, seconds)

    def _run(self, arn: str) -> None:
        try:
            self.work(arn)
        except JobStoppedError:
            self._end(arn, "Stopped")
        except (JobError, AccessDenied, RoleNotAssumable, ServiceError) as failure:
            self._end(arn, "Failed", str(failure)[:2048])
        except Exception as error:  # the job must end in any case, and the log contain the reason
            report_failure(as_state_error(error, self._plane.models_dir.parent))
            self._end(arn, "Failed", UNEXPECTED)
        finally:
            del self._at_work[arn]

    def _end(self, arn: str, status: str, *failure_messages: str) -> None:
        """Record how the job ended; try again while the database cannot be written.

        Nothing is recorded once the server ends: the next one starts the job again.
        """
        while not self.closing.is_set():
            try:
                self.set_status(arn, status, *failure_messages)
                break
            except SandboxError as error:
                write_log(f"{arn} has ended: {status}. {error}")
                self.wait(self.closing, RETRY_SECONDS)
