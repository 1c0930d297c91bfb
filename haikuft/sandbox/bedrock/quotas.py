"""Service Quotas for Bedrock: the quotas that a run of the notebooks depends on.

A base model's codes come from `base_models`, all else from `quotas.toml`. The quota of model units
is a setting of the sandbox, so that AWS's default of 0 can be shown; the other quotas have their
default values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haikuft.base_models import BASE_MODELS
from haikuft.package_data import read_toml
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.settings import SandboxSettings

_SERVICE = "bedrock"
_TABLE = read_toml("haikuft.sandbox.bedrock", "quotas.toml")
_OF_MODELS = _TABLE["of_models"]
CUSTOM_MODELS: int = _OF_MODELS["custom_models"]["default"]
DEPLOYMENTS: int = _OF_MODELS["deployments"]["default"]
DEPLOYMENTS_IN_PROGRESS: int = _OF_MODELS["deployments_in_progress"]["default"]
SCHEDULED_JOBS: int = _TABLE["of_account"]["L-0406044C"]["default"]


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota: its code, name, AWS's default, the value here, and whether it can be increased."""

    code: str
    name: str
    default: int
    value: int
    adjustable: bool = True


def answer(
    operation: str, request: Mapping[str, Any], *, settings: SandboxSettings, region: str
) -> dict[str, Any]:
    """Answer GetServiceQuota, ListServiceQuotas or their AWSDefault siblings for Bedrock.

    Args:
        operation: AWS's name.
        request: The request by AWS's member names.
        settings: The sandbox's settings; `model_units_quota` is read.
        region: From the request's signature.

    Raises ServiceError: NoSuchResourceException for another service or an unknown code.
    """
    default = "AWSDefault" in operation
    wanted = request.get("QuotaCode")
    found = [
        _show(quota, settings, region, default=default)
        for quota in list_quotas(settings)
        if request.get("ServiceCode") == _SERVICE and wanted in (None, quota.code)
    ]
    if operation.startswith("List"):
        return {"Quotas": found}
    if operation not in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        raise ServiceError(
            "UnknownOperationException",
            f"The sandbox does not serve {operation} of Service Quotas; it reads quotas only.",
        )
    if wanted is None or not found:
        raise ServiceError(
            "NoSuchResourceException",
            f"The sandbox has no quota {wanted} of {request.get('ServiceCode')}.",
        )
    return {"Quota": found[0]}


def list_quotas(settings: SandboxSettings) -> list[Quota]:
    """Return every quota once, in the order of their codes."""
    units = settings.model_units_quota
    found = {}
    for model in BASE_MODELS.values():
        for meaning, code in model.quota_codes.items():
            row = _OF_MODELS[meaning]
            name, default = row["name"].format(model=model.name), row.get("default")
            default = model.limits.max_total_records if default is None else default
            found[code] = Quota(code, name, default, default or units)
    for code, row in _TABLE["of_account"].items():
        found[code] = Quota(code, value=row["default"] or units, **row)
    return [found[code] for code in sorted(found)]


def _show(quota: Quota, settings: SandboxSettings, region: str, *, default: bool) -> dict[str, Any]:
    owner = "" if default else settings.account_id
    return {
        "ServiceCode": _SERVICE,
        "ServiceName": "Amazon Bedrock",
        "QuotaArn": f"arn:aws:servicequotas:{region}:{owner}:{_SERVICE}/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": float(quota.default if default else quota.value),
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": False,
    }
