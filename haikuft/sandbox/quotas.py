"""Service Quotas for Bedrock: the quotas that decide whether a run on AWS can go through.

Codes come from `base_models`; names and defaults from the AWS General Reference, "Amazon
Bedrock endpoints and quotas". Model units are the sandbox's own setting, so that AWS's default
of 0 can be shown; the other quotas stand at their defaults.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox.protocol import ServiceError
from haikuft.sandbox.settings import SandboxSettings

_SERVICE = "bedrock"
_CUSTOM_MODELS = 100


@dataclass(frozen=True, slots=True)
class Quota:
    """One quota: its code, name, AWS's default and the value in this account."""

    code: str
    name: str
    default: int
    value: int


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
    quotas = list_quotas(settings)
    if operation.startswith("List"):
        found = quotas if request.get("ServiceCode") == _SERVICE else []
        wanted = request.get("QuotaCode")
        return {
            "Quotas": [
                _show(quota, settings, region, default=default)
                for quota in found
                if wanted in (None, quota.code)
            ]
        }
    if operation not in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
        raise ServiceError(
            "UnknownOperationException",
            f"The sandbox does not serve {operation} of Service Quotas; it reads quotas only.",
        )
    if request.get("ServiceCode") == _SERVICE:
        for quota in quotas:
            if quota.code == request.get("QuotaCode"):
                return {"Quota": _show(quota, settings, region, default=default)}
    raise ServiceError(
        "NoSuchResourceException",
        f"The sandbox has no quota {request.get('QuotaCode')} of {request.get('ServiceCode')}.",
    )


def list_quotas(settings: SandboxSettings) -> list[Quota]:
    """Return every quota once, in the order of their codes."""
    found = {q.code: q for model in BASE_MODELS.values() for q in _of_model(model, settings)}
    return [found[code] for code in sorted(found)]


def _of_model(model: BaseModel, settings: SandboxSettings) -> Iterator[Quota]:
    records = model.limits.max_total_records
    units = settings.model_units_quota
    known = {
        "records_per_job": (
            f"Sum of training and validation records for a {model.name} fine-tuning job",
            records,
            records,
        ),
        "no_commitment_units": (
            "Model units no-commitment Provisioned Throughputs across custom models",
            0,
            units,
        ),
        "units_per_provisioned_model": (
            f"Model units per provisioned model for {model.name}",
            0,
            units,
        ),
        "custom_models": ("Custom models per account", _CUSTOM_MODELS, _CUSTOM_MODELS),
    }
    for meaning, code in model.quota_codes.items():
        name, default, value = known[meaning]
        yield Quota(code, name, default, value)


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
        "Adjustable": True,
        "GlobalQuota": False,
    }
