"""One account's Bedrock: its records, its jobs, and the handlers of its operations."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path

from botocore import xform_name

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox.access.store import Store
from haikuft.sandbox.bedrock import (
    custom_models,
    deployments,
    foundation_models,
    resources,
    throughputs,
)
from haikuft.sandbox.bedrock.records import ControlPlane, State, utc_now
from haikuft.sandbox.http.messages import Handler
from haikuft.sandbox.http.rest_json import load_service
from haikuft.sandbox.jobs import customization, evaluation
from haikuft.sandbox.jobs.customization_runner import CustomizationRunner
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.runtime.invocation import Runtime
from haikuft.sandbox.settings import SandboxSettings

RESOURCES = (
    *(foundation_models, custom_models, throughputs, deployments, resources),
    *(customization, evaluation),
)


def open_plane(
    store: Store,
    settings: Callable[[], SandboxSettings],
    models_dir: Path,
    clock: Callable[[], datetime] = utc_now,
    *,
    database: Database,
    prefix: str = "",
    base_models: Mapping[str, BaseModel] = BASE_MODELS,
) -> ControlPlane:
    """Open the records of one account's Bedrock, and delete files that no record names.

    Args:
        store: S3, IAM and KMS as a service role sees them.
        settings: Returns the current settings.
        models_dir: The directory of custom models' files; created if it does not exist.
        clock: Returns the time, aware, UTC, in whole milliseconds as AWS gives it.
        database: Where the records are kept.
        prefix: What begins the names of their kinds there.
        base_models: The base models that are offered, by customization id.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    state = State(database, models_dir, prefix)
    named = {model.directory for model in state.models.values()}
    for path in models_dir.iterdir():  # others are of unfinished jobs
        if path.is_dir() and path not in named:
            shutil.rmtree(path, ignore_errors=True)
    return ControlPlane(state, store, settings, clock, models_dir, base_models)


@dataclass(frozen=True)
class Bedrock:
    """One account's Bedrock in all Regions.

    Attributes:
        plane: Its records, see `open_plane`.
        runner: Runs its customization jobs.
        evaluations: Runs its evaluation jobs.
        runtime: Answers requests to models.
    """

    plane: ControlPlane
    runner: CustomizationRunner
    evaluations: EvaluationRunner
    runtime: Runtime

    @cached_property
    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation that is served.

        `members.toml` names the operations that read and list each kind of resource. Beside or in
        place of these, a function that boto3 has a method for, by the same name, is that
        operation's handler.
        """
        names = {name: xform_name(name) for name in load_service("bedrock").operation_names}
        start, evaluate = self.runner.start, self.evaluations.start
        ways = {"reads": resources.get, "lists": resources.list_page}
        return {
            **{
                kind.members[way]: partial(answer, self.plane, kind=kind)
                for kind in resources.KINDS
                for way, answer in ways.items()
            },
            **{
                operation: partial(vars(module)[name], self.plane)
                for module in RESOURCES
                for operation, name in names.items()
                if name in vars(module)
            },
            "CreateModelCustomizationJob": partial(customization.create_job, self.plane, start),
            "StopModelCustomizationJob": self.runner.stop,
            "CreateEvaluationJob": partial(evaluation.create_job, self.plane, evaluate),
            "StopEvaluationJob": self.evaluations.stop,
            **self.runtime.handlers(),
        }
