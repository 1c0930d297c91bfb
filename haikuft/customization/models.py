"""Custom models, which customization jobs create: find, delete.

Source: Bedrock API, GetCustomModel, DeleteCustomModel.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from haikuft.aws.errors import error_code, explaining, is_absent, unless_absent
from haikuft.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


@dataclass(frozen=True, slots=True)
class CustomModel:
    """One reading of a custom model; `status` is AWS's word, `created` is aware."""

    arn: str
    name: str
    status: str
    created: datetime


def find_custom_model(bedrock: "BedrockClient", model: str) -> CustomModel | None:
    """Read a custom model once, by its ARN or its name; None where AWS knows no such model."""
    with explaining(f"reading custom model {model}"):
        answer = unless_absent(bedrock.get_custom_model, modelIdentifier=model)
        if answer is None:
            return None
        return CustomModel(
            arn=answer["modelArn"],
            name=answer["modelName"],
            status=answer.get("modelStatus", "Active"),
            created=answer["creationTime"],
        )


def delete_custom_model(bedrock: "BedrockClient", model: str) -> bool:
    """Delete a custom model. Returns False where it was gone already.

    Raises:
        ConflictError: a Provisioned Throughput still serves it.
    """
    with explaining(f"deleting custom model {model}"):
        try:
            bedrock.delete_custom_model(modelIdentifier=model)
        except ClientError as error:
            if is_absent(error):
                return False
            if error_code(error) in {"ConflictException", "ResourceInUseException"}:
                raise ConflictError(
                    f"Custom model {model} is still in use ({error.response['Error']['Message']}). "
                    "Delete its Provisioned Throughput first, and wait until it is gone."
                ) from error
            raise
    return True
