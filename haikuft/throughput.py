"""Provisioned Throughput: start, get, wait, delete. On AWS it bills by the hour until deleted.

Sources: Bedrock API, CreateProvisionedModelThroughput, GetProvisionedModelThroughput; Bedrock User
Guide, "Increase model invocation capacity with Provisioned Throughput".
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from haikuft.aws_errors import error_code, explain, explaining, is_absent
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

COMMITMENTS = {"none": None, "1 month": "OneMonth", "6 months": "SixMonths"}  # ours -> AWS's
CHANGING = frozenset({"Creating", "Updating"})  # AWS's words
_NAME = re.compile(r"([0-9a-zA-Z][_-]?)+")
_NAME_LENGTH = 63


@dataclass(frozen=True, slots=True)
class Throughput:
    """One reading of a Provisioned Throughput.

    Attributes:
        arn: what is asked in place of a model's id.
        status: AWS's word: Creating, InService, Updating or Failed.
        model_arn: the model it serves.
        commitment: "none", "1 month" or "6 months".
        expires: when the commitment ends; None without one.
        failure_message: AWS's reason; None unless it failed.
    """

    arn: str
    name: str
    status: str
    model_arn: str
    model_units: int
    commitment: str
    created: datetime
    expires: datetime | None = None
    failure_message: str | None = None

    @classmethod
    def from_response(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of GetProvisionedModelThroughput, or a line of the list."""
        ours = {aws: word for word, aws in COMMITMENTS.items()}
        duration = answer.get("commitmentDuration")
        return cls(
            arn=answer["provisionedModelArn"],
            name=answer["provisionedModelName"],
            status=answer["status"],
            model_arn=answer["modelArn"],
            model_units=answer["modelUnits"],
            commitment=ours.get(duration, str(duration)),
            created=answer["creationTime"],
            expires=answer.get("commitmentExpirationTime"),
            failure_message=answer.get("failureMessage"),
        )


def check_same(
    found: Throughput, *, model_arn: str, model_units: int = 1, commitment: str = "none"
) -> None:
    """Refuse a throughput that is not the one asked for.

    Raises:
        ConflictError: it serves another model, or has other units or terms.
    """
    asked = {"model_arn": model_arn, "model_units": model_units, "commitment": commitment}
    differing = [
        f"{key} is {getattr(found, key)}, not {value}"
        for key, value in asked.items()
        if getattr(found, key) != value
    ]
    if differing:
        raise ConflictError(
            f"Provisioned Throughput {found.name} exists, and its {'; its '.join(differing)}. "
            "Delete it (notebook 7 shows how), or set the parameters to what it has."
        )


def start_throughput(
    bedrock: "BedrockClient",
    name: str,
    *,
    model_arn: str,
    model_units: int = 1,
    commitment: str = "none",
    tags: Mapping[str, str] | None = None,
    token: str = "",
) -> str:
    """Start a throughput and return its ARN. On AWS it bills from now until it is deleted.

    Args:
        bedrock: a client.
        name: at most 63 letters and digits, with single "-" or "_" between them.
        model_arn: the custom model to serve.
        model_units: how much of it; what a unit carries AWS's account managers tell.
        commitment: "none", "1 month" or "6 months"; with one it cannot be deleted before.
        tags: what marks it as ours.
        token: its clientRequestToken; a request repeated with it buys nothing more.

    Raises:
        AccessError: the quota of model units does not allow it.
        SettingsError: a name, number of units or commitment that cannot be.
    """
    _check(name, model_units, commitment)
    request: dict[str, Any] = {
        "provisionedModelName": name,
        "modelId": model_arn,
        "modelUnits": model_units,
    }
    if COMMITMENTS[commitment]:
        request["commitmentDuration"] = COMMITMENTS[commitment]
    if tags:
        request["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    if token:
        request["clientRequestToken"] = token
    doing = f"starting Provisioned Throughput {name}"
    with explaining(doing):
        try:
            return bedrock.create_provisioned_model_throughput(**request)["provisionedModelArn"]
        except ClientError as error:
            if error_code(error) == "ServiceQuotaExceededException":
                raise AccessError(
                    f"While {doing}: {error.response['Error']['Message']} AWS's default is 0 "
                    "units. Ask AWS Support for model units, which can take days; nothing is "
                    "billed until then, and the custom model stays."
                ) from error
            raise


def get_throughput(bedrock: "BedrockClient", throughput: str) -> Throughput:
    """Read a throughput once, by its ARN or its name.

    Raises:
        NotFoundError: this account and Region have no such throughput.
    """
    with explaining(f"reading Provisioned Throughput {throughput}"):
        answer = bedrock.get_provisioned_model_throughput(provisionedModelId=throughput)
    return Throughput.from_response(answer)


def find_throughput(bedrock: "BedrockClient", throughput: str) -> Throughput | None:
    """Read a throughput once; None where AWS knows no such throughput."""
    try:
        return get_throughput(bedrock, throughput)
    except NotFoundError:
        return None


def wait_for_throughput(
    bedrock: "BedrockClient",
    throughput: str,
    *,
    poll_seconds: float = 60.0,
    deadline_seconds: float = 2 * 3600.0,
    patience_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_change: Callable[[Throughput], None] | None = None,
    resume: str = "",
) -> Throughput:
    """Wait until a throughput is in service. Its arguments are those of `wait_for_job`.

    Raises:
        JobFailedError: it failed; says AWS's reason.
        WaitTimeoutError: the deadline has passed; it goes on, and bills.
        CredentialsError: the login has run out; it goes on, and bills.
        HaikuftError: no network, or a status this version does not know.
    """
    found = wait_until(
        lambda reading: reading.status not in CHANGING,
        lambda: get_throughput(bedrock, throughput),
        what=f"Provisioned Throughput {throughput.rpartition('/')[2]}",
        poll_seconds=poll_seconds,
        deadline_seconds=deadline_seconds,
        patience_seconds=patience_seconds,
        sleep=sleep,
        clock=clock,
        on_change=on_change,
        state=lambda reading: reading.status,
        resume=resume,
    )
    if found.status == "Failed":
        raise JobFailedError(
            f"Provisioned Throughput {found.name} failed: "
            f"{found.failure_message or 'AWS gives no reason.'} Delete it (notebook 7) and run "
            "notebook 5 again."
        )
    if found.status != "InService":
        raise HaikuftError(
            f'Provisioned Throughput {found.name} has the status "{found.status}", which this '
            "version of haikuft does not know. Look at it in the Bedrock console; it may bill."
        )
    return found


def delete_throughput(
    bedrock: "BedrockClient",
    throughput: str,
    *,
    poll_seconds: float = 5.0,
    deadline_seconds: float = 600.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Delete a throughput and wait until it is gone. Returns False where it was gone already.

    Raises:
        ConflictError: a commitment holds it; says until when.
        WaitTimeoutError: it is still there after the deadline.
    """
    found = find_throughput(bedrock, throughput)
    if found is None:
        return False
    doing = f"deleting Provisioned Throughput {found.name}"
    with explaining(doing):
        try:
            bedrock.delete_provisioned_model_throughput(provisionedModelId=found.arn)
        except ClientError as error:
            if not is_absent(error):
                if found.expires is None:
                    raise
                raise ConflictError(
                    f"{explain(error, doing=doing)} It is committed for {found.commitment}, until "
                    f"{found.expires:%Y-%m-%d %H:%M} UTC, and bills until then; such terms renew "
                    "by themselves, so come back on that day."
                ) from error
    wait_until(
        lambda reading: reading is None,
        lambda: find_throughput(bedrock, found.arn),
        what=f"Deleting Provisioned Throughput {found.name}",
        poll_seconds=poll_seconds,
        deadline_seconds=deadline_seconds,
        sleep=sleep,
        clock=clock,
    )
    return True


def _check(name: str, model_units: int, commitment: str) -> None:
    faults = []
    if len(name) > _NAME_LENGTH or not _NAME.fullmatch(name):
        faults.append(
            f'throughput name "{name}": take at most {_NAME_LENGTH} letters and digits, with '
            'single "-" or "_" between them'
        )
    if model_units < 1:
        faults.append(f"model_units = {model_units}: take 1 or more")
    if commitment not in COMMITMENTS:
        faults.append(f'commitment = "{commitment}": choose one of {", ".join(COMMITMENTS)}')
    if faults:
        raise SettingsError("; ".join(faults) + ".")
