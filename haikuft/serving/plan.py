"""In which way a run's model is served: what the base model allows, and what exists already."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haikuft.base_models import BaseModel, Serving
from haikuft.errors import SettingsError
from haikuft.run_record import Run, resource_prefix
from haikuft.serving.acting import Served, find_served
from haikuft.serving.costs import ServingCost

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

NOUNS: Mapping[Serving, str] = {  # AWS's words
    "deployment": "custom model deployment",
    "provisioned_throughput": "Provisioned Throughput",
}


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What comes next.

    Attributes:
        kind: In which way the model is served.
        name: What serves is called so.
        found: It, when it exists; None when it must be started.
        doing: The start in words, as in "creating Provisioned Throughput tickets".
        request: Beside the name what `ensure_served` takes to start it.
        changes: What the record must say before it starts, so that nothing bills unknown.
    """

    kind: Serving
    name: str
    found: Served | None
    doing: str
    request: dict[str, Any]
    changes: dict[str, Any]


def choose_serving(base_model: BaseModel, choice: str = "") -> Serving:
    """Choose how the custom models of a base model are served.

    Args:
        base_model: What it allows is in its `serving`.
        choice: "deployment" or "provisioned_throughput"; "" for the first that it allows.

    Raises:
        SettingsError: no such way, or one that AWS does not offer for this model.
    """
    if not choice:
        return base_model.serving[0]
    for allowed in base_model.serving:
        if allowed == choice:
            return allowed
    offered = " or ".join(f'"{one}"' for one in base_model.serving)
    if choice in NOUNS:
        raise SettingsError(
            f'serving = "{choice}": AWS serves custom models of {base_model.name} otherwise. '
            f'Take {offered}, or leave it "".'
        )
    raise SettingsError(f'serving = "{choice}": take {offered}, or leave it "".')


def plan_serving(bedrock: "BedrockClient", run: Run, cost: ServingCost) -> ServingPlan:
    """Find what serves the run's model, or plan to start it.

    Args:
        bedrock: A client.
        run: Its record names the custom model.
        cost: The way that was chosen, with its price, from `estimate_costs`.
    """
    name = resource_prefix(run.record.run)
    found = find_served(bedrock, cost.kind, name)
    changes = {"serving": cost.kind, f"{_FIELDS[cost.kind]}_name": name, **cost.changes}
    request = {"model_arn": run.record.custom_model_arn, "tags": run.tags, **cost.request}
    doing = f"creating {NOUNS[cost.kind]} {name}"
    return ServingPlan(cost.kind, name, found, doing, request, changes)


_FIELDS: Mapping[Serving, str] = {  # how its fields in the record begin
    "deployment": "deployment",
    "provisioned_throughput": "throughput",
}
