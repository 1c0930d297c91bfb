"""What Bedrock can tune, or could: base models as data, and how to find one.

The models are in `models.toml`, with dates and sources; a new model needs an entry there only.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec

from haikuft.base_models.values import BaseModel, JobTime, Range, Serving
from haikuft.errors import SettingsError
from haikuft.package_data import read_toml

__all__ = ["BaseModel", "JobTime", "Range", "Serving", "describe_lifecycle", "get_base_model"]

LifecycleState = Literal["active", "legacy", "extended", "ended"]


def _read_models() -> dict[str, BaseModel]:
    found = read_toml(__package__, "models.toml")
    rows = ({**found["families"][one.pop("family")], **one} for one in found["models"])
    models = (msgspec.convert(row, BaseModel) for row in rows)
    return {model.id: model for model in models}


BASE_MODELS: Mapping[str, BaseModel] = _read_models()
CLAUDE_3_HAIKU = DEFAULT = BASE_MODELS["anthropic.claude-3-haiku-20240307-v1:0:200k"]
NOVA_MICRO = BASE_MODELS["amazon.nova-micro-v1:0:128k"]
NOVA_LITE = BASE_MODELS["amazon.nova-lite-v1:0:300k"]
NOVA_PRO = BASE_MODELS["amazon.nova-pro-v1:0:300k"]
NOVA_2_LITE = BASE_MODELS["amazon.nova-2-lite-v1:0:256k"]


def get_base_model(base_model_id: str = "") -> BaseModel:
    """Find a base model by its customization id, inference id or ARN; "" is the default one.

    Raises:
        SettingsError: no model here goes by that name; the message lists those that do.
    """
    if found := find_base_model(base_model_id or DEFAULT.id):
        return found
    known = ", ".join(BASE_MODELS)
    raise SettingsError(
        f'base_model_id "{base_model_id}" is not a model this series can tune. Known: {known}. '
        'Take one of these, or leave it "" for the default.'
    )


def find_base_model(model_id: str) -> BaseModel | None:
    """Find a base model by its customization id, inference id or ARN; None where it is none."""
    wanted = model_id.rpartition("foundation-model/")[2]
    models = BASE_MODELS.values()
    return next((m for m in models if wanted in (m.id, m.foundation_id, m.inference_id)), None)


def list_tunable(today: date) -> list[BaseModel]:
    """List the models that can still be tuned on that day, by their documented dates."""
    return [model for model in BASE_MODELS.values() if lifecycle_state(model, today) == "active"]


def lifecycle_state(model: BaseModel, today: date) -> LifecycleState:
    """Return the model's lifecycle state on a day, by its documented dates."""
    dates = model.lifecycle
    if today >= (dates.end_of_life or date.max):
        return "ended"
    if today >= (dates.extended or date.max):
        return "extended"
    return "legacy" if today >= (dates.legacy or date.max) else "active"


def describe_lifecycle(model: BaseModel, today: date) -> str:
    """Describe in one or two sentences what the documented dates mean on a day."""
    dates = model.lifecycle
    read = f"({dates.source}, as of {dates.as_of})"
    state = lifecycle_state(model, today)
    if state == "ended":
        return (
            f"{model.name} reached its end of life on Amazon Bedrock on {dates.end_of_life}: AWS "
            f"answers no more requests for it {read}."
        )
    end = f" Its end of life is {dates.end_of_life}." if dates.end_of_life else ""
    if state == "active":
        until = f"; it becomes Legacy on {dates.legacy}" if dates.legacy else ""
        return f"{model.name} is active on Amazon Bedrock{until} {read}.{end}"
    risen = f", and since {dates.extended} its price may rise" if state == "extended" else ""
    return (
        f"{model.name} has been Legacy on Amazon Bedrock since {dates.legacy}: no new "
        f"customization job and no new Provisioned Throughput can be created{risen} {read}.{end}"
    )
