"""Custom models: get, list, delete. Completed jobs make them."""

import shutil
from typing import Any

from haikuft.sandbox.bedrock.deployments import current_deployments
from haikuft.sandbox.bedrock.foundation_models import base_model_arn
from haikuft.sandbox.bedrock.records import (
    ControlPlane,
    CustomModel,
    Job,
    find,
    in_region,
    present,
    region_of,
)
from haikuft.sandbox.bedrock.resources import page
from haikuft.sandbox.bedrock.throughputs import current_throughputs
from haikuft.sandbox.http.routing import Call, ServiceError


def get_custom_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetCustomModel: the model with what its job was given."""
    with plane.state.lock:
        model = require_model(plane, call)
        job = plane.state.jobs[model.job_arn]
    return present(
        modelArn=model.arn,
        modelName=model.name,
        jobName=job.name,
        jobArn=job.arn,
        baseModelArn=base_model_arn(model.base_model_id, call.region),
        customizationType="FINE_TUNING",
        modelKmsKeyArn=job.kms_key_arn or None,
        creationTime=model.created,
        modelStatus="Active",
        **trained_with(job),
    )


def list_custom_models(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListCustomModels."""
    asked = call.parameters
    with plane.state.lock:
        models = [
            model
            for model in in_region(plane.state.models, call.region)
            if _wanted(model, asked, call.region)
        ]
    shown, more = page(models, asked)
    return {"modelSummaries": [_summary(plane, model, call) for model in shown], **more}


def delete_custom_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteCustomModel: refused while a throughput or a deployment serves the model."""
    with plane.state.lock:
        model = require_model(plane, call)
        serving = [
            throughput.name
            for throughput in current_throughputs(plane, call.region)
            if model.arn in (throughput.model_arn, throughput.desired_model_arn)
        ]
        if serving:
            raise ServiceError(
                "ConflictException",
                f"Custom model {model.name} is served by Provisioned Throughput "
                f"{', '.join(serving)}. Delete that first.",
            )
        deployed = [
            deployment.name
            for deployment in current_deployments(plane, call.region)
            if model.arn in (deployment.model_arn, deployment.desired_model_arn)
        ]
        if deployed:
            raise ServiceError(
                "ConflictException",
                f"Custom model {model.name} is served by custom model deployment "
                f"{', '.join(deployed)}. Delete that first.",
            )
        del plane.state.models[model.arn]
        plane.state.tags.pop(model.arn, None)
    shutil.rmtree(model.directory, ignore_errors=True)
    return {}


def require_model(plane: ControlPlane, call: Call) -> CustomModel:
    """Find the custom model that the request names, by name or ARN.

    Raises:
        ServiceError: this Region has none of that name.
    """
    identifier = call.parameters["modelIdentifier"]
    model = find(plane.state.models, identifier, call.region)
    if model is None:
        raise ServiceError(
            "ResourceNotFoundException", f"Could not find custom model {identifier}."
        )
    return model


def trained_with(job: Job) -> dict[str, Any]:
    """Describe a job's input and results as the job's and the model's Get both do."""
    losses = {} if job.validation_loss is None else {"validationLoss": job.validation_loss}
    return present(
        hyperParameters=dict(job.hyperparameters),
        trainingDataConfig=job.request["trainingDataConfig"],
        validationDataConfig=job.request.get("validationDataConfig", {"validators": []}),
        outputDataConfig=job.request["outputDataConfig"],
        trainingMetrics={"trainingLoss": job.training_loss}
        if job.training_loss is not None
        else None,
        validationMetrics=[losses] if losses else None,
    )


def _wanted(model: CustomModel, asked: dict[str, Any], region: str) -> bool:
    base_arn = base_model_arn(model.base_model_id, region)
    return (
        asked.get("baseModelArnEquals", base_arn) == base_arn
        and asked.get("foundationModelArnEquals", base_arn) == base_arn
        and asked.get("modelStatus", "Active") == "Active"
        and asked.get("isOwned", True) is True
    )


def _summary(plane: ControlPlane, model: CustomModel, call: Call) -> dict[str, Any]:
    return {
        "modelArn": model.arn,
        "modelName": model.name,
        "creationTime": model.created,
        "baseModelArn": base_model_arn(model.base_model_id, region_of(model.arn)),
        # AWS's shape takes no spaces, capitals or colons: the id up to its version.
        "baseModelName": model.base_model_id.partition(":")[0],
        "customizationType": "FINE_TUNING",
        "ownerAccountId": call.account_id,
        "modelStatus": "Active",
    }
