"""Bedrock's control plane: which function answers which operation."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox import catalogue, deployments, jobs, models, tags, throughputs
from haikuft.sandbox.job_run import WORK_PREFIX, JobRunner
from haikuft.sandbox.protocol import Handler
from haikuft.sandbox.settings import SandboxSettings
from haikuft.sandbox.state import ControlPlane, State
from haikuft.sandbox.storage import Store


def utc_now() -> datetime:
    """Read the clock: aware, UTC."""
    return datetime.now(UTC)


def _whole(moment: datetime) -> datetime:
    # AWS tells times in milliseconds; finer ones would differ from what a client was told.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Bedrock:
    """One account's Bedrock in all Regions. State lives in memory, models' files on disk.

    Args:
        store: S3, IAM and KMS as a service role sees them.
        settings: Reads the sandbox's settings as they stand now.
        models_dir: A directory for custom models' files; made when it is not there.
        clock: The time, aware, UTC.
        base_models: What is offered and can be tuned, by customization id.
        make_runner: Makes what runs the jobs; tests give one that does not wait.
    """

    def __init__(
        self,
        store: Store,
        settings: Callable[[], SandboxSettings],
        models_dir: Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        base_models: Mapping[str, BaseModel] = BASE_MODELS,
        make_runner: Callable[[ControlPlane], JobRunner] = JobRunner,
    ) -> None:
        models_dir.mkdir(parents=True, exist_ok=True)
        for unfinished in models_dir.glob(f"{WORK_PREFIX}*"):  # of a server that was killed
            shutil.rmtree(unfinished, ignore_errors=True)
        self.plane = ControlPlane(
            State(), store, settings, lambda: _whole(clock()), models_dir, base_models
        )
        self.runner = make_runner(self.plane)

    @property
    def running_jobs(self) -> int:
        """How many jobs are at work; a sandbox with running jobs is not idle."""
        return self.runner.running

    def close(self) -> None:
        """End running jobs and their child processes."""
        self.runner.close()

    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation of the control plane that is served."""
        with_plane = {
            "ListFoundationModels": catalogue.list_foundation_models,
            "GetFoundationModel": catalogue.get_foundation_model,
            "GetFoundationModelAvailability": catalogue.get_availability,
            "GetModelCustomizationJob": jobs.get_job,
            "ListModelCustomizationJobs": jobs.list_jobs,
            "GetCustomModel": models.get_custom_model,
            "ListCustomModels": models.list_custom_models,
            "DeleteCustomModel": models.delete_custom_model,
            "CreateProvisionedModelThroughput": throughputs.create_throughput,
            "GetProvisionedModelThroughput": throughputs.get_throughput,
            "ListProvisionedModelThroughputs": throughputs.list_throughputs,
            "UpdateProvisionedModelThroughput": throughputs.update_throughput,
            "DeleteProvisionedModelThroughput": throughputs.delete_throughput,
            "CreateCustomModelDeployment": deployments.create_deployment,
            "GetCustomModelDeployment": deployments.get_deployment,
            "ListCustomModelDeployments": deployments.list_deployments,
            "UpdateCustomModelDeployment": deployments.update_deployment,
            "DeleteCustomModelDeployment": deployments.delete_deployment,
            "TagResource": tags.tag_resource,
            "UntagResource": tags.untag_resource,
            "ListTagsForResource": tags.list_tags,
        }
        return {
            **{name: partial(function, self.plane) for name, function in with_plane.items()},
            "CreateModelCustomizationJob": partial(jobs.create_job, self.plane, self.runner.start),
            "StopModelCustomizationJob": partial(jobs.stop_job, self.plane, self.runner.stop),
        }
