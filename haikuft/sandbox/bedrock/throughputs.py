"""Provisioned Throughput: create, update, delete.

No process belongs to a throughput: it is Creating or Updating for `stage_seconds`. Without a
commitment it can be deleted at any time, with one not before the term ends. The quota of model
units comes from the settings.
"""

import calendar
from datetime import datetime
from typing import Any

from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.foundation_models import require_customizable
from haikuft.sandbox.bedrock.records import ControlPlane, Throughput
from haikuft.sandbox.bedrock.resources import THROUGHPUTS
from haikuft.sandbox.http.messages import Call, conflict_error, quota_error, validation_error

TERM_MONTHS = {"OneMonth": 1, "SixMonths": 6}


def create_provisioned_model_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """CreateProvisionedModelThroughput for a custom model's name or ARN, or a base model's."""
    return resources.create(plane, call, THROUGHPUTS, _build)


def update_provisioned_model_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UpdateProvisionedModelThroughput: a new name, or another model of the same base model."""
    asked = call.parameters
    with plane.state.lock:
        throughput = resources.require(plane, call, THROUGHPUTS)
        resources.check_settled(throughput, validation_error, "wait until it is InService")
        name = asked.get("desiredProvisionedModelName", throughput.name)
        if name != throughput.name:
            resources.check_name(plane, call, THROUGHPUTS, name)
        model = _begin_change(plane, call, throughput) if "desiredModelId" in asked else {}
        resources.update(plane, THROUGHPUTS, throughput, name=name, **model)
    return {}


def delete_provisioned_model_throughput(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """DeleteProvisionedModelThroughput: not while Updating, not within a committed term."""
    with plane.state.lock:
        throughput = resources.require(plane, call, THROUGHPUTS)
        if throughput.pending == "Updating":
            raise conflict_error(f"{throughput.name} is Updating; delete it once InService.")
        if throughput.expires is not None and plane.now() < throughput.expires:
            raise conflict_error(
                f"{throughput.name} is committed until {throughput.expires:%Y-%m-%d %H:%M} UTC and "
                "cannot be deleted before."
            )
        resources.delete(plane, THROUGHPUTS, throughput.arn)
    return {}


def _build(plane: ControlPlane, call: Call) -> Throughput:
    asked = call.parameters
    model_arn, base_id = _find_model(plane, call, asked["modelId"])
    commitment = asked.get("commitmentDuration", "")
    throughput = Throughput(
        **resources.identify(plane, call, THROUGHPUTS),
        model_arn=model_arn,
        desired_model_arn=model_arn,
        base_model_id=base_id,
        custom=model_arn in plane.state.models,
        units=asked["modelUnits"],
        commitment=commitment,
        expires=_add_months(plane.now(), TERM_MONTHS[commitment]) if commitment else None,
        **resources.begin(plane, "Creating"),
    )
    _check_quota(plane, throughput)
    return throughput


def _find_model(plane: ControlPlane, call: Call, identifier: str) -> tuple[str, str]:
    """(ARN, base model id) of a custom or base model; its base model must support throughput."""
    custom = resources.find(plane.state.models, identifier, call.region)
    if custom is None and (":custom-model/" in identifier or "." not in identifier):
        raise resources.not_found("custom model", identifier)
    base = require_customizable(plane, call, custom.base_model_id if custom else identifier)
    if "provisioned_throughput" not in base.serving:
        raise validation_error(
            f"{base.name} takes no Provisioned Throughput. Deploy its custom models on demand."
        )
    return custom.arn if custom else base.arn(call.region), base.id


def _begin_change(plane: ControlPlane, call: Call, throughput: Throughput) -> dict[str, Any]:
    """Return the attributes of a throughput that begins to change its model."""
    model_arn, base_id = _find_model(plane, call, call.parameters["desiredModelId"])
    if base_id != throughput.base_model_id or not throughput.custom:
        raise validation_error(
            "A provisioned custom model can be given its base model or another custom model of "
            "the same base model, nothing else."
        )
    return {"desired_model_arn": model_arn, **resources.begin(plane, "Updating")}


def _check_quota(plane: ControlPlane, new: Throughput) -> None:
    """Check a new throughput against the quota of units: one for custom, one for base models."""
    held = sum(
        throughput.units
        for throughput in resources.in_region(plane.state.throughputs, new.region)
        if not throughput.commitment and throughput.custom == new.custom
    )
    quota = plane.settings().model_units_quota
    if new.commitment:
        if new.units > quota:
            raise quota_error(
                f"Your account is limited to {quota} model units per provisioned model for "
                f"{new.base_model_id}.",
            )
    elif quota == 0:
        raise quota_error(
            "Your account does not currently have any no commitment model units reserved for "
            f"{new.base_model_id}. Please contact AWS Support to request a limit increase.",
        )
    elif held + new.units > quota:
        raise quota_error(
            f"Your account is limited to {quota} no commitment model units for "
            f"{'custom' if new.custom else 'base'} models, {held} of them are in use and "
            f"{new.units} more were requested.",
        )


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
