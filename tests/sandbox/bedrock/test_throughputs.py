"""Provisioned Throughput: who may have one, how it comes to serve, and when it can go."""

import re
from datetime import UTC, datetime

import pytest

from haikuft.sandbox.http.messages import ServiceError

PLAIN = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU = f"{PLAIN}:200k"
BASE_ARN = f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}"


def get(desk, name="pt-1"):
    """Describe a throughput."""
    return desk.ask("GetProvisionedModelThroughput", provisionedModelId=name)


def test_create_is_creating_until_its_time_then_in_service(desk):
    """The clock alone turns Creating to InService."""
    desk.provision()
    assert get(desk)["status"] == "Creating"
    desk.pass_time(seconds=1.9)
    assert get(desk)["status"] == "Creating"
    desk.pass_time(seconds=0.1)
    assert get(desk)["status"] == "InService"


@pytest.mark.parametrize("by", ["name", "arn"])
def test_create_for_custom_model_by_name_or_arn_serves_it(desk, by):
    """A custom model is named by name or ARN; the response also has its base model."""
    job = desk.run_job()
    model = {"name": job["outputModelName"], "arn": job["outputModelArn"]}[by]
    arn = desk.provision(modelId=model)
    found = get(desk, arn)
    assert found["modelArn"] == found["desiredModelArn"] == job["outputModelArn"]
    assert found["foundationModelArn"] == BASE_ARN
    assert re.fullmatch(
        r"arn:aws:bedrock:us-west-2:123456789012:provisioned-model/[a-z0-9]{12}", arn
    )


@pytest.mark.parametrize("model_id", [HAIKU, BASE_ARN])
def test_create_for_base_model_by_id_or_arn_serves_it(desk, model_id):
    """A base model can be provisioned under its suffixed id."""
    desk.provision(modelId=model_id)
    assert get(desk)["modelArn"] == BASE_ARN


@pytest.mark.parametrize(
    ("model_id", "code"),
    [
        (PLAIN, "ValidationException"),
        ("anthropic.claude-9:0:1k", "ValidationException"),
        ("no-such-model", "ResourceNotFoundException"),
        (
            f"arn:aws:bedrock:us-west-2:123456789012:custom-model/{HAIKU}/abcdefghijkl",
            "ResourceNotFoundException",
        ),
    ],
)
def test_create_for_unknown_or_unsuffixed_model_is_refused(desk, model_id, code):
    """The plain id is for on-demand use only; unknown custom models are not found."""
    with pytest.raises(ServiceError) as caught:
        desk.provision(modelId=model_id)
    assert caught.value.code == code


def test_create_when_lifecycle_is_today_is_refused_as_ended(desk):
    """After the end of life neither base nor custom models can be provisioned."""
    job = desk.run_job()
    desk.change(lifecycle="today")
    for model_id in (HAIKU, job["outputModelArn"]):
        with pytest.raises(ServiceError, match="reached the end of its life"):
            desk.provision(modelId=model_id)


def test_create_when_quota_is_zero_is_refused_in_aws_words(desk):
    """Zero is AWS's own default."""
    desk.change(model_units_quota=0)
    with pytest.raises(ServiceError) as caught:
        desk.provision()
    assert caught.value.code == "ServiceQuotaExceededException"
    assert caught.value.message.startswith(
        f"Your account does not currently have any no commitment model units reserved for {HAIKU}"
    )


def test_create_when_quota_is_used_up_is_refused_until_units_are_free(desk):
    """All throughputs without commitment share the quota; deleting one frees its units."""
    desk.provision("pt-1")
    desk.provision("pt-2")
    with pytest.raises(ServiceError) as caught:
        desk.provision("pt-3")
    assert caught.value.code == "ServiceQuotaExceededException"
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")
    assert desk.provision("pt-3")


def test_create_when_base_units_are_used_up_leaves_custom_models_theirs(desk):
    """Base models and custom models have a quota each."""
    job = desk.run_job()
    desk.provision("base", modelUnits=2)
    assert desk.provision("custom", modelId=job["outputModelArn"], modelUnits=2)


def test_create_when_name_is_taken_is_refused(desk):
    """Names of throughputs are unique in a Region."""
    desk.provision()
    with pytest.raises(ServiceError, match="name is currently in use"):
        desk.provision()


def test_create_when_token_is_repeated_makes_no_second_one(desk):
    """The same client request token gets the same throughput."""
    first = desk.provision(clientRequestToken="t0")
    assert desk.provision(clientRequestToken="t0") == first
    assert desk.provision("other", modelUnits=9, clientRequestToken="t0") == first
    assert len(desk.ask("ListProvisionedModelThroughputs")["provisionedModelSummaries"]) == 1


def test_delete_without_commitment_works_at_any_time(desk):
    """Even while Creating, so that billing can always be ended."""
    desk.provision()
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")
    assert desk.ask("ListProvisionedModelThroughputs") == {"provisionedModelSummaries": []}
    with pytest.raises(ServiceError) as caught:
        get(desk)
    assert caught.value.code == "ResourceNotFoundException"


def test_delete_within_committed_term_is_a_conflict_with_its_date(desk):
    """A month's commitment ends a calendar month later, and not before."""
    desk.time = datetime(2026, 1, 31, 12, tzinfo=UTC)
    desk.provision(commitmentDuration="OneMonth")
    assert get(desk)["commitmentExpirationTime"] == datetime(2026, 2, 28, 12, tzinfo=UTC)
    desk.pass_time(days=27)
    with pytest.raises(ServiceError, match="2026-02-28") as caught:
        desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")
    assert caught.value.code == "ConflictException"
    desk.pass_time(days=1)
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")


def test_commitment_of_six_months_passes_the_turn_of_the_year(desk):
    """Terms are counted in calendar months."""
    desk.time = datetime(2026, 8, 31, tzinfo=UTC)
    desk.provision(commitmentDuration="SixMonths")
    assert get(desk)["commitmentExpirationTime"] == datetime(2027, 2, 28, tzinfo=UTC)


def test_update_to_sibling_serves_the_old_model_until_ready(desk):
    """While Updating the response has both models, and neither update nor delete is possible."""
    one, two = desk.run_job("one")["outputModelArn"], desk.run_job("two")["outputModelArn"]
    desk.provision(modelId=one)
    desk.pass_time(seconds=2)
    desk.ask("UpdateProvisionedModelThroughput", provisionedModelId="pt-1", desiredModelId=two)
    found = get(desk)
    assert (found["status"], found["modelArn"], found["desiredModelArn"]) == ("Updating", one, two)
    with pytest.raises(ServiceError) as caught:
        desk.ask("DeleteProvisionedModelThroughput", provisionedModelId="pt-1")
    assert caught.value.code == "ConflictException"
    desk.pass_time(seconds=2)
    found = get(desk)
    assert (found["status"], found["modelArn"]) == ("InService", two)
    desk.ask("DeleteCustomModel", modelIdentifier=one)


def test_update_of_name_renames(desk):
    """A new name takes effect at once; the ARN stays."""
    arn = desk.provision()
    desk.pass_time(seconds=2)
    desk.ask(
        "UpdateProvisionedModelThroughput",
        provisionedModelId="pt-1",
        desiredProvisionedModelName="renamed",
    )
    assert get(desk, "renamed")["provisionedModelArn"] == arn


def test_update_of_base_throughput_to_custom_model_is_refused(desk):
    """Only a throughput bought for a custom model can change its model."""
    model = desk.run_job()["outputModelArn"]
    desk.provision()
    desk.pass_time(seconds=2)
    with pytest.raises(ServiceError) as caught:
        desk.ask(
            "UpdateProvisionedModelThroughput", provisionedModelId="pt-1", desiredModelId=model
        )
    assert caught.value.code == "ValidationException"


def test_list_when_filtered_shows_those(desk):
    """Filters by status, model and name see each throughput as it stands now."""
    model = desk.run_job()["outputModelArn"]
    desk.provision("old", modelId=model)
    desk.pass_time(seconds=2)
    desk.provision("new")

    def names(**filters):
        found = desk.ask("ListProvisionedModelThroughputs", **filters)
        return [summary["provisionedModelName"] for summary in found["provisionedModelSummaries"]]

    assert names() == ["new", "old"]
    assert names(sortOrder="Ascending") == ["old", "new"]
    assert names(statusEquals="InService") == ["old"]
    assert names(modelArnEquals=BASE_ARN) == ["new"]
    assert names(nameContains="ol") == ["old"]
