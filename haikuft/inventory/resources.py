"""What a run has made, as AWS tells it now, and what of it bills."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from haikuft import s3
from haikuft.aws.ownership import OWNER_TAG, RUN_TAG, is_foreign, is_ours, name_owner
from haikuft.customization.jobs import find_job
from haikuft.customization.models import CustomModel, find_custom_model
from haikuft.customization.readings import FINAL, CustomizationJob
from haikuft.errors import AccessError, NotFoundError
from haikuft.iam import roles
from haikuft.pricing.amounts import format_dollars
from haikuft.pricing.estimates import HOURS_PER_MONTH
from haikuft.pricing.table import take_price
from haikuft.runs.lookup import (
    DEPLOYMENT,
    JOB,
    LISTINGS,
    MODEL,
    THROUGHPUT,
    Found,
    find_resources,
    judge,
    recorded_in,
)
from haikuft.runs.run_record import Run
from haikuft.serving.costs import price_tokens
from haikuft.serving.lifecycle import find_served
from haikuft.serving.served import Served

OBJECTS = "S3 objects"
BUCKET = "S3 bucket"
ROLE = "IAM role"
EXISTS = "exists"
GONE = "gone"
UNKNOWN = "not known"
OTHER = "not this run's"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing a run has made, as AWS tells it now.

    Attributes:
        kind: AWS's noun, such as "custom model".
        arn: its ARN; a bucket's and a gone thing's as far as known.
        status: "exists", "gone", "not known" where we may not look, "not this run's", or AWS's own
            word.
        bills: what it costs as long as it is there; "" where it costs nothing.
        per_hour: US dollars an hour; None where unknown or none.
        hint: where to find it, or why it could not be deleted.
        since: when it was made, as far as AWS tells.
        would_bill: what it would cost on AWS, where the target bills nothing; else "".
    """

    kind: str
    name: str
    arn: str
    status: str
    bills: str = ""
    per_hour: float | None = None
    hint: str = ""
    since: datetime | None = None
    would_bill: str = ""


def list_resources(run: Run) -> list[Resource]:
    """List everything the run made, in the order of deletion; asks AWS about each.

    What has the run's name and is not the run's stands in the list too, and is left alone.

    Raises:
        CredentialsError: the login has run out.
    """
    return [resource for kind in KINDS for resource in list_kind(run, kind)]


def list_kind(run: Run, kind: str) -> list[Resource]:
    """List what the run made of one kind.

    Raises:
        CredentialsError: the login has run out.
    """
    record = run.record
    if kind == OBJECTS:
        return _find_objects(run)
    if kind in (BUCKET, ROLE):
        names = {BUCKET: (record.bucket,), ROLE: (record.role_name, record.evaluation_role_name)}
        return [_look_named(run, kind, one) for one in names[kind] if one]
    recorded, name = recorded_in(run, kind)
    if kind == DEPLOYMENT and "deployment" not in run.base_model.serving and not recorded:
        return []  # it can have none, and its caller need not be allowed to look
    unseen = []
    try:
        found = find_resources(run, kind)
    except AccessError as error:
        unseen = [Resource(kind, "any others", "", UNKNOWN, hint=str(error))]
        alone = judge(run, kind, recorded, name) if recorded else None
        found = [alone] if alone else []
    looks = [_look(run, one) for one in found if not _is_another_runs(run, one)]
    resources = [one for one in looks if one is not None]
    if recorded and recorded not in {one.arn for one in found}:
        resources.append(Resource(kind, name or recorded.rpartition("/")[2], recorded, GONE))
    return [*resources, *unseen]


def sum_rates(resources: Sequence[Resource]) -> str:
    """Say what these cost an hour. What has no known price is named, and in no sum."""
    known = [one.per_hour for one in resources if one.per_hour is not None]
    unknown = ", ".join(f"{one.kind} {one.name}" for one in resources if one.per_hour is None)
    total = f"{format_dollars(sum(known))} an hour" if known else ""
    if not unknown:
        return total
    rest = f"; the rest costs {total}" if known else ""
    return f"not known, because the price is not known of {unknown}{rest}"


def _is_another_runs(run: Run, found: Found) -> bool:
    """Tell whether this is another run's, whose name only begins like ours."""
    return found.claim == "other" and found.tags.get(RUN_TAG) != run.record.run


def _look(run: Run, found: Found) -> Resource | None:
    """Read one resource; one that is not ours shows whose it is, and bills this run nothing.

    None for the entry of another's job that has ended: AWS keeps those for good.
    """
    find, describe = _READERS[found.kind]
    try:
        reading = find(run.connection.client("bedrock"), found.arn)
    except AccessError as error:
        return Resource(found.kind, found.name, found.arn, UNKNOWN, hint=str(error))
    if reading is None:
        return Resource(found.kind, found.name, found.arn, GONE)
    seen = Resource(found.kind, reading.name, reading.arn, reading.status, since=reading.created)
    resource = describe(run, reading, seen)
    if found.claim == "ours":
        return resource
    if found.claim == "unknown":
        return replace(resource, status=UNKNOWN, bills="", would_bill="", hint=found.reason)
    if found.kind == JOB and resource.status in FINAL:
        return None
    hint = f"{name_owner(found.tags)}; {resource.status}. Left alone."
    return replace(resource, status=OTHER, bills="", would_bill="", hint=hint)


def _describe_deployment(run: Run, found: Served, resource: Resource) -> Resource:
    served = replace(run.record, serving="deployment", deployment_arn=found.arn)
    price = price_tokens(served)
    bills = f"tokens when it is asked, {price or 'at a price we do not know'}"
    return replace(resource, hint=f"On AWS it bills {bills}; nothing while idle.")


def _describe_throughput(run: Run, found: Served, resource: Resource) -> Resource:
    price = run.record.price_per_unit_hour
    units = f"{found.model_units} model unit{'' if found.model_units == 1 else 's'}"
    until = f"{found.expires:%Y-%m-%d}" if found.expires else "it is deleted"
    hourly = found.model_units * price if price else None
    bills = f"{units} by the hour until {until}, used or not"
    return _bill(run, resource, bills, per_hour=hourly)


def _describe_job(run: Run, found: CustomizationJob, resource: Resource) -> Resource:
    if found.status in FINAL:
        return replace(resource, hint="A job stays listed for good and costs nothing.")
    return _bill(run, resource, "the tokens it trains, until it ends")


def _describe_model(run: Run, _: CustomModel, resource: Resource) -> Resource:
    price = take_price("storage", run.base_model.id)
    hourly = price.amount / HOURS_PER_MONTH if price.amount else None
    return _bill(run, resource, f"storage, {price}", per_hour=hourly)


# kind -> how one is read, and how the reading becomes a resource
_READERS: dict[str, tuple[Callable[[Any, str], Any], Callable[[Run, Any, Resource], Resource]]] = {
    DEPLOYMENT: (find_served, _describe_deployment),
    THROUGHPUT: (find_served, _describe_throughput),
    JOB: (find_job, _describe_job),
    MODEL: (find_custom_model, _describe_model),
}


def find_prefixes(run: Run) -> tuple[str, ...]:
    """Name the folders of the run's bucket that are the run's: all, or its own in another's."""
    tags = s3.bucket_tags(run.connection.client("s3"), run.record.bucket)
    return s3.own_prefixes(run.resource_name) if is_foreign(tags) else ("",)


def _find_objects(run: Run) -> list[Resource]:
    name = run.record.bucket
    if not name:
        return []
    objects = Resource(OBJECTS, name, f"arn:aws:s3:::{name}/*", UNKNOWN)
    client = run.connection.client("s3")
    try:
        prefixes = find_prefixes(run)
        found = [one for prefix in prefixes for one in s3.list_objects(client, name, prefix)]
    except NotFoundError:
        return []
    except AccessError as error:
        return [replace(objects, hint=str(error))]
    if not found:
        return []
    size = sum(size for _, size in found) / 1e6
    objects = replace(objects, status=f"{len(found)}, {size:.1f} MB")
    return [_bill(run, objects, "storage by the gigabyte and month: cents")]


def judge_named(run: Run, kind: str, name: str) -> Found | None:
    """Read a bucket's or a role's tags and tell whose it is; None where there is none."""
    record, arn = run.record, f"arn:aws:s3:::{name}"
    try:
        if kind == BUCKET:
            tags: Mapping[str, str] = s3.bucket_tags(run.connection.client("s3"), name)
        else:
            role = roles.find_role(run.connection.client("iam"), name)
            if role is None:
                return None
            arn, tags = role.arn, role.tags
    except NotFoundError:
        return None
    except AccessError as error:
        return Found(kind, name, name, "unknown", reason=str(error))
    recorded = name in (record.bucket, record.role_name, record.evaluation_role_name)
    if is_ours(tags, run.tags, recorded=recorded and RUN_TAG in tags):
        return Found(kind, arn, name, "ours", tags)
    return Found(kind, arn, name, "other" if OWNER_TAG in tags else "unmarked", tags)


def _look_named(run: Run, kind: str, name: str) -> Resource:
    """Read a bucket or a role of the record."""
    found = judge_named(run, kind, name)
    if found is None:
        return Resource(kind, name, name, GONE)
    status = {"ours": EXISTS, "unknown": UNKNOWN}.get(found.claim, OTHER)
    hint = f"{name_owner(found.tags)}. Left alone." if status == OTHER else found.reason
    return Resource(kind, name, found.arn, status, hint=hint)


KINDS = (*LISTINGS, OBJECTS, BUCKET, ROLE)  # in the order of deletion


def _bill(run: Run, resource: Resource, bills: str, *, per_hour: float | None = None) -> Resource:
    """Say what it costs; on a target that bills nothing, what it would cost on AWS."""
    if not run.connection.bills:
        return replace(resource, hint=f"On AWS it would bill: {bills}.", would_bill=bills)
    return replace(resource, bills=bills, per_hour=per_hour)
