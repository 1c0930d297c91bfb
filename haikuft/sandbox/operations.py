"""Bedrock: its records, its jobs and its runtime, and which function answers which operation."""

import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox.access.service_role import Store
from haikuft.sandbox.bedrock import (
    custom_models,
    deployments,
    foundation_models,
    resources,
    throughputs,
)
from haikuft.sandbox.bedrock.records import ControlPlane, State, utc_now
from haikuft.sandbox.http.messages import Handler
from haikuft.sandbox.jobs.customization import customization_handlers
from haikuft.sandbox.jobs.customization_runner import CustomizationRunner
from haikuft.sandbox.jobs.evaluation import evaluation_handlers
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.runtime.invocation import Runtime
from haikuft.sandbox.settings import SandboxSettings


class Bedrock:
    """One account's Bedrock in all Regions, with its records and files.

    Args:
        store: S3, IAM and KMS as a service role sees them.
        settings: Returns the current settings.
        models_dir: The directory of custom models' files; created if it does not exist.
        clock: Returns the time, aware, UTC, in whole milliseconds as AWS gives it.
        database: Where the records are kept.
        base_models: The base models that are offered, by customization id.
        make_runner: Creates the runner of customization jobs; tests replace it.
        make_runtime: Creates what answers requests to models; tests replace it.
    """

    def __init__(
        self,
        store: Store,
        settings: Callable[[], SandboxSettings],
        models_dir: Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        database: Database,
        base_models: Mapping[str, BaseModel] = BASE_MODELS,
        make_runner: Callable[[ControlPlane], CustomizationRunner] = CustomizationRunner,
        make_runtime: Callable[[ControlPlane], Runtime] = Runtime,
    ) -> None:
        models_dir.mkdir(parents=True, exist_ok=True)
        state = State(database, models_dir)
        self.plane = ControlPlane(state, store, settings, clock, models_dir, base_models)
        _delete_leftovers(self.plane)
        self.runner = make_runner(self.plane)
        self.runtime = make_runtime(self.plane)
        self.evaluations = EvaluationRunner(self.plane, self.runtime.converse)

    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation that is served."""
        with_plane = {
            "ListFoundationModels": foundation_models.list_foundation_models,
            "GetFoundationModel": foundation_models.get_foundation_model,
            "GetFoundationModelAvailability": foundation_models.get_availability,
            "GetCustomModel": custom_models.get_custom_model,
            "ListCustomModels": custom_models.list_custom_models,
            "DeleteCustomModel": custom_models.delete_custom_model,
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
            "TagResource": resources.tag_resource,
            "UntagResource": resources.untag_resource,
            "ListTagsForResource": resources.list_tags,
        }
        return {
            **{name: partial(function, self.plane) for name, function in with_plane.items()},
            **customization_handlers(self.plane, self.runner),
            **evaluation_handlers(self.plane, self.evaluations),
            **self.runtime.handlers(),
        }


def _delete_leftovers(plane: ControlPlane) -> None:
    """Delete the files of unfinished jobs, and files that no record names."""
    named = {model.directory for model in plane.state.models.values()}
    for path in plane.models_dir.iterdir():
        if path.is_dir() and path not in named:
            shutil.rmtree(path, ignore_errors=True)
