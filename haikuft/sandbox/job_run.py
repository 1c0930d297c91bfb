"""A customization job at work: validation, data processing, training, results.

Each job has a thread, and its training a child process of its own, so that training blocks
nothing else. Each stage lasts at least `stage_seconds`, so that it can be seen. A child ends when
the job is stopped and when the server goes: its standard input is a pipe that the server holds.
"""

import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from haikuft.dataset.report import Kind
from haikuft.errors import SandboxError
from haikuft.sandbox.intake import (
    PROBE,
    UNEXPECTED,
    JobError,
    check_key,
    check_records,
    check_total,
    find_output,
    input_uris,
    read_input,
    write_output,
)
from haikuft.sandbox.job_record import complete, finish, mark_stage, mark_stopping
from haikuft.sandbox.settings import STAGE_NAMES
from haikuft.sandbox.state import STAGES, ControlPlane, Job, id_of
from haikuft.sandbox.storage import Role, RoleNotAssumable
from haikuft.sandbox.workers import Workers

VALIDATION, DATA_PROCESSING, TRAINING = STAGES
SETTABLE = dict(zip(STAGES, STAGE_NAMES, strict=True))  # AWS's name -> that in the settings
STICK_SECONDS = 0.1  # how often a job that sticks looks whether it still shall
CONCURRENT_TRAININGS = 2  # as many as AWS ran at once (hashicorp/terraform-provider-aws#37990)
KINDS: tuple[Kind, ...] = ("training", "validation")
RETRY_SECONDS = 2.0  # between two tries to write down how a job ended
SEED = 0
WORK_PREFIX = ".job-"  # of the names of working directories

# The child's file -> its key under the job's output location, as on AWS.
RESULTS = {
    "step_wise_training_metrics.csv": "training_artifacts/step_wise_training_metrics.csv",
    "validation_metrics.csv": (
        "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv"
    ),
}


class JobStoppedError(Exception):
    """Someone asked the job to stop."""


class ServerClosingError(Exception):
    """The server ends; the next one begins the job again."""


class JobRunner:
    """Runs jobs in threads, and stops them.

    Args:
        plane: The records the jobs change.
        wait: How to wait for an event or the seconds, whichever is first; true for the event.
        command: What trains; the job's working directory is added as its last argument.
    """

    def __init__(
        self,
        plane: ControlPlane,
        *,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
        command: Sequence[str] = (sys.executable, "-m", "haikuft.sandbox.training"),
    ) -> None:
        self._command = command
        self._plane = plane
        self._wait = wait
        self._workers = Workers()
        self._lock = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._slots = threading.Semaphore(CONCURRENT_TRAININGS)

    @property
    def running(self) -> int:
        """How many jobs are at work."""
        return self._workers.running

    def start(self, arn: str) -> None:
        """Begin the job's work in a thread of its own."""
        self._workers.start(arn, self._run)

    def stop(self, arn: str) -> None:
        """Turn the job to Stopping and end its child; its thread turns it to Stopped."""
        mark_stopping(self._plane, arn)
        self._interrupt(arn)

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until the job's thread has ended, at most so long."""
        self._workers.join(arn, seconds)

    def close(self) -> None:
        """End all work and its children. The records stay as they are: jobs can be gone on with."""
        self._workers.close(self._interrupt)

    def _interrupt(self, arn: str) -> None:
        self._workers.stop(arn)
        with self._lock:
            child = self._children.get(arn)
        if child is not None:
            child.terminate()

    def _run(self, arn: str) -> None:
        prefix = f"{WORK_PREFIX}{id_of(arn)}-"
        try:
            with TemporaryDirectory(
                prefix=prefix, dir=self._plane.models_dir, ignore_cleanup_errors=True
            ) as workdir:
                self._work(arn, Path(workdir))
        except ServerClosingError:
            pass
        except JobStoppedError:
            self._end(arn, "Stopped")
        except JobError as failure:
            self._end(arn, "Failed", failure_message=str(failure)[:2048])
        except Exception:  # whatever it was, the job must end, and the server's log say why
            traceback.print_exc()
            self._end(arn, "Failed", failure_message=UNEXPECTED)

    def _work(self, arn: str, workdir: Path) -> None:
        plane, job = self._plane, self._plane.state.jobs[arn]
        base_model = plane.base_models[job.base_model_id]
        with self._stage(arn, VALIDATION):
            role = self._assume_role(job)
            output_uri = find_output(job.request, id_of(arn))
            check_key(plane.store, role, job.kms_key_arn)
            write_output(plane.store, role, job.request["outputDataConfig"]["s3Uri"], PROBE, b"")
            records = 0
            for kind, uri in zip(KINDS, input_uris(job.request), strict=False):
                path = workdir / f"{kind}.jsonl"
                path.write_bytes(read_input(plane.store, role, uri))
                records += check_records(path, base_model, kind=kind, uri=uri).records
        with self._stage(arn, DATA_PROCESSING):
            check_total(records, base_model)
            settings = {
                "hyperparameters": dict(job.hyperparameters),
                "base_model_id": job.base_model_id,
                "seed": SEED,
            }
            (workdir / "job.json").write_text(json.dumps(settings), encoding="utf-8")
        with self._stage(arn, TRAINING):
            self._train(arn, workdir)
            for name, target in RESULTS.items():
                if (workdir / name).exists():
                    data = (workdir / name).read_bytes()
                    write_output(plane.store, role, output_uri, target, data)
        with plane.state.lock:
            self._check_stop(arn)
            complete(plane, arn, workdir)

    def _assume_role(self, job: Job) -> Role:
        try:
            return self._plane.store.assume_role(job.request["roleArn"], source_arn=job.arn)
        except RoleNotAssumable as error:
            raise JobError(f"Could not assume provided IAM role. {error.reason}") from error

    def _train(self, arn: str, workdir: Path) -> None:
        """Run the training in a child process and wait for its end."""
        command = [*self._command, str(workdir)]
        while not self._slots.acquire(timeout=0.1):
            self._check_stop(arn)
        try:
            child = subprocess.Popen(  # noqa: S603 - ours; the directory is named by an id of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            with child:
                with self._lock:
                    self._children[arn] = child
                if self._workers.stop_event(arn).is_set():  # before it could be seen
                    child.terminate()
                code = child.wait()
        finally:
            self._slots.release()
            with self._lock:
                self._children.pop(arn, None)
        self._check_stop(arn)
        if code != 0:  # the child has said why on stderr, which is the server's log
            raise JobError(UNEXPECTED)

    @contextmanager
    def _stage(self, arn: str, name: str) -> Iterator[None]:
        """Mark a stage as it goes, and let it last its time."""
        self._check_stop(arn)
        began = self._plane.now()
        mark_stage(self._plane, arn, name, "InProgress")
        try:
            yield
            passed = (self._plane.now() - began).total_seconds()
            left = self._plane.settings().stage_seconds - passed
            if left > 0:
                self._wait(self._workers.stop_event(arn), left)
            self._check_stop(arn)
            self._suffer(arn, name)
        except JobStoppedError:
            mark_stage(self._plane, arn, name, "Stopped")
            raise
        except ServerClosingError:
            raise
        except Exception:
            mark_stage(self._plane, arn, name, "Failed")
            raise
        mark_stage(self._plane, arn, name, "Completed")

    def _suffer(self, arn: str, name: str) -> None:
        """Stick in a stage, or fail at its end, where the settings want it."""
        while (settings := self._plane.settings()).stick_stage == SETTABLE[name]:
            self._wait(self._workers.stop_event(arn), STICK_SECONDS)
            self._check_stop(arn)
        if settings.fail_stage == SETTABLE[name]:
            raise JobError(settings.fail_message)

    def _check_stop(self, arn: str) -> None:
        if self._workers.closing.is_set():
            raise ServerClosingError
        if self._workers.stop_event(arn).is_set():
            raise JobStoppedError

    def _end(self, arn: str, status: str, **results: Any) -> None:
        """Write down how the job ended; while the disk is full, say, try again and again."""
        while not self._workers.closing.is_set():
            try:
                finish(self._plane, arn, status, **results)
                break
            except SandboxError as error:
                print(f"{arn} has ended: {status}. {error}", file=sys.stderr)
                self._wait(self._workers.closing, RETRY_SECONDS)
