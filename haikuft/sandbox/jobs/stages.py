"""Changes of a customization job's record: its stages, its end, and its restart by a new server.

Each function is one transaction: the change is in the database when it returns.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from haikuft.sandbox.bedrock.records import (
    UNFINISHED,
    ControlPlane,
    CustomModel,
    Job,
    Stage,
    build_arn,
    id_of,
    new_id,
    region_of,
)
from haikuft.sandbox.bedrock.tags import read_tags
from haikuft.sandbox.settings import STAGES
from haikuft.sandbox.standin import contract
from haikuft.sandbox.standin.contract import TrainingResult


def mark_stage(plane: ControlPlane, arn: str, name: str, status: str) -> None:
    """Set the status of one of the job's stages; the first status sets its creation time."""
    with plane.state.lock:
        job, now = plane.state.jobs[arn], plane.now()
        stage = replace(job.stages[name], status=status, changed=now)
        if stage.created is None:
            stage = replace(stage, created=now)
        plane.state.jobs[arn] = replace(job, changed=now, stages={**job.stages, name: stage})


def mark_stopping(plane: ControlPlane, arn: str) -> None:
    """Turn the job, and the stage it is in, to Stopping."""
    with plane.state.lock:
        job, now = plane.state.jobs[arn], plane.now()
        stages = {
            name: replace(stage, status="Stopping", changed=now)
            if stage.status == "InProgress"
            else stage
            for name, stage in job.stages.items()
        }
        plane.state.jobs[arn] = replace(job, status="Stopping", changed=now, stages=stages)


def finish(plane: ControlPlane, arn: str, status: str, **results: Any) -> None:
    """End the job; `results` are further attributes of its record."""
    with plane.state.lock:
        job, now = plane.state.jobs[arn], plane.now()
        plane.state.jobs[arn] = replace(job, status=status, changed=now, ended=now, **results)


def complete(plane: ControlPlane, arn: str, workdir: Path) -> None:
    """Create the custom model from the files of the training, and complete the job.

    The files are moved before the record names them. A server that is killed in between leaves
    files without a record, which the next one deletes, but never a record without files.
    """
    result = contract.read(workdir, TrainingResult)
    with plane.state.lock:
        job = plane.state.jobs[arn]
        resource = f"custom-model/{job.base_model_id}/{new_id()}"
        model = CustomModel(
            arn=build_arn(region_of(arn), arn.split(":")[4], resource),
            name=job.request["customModelName"],
            created=plane.now(),
            job_arn=arn,
            base_model_id=job.base_model_id,
            directory=plane.models_dir / id_of(resource),
        )
        (workdir / contract.MODEL_DIRECTORY).rename(model.directory)
        plane.state.models[model.arn] = model
        plane.state.tags[model.arn] = read_tags(job.request.get("customModelTags", []))
        finish(
            plane,
            arn,
            "Completed",
            model_arn=model.arn,
            training_loss=result.training_loss,
            validation_loss=result.validation_loss,
        )


def prepare_resume(plane: ControlPlane) -> list[str]:
    """Prepare the jobs that the last server left unfinished; return the ARNs of those to run.

    Their stages start again; a job that was Stopping becomes Stopped.
    """
    with plane.state.lock:
        left = [job for job in plane.state.jobs.values() if job.status in UNFINISHED]
        for job in left:
            if job.status == "Stopping":
                _stop(plane, job)
            else:
                stages = dict.fromkeys(STAGES, Stage())
                plane.state.jobs[job.arn] = replace(job, changed=plane.now(), stages=stages)
    return [job.arn for job in left if job.status == "InProgress"]


def _stop(plane: ControlPlane, job: Job) -> None:
    for name, stage in job.stages.items():
        if stage.status == "Stopping":
            mark_stage(plane, job.arn, name, "Stopped")
    finish(plane, job.arn, "Stopped")
