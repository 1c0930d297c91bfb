"""Custom model deployments: find, start, wait, delete. On AWS they bill by the token when asked.

Sources: Bedrock API, CreateCustomModelDeployment, GetCustomModelDeployment,
UpdateCustomModelDeployment; Bedrock User Guide, deploy-custom-model-on-demand.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from haikuft.aws_errors import error_code, explaining, is_absent
from haikuft.errors import (
    AccessError,
    ConflictError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
)
from haikuft.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

_NAME = re.compile(r"([0-9a-zA-Z][_-]?)+")
_NAME_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Deployment:
    """One reading of a custom model deployment.

    Attributes:
        arn: what is asked in place of a model's id.
        status: AWS's word: Creating, Active or Failed; an update leaves it Active.
        model_arn: the model that answers now.
        update_status: AWS's word: Updating, UpdateCompleted or UpdateFailed; "" without an update.
        failure_message: AWS's reason; None unless it failed.
    """

    arn: str
    name: str
    status: str
    model_arn: str
    created: datetime
    update_status: str = ""
    failure_message: str | None = None

    @property
    def changing(self) -> bool:
        """Whether it is being made, or given another model."""
        return self.status == "Creating" or self.update_status == "Updating"

    @classmethod
    def from_response(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetCustomModelDeployment."""
        return cls(
            arn=answer["customModelDeploymentArn"],
            name=answer["modelDeploymentName"],
            status=answer["status"],
            model_arn=answer["modelArn"],
            created=answer["createdAt"],
            update_status=answer.get("updateDetails", {}).get("updateStatus", ""),
            failure_message=answer.get("failureMessage"),
        )


def change_model(bedrock: "BedrockClient", found: Deployment, model_arn: str) -> None:
    """Give a deployment this model, unless it serves it already.

    Its ARN stays, and the other model answers until the change is done.

    Raises:
        ConflictError: it is just being made, or changed, for another model.
    """
    if found.model_arn == model_arn:
        return
    if found.changing:
        raise ConflictError(
            f"Custom model deployment {found.name} is just being made, or changed, for "
            f"{found.model_arn}. Wait until that is done, some minutes, and run this again."
        )
    with explaining(f"giving custom model deployment {found.name} another model"):
        bedrock.update_custom_model_deployment(
            modelArn=model_arn, customModelDeploymentIdentifier=found.arn
        )


def start_deployment(
    bedrock: "BedrockClient",
    name: str,
    *,
    model_arn: str,
    tags: Mapping[str, str] | None = None,
    token: str = "",
) -> str:
    """Start a deployment and return its ARN. It costs nothing until it is asked.

    Args:
        bedrock: a client.
        name: at most 63 letters and digits, with single "-" or "_" between them.
        model_arn: the custom model to serve; it must be Active.
        tags: what marks it as ours.
        token: its clientRequestToken; a request repeated with it makes nothing more.

    Raises:
        AccessError: the quota of deployments does not allow it.
        ConflictError: the name is taken.
        SettingsError: a name that cannot be, or a model that cannot be deployed on demand.
    """
    if len(name) > _NAME_LENGTH or not _NAME.fullmatch(name):
        raise SettingsError(
            f'deployment name "{name}": take at most {_NAME_LENGTH} letters and digits, with '
            'single "-" or "_" between them.'
        )
    request: dict[str, Any] = {"modelDeploymentName": name, "modelArn": model_arn}
    if tags:
        request["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    if token:
        request["clientRequestToken"] = token
    doing = f"starting custom model deployment {name}"
    with explaining(doing):
        try:
            return bedrock.create_custom_model_deployment(**request)["customModelDeploymentArn"]
        except ClientError as error:
            said = error.response["Error"]["Message"]
            if error_code(error) == "ServiceQuotaExceededException":
                raise AccessError(
                    f"While {doing}: {said} AWS's defaults are 10 deployments, and 2 being made at "
                    "a time. Delete one that nobody needs, wait until one is made, or ask for "
                    "more in the Service Quotas console; the custom model stays."
                ) from error
            if "currently in use" in said.lower():
                raise ConflictError(
                    f"While {doing}: {said} Run this again: what has that name is found, or is "
                    "still being deleted."
                ) from error
            raise


def get_deployment(bedrock: "BedrockClient", deployment: str) -> Deployment:
    """Read a deployment once, by its ARN or its name.

    Raises:
        NotFoundError: this account and Region have no such deployment.
    """
    with explaining(f"reading custom model deployment {deployment}"):
        answer = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    return Deployment.from_response(answer)


def find_deployment(bedrock: "BedrockClient", deployment: str) -> Deployment | None:
    """Read a deployment once; None where AWS knows no such deployment."""
    try:
        return get_deployment(bedrock, deployment)
    except NotFoundError:
        return None


def wait_for_deployment(
    bedrock: "BedrockClient",
    deployment: str,
    *,
    poll_seconds: float = 60.0,
    deadline_seconds: float = 2 * 3600.0,
    patience_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_change: Callable[[Deployment], None] | None = None,
    resume: str = "",
) -> Deployment:
    """Wait until a deployment is active, and any change of its model done.

    Its arguments are those of `wait_for_job`.

    Raises:
        JobFailedError: it failed; says AWS's reason.
        WaitTimeoutError: the deadline has passed; it goes on.
        CredentialsError: the login has run out; it goes on.
        HaikuftError: no network, or a status this version does not know.
    """
    found = wait_until(
        lambda reading: not reading.changing,
        lambda: get_deployment(bedrock, deployment),
        what=f"Custom model deployment {deployment.rpartition('/')[2]}",
        poll_seconds=poll_seconds,
        deadline_seconds=deadline_seconds,
        patience_seconds=patience_seconds,
        sleep=sleep,
        clock=clock,
        on_change=on_change,
        state=lambda reading: (reading.status, reading.update_status),
        resume=resume,
    )
    if found.status == "Failed":
        raise JobFailedError(
            f"Custom model deployment {found.name} failed: "
            f"{found.failure_message or 'AWS gives no reason.'} Delete it (notebook 7) and run "
            "notebook 5 again."
        )
    if found.update_status == "UpdateFailed":
        raise JobFailedError(
            f"Custom model deployment {found.name} could not be given another model, and goes on "
            f"serving {found.model_arn}. {found.failure_message or 'AWS gives no reason.'} Delete "
            "it (notebook 7) and run notebook 5 again."
        )
    if found.status != "Active":
        raise HaikuftError(
            f'Custom model deployment {found.name} has the status "{found.status}", which this '
            "version of haikuft does not know. Look at it in the Bedrock console."
        )
    return found


def delete_deployment(
    bedrock: "BedrockClient",
    deployment: str,
    *,
    poll_seconds: float = 5.0,
    deadline_seconds: float = 900.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Delete a deployment and wait until it is gone. Returns False where it was gone already.

    One that is still being made or changed is waited for first: AWS may refuse until then.

    Raises:
        WaitTimeoutError: it is still there after the deadline.
    """
    waiting: dict[str, Any] = {
        "poll_seconds": poll_seconds,
        "deadline_seconds": deadline_seconds,
        "sleep": sleep,
        "clock": clock,
    }
    found = wait_until(
        lambda reading: reading is None or not reading.changing,
        lambda: find_deployment(bedrock, deployment),
        what=f"Making custom model deployment {deployment.rpartition('/')[2]}",
        **waiting,
    )
    if found is None:
        return False
    with explaining(f"deleting custom model deployment {found.name}"):
        try:
            bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=found.arn)
        except ClientError as error:
            if not is_absent(error):
                raise
    wait_until(
        lambda reading: reading is None,
        lambda: find_deployment(bedrock, found.arn),
        what=f"Deleting custom model deployment {found.name}",
        **waiting,
    )
    return True
