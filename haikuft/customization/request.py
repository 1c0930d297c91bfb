"""The request that starts a customization job. Source: Bedrock API, CreateModelCustomizationJob."""

from collections.abc import Mapping, Sequence
from typing import Any


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
        validation_uri: one .jsonl object; early stopping needs it.
        kms_key_arn: your own key for the custom model; it cannot be changed later.
        subnet_ids: subnets to run in, with `security_group_ids`; empty for none.
        security_group_ids: security groups of the job's network interfaces.
        tags: tags of the job and of the model.
    """
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
