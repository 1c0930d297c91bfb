"""Custom model deployments, which serve on demand: create, update, delete.

`base_models` says which base models' custom models can be deployed. No process belongs to a
deployment: it is Creating, or its update Updating, for `stage_seconds`. During an update the old
model answers. A deployment whose model's files are missing is Failed, which is also AWS's status
for a deployment that has become unavailable.
Sources: botocore's service model; Amazon Bedrock User Guide, deploy-custom-model-on-demand; quotas
from the AWS General Reference.
"""

from typing import Any

from haikuft.sandbox.bedrock import quotas, resources
from haikuft.sandbox.bedrock.foundation_models import require_available
from haikuft.sandbox.bedrock.records import ControlPlane, CustomModel, Deployment
from haikuft.sandbox.bedrock.resources import CUSTOM_MODELS, DEPLOYMENTS
from haikuft.sandbox.http.messages import Call, conflict_error, validation_error


def create_custom_model_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """CreateCustomModelDeployment: serve a custom model on demand."""
    return resources.create(plane, call, DEPLOYMENTS, _build)


def update_custom_model_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UpdateCustomModelDeployment: another custom model behind the same ARN."""
    with plane.state.lock:
        deployment = resources.require(plane, call, DEPLOYMENTS)
        resources.check_settled(deployment, validation_error, "wait until that is done")
        model = _require_deployable(plane, call)
        begun = {"desired_model_arn": model.arn, **resources.begin(plane, "Updating")}
        resources.update(plane, DEPLOYMENTS, deployment, updated=True, **begun)
    return {"customModelDeploymentArn": deployment.arn}


def delete_custom_model_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteCustomModelDeployment: not while it is being created or updated; the model stays."""
    with plane.state.lock:
        deployment = resources.require(plane, call, DEPLOYMENTS)
        resources.check_settled(deployment, conflict_error, "delete it once that is done")
        resources.delete(plane, DEPLOYMENTS, deployment.arn)
    return {}


def _build(plane: ControlPlane, call: Call) -> Deployment:
    model = _require_deployable(plane, call)
    _check_quotas(plane, call)
    return Deployment(
        **resources.identify(plane, call, DEPLOYMENTS),
        model_arn=model.arn,
        desired_model_arn=model.arn,
        description=call.parameters.get("description", ""),
        **resources.begin(plane, "Creating"),
    )


def _require_deployable(plane: ControlPlane, call: Call) -> CustomModel:
    """Find the custom model that a request names; its base model must be servable on demand.

    A base model in Legacy state is allowed: AWS still deploys custom models of it.
    """
    model = resources.require(plane, call, CUSTOM_MODELS, call.parameters["modelArn"])
    base = require_available(plane, call.region, model.base_model_id).model
    if "deployment" not in base.serving:
        raise validation_error(
            f"Custom model {model.name} cannot be deployed on demand: custom models of {base.name} "
            "are served through Provisioned Throughput only. Create that instead."
        )
    return model


def _check_quotas(plane: ControlPlane, call: Call) -> None:
    """Check that one more deployment is within AWS's default quotas."""
    held = resources.current(plane, DEPLOYMENTS, call.region)
    pending = [deployment for deployment in held if deployment.pending]
    noun = "custom model deployments"
    resources.check_quota(len(held), quotas.DEPLOYMENTS, noun)
    resources.check_quota(len(pending), quotas.DEPLOYMENTS_IN_PROGRESS, f"{noun} in progress")
