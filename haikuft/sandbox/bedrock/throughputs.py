"""Provisioned Throughput: create, get, list, update, delete.

Nothing runs behind one: it is Creating or Updating until its time has come by the clock, and the
sandbox's `stage_seconds` says how long that takes. Without a commitment it can be deleted at any
time; with one not before the term ends. Quotas of model units come from the settings.
"""

import calendar
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from haikuft.base_models import BaseModel
from haikuft.sandbox.bedrock.foundation_models import base_model_arn, require_tunable
from haikuft.sandbox.bedrock.records import (
    ControlPlane,
    Throughput,
    build_arn,
    find,
    in_region,
    new_id,
    present,
)
from haikuft.sandbox.bedrock.resources import page, recall, remember
from haikuft.sandbox.bedrock.tags import read_tags
from haikuft.sandbox.http.routing import Call, ServiceError

TERM_MONTHS = {"OneMonth": 1, "SixMonths": 6}


def create_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """CreateProvisionedModelThroughput for a custom model's name or ARN, or a base model's."""
    asked = call.parameters
    with plane.state.lock:
        earlier = recall(plane.state, call)
        if earlier:
            return {"provisionedModelArn": earlier}
        tags = read_tags(asked.get("tags", []))
        _check_name_free(plane, call, asked["provisionedModelName"])
        model_arn, base_id = _find_model(plane, call, asked["modelId"])
        commitment = asked.get("commitmentDuration", "")
        _check_quota(plane, call, model_arn, base_id, asked["modelUnits"], commitment)
        now = plane.now()
        throughput = Throughput(
            arn=build_arn(call.region, call.account_id, f"provisioned-model/{new_id()}"),
            name=asked["provisionedModelName"],
            created=now,
            changed=now,
            model_arn=model_arn,
            desired_model_arn=model_arn,
            base_model_id=base_id,
            custom=model_arn in plane.state.models,
            units=asked["modelUnits"],
            commitment=commitment,
            expires=_add_months(now, TERM_MONTHS[commitment]) if commitment else None,
            pending="Creating",
            ready=now + timedelta(seconds=plane.settings().stage_seconds),
        )
        plane.state.throughputs[throughput.arn] = throughput
        plane.state.tags[throughput.arn] = tags
        remember(plane.state, call, throughput.arn)
    return {"provisionedModelArn": throughput.arn}


def get_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetProvisionedModelThroughput: by name or ARN."""
    with plane.state.lock:
        return _describe(require_throughput(plane, call), call.region)


def list_throughputs(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListProvisionedModelThroughputs."""
    asked = call.parameters
    with plane.state.lock:
        throughputs = [
            throughput
            for throughput in current_throughputs(plane, call.region)
            if asked.get("statusEquals", throughput.status) == throughput.status
            and asked.get("modelArnEquals", throughput.model_arn) == throughput.model_arn
        ]
    shown, more = page(throughputs, asked)
    summaries = [_describe(throughput, call.region) for throughput in shown]
    return {"provisionedModelSummaries": summaries, **more}


def update_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UpdateProvisionedModelThroughput: a new name, or another model of the same base model."""
    asked = call.parameters
    with plane.state.lock:
        throughput = require_throughput(plane, call)
        if throughput.pending:
            raise ServiceError(
                "ValidationException",
                f"{throughput.name} is {throughput.pending}; wait until it is InService.",
            )
        name = asked.get("desiredProvisionedModelName", throughput.name)
        if name != throughput.name:
            _check_name_free(plane, call, name)
        now = plane.now()
        changed = replace(throughput, name=name, changed=now)
        if "desiredModelId" in asked:
            changed = _exchange_model(plane, call, changed)
        plane.state.throughputs[throughput.arn] = changed
    return {}


def delete_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteProvisionedModelThroughput: not while Updating, not within a committed term."""
    with plane.state.lock:
        throughput = require_throughput(plane, call)
        if throughput.pending == "Updating":
            raise ServiceError(
                "ConflictException", f"{throughput.name} is Updating; delete it once InService."
            )
        if throughput.expires is not None and plane.now() < throughput.expires:
            raise ServiceError(
                "ConflictException",
                f"{throughput.name} is committed until {throughput.expires:%Y-%m-%d %H:%M} UTC and "
                "cannot be deleted before.",
            )
        del plane.state.throughputs[throughput.arn]
        plane.state.tags.pop(throughput.arn, None)
    return {}


def require_throughput(plane: ControlPlane, call: Call) -> Throughput:
    """Find the throughput that the request names, as it stands now.

    Raises:
        ServiceError: this Region has none of that name or ARN.
    """
    identifier = call.parameters["provisionedModelId"]
    throughput = find(plane.state.throughputs, identifier, call.region)
    if throughput is None:
        raise ServiceError(
            "ResourceNotFoundException", f"Could not find provisioned model {identifier}."
        )
    return settle(throughput, plane.now())


def current_throughputs(plane: ControlPlane, region: str) -> list[Throughput]:
    """List all throughputs of a Region as they stand now."""
    now = plane.now()
    return [settle(throughput, now) for throughput in in_region(plane.state.throughputs, region)]


def settle(throughput: Throughput, now: datetime) -> Throughput:
    """Bring the throughput to that moment: what was pending is done once its time has come."""
    if not throughput.pending or now < throughput.ready:
        return throughput
    return replace(
        throughput, pending="", model_arn=throughput.desired_model_arn, changed=throughput.ready
    )


def _find_model(plane: ControlPlane, call: Call, identifier: str) -> tuple[str, str]:
    """(ARN, base model id) of a custom or base model; the base must still take throughput."""
    custom = find(plane.state.models, identifier, call.region)
    if custom is not None:
        base = require_tunable(plane, call, custom.base_model_id)
        _check_serving(base)
        return custom.arn, custom.base_model_id
    if ":custom-model/" in identifier or "." not in identifier:
        raise ServiceError(
            "ResourceNotFoundException", f"Could not find custom model {identifier}."
        )
    base = require_tunable(plane, call, identifier)
    _check_serving(base)
    return base.arn(call.region), base.id


def _check_serving(base: BaseModel) -> None:
    if "provisioned_throughput" not in base.serving:
        raise ServiceError(
            "ValidationException",
            f"{base.name} takes no Provisioned Throughput. Deploy its custom models on demand.",
        )


def _exchange_model(plane: ControlPlane, call: Call, throughput: Throughput) -> Throughput:
    model_arn, base_id = _find_model(plane, call, call.parameters["desiredModelId"])
    if base_id != throughput.base_model_id or not throughput.custom:
        raise ServiceError(
            "ValidationException",
            "A provisioned custom model can be given its base model or another custom model of "
            "the same base model, nothing else.",
        )
    ready = throughput.changed + timedelta(seconds=plane.settings().stage_seconds)
    return replace(throughput, desired_model_arn=model_arn, pending="Updating", ready=ready)


def _check_name_free(plane: ControlPlane, call: Call, name: str) -> None:
    taken = [record.name for record in in_region(plane.state.throughputs, call.region)]
    if name in taken:
        raise ServiceError(
            "ValidationException", "The provided provisioned model name is currently in use."
        )


def _check_quota(
    plane: ControlPlane, call: Call, model_arn: str, base_id: str, units: int, commitment: str
) -> None:
    """Hold the units against the quota: one for custom, one for base models."""
    custom = model_arn in plane.state.models
    held = sum(
        throughput.units
        for throughput in in_region(plane.state.throughputs, call.region)
        if not throughput.commitment and throughput.custom == custom
    )
    quota = plane.settings().model_units_quota
    if commitment:
        if units > quota:
            raise ServiceError(
                "ServiceQuotaExceededException",
                f"Your account is limited to {quota} model units per provisioned model for "
                f"{base_id}.",
            )
    elif quota == 0:
        raise ServiceError(
            "ServiceQuotaExceededException",
            "Your account does not currently have any no commitment model units reserved for "
            f"{base_id}. Please contact AWS Support to request a limit increase.",
        )
    elif held + units > quota:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"Your account is limited to {quota} no commitment model units for "
            f"{'custom' if custom else 'base'} models, {held} of them are in use and {units} more "
            "were requested.",
        )


def _describe(throughput: Throughput, region: str) -> dict[str, Any]:
    return present(
        provisionedModelName=throughput.name,
        provisionedModelArn=throughput.arn,
        modelArn=throughput.model_arn,
        desiredModelArn=throughput.desired_model_arn,
        foundationModelArn=base_model_arn(throughput.base_model_id, region),
        modelUnits=throughput.units,
        desiredModelUnits=throughput.units,
        status=throughput.status,
        commitmentDuration=throughput.commitment or None,
        commitmentExpirationTime=throughput.expires,
        creationTime=throughput.created,
        lastModifiedTime=throughput.changed,
    )


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
