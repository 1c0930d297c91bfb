"""Custom models: get, delete. Completed jobs create them."""

import shutil
from typing import Any

from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.records import ControlPlane
from haikuft.sandbox.bedrock.resources import CUSTOM_MODELS, DEPLOYMENTS, THROUGHPUTS, Kind
from haikuft.sandbox.http.messages import Call, conflict_error


def get_custom_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetCustomModel: the model, with the input and the results of its job."""
    with plane.state.lock:
        model = resources.require(plane, call, CUSTOM_MODELS)
        job = plane.state.jobs[model.job_arn]
    members = CUSTOM_MODELS.members
    return {**resources.describe(model, members["get"]), **resources.describe(job, members["job"])}


def delete_custom_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteCustomModel: refused while a throughput or a deployment serves the model."""
    servers: tuple[tuple[str, Kind[Any]], ...] = (
        ("Provisioned Throughput", THROUGHPUTS),
        ("custom model deployment", DEPLOYMENTS),
    )
    with plane.state.lock:
        model = resources.require(plane, call, CUSTOM_MODELS)
        for noun, kind in servers:
            names = [
                server.name
                for server in resources.current(plane, kind, call.region)
                if model.arn in (server.model_arn, server.desired_model_arn)
            ]
            if names:
                raise conflict_error(
                    f"Custom model {model.name} is served by {noun} {', '.join(names)}. Delete "
                    "that first."
                )
        resources.delete(plane, CUSTOM_MODELS, model.arn)
    shutil.rmtree(model.directory, ignore_errors=True)
    return {}
