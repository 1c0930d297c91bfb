"""Custom models: get, list, delete. Completed jobs create them."""

import shutil
from typing import Any

from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.foundation_models import base_model_arn
from haikuft.sandbox.bedrock.records import ControlPlane, CustomModel, Job, present
from haikuft.sandbox.bedrock.resources import CUSTOM_MODELS, DEPLOYMENTS, THROUGHPUTS, Kind
from haikuft.sandbox.http.messages import Call, conflict_error


def get_custom_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetCustomModel: the model, with the input and the results of its job."""
    with plane.state.lock:
        model = resources.require(plane, call, CUSTOM_MODELS)
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
        **describe_training(job),
    )


def list_custom_models(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListCustomModels."""
    shown, more = resources.list_page(
        plane, call, CUSTOM_MODELS, lambda model: _matches(model, call)
    )
    return {"modelSummaries": [_summary(model, call) for model in shown], **more}


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


def describe_training(job: Job) -> dict[str, Any]:
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


def _matches(model: CustomModel, call: Call) -> bool:
    asked = call.parameters
    base_arn = base_model_arn(model.base_model_id, call.region)
    return (
        asked.get("baseModelArnEquals", base_arn) == base_arn
        and asked.get("foundationModelArnEquals", base_arn) == base_arn
        and asked.get("modelStatus", "Active") == "Active"
        and asked.get("isOwned", True) is True
    )


def _summary(model: CustomModel, call: Call) -> dict[str, Any]:
    return {
        "modelArn": model.arn,
        "modelName": model.name,
        "creationTime": model.created,
        "baseModelArn": base_model_arn(model.base_model_id, call.region),
        # AWS's shape takes no spaces, capitals or colons: the id up to its version.
        "baseModelName": model.base_model_id.partition(":")[0],
        "customizationType": "FINE_TUNING",
        "ownerAccountId": call.account_id,
        "modelStatus": "Active",
    }
