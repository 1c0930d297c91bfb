"""Create, require, list, tag and delete resources of all kinds.

A request to create that is repeated with its client request token creates nothing new. A list is
filtered and sorted by creation time, page by page. A page's token contains the position of its
last record, so a record created or deleted between two pages neither repeats nor hides others.
A resource has at most 50 tags, no key twice, and no key that begins with "aws:". Ids have the
pattern in botocore's service model: twelve lower-case letters or digits.
"""

import base64
import binascii
import secrets
import string
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, TypeVar

from haikuft.package_data import read_toml
from haikuft.sandbox.bedrock.records import (
    ControlPlane,
    CustomModel,
    Deployment,
    EvaluationJob,
    Job,
    Record,
    Resource,
    State,
    Throughput,
)
from haikuft.sandbox.http.messages import (
    Call,
    ServiceError,
    conflict_error,
    quota_error,
    validation_error,
)

_ALPHABET = string.ascii_lowercase + string.digits
DEFAULT_PAGE = 100  # AWS names no default; its maximum is 1,000
MEMBERS: Mapping[str, Mapping[str, Any]] = read_toml("haikuft.sandbox.bedrock", "members.toml")
# What a list's filter compares, where it is not the member it is named after, as in `statusEquals`.
_FILTERED = {"modelStatus": "modelStatus", "foundationModelArnEquals": "baseModelArn"}

Served = TypeVar("Served", Throughput, Deployment)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Record]):
    """One kind of resource.

    Attributes:
        path: The resource type in its ARNs, such as "provisioned-model".
        attribute: The attribute of State that has the records of this kind.
        settle: Completes what was pending and is due; see `settle`.
    """

    path: str
    attribute: str
    settle: Callable[[ControlPlane, Record], Record] = lambda _, record: record

    @property
    def members(self) -> Mapping[str, Any]:
        """How requests and responses name its parts; see `members.toml`."""
        return MEMBERS[self.path]

    @property
    def noun(self) -> str:
        """Its name in messages, as in "Could not find provisioned model x."."""
        return self.path.replace("-", " ")

    def table(self, state: State) -> MutableMapping[str, Record]:
        """Find the records of this kind, by ARN."""
        found: MutableMapping[str, Record] = getattr(state, self.attribute)
        return found


def new_id() -> str:
    """Draw twelve random lower-case letters or digits, as at the end of AWS's ARNs."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(12))


def id_of(arn: str) -> str:
    """Read the last segment of an ARN."""
    return arn.rpartition("/")[2]


def in_region(table: Mapping[str, Record], region: str) -> list[Record]:
    """List the records of one Region; Regions are independent of each other."""
    return [record for record in table.values() if record.region == region]


def find(table: Mapping[str, Record], identifier: str, region: str) -> Record | None:
    """Find a record of this Region by ARN, name or id."""
    matches = [
        record
        for record in in_region(table, region)
        if identifier in (record.arn, record.name, id_of(record.arn))
    ]
    return max(matches, key=lambda record: record.created, default=None)


def begin(plane: ControlPlane, pending: str) -> dict[str, Any]:
    """Return the attributes of a resource whose creation or update begins now."""
    ready = plane.now() + timedelta(seconds=plane.settings().stage_seconds)
    return {"pending": pending, "ready": ready}


def check_settled(record: Served, error: Callable[[str], ServiceError], advice: str) -> None:
    """Check that no creation or update of a throughput or deployment is pending.

    Raises ServiceError: `error` of what is pending, and the advice.
    """
    if record.pending:
        raise error(f"{record.name} is {record.pending}; {advice}.")


def settle(plane: ControlPlane, record: Served) -> Served:
    """Complete the pending creation or update of a throughput or deployment if it is due."""
    if not record.pending or plane.now() < record.ready:
        return record
    return replace(record, pending="", model_arn=record.desired_model_arn, changed=record.ready)


def _settle_deployment(plane: ControlPlane, deployment: Deployment) -> Deployment:
    """Settle a deployment; it is Failed when the files of its model are missing."""
    deployment = settle(plane, deployment)
    model = plane.state.models[deployment.model_arn]
    gone = f"The files of custom model {model.name} are gone. Tune it again, and update this."
    return replace(deployment, failure_message="" if model.directory.is_dir() else gone)


CUSTOMIZATION_JOBS: Kind[Job] = Kind("model-customization-job", "jobs")
CUSTOM_MODELS: Kind[CustomModel] = Kind("custom-model", "models")
THROUGHPUTS: Kind[Throughput] = Kind("provisioned-model", "throughputs", settle)
DEPLOYMENTS: Kind[Deployment] = Kind("custom-model-deployment", "deployments", _settle_deployment)
EVALUATION_JOBS: Kind[EvaluationJob] = Kind("evaluation-job", "evaluations")
KINDS: tuple[Kind[Any], ...] = (
    *(CUSTOMIZATION_JOBS, CUSTOM_MODELS, THROUGHPUTS, DEPLOYMENTS, EVALUATION_JOBS),
)


@dataclass(frozen=True, slots=True)
class ResourceNames:
    """Finds the ARN of what a request names by name or id, as `authorization` asks."""

    plane: ControlPlane

    def arn_of(self, kind: str, identifier: str, region: str) -> str | None:
        """Return the ARN of a Region's resource or key; None when there is none."""
        if kind == "key":
            return self.plane.store.find_key(identifier, region)
        state = self.plane.state
        with state.lock:
            found = (find(k.table(state), identifier, region) for k in KINDS if k.path == kind)
            return next((record.arn for record in found if record is not None), None)

    def key_of(self, arn: str) -> str:
        """Return the key of a custom model, by its ARN or that of its throughput or deployment."""
        state = self.plane.state
        with state.lock:
            server = state.throughputs.get(arn) or state.deployments.get(arn)
            model = state.models.get(server.model_arn if server else arn)
            return state.jobs[model.job_arn].kms_key_arn if model else ""


def create(
    plane: ControlPlane,
    call: Call,
    kind: Kind[Record],
    build: Callable[[ControlPlane, Call], Record],
    *,
    start: Callable[[str], None] = lambda arn: None,
) -> dict[str, str]:
    """Create a resource; answer with its ARN, or that of an earlier request with the same token.

    `build` returns the record, after the checks that this kind alone has. `start` is given the ARN
    of a new resource, after its record has been written.

    Raises ServiceError: its name is in use, its tags are wrong, or what `build` raises.
    """
    state, members = plane.state, kind.members
    token = call.parameters.get("clientRequestToken", "")
    token_key = f"{call.operation}/{call.region}/{token}"
    with state.lock:
        earlier = state.tokens.get(token_key)
        if earlier:
            return {members["created"]: earlier}
        tags = read_tags(call.parameters.get(members["tags"], []))
        check_name(plane, call, kind, call.parameters[members["name"]])
        record = build(plane, call)
        kind.table(state)[record.arn] = record
        state.tags[record.arn] = tags
        if token:
            state.tokens[token_key] = record.arn
    start(record.arn)
    return {members["created"]: record.arn}


def identify(plane: ControlPlane, call: Call, kind: Kind[Any], parent: str = "") -> dict[str, Any]:
    """Return the attributes that identify a new resource: ARN, name and times."""
    now, name = plane.now(), call.parameters[kind.members["name"]]
    return {"arn": new_arn(call, kind, parent), "name": name, "created": now, "changed": now}


def new_arn(place: Call | Resource, kind: Kind[Any], parent: str = "") -> str:
    """Build the ARN of a new resource in a Region and account; `parent` comes before the id."""
    resource = "/".join(filter(None, (kind.path, parent, new_id())))
    return f"arn:aws:bedrock:{place.region}:{place.account_id}:{resource}"


def check_name(
    plane: ControlPlane,
    call: Call,
    kind: Kind[Any],
    name: str,
    *,
    coming: Collection[str] = (),
) -> None:
    """Check that no resource of this kind and Region has that name, and none that is coming.

    Raises ServiceError: ConflictException for an evaluation job, else ValidationException.
    """
    names = [record.name for record in in_region(kind.table(plane.state), call.region)]
    if name in names or name in coming:
        error = conflict_error if kind is EVALUATION_JOBS else validation_error
        raise error(f"The provided {kind.members['named']} name is currently in use.")


def check_quota(held: int, limit: int, what: str) -> None:
    """Check that there can be one more; `what` ends the sentence that says how many there can be.

    Raises ServiceError: ServiceQuotaExceededException.
    """
    if held >= limit:
        raise quota_error(f"Your account is limited to {limit} {what}.")


def require(
    plane: ControlPlane, call: Call, kind: Kind[Record], identifier: str | None = None
) -> Record:
    """Find a resource of the call's Region, as it stands now: the one that its parameter names.

    Args:
        plane: The records.
        call: The request.
        kind: The kind of the resource.
        identifier: ARN, name or id, if another parameter than the kind's own names it.

    Raises:
        ServiceError: there is none.
    """
    identifier = identifier or str(call.parameters[kind.members["parameter"]])
    with plane.state.lock:
        record = find(kind.table(plane.state), identifier, call.region)
        if record is None:
            raise not_found(kind.noun, identifier)
        return kind.settle(plane, record)


def not_found(noun: str, identifier: str) -> ServiceError:
    """Return the error for a resource that does not exist."""
    return ServiceError("ResourceNotFoundException", f"Could not find {noun} {identifier}.")


def current(plane: ControlPlane, kind: Kind[Record], region: str) -> list[Record]:
    """List all resources of a kind and Region as they stand now."""
    with plane.state.lock:
        return [kind.settle(plane, record) for record in in_region(kind.table(plane.state), region)]


def describe(record: Any, members: Mapping[str, Any]) -> dict[str, Any]:
    """Write a record as a table of MEMBERS says; members without a value are left out."""
    written = {}
    for member, place in members.items():
        if isinstance(place, Mapping):
            written[member] = place["is"]
            continue
        found: Any = record
        for name in place.split("."):
            found = found.get(name) if isinstance(found, Mapping) else getattr(found, name)
        if found not in (None, "", ()):
            written[member] = found
    return written


def get(plane: ControlPlane, call: Call, kind: Kind[Any]) -> dict[str, Any]:
    """Describe the resource that a request names."""
    return describe(require(plane, call, kind), kind.members["get"])


def list_page(plane: ControlPlane, call: Call, kind: Kind[Any]) -> dict[str, Any]:
    """List a page of the resources that a request's filters choose; see `page`."""
    summary = kind.members.get("list", kind.members["get"])
    wanted = {
        _FILTERED.get(name, name.removesuffix("Equals")): value
        for name, value in call.parameters.items()
        if name.endswith("Equals") or name in _FILTERED
    }
    chosen = [
        record
        for record in current(plane, kind, call.region)
        if not wanted or wanted.items() <= describe(record, summary).items()
    ]
    shown, more = page(chosen, call.parameters)
    return {kind.members["summaries"]: [describe(one, summary) for one in shown], **more}


def update(plane: ControlPlane, kind: Kind[Record], record: Record, **changes: Any) -> None:
    """Replace a record by one with changes and the time of the change, now unless given."""
    changed = replace(record, **{"changed": plane.now(), **changes})
    kind.table(plane.state)[record.arn] = changed


def delete(plane: ControlPlane, kind: Kind[Any], arn: str) -> None:
    """Delete a resource and its tags."""
    del kind.table(plane.state)[arn]
    plane.state.tags.pop(arn, None)


def page(
    records: Iterable[Record], parameters: Mapping[str, Any]
) -> tuple[list[Record], dict[str, str]]:
    """Choose the records of one page.

    `parameters` are those all of Bedrock's lists share: creationTimeAfter and creationTimeBefore
    (of deployments createdAfter and createdBefore), nameContains, isOwned, sortOrder (newest first
    unless Ascending), maxResults and nextToken.

    Returns:
        The records, and {"nextToken": …} or {} when there are no more.

    Raises:
        ServiceError: the token is not one of a list of the sandbox.
    """
    descending = parameters.get("sortOrder", "Descending") == "Descending"
    wanted = (record for record in records if _wanted(record, parameters))
    chosen = sorted(wanted, key=_position, reverse=descending)
    token = parameters.get("nextToken")
    if token is not None:
        last = _decode(token)
        chosen = [r for r in chosen if (_position(r) < last if descending else _position(r) > last)]
    size = parameters.get("maxResults", DEFAULT_PAGE)
    shown = chosen[:size]
    more = {"nextToken": _encode(_position(shown[-1]))} if len(chosen) > size else {}
    return shown, more


def _wanted(record: Record, parameters: Mapping[str, Any]) -> bool:
    after = parameters.get("creationTimeAfter", parameters.get("createdAfter"))
    before = parameters.get("creationTimeBefore", parameters.get("createdBefore"))
    return (
        (after is None or record.created > after)
        and (before is None or record.created < before)
        and parameters.get("nameContains", "") in record.name
        and parameters.get("isOwned", True)  # nothing is shared between accounts
    )


def _position(record: Record) -> tuple[str, str]:
    # Full precision in a fixed width, so that text sorts as time does.
    return record.created.strftime("%Y-%m-%dT%H:%M:%S.%f"), record.arn


def _encode(position: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(" ".join(position).encode()).decode()


def _decode(token: str) -> tuple[str, str]:
    try:
        created, arn = base64.urlsafe_b64decode(token.encode()).decode().split(" ")
    except (binascii.Error, ValueError) as error:
        raise validation_error("The provided nextToken is invalid.") from error
    return created, arn


MAX_TAGS = 50


def read_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Check a request's tags and turn them into key -> value.

    Raises:
        ServiceError: a key occurs twice or begins with "aws:", or there are more than 50.
    """
    keys = [tag["key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise validation_error("Duplicate tag keys found in the request.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise validation_error('Tag keys starting with "aws:" are reserved.')
    _check_count(len(keys), "the new resource")
    return {tag["key"]: tag["value"] for tag in tags}


def tag_resource(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """TagResource: adds, and replaces the values of keys already there."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
        merged = tags | read_tags(call.parameters["tags"])
        _check_count(len(merged), call.parameters["resourceARN"])
        plane.state.tags[call.parameters["resourceARN"]] = merged
    return {}


def untag_resource(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UntagResource: keys that are not there are no error."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
        gone = set(call.parameters["tagKeys"])
        plane.state.tags[call.parameters["resourceARN"]] = {
            key: value for key, value in tags.items() if key not in gone
        }
    return {}


def list_tags_for_resource(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _tags_of(state: State, call: Call) -> dict[str, str]:
    arn = call.parameters["resourceARN"]
    held = (kind.table(state).get(arn) for kind in KINDS)
    if not any(record is not None and record.region == call.region for record in held):
        raise ServiceError("ResourceNotFoundException", f"Resource {arn} not found.")
    return state.tags.get(arn, {})


def _check_count(count: int, resource: str) -> None:
    if count > MAX_TAGS:
        raise ServiceError(
            "TooManyTagsException",
            f"The request would give the resource {count} tags; {MAX_TAGS} are allowed.",
            resourceName=resource,
        )
