"""Bedrock's control plane: which function answers which operation."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox.access.service_role import Store
from haikuft.sandbox.bedrock import custom_models, deployments, foundation_models, tags, throughputs
from haikuft.sandbox.bedrock.records import ControlPlane, State, find
from haikuft.sandbox.bedrock.resources import KINDS
from haikuft.sandbox.http.routing import Handler
from haikuft.sandbox.jobs.customization import customization_handlers
from haikuft.sandbox.jobs.customization_runner import JobRunner
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.settings import SandboxSettings


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


def _milliseconds(moment: datetime) -> datetime:
    # AWS returns times in milliseconds; finer ones would differ from what a client has received.
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Bedrock:
    """One account's control plane of Bedrock in all Regions, with its records and files.

    Args:
        store: S3, IAM and KMS as a service role sees them.
        settings: Returns the current settings.
        models_dir: The directory of custom models' files; created if it does not exist.
        clock: Returns the time, aware, UTC.
        database: Where the records are kept.
        base_models: The base models that are offered, by customization id.
        make_runner: Creates the runner of customization jobs; tests replace it.
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
        make_runner: Callable[[ControlPlane], JobRunner] = JobRunner,
    ) -> None:
        models_dir.mkdir(parents=True, exist_ok=True)
        state = State(database, models_dir)
        self.plane = ControlPlane(
            state, store, settings, lambda: _milliseconds(clock()), models_dir, base_models
        )
        _delete_leftovers(self.plane)
        self.runner = make_runner(self.plane)

    def arn_of(self, kind: str, identifier: str, region: str) -> str | None:
        """Find the ARN of a resource by name or id; `required_permissions` calls it."""
        if kind == "key":
            return self.plane.store.find_key(identifier, region)
        found = (
            find(one.table(self.plane.state), identifier, region)
            for one in KINDS
            if one.path == kind
        )
        with self.plane.state.lock:
            return next((record.arn for record in found if record is not None), None)

    def key_of(self, arn: str) -> str:
        """Find the key of a custom model, by its ARN or that of its throughput or deployment."""
        state = self.plane.state
        with state.lock:
            server = state.throughputs.get(arn) or state.deployments.get(arn)
            model = state.models.get(server.model_arn if server else arn)
            return state.jobs[model.job_arn].kms_key_arn if model else ""

    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation of the control plane that is served."""
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
            "TagResource": tags.tag_resource,
            "UntagResource": tags.untag_resource,
            "ListTagsForResource": tags.list_tags,
        }
        return {
            **{name: partial(function, self.plane) for name, function in with_plane.items()},
            **customization_handlers(self.plane, self.runner),
        }


def _delete_leftovers(plane: ControlPlane) -> None:
    """Delete the files of unfinished jobs, and files that no record names."""
    named = {model.directory for model in plane.state.models.values()}
    for path in plane.models_dir.iterdir():
        if path.is_dir() and path not in named:
            shutil.rmtree(path, ignore_errors=True)
