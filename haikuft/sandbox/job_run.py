"""A customization job at work: validation, data processing, training, results.

Each job has a thread, and its training a child process of its own, so that training blocks
nothing else. Each stage lasts at least `stage_seconds`, so that it can be seen. A child ends when
the job is stopped and when the server goes: its standard input is a pipe that the server holds.
"""

import json
import shutil
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from haikuft.dataset.problems import Kind
from haikuft.sandbox.intake import (
    PROBE,
    UNEXPECTED,
    JobError,
    check_records,
    check_total,
    find_output,
    input_uris,
    read_input,
    write_output,
)
from haikuft.sandbox.settings import STAGE_NAMES
from haikuft.sandbox.state import (
    STAGES,
    ControlPlane,
    CustomModel,
    Job,
    build_arn,
    id_of,
    new_id,
    region_of,
)
from haikuft.sandbox.storage import Role, RoleNotAssumable
from haikuft.sandbox.tags import read_tags

VALIDATION, DATA_PROCESSING, TRAINING = STAGES
SETTABLE = dict(zip(STAGES, STAGE_NAMES, strict=True))  # AWS's name -> that in the settings
STICK_SECONDS = 0.1  # how often a job that sticks looks whether it still shall
CONCURRENT_TRAININGS = 2  # as many as AWS ran at once (hashicorp/terraform-provider-aws#37990)
KINDS: tuple[Kind, ...] = ("training", "validation")
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
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._slots = threading.Semaphore(CONCURRENT_TRAININGS)

    @property
    def running(self) -> int:
        """How many jobs are at work."""
        with self._lock:
            return len(self._threads)

    def start(self, arn: str) -> None:
        """Begin the job's work in a thread of its own."""
        thread = threading.Thread(target=self._run, args=(arn,), name=f"job-{id_of(arn)}")
        thread.daemon = True
        with self._lock:
            self._stops[arn] = threading.Event()
            self._threads[arn] = thread
        thread.start()

    def stop(self, arn: str) -> None:
        """Turn the job to Stopping and end its child; its thread turns it to Stopped."""
        with self._plane.state.lock:
            job = self._plane.state.jobs[arn]
            now = self._plane.now()
            stages = {
                name: replace(stage, status="Stopping", changed=now)
                if stage.status == "InProgress"
                else stage
                for name, stage in job.stages.items()
            }
            self._put(replace(job, status="Stopping", changed=now, stages=stages))
        self._interrupt(arn)

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until the job's thread has ended, at most so long."""
        with self._lock:
            thread = self._threads.get(arn)
        if thread is not None:
            thread.join(seconds)

    def close(self) -> None:
        """Stop all jobs and end their children."""
        with self._lock:
            arns = list(self._threads)
        for arn in arns:
            self._interrupt(arn)
        for arn in arns:
            self.join(arn, 5.0)

    def _interrupt(self, arn: str) -> None:
        with self._lock:
            event, child = self._stops.get(arn), self._children.get(arn)
        if event is not None:
            event.set()
        if child is not None:
            child.terminate()

    def _run(self, arn: str) -> None:
        workdir = self._plane.models_dir / f"{WORK_PREFIX}{id_of(arn)}"
        try:
            workdir.mkdir(parents=True)
            self._work(arn, workdir)
        except JobStoppedError:
            self._finish(arn, "Stopped")
        except JobError as failure:
            self._finish(arn, "Failed", failure_message=str(failure)[:2048])
        except Exception:  # whatever it was, the job must end, and the server's log say why
            traceback.print_exc()
            self._finish(arn, "Failed", failure_message=UNEXPECTED)
        finally:
            shutil.rmtree(workdir, ignore_errors=True)
            with self._lock:
                del self._threads[arn], self._stops[arn]

    def _work(self, arn: str, workdir: Path) -> None:
        plane, job = self._plane, self._plane.state.jobs[arn]
        base_model = plane.base_models[job.base_model_id]
        with self._stage(arn, VALIDATION):
            role = self._assume_role(job)
            output_uri = find_output(job.request, id_of(arn))
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
        self._complete(arn, workdir)

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
                if self._stops[arn].is_set():  # before anyone could have seen the child
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
        self._mark(arn, name, "InProgress")
        try:
            yield
            passed = (self._plane.now() - began).total_seconds()
            left = self._plane.settings().stage_seconds - passed
            if left > 0:
                self._wait(self._stops[arn], left)
            self._check_stop(arn)
            self._suffer(arn, name)
        except JobStoppedError:
            self._mark(arn, name, "Stopped")
            raise
        except Exception:
            self._mark(arn, name, "Failed")
            raise
        self._mark(arn, name, "Completed")

    def _suffer(self, arn: str, name: str) -> None:
        """Stick in a stage, or fail at its end, where the settings want it."""
        while (settings := self._plane.settings()).stick_stage == SETTABLE[name]:
            self._wait(self._stops[arn], STICK_SECONDS)
            self._check_stop(arn)
        if settings.fail_stage == SETTABLE[name]:
            raise JobError(settings.fail_message)

    def _check_stop(self, arn: str) -> None:
        if self._stops[arn].is_set():
            raise JobStoppedError

    def _mark(self, arn: str, name: str, status: str) -> None:
        with self._plane.state.lock:
            job, now = self._plane.state.jobs[arn], self._plane.now()
            stage = replace(job.stages[name], status=status, changed=now)
            if stage.created is None:
                stage = replace(stage, created=now)
            self._put(replace(job, changed=now, stages={**job.stages, name: stage}))

    def _complete(self, arn: str, workdir: Path) -> None:
        """Make the custom model and end the job."""
        plane = self._plane
        result = json.loads((workdir / "result.json").read_text(encoding="utf-8"))
        with plane.state.lock:
            self._check_stop(arn)
            job, now = plane.state.jobs[arn], plane.now()
            account_id = arn.split(":")[4]
            resource = f"custom-model/{job.base_model_id}/{new_id()}"
            model = CustomModel(
                arn=build_arn(region_of(arn), account_id, resource),
                name=job.request["customModelName"],
                created=now,
                job_arn=arn,
                base_model_id=job.base_model_id,
                directory=plane.models_dir / id_of(resource),
            )
            (workdir / "model").rename(model.directory)
            plane.state.models[model.arn] = model
            plane.state.tags[model.arn] = read_tags(job.request.get("customModelTags", []))
            self._finish(
                arn,
                "Completed",
                model_arn=model.arn,
                training_loss=result["training_loss"],
                validation_loss=result["validation_loss"],
            )

    def _finish(self, arn: str, status: str, **results: Any) -> None:
        with self._plane.state.lock:
            job, now = self._plane.state.jobs[arn], self._plane.now()
            self._put(replace(job, status=status, changed=now, ended=now, **results))

    def _put(self, job: Job) -> None:
        self._plane.state.jobs[job.arn] = job
