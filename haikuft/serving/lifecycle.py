"""Serve a custom model: get, find, start, update, wait, delete; one lifecycle for both ways.

On AWS a deployment bills tokens when it is asked; throughput bills by the hour until it is deleted.
Notebooks 5 and 7 use it. Sources: Bedrock API, the Create, Get, Update and Delete operations of
CustomModelDeployment and ProvisionedModelThroughput; Bedrock User Guide, "Increase model invocation
capacity with Provisioned Throughput" and deploy-custom-model-on-demand.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from haikuft.aws.errors import error_code, explain, explaining, is_absent, unless_absent
from haikuft.aws.ownership import list_tags
from haikuft.aws.waiting import Waiting, wait_until
from haikuft.base_models import Serving
from haikuft.errors import AccessError, ConflictError, HaikuftError, JobFailedError, NotFoundError
from haikuft.serving.served import APIS, COMMITMENTS, Served, kind_of

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

DELETING = Waiting(poll_seconds=5.0, deadline_seconds=900.0)


def get_served(bedrock: "BedrockClient", arn: str) -> Served:
    """Read once what serves a model.

    Raises:
        NotFoundError: this account and Region have no such deployment or throughput.
    """
    kind = kind_of(arn)
    api = APIS[kind]
    with explaining(f"reading {api.noun} {arn}"):
        answer = getattr(bedrock, f"get_{api.operation}")(**{api.identifier: arn})
        return Served.from_response(kind, answer)


def find_served(bedrock: "BedrockClient", arn: str) -> Served | None:
    """Read once what serves a model; None where AWS knows no such deployment or throughput."""
    return unless_absent(get_served, bedrock, arn)


def start_serving(
    bedrock: "BedrockClient",
    kind: Serving,
    name: str,
    *,
    model_arn: str,
    model_units: int = 1,
    commitment: str = "none",
    tags: Mapping[str, str] | None = None,
    token: str = "",
) -> str:
    """Start a deployment or throughput and return its ARN. On AWS throughput bills from now on.

    Args:
        bedrock: a client.
        kind: in which way the model is served.
        name: at most 63 letters and digits, with single "-" or "_" between them.
        model_arn: the custom model to serve; for a deployment it must be Active.
        model_units: of throughput; AWS's account managers tell what one unit can process.
        commitment: of throughput: "none", "1 month" or "6 months"; it cannot be deleted before.
        tags: mark it as this run's.
        token: its clientRequestToken; AWS ignores a repeated request with the same token.

    Raises:
        AccessError: a quota does not allow it.
        ConflictError: the name is taken.
        SettingsError: a model that cannot be served in this way.
    """
    api = APIS[kind]
    request: dict[str, Any] = {
        api.name: name,
        api.model: model_arn,
        "modelUnits": model_units if kind == "provisioned_throughput" else 0,
        "commitmentDuration": COMMITMENTS[commitment],
        "tags": list_tags(tags or {}),
        "clientRequestToken": token,
    }
    request = {member: value for member, value in request.items() if value}
    doing = f"starting {api.noun} {name}"
    with explaining(doing):
        try:
            return str(getattr(bedrock, f"create_{api.operation}")(**request)[api.arn])
        except ClientError as error:
            said = error.response["Error"]["Message"]
            if error_code(error) == "ServiceQuotaExceededException":
                raise AccessError(f"While {doing}: {said} {api.quota}") from error
            if "currently in use" in said.lower():
                raise ConflictError(
                    f"While {doing}: {said} Run this again: what has that name is found, or is "
                    "still being deleted."
                ) from error
            raise


def check_same(found: Served, asked: Mapping[str, Any]) -> None:
    """Refuse throughput that is not the one asked for.

    Args:
        found: the throughput.
        asked: a request; model_arn, model_units and commitment of it are compared.

    Raises:
        ConflictError: it serves another model, or has other units or another commitment.
    """
    differing = [
        f"{key} is {getattr(found, key)}, not {asked[key]}"
        for key in ("model_arn", "model_units", "commitment")
        if getattr(found, key) != asked[key]
    ]
    if differing:
        raise ConflictError(
            f"Provisioned Throughput {found.name} exists, and its {'; its '.join(differing)}. "
            "Delete it (notebook 7 shows how), or set the parameters to what it has."
        )


def change_model(bedrock: "BedrockClient", found: Served, model_arn: str) -> None:
    """Give a deployment this model, unless it serves it already.

    Its ARN stays, and the other model answers until the update is complete.

    Raises:
        ConflictError: it is being created, or updated, for another model.
    """
    if found.model_arn == model_arn:
        return
    if found.changing:
        raise ConflictError(
            f"Custom model deployment {found.name} is being created or updated for "
            f"{found.model_arn}. Wait some minutes until that is complete, and run this again."
        )
    with explaining(f"giving custom model deployment {found.name} another model"):
        bedrock.update_custom_model_deployment(
            modelArn=model_arn, customModelDeploymentIdentifier=found.arn
        )


def wait_for_served(bedrock: "BedrockClient", arn: str, waiting: Waiting) -> Served:
    """Wait until it answers requests, and any update of its model is complete.

    Raises:
        JobFailedError: it failed; says AWS's reason.
        NotFoundError: it was deleted meanwhile, or before: AWS ignores a repeated request.
        WaitTimeoutError: the deadline has passed; it continues, and throughput bills.
        CredentialsError: the login has expired; it continues, and throughput bills.
        HaikuftError: no network, or a status this version does not know.
    """
    kind = kind_of(arn)
    try:
        found = wait_until(
            lambda reading: not reading.changing,
            lambda: get_served(bedrock, arn),
            what=_name(kind, arn.rpartition("/")[2]),
            waiting=waiting,
            state=lambda reading: (reading.status, reading.update_status),
        )
    except NotFoundError as error:
        raise NotFoundError(
            f"{arn} is gone: it was deleted meanwhile, or AWS ignored the request as a repeat of "
            "an earlier one. Run this notebook again from its beginning: it starts another."
        ) from error
    name, reason = _name(kind, found.name), found.failure_message or "AWS gives no reason."
    if found.status == "Failed":
        raise JobFailedError(
            f"{name} failed: {reason} Delete it (notebook 7) and run notebook 5 again."
        )
    if found.update_status == "UpdateFailed":
        raise JobFailedError(
            f"{name} could not be given another model, and still serves {found.model_arn}. "
            f"{reason} Delete it (notebook 7) and run notebook 5 again."
        )
    if not found.ready:
        raise HaikuftError(
            f'{name} has the status "{found.status}", which this version of haikuft does not know. '
            "Look at it in the Bedrock console; it may bill."
        )
    return found


def stop_serving(bedrock: "BedrockClient", arn: str, waiting: Waiting = DELETING) -> bool:
    """Delete what serves a model and wait until it is gone. Returns False where it was gone.

    The custom model stays. A deployment that is being created or updated is waited for first: AWS
    may refuse to delete it until then.

    Raises:
        ConflictError: a commitment holds it; says until when.
        WaitTimeoutError: it is still there after the deadline.
    """
    kind = kind_of(arn)
    api = APIS[kind]
    found = wait_until(
        lambda reading: reading is None or kind != "deployment" or not reading.changing,
        lambda: find_served(bedrock, arn),
        what=f"Creating {api.noun} {arn.rpartition('/')[2]}",
        waiting=waiting,
    )
    if found is None:
        return False
    doing = f"deleting {api.noun} {found.name}"
    with explaining(doing):
        try:
            getattr(bedrock, f"delete_{api.operation}")(**{api.identifier: found.arn})
        except ClientError as error:
            if not is_absent(error):
                if found.expires is None:
                    raise
                raise ConflictError(
                    f"{explain(error, doing=doing)} It is committed for {found.commitment}, until "
                    f"{found.expires:%Y-%m-%d %H:%M} UTC, and bills until then; such terms renew "
                    "automatically, so delete it on that day."
                ) from error
    wait_until(
        lambda reading: reading is None,
        lambda: find_served(bedrock, found.arn),
        what=f"Deleting {api.noun} {found.name}",
        waiting=waiting,
    )
    return True


def _name(kind: Serving, name: str) -> str:
    """Name it at the beginning of a sentence."""
    noun = APIS[kind].noun
    return f"{noun[0].upper()}{noun[1:]} {name}"
