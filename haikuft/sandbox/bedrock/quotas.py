"""Service Quotas for Bedrock: the quotas that a run of the notebooks depends on.

A base model's codes come from `base_models`, all else from `quotas.toml`. The quota of model units
is a setting of the sandbox, so that AWS's default of 0 can be shown; the other quotas have their
default values.
"""

from collections.abc import Mapping
from typing import Any

from haikuft.base_models import BASE_MODELS
from haikuft.package_data import read_toml
from haikuft.sandbox.bedrock.records import ControlPlane
from haikuft.sandbox.bedrock.resources import MEMBERS, describe
from haikuft.sandbox.http.messages import Call, ServiceError

_TABLE = read_toml("haikuft.sandbox.bedrock", "quotas.toml")
_OF_MODELS = _TABLE["of_models"]
CUSTOM_MODELS: int = _OF_MODELS["custom_models"]["default"]
DEPLOYMENTS: int = _OF_MODELS["deployments"]["default"]
DEPLOYMENTS_IN_PROGRESS: int = _OF_MODELS["deployments_in_progress"]["default"]
SCHEDULED_JOBS: int = _TABLE["of_account"]["L-0406044C"]["default"]


def answer(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """Answer GetServiceQuota, ListServiceQuotas or their AWSDefault siblings for Bedrock.

    Raises ServiceError: NoSuchResourceException for another service or an unknown code.
    """
    operation = call.operation
    service, wanted = call.parameters.get("ServiceCode"), call.parameters.get("QuotaCode")
    quotas = _list_quotas(plane, call, default="AWSDefault" in operation)
    found = [
        describe(quota, MEMBERS["quota"]["get"])
        for quota in quotas
        if service == "bedrock" and wanted in (None, quota["code"])
    ]
    if operation.startswith("List"):
        return {"Quotas": found}
    if operation not in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        message = f"The sandbox does not serve {operation} of Service Quotas; it reads quotas only."
        raise ServiceError("UnknownOperationException", message)
    if wanted is None or not found:
        message = f"The sandbox has no quota {wanted} of {service}."
        raise ServiceError("NoSuchResourceException", message)
    return {"Quota": found[0]}


def _list_quotas(plane: ControlPlane, call: Call, *, default: bool) -> list[dict[str, Any]]:
    """Return every quota once, in the order of their codes, with its value or AWS's default.

    Each has an arn, a code, a name and a value, and whether it is adjustable: can be increased.
    """
    rows: dict[str, Mapping[str, Any]] = {**_TABLE["of_account"]}
    for model in BASE_MODELS.values():
        for meaning, code in model.quota_codes.items():
            row = {"default": model.limits.max_total_records, **_OF_MODELS[meaning]}
            rows[code] = {**row, "name": row["name"].format(model=model.name)}
    owner, units = ("", 0) if default else (call.account_id, plane.settings().model_units_quota)
    return [
        {
            "arn": f"arn:aws:servicequotas:{call.region}:{owner}:bedrock/{code}",
            "code": code,
            "name": row["name"],
            "value": float(row["default"] or units),
            "adjustable": row.get("adjustable", True),
        }
        for code, row in sorted(rows.items())
    ]
