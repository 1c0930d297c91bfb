"""Choose how a run's model is served, find what already serves it, or start it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haikuft.aws.ownership import request_token
from haikuft.base_models import BaseModel, Serving
from haikuft.errors import SettingsError
from haikuft.runs.lookup import find_own
from haikuft.runs.run_record import Run
from haikuft.serving.costs import ServingCost
from haikuft.serving.lifecycle import (
    change_model,
    check_same,
    find_served,
    get_served,
    start_serving,
)
from haikuft.serving.served import APIS, Served, name_served

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What notebook 5 does next: use what serves the model already, or start it.

    Attributes:
        kind: In which way the model is served.
        name: The name of the deployment or throughput.
        found: The one that exists; None when one must be started.
        doing: The start in words, as in "creating Provisioned Throughput tickets".
        request: The arguments of `start_serving`: model_arn, tags, token, and for throughput
            model_units and commitment.
        changes: What the record must contain before it starts, so that nothing bills unrecorded.
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
        SettingsError: an unknown way, or one that AWS does not offer for this model.
    """
    for allowed in base_model.serving:
        if choice in ("", allowed):
            return allowed
    offered = " or ".join(f'"{one}"' for one in base_model.serving)
    otherwise = f"AWS serves custom models of {base_model.name} otherwise. Take"
    advice = otherwise if choice in APIS else "take"
    raise SettingsError(f'serving = "{choice}": {advice} {offered}, or leave it "".')


def plan_serving(bedrock: "BedrockClient", run: Run, cost: ServingCost) -> ServingPlan:
    """Find what serves the run's model at AWS, by its owner id, or plan to start it.

    Args:
        bedrock: A client.
        run: Its record names the custom model.
        cost: The way that was chosen, with its price, from `estimate_costs`.

    Raises:
        AccessError: we may not look whether there is one, so none is planned.
        ConflictError: one may be ours by its name, and carries no owner id.
    """
    noun, field = APIS[cost.kind].noun, APIS[cost.kind].field
    own = find_own(run, noun)
    found = find_served(bedrock, own[0].arn) if own else None
    name = found.name if found else run.resource_name
    request = {"model_arn": run.record.custom_model_arn, "tags": run.tags, **cost.request}
    changes = {"serving": cost.kind, f"{field}_name": name, **cost.changes}
    doing = f"creating {noun} {name}"
    if found:
        changes |= name_served(found.arn)
    else:
        # The number increases only after AWS has listed one of that number and no longer does.
        spent = getattr(run.record, f"{field}_arn") != ""
        attempt = max(1, getattr(run.record, f"{field}_attempt") + spent)
        body = {"name": name, **request}
        request["token"] = request_token(run.record.owner, field, attempt, body)
        changes |= {f"{field}_attempt": attempt, f"{field}_arn": ""}
    return ServingPlan(cost.kind, name, found, doing, request, changes)


def ensure_served(bedrock: "BedrockClient", plan: ServingPlan) -> str:
    """Use what was found, or start it. Returns its ARN. On AWS this costs money.

    A deployment that serves another model is updated to this one.

    Raises:
        ConflictError: what was found has other units or terms, or the name is taken.
        AccessError: a quota does not allow it.
        SettingsError: an invalid name, number of units or commitment.
    """
    if plan.found is None:
        return start_serving(bedrock, plan.kind, plan.name, **plan.request)
    found = get_served(bedrock, plan.found.arn)
    if plan.kind == "deployment":
        change_model(bedrock, found, plan.request["model_arn"])
    else:
        check_same(found, plan.request)
    return found.arn
