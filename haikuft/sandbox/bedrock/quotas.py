"""Service Quotas for Bedrock: the quotas that a run of the notebooks depends on.

A base model's codes come from `base_models`; the account's codes, names and defaults from the AWS
General Reference, "Amazon Bedrock endpoints and quotas". The quota of model units is a setting of
the sandbox, so that AWS's default of 0 can be shown; the other quotas have their default values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.settings import SandboxSettings

_SERVICE = "bedrock"
CUSTOM_MODELS = 100
SCHEDULED_JOBS = 10
DEPLOYMENTS = 10
DEPLOYMENTS_IN_PROGRESS = 2


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
    units = settings.model_units_quota  # the value of all quotas that AWS sets to 0
    found = {
        code: Quota(code, name, default, default or units)
        for model in BASE_MODELS.values()
        for code, name, default in _of_model(model)
    }
    for code, name, default, adjustable in _OF_ACCOUNT:
        found[code] = Quota(code, name, default, default or units, adjustable)
    return [found[code] for code in sorted(found)]


_OF_ACCOUNT = (  # code, name, AWS's default, whether it can be increased
    ("L-0406044C", "Scheduled customization jobs", SCHEDULED_JOBS, False),
    ("L-FE44174A", "Model units no-commitment Provisioned Throughputs across base models", 0, True),
)


def _of_model(model: BaseModel) -> Iterator[tuple[str, str, int]]:
    """Yield code, name and AWS's default of a model's quotas."""
    known = {
        "records_per_job": (
            f"Sum of training and validation records for a {model.name} fine-tuning job",
            model.limits.max_total_records,
        ),
        "no_commitment_units": (
            "Model units no-commitment Provisioned Throughputs across custom models",
            0,
        ),
        "units_per_provisioned_model": (f"Model units per provisioned model for {model.name}", 0),
        "custom_models": ("Custom models per account", CUSTOM_MODELS),
        "deployments": ("Custom model deployments", DEPLOYMENTS),
        "deployments_in_progress": (
            "Custom model deployments in progress",
            DEPLOYMENTS_IN_PROGRESS,
        ),
    }
    for meaning, code in model.quota_codes.items():
        yield code, *known[meaning]


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
