"""Base models: what is said of them is what AWS documents, and what is asked is found."""

from dataclasses import asdict
from datetime import date

import msgspec
import pytest

from haikuft import base_models
from haikuft.base_models import (
    BASE_MODELS,
    CLAUDE_3_HAIKU,
    NOVA_2_LITE,
    NOVA_MICRO,
    BaseModel,
    describe_lifecycle,
    get_base_model,
    lifecycle_state,
    list_tunable,
)
from haikuft.errors import SettingsError


def test_default_when_no_id_is_given_then_claude_3_haiku():
    """The series' subject is taken when nothing is named."""
    assert get_base_model() is CLAUDE_3_HAIKU
    assert base_models.DEFAULT is CLAUDE_3_HAIKU
    assert CLAUDE_3_HAIKU.region == "us-west-2"


def test_serving_of_claude_3_haiku_is_provisioned_throughput_alone():
    """AWS's list of models for deployment on demand does not have it."""
    assert CLAUDE_3_HAIKU.serving == ("provisioned_throughput",)


@pytest.mark.parametrize(
    "name",
    [
        "anthropic.claude-3-haiku-20240307-v1:0:200k",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-3-haiku-20240307-v1:0:200k",
    ],
)
def test_base_model_when_named_by_id_inference_id_or_arn_then_found(name):
    """All three names that AWS uses lead to the same model."""
    assert get_base_model(name) is CLAUDE_3_HAIKU


def test_base_model_when_unknown_then_error_lists_those_known():
    """A wrong id is answered with the right ones."""
    with pytest.raises(SettingsError, match=r'"claude-haiku" is not .* Known: anthropic\.claude-3'):
        get_base_model("claude-haiku")


def test_arn_when_built_then_has_no_account_and_the_suffixed_id():
    """Foundation models belong to no account, and customization wants the context suffix."""
    assert CLAUDE_3_HAIKU.arn("us-east-1") == (
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0:200k"
    )
    assert ":us-west-2:" in CLAUDE_3_HAIKU.arn()


def test_base_model_when_used_as_key_then_it_can_be():
    """A base model is a value: it can stand in a set."""
    assert {CLAUDE_3_HAIKU} == {get_base_model()}


@pytest.mark.parametrize(
    ("today", "state", "words"),
    [
        (
            date(2026, 3, 9),
            "active",
            "is active on Amazon Bedrock; it becomes Legacy on 2026-03-10",
        ),
        (date(2026, 3, 10), "legacy", "has been Legacy on Amazon Bedrock since 2026-03-10"),
        (date(2026, 6, 10), "extended", "since 2026-06-10 its price may rise"),
        (date(2026, 9, 9), "extended", "Its end of life is 2026-09-10."),
        (date(2026, 9, 10), "ended", "reached its end of life on Amazon Bedrock on 2026-09-10"),
    ],
)
def test_lifecycle_when_a_date_is_reached_then_the_state_is_said_with_its_source(
    today, state, words
):
    """A date counts from its own day on, and every sentence names where it was read and when."""
    sentence = describe_lifecycle(CLAUDE_3_HAIKU, today)
    assert lifecycle_state(CLAUDE_3_HAIKU, today) == state
    assert words in sentence
    assert "model-lifecycle-legacy, as of 2026-10-14" in sentence


def test_ranges_when_listed_then_defaults_lie_inside_and_names_mirror_aws():
    """Ours is snake case, AWS's camel case of the same words, in AWS's order."""
    assert list(CLAUDE_3_HAIKU.hyperparameters) == [
        "epoch_count",
        "batch_size",
        "learning_rate_multiplier",
        "early_stopping_threshold",
        "early_stopping_patience",
    ]
    for name, allowed in CLAUDE_3_HAIKU.hyperparameters.items():
        first, *others = name.split("_")
        assert allowed.aws_name == first + "".join(map(str.capitalize, others))
        assert allowed.minimum <= allowed.default <= allowed.maximum


def test_tunable_when_listed_then_only_models_that_have_not_gone():
    """The list is for someone whose model has gone, so it must not send them back to it."""
    names = [model.name for model in list_tunable(date(2026, 11, 21))]
    assert names == [
        "Amazon Nova Micro",
        "Amazon Nova Lite",
        "Amazon Nova Pro",
        "Amazon Nova 2 Lite",
    ]
    assert CLAUDE_3_HAIKU in list_tunable(date(2026, 3, 9))


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_base_model_when_it_has_several_ids_then_each_leads_to_it(model):
    """The id with a context suffix is for customization, the others are for asking."""
    assert model.id.startswith(f"{model.foundation_id}:")
    assert model.inference_id.endswith(model.foundation_id)
    for name in (model.id, model.foundation_id, model.inference_id, model.arn()):
        assert get_base_model(name) is model


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_base_model_when_described_then_its_values_fit_together(model):
    """Suggestions lie within their ranges, and every model can be served and trained somewhere."""
    for allowed in model.hyperparameters.values():
        assert allowed.minimum <= allowed.default <= allowed.maximum
        assert allowed.minimum <= allowed.start <= allowed.maximum
    assert model.serving
    assert model.regions
    assert model.limits.min_records < model.limits.max_training_records


def test_nova_when_compared_with_claude_then_differs_where_aws_says_so():
    """Other hyperparameters, no early stopping, deployment first, and no validation on Nova 2."""
    assert list(NOVA_MICRO.hyperparameters) == [
        "epoch_count",
        "learning_rate",
        "learning_rate_warmup_steps",
    ]
    assert (CLAUDE_3_HAIKU.stops_early, NOVA_MICRO.stops_early) == (True, False)
    assert (NOVA_MICRO.takes_validation, NOVA_2_LITE.takes_validation) == (True, False)
    assert (CLAUDE_3_HAIKU.serving, NOVA_MICRO.serving[0]) == (
        ("provisioned_throughput",),
        "deployment",
    )
    assert NOVA_MICRO.region == "us-east-1"


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_base_model_when_read_from_the_file_then_each_value_has_its_declared_type(model):
    """Type checkers do not see into the file; a quoted number or an unknown key is found here."""
    assert msgspec.convert(asdict(model), BaseModel) == model


def test_base_models_when_read_then_each_has_its_own_id():
    """No entry of the file replaces another."""
    assert [model.id for model in BASE_MODELS.values()] == list(BASE_MODELS)
    assert len(BASE_MODELS) == 5
