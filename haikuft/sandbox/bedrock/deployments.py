"""Custom model deployments, which serve on demand: create, get, list, update, delete.

Which base models' custom models can be served so is in `base_models`. Nothing runs behind a
deployment: it is Creating, or its update Updating, until its time has come by the clock, as
`stage_seconds` says. While an update is under way the old model answers. One whose model's files
are gone from the disk is Failed: AWS's word for a deployment that has become unavailable, too.
Sources: botocore's service model; Amazon Bedrock User Guide, deploy-custom-model-on-demand; quotas
from the AWS General Reference.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from haikuft.sandbox.bedrock.foundation_models import require_living
from haikuft.sandbox.bedrock.quotas import DEPLOYMENTS, DEPLOYMENTS_IN_PROGRESS
from haikuft.sandbox.bedrock.records import (
    ControlPlane,
    CustomModel,
    Deployment,
    build_arn,
    find,
    in_region,
    new_id,
    present,
)
from haikuft.sandbox.bedrock.resources import page, recall, remember
from haikuft.sandbox.bedrock.tags import read_tags
from haikuft.sandbox.http.routing import Call, ServiceError


def create_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """CreateCustomModelDeployment: serve a custom model on demand."""
    asked = call.parameters
    with plane.state.lock:
        earlier = recall(plane.state, call)
        if earlier:
            return {"customModelDeploymentArn": earlier}
        tags = read_tags(asked.get("tags", []))
        _check_name_free(plane, call, asked["modelDeploymentName"])
        model = _require_deployable(plane, call, asked["modelArn"])
        _check_quotas(plane, call)
        now = plane.now()
        deployment = Deployment(
            arn=build_arn(call.region, call.account_id, f"custom-model-deployment/{new_id()}"),
            name=asked["modelDeploymentName"],
            created=now,
            changed=now,
            model_arn=model.arn,
            desired_model_arn=model.arn,
            description=asked.get("description", ""),
            pending="Creating",
            ready=now + timedelta(seconds=plane.settings().stage_seconds),
        )
        plane.state.deployments[deployment.arn] = deployment
        plane.state.tags[deployment.arn] = tags
        remember(plane.state, call, deployment.arn)
    return {"customModelDeploymentArn": deployment.arn}


def get_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetCustomModelDeployment: by name or ARN."""
    with plane.state.lock:
        deployment = _require_named(plane, call)
    update = {
        "modelArn": deployment.desired_model_arn,
        "updateStatus": "Updating" if deployment.pending else "UpdateCompleted",
    }
    return present(
        customModelDeploymentArn=deployment.arn,
        modelDeploymentName=deployment.name,
        modelArn=deployment.model_arn,
        createdAt=deployment.created,
        status=deployment.status,
        description=deployment.description or None,
        updateDetails=update if deployment.updated else None,
        failureMessage=deployment.failure_message or None,
        lastUpdatedAt=deployment.changed,
    )


def list_deployments(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListCustomModelDeployments."""
    asked = call.parameters
    with plane.state.lock:
        deployments = [
            deployment
            for deployment in current_deployments(plane, call.region)
            if asked.get("statusEquals", deployment.status) == deployment.status
            and asked.get("modelArnEquals", deployment.model_arn) == deployment.model_arn
        ]
    created = {
        "creationTimeAfter": asked.get("createdAfter"),
        "creationTimeBefore": asked.get("createdBefore"),
    }
    shown, more = page(deployments, asked | created)
    return {"modelDeploymentSummaries": [_summary(deployment) for deployment in shown], **more}


def update_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UpdateCustomModelDeployment: another custom model behind the same ARN."""
    with plane.state.lock:
        deployment = _require_named(plane, call)
        if deployment.pending:
            raise ServiceError(
                "ValidationException",
                f"{deployment.name} is {deployment.pending}; wait until that is done.",
            )
        model = _require_deployable(plane, call, call.parameters["modelArn"])
        now = plane.now()
        plane.state.deployments[deployment.arn] = replace(
            deployment,
            changed=now,
            desired_model_arn=model.arn,
            updated=True,
            pending="Updating",
            ready=now + timedelta(seconds=plane.settings().stage_seconds),
        )
    return {"customModelDeploymentArn": deployment.arn}


def delete_deployment(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteCustomModelDeployment: not while it is being created or updated; the model stays."""
    with plane.state.lock:
        deployment = _require_named(plane, call)
        if deployment.pending:
            raise ServiceError(
                "ConflictException",
                f"{deployment.name} is {deployment.pending}; delete it once that is done.",
            )
        del plane.state.deployments[deployment.arn]
        plane.state.tags.pop(deployment.arn, None)
    return {}


def current_deployments(plane: ControlPlane, region: str) -> list[Deployment]:
    """List all deployments of a Region as they stand now."""
    return [_settle(plane, deployment) for deployment in in_region(plane.state.deployments, region)]


def require_deployment(plane: ControlPlane, call: Call, identifier: str) -> Deployment:
    """Find a deployment of this Region by name or ARN, as it stands now.

    Raises:
        ServiceError: there is none.
    """
    deployment = find(plane.state.deployments, identifier, call.region)
    if deployment is None:
        raise ServiceError(
            "ResourceNotFoundException", f"Could not find custom model deployment {identifier}."
        )
    return _settle(plane, deployment)


def _require_named(plane: ControlPlane, call: Call) -> Deployment:
    return require_deployment(plane, call, call.parameters["customModelDeploymentIdentifier"])


def _settle(plane: ControlPlane, deployment: Deployment) -> Deployment:
    """Bring the deployment to this moment: what was pending is done once its time has come."""
    if deployment.pending and plane.now() >= deployment.ready:
        deployment = replace(
            deployment,
            pending="",
            model_arn=deployment.desired_model_arn,
            changed=deployment.ready,
        )
    model = plane.state.models[deployment.model_arn]
    gone = f"The files of custom model {model.name} are gone. Tune it again, and update this."
    return replace(deployment, failure_message="" if model.directory.is_dir() else gone)


def _require_deployable(plane: ControlPlane, call: Call, arn: str) -> CustomModel:
    """Find a custom model by its ARN; its base model must be alive and servable on demand.

    A base model in Legacy state will do: AWS still deploys what was tuned on it before.
    """
    model = plane.state.models.get(arn)
    if model is None or model not in in_region(plane.state.models, call.region):
        raise ServiceError("ResourceNotFoundException", f"Could not find custom model {arn}.")
    base = require_living(plane, call.region, model.base_model_id).model
    if "deployment" not in base.serving:
        raise ServiceError(
            "ValidationException",
            f"Custom model {model.name} cannot be deployed on demand: custom models of {base.name} "
            "are served through Provisioned Throughput only. Create that instead.",
        )
    return model


def _check_name_free(plane: ControlPlane, call: Call, name: str) -> None:
    taken = [record.name for record in in_region(plane.state.deployments, call.region)]
    if name in taken:
        raise ServiceError(
            "ValidationException", "The provided model deployment name is currently in use."
        )


def _check_quotas(plane: ControlPlane, call: Call) -> None:
    """Hold a further deployment against AWS's default quotas."""
    held = current_deployments(plane, call.region)
    in_progress = [deployment for deployment in held if deployment.pending]
    if len(held) >= DEPLOYMENTS:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"Your account is limited to {DEPLOYMENTS} custom model deployments.",
        )
    if len(in_progress) >= DEPLOYMENTS_IN_PROGRESS:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"Your account is limited to {DEPLOYMENTS_IN_PROGRESS} custom model deployments in "
            "progress.",
        )


def _summary(deployment: Deployment) -> dict[str, Any]:
    return present(
        customModelDeploymentArn=deployment.arn,
        customModelDeploymentName=deployment.name,
        modelArn=deployment.model_arn,
        createdAt=deployment.created,
        status=deployment.status,
        lastUpdatedAt=deployment.changed,
        failureMessage=deployment.failure_message or None,
    )
