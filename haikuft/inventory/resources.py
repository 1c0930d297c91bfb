"""What a run has made, as AWS tells it now, and what of it bills."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from haikuft import customization, deployments, iam, pricing, s3, serving, throughput
from haikuft.aws_errors import explaining
from haikuft.errors import AccessError, NotFoundError
from haikuft.run_record import Run, resource_prefix

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

DEPLOYMENT = "custom model deployment"
THROUGHPUT = "Provisioned Throughput"
JOB = "customization job"
MODEL = "custom model"
OBJECTS = "S3 objects"
BUCKET = "S3 bucket"
ROLE = "IAM role"
EXISTS = "exists"
GONE = "gone"
UNKNOWN = "we may not look"


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing a run has made, as AWS tells it now.

    Attributes:
        kind: AWS's noun, such as "custom model".
        arn: its ARN; a bucket's and a gone thing's as far as known.
        status: "exists", "gone", "we may not look", or AWS's own word.
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

    Raises:
        CredentialsError: the login has run out.
    """
    bedrock = run.connection.client("bedrock")
    return [resource for find in FINDERS.values() for resource in find(run, bedrock)]


def billing_now(run: Run) -> list[Resource]:
    """List what costs money at this moment; empty on the sandbox, which bills nothing."""
    return [resource for resource in list_resources(run) if resource.bills]


def _find_deployments(run: Run, bedrock: "BedrockClient") -> list[Resource]:
    if "deployment" not in run.base_model.serving and not run.record.deployment_arn:
        return []  # it can have none, and its caller need not be allowed to look

    def listed() -> Iterable[str]:
        pages = bedrock.get_paginator("list_custom_model_deployments")
        for page in pages.paginate(nameContains=resource_prefix(run.record.run)):
            for one in page.get("modelDeploymentSummaries", []):
                yield one["customModelDeploymentArn"]

    def read(arn: str) -> Resource | None:
        found = deployments.find_deployment(bedrock, arn)
        if found is None:
            return None
        price = serving.price_tokens(replace(run.record, serving="deployment", deployment_arn=arn))
        bills = f"tokens when it is asked, {price or 'at a price we do not know'}"
        hint = f"On AWS it bills {bills}; nothing while idle."
        return Resource(DEPLOYMENT, found.name, found.arn, found.status, hint=hint)

    return _gather(DEPLOYMENT, run, bedrock, run.record.deployment_arn, listed, read)


def _find_throughputs(run: Run, bedrock: "BedrockClient") -> list[Resource]:
    def listed() -> Iterable[str]:
        pages = bedrock.get_paginator("list_provisioned_model_throughputs")
        for page in pages.paginate(nameContains=resource_prefix(run.record.run)):
            for one in page.get("provisionedModelSummaries", []):
                yield one["provisionedModelArn"]

    def read(arn: str) -> Resource | None:
        found = throughput.find_throughput(bedrock, arn)
        if found is None:
            return None
        price = run.record.price_per_unit_hour
        units = f"{found.model_units} model unit{'' if found.model_units == 1 else 's'}"
        until = f"{found.expires:%Y-%m-%d}" if found.expires else "it is deleted"
        return _bill(
            run,
            Resource(THROUGHPUT, found.name, found.arn, found.status, since=found.created),
            f"{units} by the hour until {until}, used or not",
            per_hour=found.model_units * price if price else None,
        )

    return _gather(THROUGHPUT, run, bedrock, run.record.throughput_arn, listed, read)


def _find_jobs(run: Run, bedrock: "BedrockClient") -> list[Resource]:
    def listed() -> Iterable[str]:
        pages = bedrock.get_paginator("list_model_customization_jobs")
        for page in pages.paginate(nameContains=resource_prefix(run.record.run)):
            for one in page.get("modelCustomizationJobSummaries", []):
                yield one["jobArn"]

    def read(arn: str) -> Resource | None:
        found = customization.find_job(bedrock, arn)
        if found is None:
            return None
        job = Resource(JOB, found.name, found.arn, found.status, since=found.created)
        if found.status in customization.FINAL:
            return replace(job, hint="A job stays listed for good and costs nothing.")
        return _bill(run, job, "the tokens it trains, until it ends")

    known = run.record.job_arn or run.record.job_name
    return _gather(JOB, run, bedrock, known, listed, read)


def _find_models(run: Run, bedrock: "BedrockClient") -> list[Resource]:
    def listed() -> Iterable[str]:
        pages = bedrock.get_paginator("list_custom_models")
        for page in pages.paginate(nameContains=resource_prefix(run.record.run)):
            for one in page.get("modelSummaries", []):
                yield one["modelArn"]

    def read(arn: str) -> Resource | None:
        found = customization.find_custom_model(bedrock, arn)
        if found is None:
            return None
        price = pricing.get_price("storage", run.base_model.id)
        hourly = price.amount / pricing.HOURS_PER_MONTH if price.amount else None
        model = Resource(MODEL, found.name, found.arn, found.status, since=found.created)
        return _bill(run, model, f"storage, {price}", per_hour=hourly)

    return _gather(MODEL, run, bedrock, run.record.custom_model_arn, listed, read)


def _find_objects(run: Run, _: "BedrockClient") -> list[Resource]:
    name = run.record.bucket
    if not name:
        return []
    try:
        found = s3.list_objects(run.connection.client("s3"), name)
    except NotFoundError:
        return []
    except AccessError as error:
        return [Resource(OBJECTS, name, f"{_bucket_arn(run)}/*", UNKNOWN, hint=str(error))]
    if not found:
        return []
    size = sum(size for _, size in found) / 1e6
    objects = Resource(OBJECTS, name, f"{_bucket_arn(run)}/*", f"{len(found)}, {size:.1f} MB")
    return [_bill(run, objects, "storage by the gigabyte and month: cents")]


def _find_bucket(run: Run, _: "BedrockClient") -> list[Resource]:
    name = run.record.bucket
    if not name:
        return []
    bucket = Resource(BUCKET, name, _bucket_arn(run), EXISTS)
    try:
        region = s3.bucket_region(run.connection.client("s3"), name)
    except AccessError as error:
        return [replace(bucket, status=UNKNOWN, hint=str(error))]
    return [bucket if region else replace(bucket, status=GONE)]


def _find_role(run: Run, _: "BedrockClient") -> list[Resource]:
    name = run.record.role_name
    if not name:
        return []
    role = Resource(ROLE, name, run.record.role_arn or name, EXISTS)
    try:
        found = iam.find_role(run.connection.client("iam"), name)
    except AccessError as error:
        return [replace(role, status=UNKNOWN, hint=str(error))]
    return [replace(role, arn=found.arn) if found else replace(role, status=GONE)]


FINDERS: dict[str, Callable[[Run, "BedrockClient"], list[Resource]]] = {  # in order of deletion
    DEPLOYMENT: _find_deployments,
    THROUGHPUT: _find_throughputs,
    JOB: _find_jobs,
    MODEL: _find_models,
    OBJECTS: _find_objects,
    BUCKET: _find_bucket,
    ROLE: _find_role,
}


def _gather(
    kind: str,
    run: Run,
    bedrock: "BedrockClient",
    known: str,
    listed: Callable[[], Iterable[str]],
    read: Callable[[str], Resource | None],
) -> list[Resource]:
    """Read what the record names, and whatever else of that kind carries the run's tag."""
    resources = [_look(kind, known, read)] if known else []
    try:
        with explaining(f"listing each {kind}"):
            for arn in listed():
                if arn not in {one.arn for one in resources} and _is_ours(run, bedrock, arn):
                    resources.append(_look(kind, arn, read))
    except AccessError as error:
        resources.append(Resource(kind, "any others", "", UNKNOWN, hint=str(error)))
    return resources


def _look(kind: str, arn: str, read: Callable[[str], Resource | None]) -> Resource:
    name = arn.rpartition("/")[2]
    try:
        return read(arn) or Resource(kind, name, arn, GONE)
    except AccessError as error:
        return Resource(kind, name, arn, UNKNOWN, hint=str(error))


def _is_ours(run: Run, bedrock: "BedrockClient", arn: str) -> bool:
    try:
        with explaining(f"reading the tags of {arn}"):
            tags = bedrock.list_tags_for_resource(resourceARN=arn).get("tags", [])
    except NotFoundError:  # it went between the list and this question
        return False
    marks = {tag["key"]: tag["value"] for tag in tags}
    return all(marks.get(key) == value for key, value in run.tags.items())


def _bill(run: Run, resource: Resource, bills: str, *, per_hour: float | None = None) -> Resource:
    """Say what it costs; on a target that bills nothing, what it would cost on AWS."""
    if not run.connection.bills:
        return replace(resource, hint=f"On AWS it would bill: {bills}.", would_bill=bills)
    return replace(resource, bills=bills, per_hour=per_hour)


def _bucket_arn(run: Run) -> str:
    return f"arn:aws:s3:::{run.record.bucket}"
