"""The request that starts a customization job, checked before it leaves.

Source: Bedrock API, CreateModelCustomizationJob; the patterns are those of botocore's own service
model, which checks neither them nor lengths on the client.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from haikuft.errors import SettingsError

_NAME_LENGTH = 63
_JOB_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9+\-.])*")  # as in Bedrock's own model
_MODEL_NAME = re.compile(r"([0-9a-zA-Z][_-]?)+")
_DATA_KEY = re.compile(r"s3://[a-z0-9][-.a-z0-9]{1,61}[a-z0-9](/[-!_*'().a-z0-9A-Z]+)+")


def build_job_request(
    *,
    job_name: str,
    custom_model_name: str,
    role_arn: str,
    base_model_id: str,
    training_uri: str,
    output_uri: str,
    hyperparameters: Mapping[str, str],
    validation_uri: str = "",
    kms_key_arn: str = "",
    subnet_ids: Sequence[str] = (),
    security_group_ids: Sequence[str] = (),
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Build the arguments of `create_model_customization_job`.

    Args:
        job_name: at most 63 letters, digits, "-", "." and "+".
        custom_model_name: at most 63 letters and digits, with single "-" or "_" between them.
        role_arn: the role that Bedrock works under.
        base_model_id: with its context suffix, such as ":200k".
        training_uri: one .jsonl object.
        output_uri: folder for the metrics.
        hyperparameters: AWS's names, and values as strings.
        validation_uri: one .jsonl object; without it early stopping has nothing to act on.
        kms_key_arn: your own key for the custom model; it cannot be changed later.
        subnet_ids: subnets to run in, with `security_group_ids`; empty for none.
        security_group_ids: security groups of the job's network interfaces.
        tags: tags of the job and of the model.

    Raises:
        SettingsError: what Bedrock would refuse, all of it at once.
    """
    faults = _name_faults(job_name, custom_model_name)
    for name, uri in (("training_uri", training_uri), ("validation_uri", validation_uri)):
        if uri and not (_DATA_KEY.fullmatch(uri) and uri.endswith(".jsonl")):
            faults.append(
                f'{name} = "{uri}": name one .jsonl object, its key made of letters, digits and '
                "-!_*'(). between single slashes"
            )
    if bool(subnet_ids) != bool(security_group_ids):
        faults.append("a VPC takes subnet_ids and security_group_ids: give both or neither")
    if faults:
        raise SettingsError("; ".join(faults) + ".")
    request: dict[str, Any] = {
        "jobName": job_name,
        "customModelName": custom_model_name,
        "roleArn": role_arn,
        "baseModelIdentifier": base_model_id,
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": training_uri},
        "outputDataConfig": {"s3Uri": output_uri},
        "hyperParameters": dict(hyperparameters),
    }
    if validation_uri:
        request["validationDataConfig"] = {"validators": [{"s3Uri": validation_uri}]}
    if kms_key_arn:
        request["customModelKmsKeyId"] = kms_key_arn
    if subnet_ids:
        request["vpcConfig"] = {
            "subnetIds": list(subnet_ids),
            "securityGroupIds": list(security_group_ids),
        }
    if tags:
        marks = [{"key": key, "value": value} for key, value in tags.items()]
        request |= {"jobTags": marks, "customModelTags": marks}
    return request


def _name_faults(job_name: str, custom_model_name: str) -> list[str]:
    faults = []
    if len(job_name) > _NAME_LENGTH or not _JOB_NAME.fullmatch(job_name):
        faults.append(
            f'job_name = "{job_name}": take at most {_NAME_LENGTH} letters, digits, "-", "." and '
            '"+", beginning with a letter or digit'
        )
    if len(custom_model_name) > _NAME_LENGTH or not _MODEL_NAME.fullmatch(custom_model_name):
        faults.append(
            f'custom_model_name = "{custom_model_name}": take at most {_NAME_LENGTH} letters and '
            'digits, with single "-" or "_" between them'
        )
    return faults
