"""Foundation models as the sandbox offers them, in their active days and today."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_2_LITE
from haikuft.sandbox.http.messages import ServiceError

PLAIN = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU = f"{PLAIN}:200k"


def listed(desk, **filters):
    """List the ids that ListFoundationModels shows."""
    models = desk.ask("ListFoundationModels", **filters)["modelSummaries"]
    return [model["modelId"] for model in models]


def test_list_shows_haiku_under_both_ids(desk):
    """The plain id is for asking on demand, the suffixed one for tuning and provisioning."""
    assert listed(desk) == [PLAIN, HAIKU]


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"byCustomizationType": "FINE_TUNING"}, [HAIKU]),
        ({"byCustomizationType": "DISTILLATION"}, []),
        ({"byInferenceType": "ON_DEMAND"}, [PLAIN]),
        ({"byInferenceType": "PROVISIONED"}, [HAIKU]),
        ({"byProvider": "anthropic"}, [PLAIN, HAIKU]),
        ({"byProvider": "Amazon"}, []),
        ({"byOutputModality": "IMAGE"}, []),
    ],
)
def test_list_when_filtered_shows_those(desk, filters, ids):
    """All four filters of ListFoundationModels work."""
    assert listed(desk, **filters) == ids


def test_list_in_region_that_does_not_tune_it_shows_the_plain_id_alone(desk):
    """Fine-tuning is offered in us-west-2 only."""
    assert listed(desk, region="us-east-1") == [PLAIN]


def test_list_when_given_another_base_model_shows_it_as_its_data_say(desk):
    """What is offered is data; one without Provisioned Throughput is not offered for it."""
    other = replace(
        CLAUDE_3_HAIKU,
        id="amazon.example-v1:0:128k",
        foundation_id="amazon.example-v1:0",
        inference_id="amazon.example-v1:0",
        provider="Amazon",
        regions=("us-east-1",),
        serving=("deployment",),
    )
    desk.base_models[other.id] = other
    assert listed(desk, byProvider="Amazon", region="us-east-1") == [other.inference_id, other.id]
    assert listed(desk, byInferenceType="PROVISIONED", region="us-east-1") == []
    with pytest.raises(ServiceError, match="takes no Provisioned Throughput") as caught:
        desk.provision(modelId=other.id, region="us-east-1")
    assert caught.value.code == "ValidationException"


def test_list_of_a_model_asked_through_profiles_alone_offers_no_asking_on_demand(desk):
    """Nova 2 Lite is tuned here and asked by its profile; its plain id is refused."""
    desk.base_models[NOVA_2_LITE.id] = NOVA_2_LITE
    assert listed(desk, byProvider="Amazon", byInferenceType="ON_DEMAND", region="us-east-1") == []
    tunable = listed(desk, byCustomizationType="FINE_TUNING", region="us-east-1")
    assert tunable == [NOVA_2_LITE.id]
    turn = [{"role": "user", "content": [{"text": "Hello?"}]}]
    plain = NOVA_2_LITE.foundation_id
    for model_id in (plain, f"arn:aws:bedrock:us-east-1::foundation-model/{plain}"):
        with pytest.raises(ServiceError, match="on-demand throughput isn’t supported"):
            desk.ask("Converse", modelId=model_id, messages=turn, region="us-east-1")
    desk.ask("Converse", modelId=NOVA_2_LITE.inference_id, messages=turn, region="us-east-1")


def test_get_when_active_shows_launch_and_nothing_of_the_end(desk):
    """By default the model is as it was in its active days."""
    model = desk.ask("GetFoundationModel", modelIdentifier=HAIKU)["modelDetails"]
    assert model["modelLifecycle"] == {
        "status": "ACTIVE",
        "startOfLifeTime": datetime(2024, 3, 13, tzinfo=UTC),
    }
    assert model["customizationsSupported"] == ["FINE_TUNING"]
    assert model["modelArn"] == f"arn:aws:bedrock:us-west-2::foundation-model/{HAIKU}"


def test_get_by_arn_equals_get_by_id(desk):
    """An ARN of this Region is as good as an id."""
    arn = f"arn:aws:bedrock:us-west-2::foundation-model/{PLAIN}"
    assert desk.ask("GetFoundationModel", modelIdentifier=arn) == desk.ask(
        "GetFoundationModel", modelIdentifier=PLAIN
    )


@pytest.mark.parametrize(
    "identifier", ["anthropic.claude-9", f"arn:aws:bedrock:us-east-1::foundation-model/{PLAIN}"]
)
def test_get_when_unknown_is_invalid(desk, identifier):
    """Unknown ids and other Regions' ARNs are refused in AWS's words."""
    with pytest.raises(ServiceError, match="The provided model identifier is invalid"):
        desk.ask("GetFoundationModel", modelIdentifier=identifier)


def test_today_after_end_of_life_lists_nothing_and_finds_nothing(desk):
    """With lifecycle "today" Haiku is gone: in no list, and every question is a 404."""
    desk.change(lifecycle="today")
    assert listed(desk) == []
    for operation, parameter in [
        ("GetFoundationModel", "modelIdentifier"),
        ("GetFoundationModelAvailability", "modelId"),
    ]:
        with pytest.raises(ServiceError, match="reached the end of its life") as caught:
            desk.ask(operation, **{parameter: HAIKU})
        assert caught.value.code == "ResourceNotFoundException"


def test_today_between_legacy_and_end_is_legacy_with_its_dates(desk):
    """The documented dates decide by the clock; a Legacy model takes no new job."""
    desk.change(lifecycle="today")
    desk.time = datetime(2026, 4, 1, tzinfo=UTC)
    model = desk.ask("GetFoundationModel", modelIdentifier=HAIKU)["modelDetails"]
    assert model["modelLifecycle"]["status"] == "LEGACY"
    assert model["modelLifecycle"]["endOfLifeTime"] == datetime(2026, 9, 10, tzinfo=UTC)
    with pytest.raises(ServiceError, match="Legacy"):
        desk.create_job()
    with pytest.raises(ServiceError, match="Legacy"):
        desk.provision()


def test_today_before_legacy_is_active(desk):
    """Before the Legacy date "today" is no different."""
    desk.change(lifecycle="today")
    desk.time = datetime(2026, 3, 9, tzinfo=UTC)
    model = desk.ask("GetFoundationModel", modelIdentifier=HAIKU)["modelDetails"]
    assert model["modelLifecycle"]["status"] == "ACTIVE"


def test_availability_of_an_offered_model_is_given(desk):
    """Agreement, authorization, entitlement and Region are all in order."""
    assert desk.ask("GetFoundationModelAvailability", modelId=HAIKU) == {
        "modelId": HAIKU,
        "agreementAvailability": {"status": "AVAILABLE"},
        "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE",
        "regionAvailability": "AVAILABLE",
    }
