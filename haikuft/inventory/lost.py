"""What runs have made, found by tags alone: one whose record is lost, or all of a class."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from haikuft import aws, s3
from haikuft.aws import Connection
from haikuft.aws.ownership import CLASS_TAG, OWNER_TAG, RUN_TAG, name_owner
from haikuft.base_models import BASE_MODELS, BaseModel, get_base_model
from haikuft.customization.jobs import find_job
from haikuft.customization.readings import FINAL
from haikuft.errors import AccessError
from haikuft.iam import roles
from haikuft.iam.policies import name_evaluation_role
from haikuft.inventory.resources import (
    BUCKET,
    OTHER,
    ROLE,
    UNKNOWN,
    Resource,
    judge_named,
    list_resources,
)
from haikuft.runs.folders import find_root
from haikuft.runs.lookup import JOB, LISTINGS, Found, find_resources
from haikuft.runs.run_record import Run, new_record, resource_prefix

Runs: TypeAlias = list[tuple[Run, list[Resource]]]  # each run with its resources


@dataclass(frozen=True, slots=True)
class Lost:
    """What carries a run's name or a class id in an account and Region.

    Attributes:
        found: all of it, buckets and roles too.
        runs: owner id -> a run whose record, which stands in no file, names what carries that id.
        unseen: what we may not look at.
    """

    found: tuple[Found, ...]
    runs: Mapping[str, Run]
    unseen: tuple[Resource, ...]


def search_account(
    target: str, name: str, *, region: str = "", base_model_id: str = "", class_id: str = ""
) -> tuple[Runs, list[Resource]]:
    """Search for what runs of that name have made: the Region that is known, else each of ours.

    Args:
        target: "sandbox" or "aws".
        name: the run's name; "" for all runs of a class.
        region: an AWS Region; "" for the base model's own.
        base_model_id: what was tuned; "" where that is not known: then every Region is searched
            in which a base model can be tuned.
        class_id: search for the runs of this class, in all accounts of the sandbox.

    Returns:
        Each owner's run with its resources, Region by Region; and what is not known: at what we
        may not look, and what carries no owner id.

    Raises:
        CredentialsError: the login has run out.
    """
    base_model = get_base_model(base_model_id)
    places = {one.region: one for one in BASE_MODELS.values() if region in ("", one.region)}
    if base_model_id or not places:
        places = {region or base_model.region: base_model}
    runs: Runs = []
    unknown: list[Resource] = []
    connections = [aws.connect(target, region=place) for place in places]
    if class_id:
        connections += [other for one in connections for other in one.connect_others()]
    for connection in connections:
        lost = find_lost(connection, places[connection.region], name, class_id)
        unknown += lost.unseen
        for one in lost.found:
            if OWNER_TAG not in one.tags:
                hint = f"{name_owner(one.tags)}; {one.arn}"
                unknown.append(Resource(one.kind, one.name, one.arn, UNKNOWN, hint=hint))
        for run in lost.runs.values():
            mine = [one for one in list_resources(run) if one.status != OTHER]
            runs += [(run, mine)] if mine else []
    return _tell_roles_once(runs), unknown


def _tell_roles_once(runs: Runs) -> Runs:
    """Drop what is a role alone where its run has more: a role belongs to no Region."""
    whole = [(run, mine) for run, mine in runs if {one.kind for one in mine} != {ROLE}]
    told = {run.record.owner for run, _ in whole}
    alone = {run.record.owner: (run, mine) for run, mine in runs if run.record.owner not in told}
    return [*whole, *alone.values()]


def find_lost(connection: Connection, base_model: BaseModel, name: str, class_id: str = "") -> Lost:
    """Search the account for what runs of that name have made, whoever they belong to.

    Entries of jobs that have ended do not count: AWS keeps them for good, and they cost nothing.
    Those of a class count, because they show how far a run has come. Of a class, buckets and roles
    have their default names, or are named by a job.

    Args:
        connection: account and Region.
        base_model: what was tuned, as far as known; prices follow from it.
        name: the run's name; "" for all runs of a class.
        class_id: search for the runs of this class.

    Raises:
        CredentialsError: the login has run out.
    """
    record, folder = new_record(name, connection, base_model), find_root() / "runs"
    run, bedrock = Run(record, connection, base_model, folder / name), connection.client("bedrock")
    found: list[Found] = []
    unseen: list[Resource] = []
    for kind in LISTINGS:
        try:
            found += find_resources(run, kind)
        except AccessError as error:
            unseen.append(Resource(kind, "any", "", UNKNOWN, hint=str(error)))
    region, account_id = connection.region, connection.account_id
    buckets = {s3.default_bucket_name(name, account_id=account_id, region=region)}
    role_name = roles.default_role_name(name)
    role_names = {role_name, name_evaluation_role(role_name)}
    tag, wanted = (CLASS_TAG, class_id) if class_id else (RUN_TAG, name)
    if class_id:
        names = s3.list_buckets(connection.client("s3"), resource_prefix(""))
        buckets = {one for one in names if one.endswith(f"-{account_id}-{region}")}
        role_names = set(roles.list_role_names(connection.client("iam"), role_name))
    for one in found:
        is_its_job = one.kind == JOB and one.tags.get(tag) == wanted
        if is_its_job and (job := find_job(bedrock, one.arn)):
            buckets.add(s3.split_uri(job.output_uri)[0])
            role_names.add(job.role_arn.rpartition("/")[2])
    found = [one for one in found if class_id or one.status not in FINAL or one.kind != JOB]
    found += _look_at(run, BUCKET, buckets) + _look_at(run, ROLE, role_names)
    runs: dict[str, Run] = {}
    for one in found:
        owner = one.tags.get(OWNER_TAG, "")
        if one.claim == "unknown":
            unseen.append(Resource(one.kind, one.name, one.arn, UNKNOWN, hint=one.reason))
        elif owner and one.tags.get(tag) == wanted:
            its = one.tags.get(RUN_TAG, "")
            begun = replace(record, run=its, owner=owner, class_id=class_id)
            known = runs.get(owner, replace(run, record=begun, directory=folder / its))
            field = {BUCKET: "bucket", ROLE: "role_name"}.get(one.kind)
            if one.kind == ROLE and one.name == name_evaluation_role(roles.default_role_name(its)):
                field = "evaluation_role_name"
            changes: dict[str, Any] = {field: one.name} if field else {}
            runs[owner] = replace(known, record=replace(known.record, **changes))
    absent = "" if class_id else name
    seen = [one for one in found if one.tags.get(tag, absent) == wanted and one.claim != "unknown"]
    return Lost(tuple(seen), runs, tuple(unseen))


def _look_at(run: Run, kind: str, names: set[str]) -> list[Found]:
    """Read the tags of buckets or roles; one that is not there, or no run's, is left out."""
    found = (judge_named(run, kind, name) for name in sorted(names))
    return [one for one in found if one and (one.claim == "unknown" or RUN_TAG in one.tags)]
