"""Service Quotas for Bedrock, as boto3 reads them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from haikuft.base_models import BASE_MODELS, DEFAULT

UNITS = DEFAULT.quota_codes["no_commitment_units"]


def test_get_service_quota_when_units_are_set_then_value_is_the_setting_and_default_is_0(
    local_sandbox: Any,
) -> None:
    """The account's value follows the sandbox's settings; AWS's default is 0."""
    asked = {"ServiceCode": "bedrock", "QuotaCode": UNITS}
    quotas = local_sandbox(model_units_quota=3).client("service-quotas")
    assert quotas.get_service_quota(**asked)["Quota"]["Value"] == 3
    assert quotas.get_aws_default_service_quota(**asked)["Quota"]["Value"] == 0


def test_list_service_quotas_when_service_is_bedrock_then_has_each_code_of_the_base_models(
    local_sandbox: Any,
) -> None:
    """Every quota that the series asks about is there once, with a name."""
    quotas = local_sandbox().client("service-quotas")
    found = quotas.list_service_quotas(ServiceCode="bedrock")["Quotas"]
    account = ["L-0406044C", "L-FE44174A"]  # jobs; model units for base models
    codes = {*account, *(c for model in BASE_MODELS.values() for c in model.quota_codes.values())}
    assert sorted(q["QuotaCode"] for q in found) == sorted(codes)
    assert [q["QuotaCode"] for q in found if not q["Adjustable"]] == ["L-0406044C"]
    assert all(q["QuotaName"] and q["ServiceName"] == "Amazon Bedrock" for q in found)
    assert quotas.list_service_quotas(ServiceCode="ec2")["Quotas"] == []


@pytest.mark.parametrize("asked", [("bedrock", "L-00000000"), ("ec2", UNITS)])
def test_get_service_quota_when_there_is_none_then_says_which(
    local_sandbox: Any, asked: tuple[str, str]
) -> None:
    """An unknown quota is AWS's own error."""
    quotas = local_sandbox().client("service-quotas")
    with pytest.raises(quotas.exceptions.NoSuchResourceException, match=asked[1]):
        quotas.get_service_quota(ServiceCode=asked[0], QuotaCode=asked[1])


def test_request_increase_when_asked_then_says_that_it_reads_only(local_sandbox: Any) -> None:
    """An operation that is not served names itself."""
    quotas = local_sandbox().client("service-quotas")
    with pytest.raises(ClientError, match="does not serve RequestServiceQuotaIncrease"):
        quotas.request_service_quota_increase(
            ServiceCode="bedrock", QuotaCode=UNITS, DesiredValue=1
        )
