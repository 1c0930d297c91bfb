"""Model customization jobs: create. `customization_runner` does the work, and stops them.

The create request fails, as on AWS, for names in use, models that cannot be customized in the
Region, hyperparameters out of range, files that are not .jsonl objects in a bucket of the Region,
and a role that Bedrock cannot assume. Errors inside the files fail the job later.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from haikuft.base_models import BaseModel
from haikuft.errors import SettingsError
from haikuft.hyperparameters import from_aws, to_aws
from haikuft.sandbox.bedrock import quotas, resources
from haikuft.sandbox.bedrock.foundation_models import INVALID_IDENTIFIER, require_customizable
from haikuft.sandbox.bedrock.records import UNFINISHED, ControlPlane, Job, Stage
from haikuft.sandbox.bedrock.resources import CUSTOM_MODELS, CUSTOMIZATION_JOBS, read_tags
from haikuft.sandbox.http.messages import Call, validation_error
from haikuft.sandbox.jobs import files
from haikuft.sandbox.settings import STAGES

_KEY_ID = re.compile(r"[a-zA-Z0-9-]{36}")


def create_job(plane: ControlPlane, start: Callable[[str], None], call: Call) -> dict[str, Any]:
    """CreateModelCustomizationJob; `start` is given the ARN of the job to run."""
    return resources.create(plane, call, CUSTOMIZATION_JOBS, _build, start=start)


def _build(plane: ControlPlane, call: Call) -> Job:
    asked = call.parameters
    base_model = _find_base_model(plane, call)
    _check_model_name(plane, call)
    _check_quotas(plane, call)
    _check_files(plane, call, base_model)
    read_tags(asked.get("customModelTags", []))
    job = Job(
        **resources.identify(plane, call, CUSTOMIZATION_JOBS, base_model.id),
        status="InProgress",
        request=asked,
        base_model_id=base_model.id,
        hyperparameters=_read_hyperparameters(asked, base_model),
        stages=dict.fromkeys(STAGES, Stage()),
        kms_key_arn=_key_arn(plane, call),
    )
    files.check_role(plane.store, asked, job.arn)
    return job


def _find_base_model(plane: ControlPlane, call: Call) -> BaseModel:
    asked = call.parameters
    identifier = asked["baseModelIdentifier"]
    if resources.find(plane.state.models, identifier, call.region) is not None:
        raise validation_error(
            "The sandbox tunes base models only, not a custom model once more. Name a base model.",
        )
    kind = asked.get("customizationType", "FINE_TUNING")
    if kind != "FINE_TUNING" or "customizationConfig" in asked:
        raise validation_error(f"{identifier} can be customized by FINE_TUNING, not by {kind}.")
    if "." not in identifier:  # the name of a custom model that is not there
        raise validation_error(INVALID_IDENTIFIER)
    return require_customizable(plane, call, identifier)


def _check_model_name(plane: ControlPlane, call: Call) -> None:
    """A custom model's name can be used again once the model is deleted, a job's never."""
    jobs = resources.in_region(plane.state.jobs, call.region)
    coming = {job.request["customModelName"] for job in jobs if job.status in UNFINISHED}
    name = call.parameters["customModelName"]
    resources.check_name(plane, call, CUSTOM_MODELS, name, coming=coming)


def _check_quotas(plane: ControlPlane, call: Call) -> None:
    """Check that one more job is within the Region's quotas.

    AWS does not say when a job is "scheduled"; here it is from its creation to its end.
    """
    jobs = resources.in_region(plane.state.jobs, call.region)
    models = resources.in_region(plane.state.models, call.region)
    unfinished = sum(job.status in UNFINISHED for job in jobs)
    jobs_over = "scheduled customization jobs, and so many are not over yet"
    resources.check_quota(unfinished, quotas.SCHEDULED_JOBS, jobs_over)
    those = "custom models, those of unfinished jobs included. Delete one that you no longer need"
    resources.check_quota(len(models) + unfinished, quotas.CUSTOM_MODELS, those)


def _check_files(plane: ControlPlane, call: Call, base_model: BaseModel) -> None:
    """Each input is one .jsonl object that the model uses; all buckets are in the job's Region."""
    uris = files.input_uris(call.parameters)
    for uri in uris:
        if not files.split_uri(uri)[1].endswith(".jsonl"):
            raise validation_error(
                f"Provided S3 location is invalid: {uri}. Input data must be in .jsonl format",
            )
        files.check_bucket(plane.store, uri, call.region, files.refuse_reading(uri))
    uri = call.parameters["outputDataConfig"]["s3Uri"]
    files.check_bucket(plane.store, uri, call.region, files.refuse_writing(uri))
    # AWS's pages call it unused or unsupported, its newer validator an error; whether a job is
    # refused or the file passed over is not documented. The guides agree not to send one.
    if len(uris) > 1 and not base_model.takes_validation:
        raise validation_error(
            f"{base_model.id} does not use validation data. Leave validationDataConfig out.",
        )


def _read_hyperparameters(asked: Mapping[str, Any], base_model: BaseModel) -> dict[str, str]:
    given = asked.get("hyperParameters", {})
    fixed = {name: given[name] for name in base_model.fixed_hyperparameters if name in given}
    try:
        return to_aws(from_aws(given, base_model), base_model) | fixed
    except SettingsError as error:
        raise validation_error(f"Invalid hyperparameters: {error}") from error


def _key_arn(plane: ControlPlane, call: Call) -> str:
    key = call.parameters.get("customModelKmsKeyId", "")
    if _KEY_ID.fullmatch(key):
        return f"arn:aws:kms:{call.region}:{call.account_id}:key/{key}"
    if "alias/" not in key:
        return str(key)
    found = plane.store.find_key(key, call.region)
    if found is None:
        raise validation_error(f"There is no KMS key {key} in {call.region}.")
    return found
