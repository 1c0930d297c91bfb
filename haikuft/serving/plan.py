"""In which way a run's model is served: what the base model allows, what exists, and the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haikuft import deployments, throughput
from haikuft.base_models import BaseModel, Serving
from haikuft.errors import SettingsError
from haikuft.lookup import DEPLOYMENT, THROUGHPUT, find_own
from haikuft.ownership import request_token
from haikuft.run_record import Run
from haikuft.serving.acting import Served, find_served, name_served
from haikuft.serving.costs import ServingCost

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

NOUNS: Mapping[Serving, str] = {  # AWS's words
    "deployment": DEPLOYMENT,
    "provisioned_throughput": THROUGHPUT,
}


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """What comes next.

    Attributes:
        kind: In which way the model is served.
        name: What serves is called so.
        found: It, when it exists; None when it must be started.
        doing: The start in words, as in "creating Provisioned Throughput tickets".
        request: What starts it: model_arn, tags, clientRequestToken as token, and for throughput
            model_units and commitment.
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
    """Find what serves the run's model at AWS, by its owner id, or plan to start it.

    Args:
        bedrock: A client.
        run: Its record names the custom model.
        cost: The way that was chosen, with its price, from `estimate_costs`.

    Raises:
        AccessError: we may not look whether there is one, so none is planned.
        ConflictError: one may be ours by its name, and carries no owner id.
    """
    own, field = find_own(run, bedrock, NOUNS[cost.kind]), _FIELDS[cost.kind]
    found = find_served(bedrock, cost.kind, own[0].arn) if own else None
    name = found.name if found else run.resource_name
    request = {"model_arn": run.record.custom_model_arn, "tags": run.tags, **cost.request}
    changes = {"serving": cost.kind, f"{field}_name": name, **cost.changes}
    doing = f"creating {NOUNS[cost.kind]} {name}"
    if found:
        changes |= name_served(found.arn)
    else:
        # The number rises only where AWS has shown one of that number, and now shows it no more.
        spent = getattr(run.record, f"{field}_arn") != ""
        attempt = max(1, getattr(run.record, f"{field}_attempt") + spent)
        body = {"name": name, **request}
        request["token"] = request_token(run.record.owner, field, attempt, body)
        changes |= {f"{field}_attempt": attempt, f"{field}_arn": ""}
    return ServingPlan(cost.kind, name, found, doing, request, changes)


def ensure_served(bedrock: "BedrockClient", plan: ServingPlan) -> str:
    """Use what was found, or start it. Returns its ARN. On AWS this costs money.

    A deployment that serves another model is given this one.

    Raises:
        ConflictError: what was found has other units or terms, or the name is taken.
        AccessError: a quota does not allow it.
        SettingsError: a name, a number of units or a commitment that cannot be.
    """
    deployed, asked = plan.kind == "deployment", dict(plan.request)
    if plan.found is None:
        start: Any = deployments.start_deployment if deployed else throughput.start_throughput
        return str(start(bedrock, plan.name, **asked))
    arn = plan.found.arn
    if deployed:
        model_arn = asked["model_arn"]
        deployments.change_model(bedrock, deployments.get_deployment(bedrock, arn), model_arn)
    else:
        del asked["tags"]
        throughput.check_same(throughput.get_throughput(bedrock, arn), **asked)
    return arn


_FIELDS: Mapping[Serving, str] = {  # how its fields in the record begin
    "deployment": "deployment",
    "provisioned_throughput": "throughput",
}
