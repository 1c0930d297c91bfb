"""Run a customization job: validation, data processing, training, results.

Each job has a thread, and its training is a child process, so that training does not block the
server. Each stage lasts at least `stage_seconds`, so that it can be seen. The child process ends
when the job is stopped and when the server ends: its standard input is a pipe from the server.
A change of the job's record is one transaction: it is in the database when the function returns.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from haikuft.dataset.report import Kind
from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.records import UNFINISHED, ControlPlane, CustomModel, Job, Stage
from haikuft.sandbox.bedrock.resources import CUSTOM_MODELS, CUSTOMIZATION_JOBS, read_tags
from haikuft.sandbox.jobs import files
from haikuft.sandbox.jobs.files import UNEXPECTED, JobError
from haikuft.sandbox.jobs.runner import JobRunner
from haikuft.sandbox.settings import STAGES
from haikuft.sandbox.standin import training
from haikuft.sandbox.standin.training import TrainingJob, TrainingProgress, TrainingResult

VALIDATION, DATA_PROCESSING, TRAINING = STAGES
STICK_CHECK_SECONDS = 0.1  # between two checks of the setting `stick_stage`
CONCURRENT_TRAININGS = 2  # as many as AWS ran at once (hashicorp/terraform-provider-aws#37990)
DATA_FILES: tuple[tuple[Kind, str], ...] = (
    ("training", training.TRAINING_DATA),
    ("validation", training.VALIDATION_DATA),
)
SEED = 0
WORK_PREFIX = ".job-"  # of the names of working directories

# The child's file -> its key under the job's output location, as on AWS.
RESULTS = {
    training.TRAINING_METRICS: "training_artifacts/step_wise_training_metrics.csv",
    training.VALIDATION_METRICS: (
        "validation_artifacts/post_fine_tuning_validation/validation/validation_metrics.csv"
    ),
}


# AWS has no API for the progress of a training, so the sandbox has a path of its own:
# GET /_sandbox/jobs/<last part of the job's ARN>/progress
PROGRESS_PATH = re.compile(r"/_sandbox/jobs/(?P<id>[a-z0-9]+)/progress")


class CustomizationRunner(JobRunner):
    """Runs customization jobs, and stops them.

    Args:
        plane: The records the jobs change.
        slots: The trainings that may run at once, shared with other runners; None for its own.

    Attributes:
        command: The training process; the job's working directory is added as its last argument.
    """

    command: Sequence[str] = (sys.executable, "-m", "haikuft.sandbox.standin.training")

    def __init__(self, plane: ControlPlane, *, slots: threading.Semaphore | None = None) -> None:
        super().__init__(plane, CUSTOMIZATION_JOBS)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._slots = slots or threading.Semaphore(CONCURRENT_TRAININGS)

    def interrupt(self, arn: str) -> None:
        """Stop the job, and end its child process."""
        super().interrupt(arn)
        if child := self._children.get(arn):
            child.terminate()

    def work(self, arn: str) -> None:
        """Do the job's work, in a directory of its own."""
        prefix = f"{WORK_PREFIX}{resources.id_of(arn)}-"
        with TemporaryDirectory(
            prefix=prefix, dir=self._plane.models_dir, ignore_cleanup_errors=True
        ) as workdir:
            self._work(arn, Path(workdir))

    def describe_change(self, job: Job, status: str, *failure_messages: str) -> dict[str, Any]:
        """Return the job's stages and times; the stage in which it is changes as the job does."""
        if status == "InProgress":
            return {"stages": dict.fromkeys(STAGES, Stage())}
        now = self._plane.now()
        begun = {name: one for name, one in job.stages.items() if one.status in UNFINISHED}
        changed = {name: replace(one, status=status, changed=now) for name, one in begun.items()}
        return {
            "changed": now,
            "ended": None if status == "Stopping" else now,
            "stages": {**job.stages, **changed},
            "failure_message": "".join(failure_messages),
        }

    def _work(self, arn: str, workdir: Path) -> None:
        plane, job = self._plane, self._plane.state.jobs[arn]
        base_model = plane.base_models[job.base_model_id]
        with self._stage(arn, VALIDATION):
            role = plane.store.assume_role(job.request["roleArn"], source_arn=arn)
            asked_uri = job.request["outputDataConfig"]["s3Uri"]
            output_uri = f"{asked_uri.rstrip('/')}/model-customization-job-{resources.id_of(arn)}"
            files.check_key(plane.store, role, job.kms_key_arn)
            files.write_output(plane.store, role, asked_uri, files.PROBE, b"")
            records = 0
            for (kind, name), uri in zip(DATA_FILES, files.input_uris(job.request), strict=False):
                path = workdir / name
                path.write_bytes(files.read_input(plane.store, role, uri))
                records += files.check_records(path, base_model, kind=kind, uri=uri).records
        with self._stage(arn, DATA_PROCESSING):
            files.check_total(records, base_model)
            asked = TrainingJob(dict(job.hyperparameters), job.base_model_id, SEED)
            training.write(workdir, asked)
        with self._stage(arn, TRAINING):
            self._train(arn, workdir)
            for name, target in RESULTS.items():
                if (workdir / name).exists():
                    data = (workdir / name).read_bytes()
                    files.write_output(plane.store, role, output_uri, target, data)
        with plane.state.lock:
            self.check_stop(arn)
            complete(plane, arn, workdir)

    def _train(self, arn: str, workdir: Path) -> None:
        """Run the training in a child process and wait for its end."""
        command = [*self.command, str(workdir)]
        while not self._slots.acquire(timeout=0.1):
            self.check_stop(arn)
        try:
            child = subprocess.Popen(  # noqa: S603 - ours; the directory is named by an id of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            with child:
                self._children[arn] = child
                if self.stop_event(arn).is_set():  # before the child process was registered
                    child.terminate()
                code = child.wait()
        finally:
            self._slots.release()
            self._children.pop(arn, None)
        self.check_stop(arn)
        if code != 0:  # the process has written the reason to stderr, the server's log
            raise JobError(UNEXPECTED)

    @contextmanager
    def _stage(self, arn: str, name: str) -> Iterator[None]:
        """Record the beginning and the end of a stage, which lasts at least `stage_seconds`."""
        self.check_stop(arn)
        began = self._plane.now()
        self._mark_stage(arn, name, "InProgress")
        yield
        passed = (self._plane.now() - began).total_seconds()
        self.pause(arn, self._plane.settings().stage_seconds - passed)
        self._inject_fault(arn, name)
        self._mark_stage(arn, name, "Completed")

    def _mark_stage(self, arn: str, name: str, status: str) -> None:
        with self._plane.state.lock:
            job, now = self._plane.state.jobs[arn], self._plane.now()
            stage = job.stages[name]
            stage = replace(stage, status=status, created=stage.created or now, changed=now)
            stages = {**job.stages, name: stage}
            resources.update(self._plane, CUSTOMIZATION_JOBS, job, changed=now, stages=stages)

    def _inject_fault(self, arn: str, name: str) -> None:
        """Stay in a stage, or fail at its end, as the settings say."""
        while (settings := self._plane.settings()).stick_stage == STAGES[name]:
            self.pause(arn, STICK_CHECK_SECONDS)
        if settings.fail_stage == STAGES[name]:
            raise JobError(settings.fail_message)


def read_progress(state: Path, job_id: str) -> dict[str, Any]:
    """Read the progress of a job's training; empty before it begins and after the job's end.

    Args:
        state: The state directory; working directories of jobs are in that of an account's models.
        job_id: The last part of the job's ARN.
    """
    for workdir in state.glob(f"models*/{WORK_PREFIX}{job_id}-*"):
        try:
            return asdict(training.read(workdir, TrainingProgress))
        except FileNotFoundError:  # it does not train yet, or the job has just ended
            continue
    return {}


def complete(plane: ControlPlane, arn: str, workdir: Path) -> None:
    """Create the custom model from the files of the training, and complete the job.

    The files are moved before the record names them. A server that is killed in between leaves
    files without a record, which the next one deletes, but never a record without files.
    """
    result = training.read(workdir, TrainingResult)
    with plane.state.lock:
        job, now = plane.state.jobs[arn], plane.now()
        model_arn = resources.new_arn(job, CUSTOM_MODELS, job.base_model_id)
        model = CustomModel(
            arn=model_arn,
            name=job.request["customModelName"],
            created=now,
            job_arn=arn,
            base_model_id=job.base_model_id,
            directory=plane.models_dir / resources.id_of(model_arn),
        )
        (workdir / training.MODEL_DIRECTORY).rename(model.directory)
        plane.state.models[model.arn] = model
        plane.state.tags[model.arn] = read_tags(job.request.get("customModelTags", []))
        losses = {name: getattr(result, name) for name in ("training_loss", "validation_loss")}
        done = {"status": "Completed", "changed": now, "ended": now, "model_arn": model.arn}
        resources.update(plane, CUSTOMIZATION_JOBS, job, **done, **losses)
