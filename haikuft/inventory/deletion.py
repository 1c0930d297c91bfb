"""Delete what a run has made, in the right order, and read AWS back."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haikuft import customization, iam, s3, serving
from haikuft.errors import CredentialsError, HaikuftError
from haikuft.inventory.resources import (
    BUCKET,
    GONE,
    KINDS,
    OBJECTS,
    OTHER,
    ROLE,
    Resource,
    list_kind,
    list_resources,
)
from haikuft.lookup import DEPLOYMENT, JOB, LISTINGS, MODEL, THROUGHPUT, check_own, recorded_in
from haikuft.record_file import FILE_NAME
from haikuft.run_record import Run, save
from haikuft.waiting import Waiting, wait_until

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


def delete_resources(run: Run, waiting: Waiting | None = None) -> list[Resource]:
    """Delete everything the run made, then read AWS back. Safe to repeat.

    Jobs cannot be deleted; a running one is stopped. What cannot go (a committed throughput, say)
    is left, with the reason as its hint, and everything else still goes.

    Args:
        run: whose things.
        waiting: how to wait for one resource to stop or to be deleted; None waits 15 minutes at
            most, with the target's own pause of at most 5 seconds.
    """
    bedrock = run.connection.client("bedrock")
    reasons: dict[tuple[str, str], str] = {}
    # Each kind is listed when its turn comes: a job may have made its model while we stopped it.
    for kind in KINDS:
        for resource in list_kind(run, bedrock, kind):
            try:
                _delete(run, bedrock, resource, waiting)
            except CredentialsError:
                raise
            except HaikuftError as error:
                reasons[resource.kind, resource.name] = str(error)
    return [
        replace(resource, hint=reasons.get((resource.kind, resource.name), resource.hint))
        if resource.status not in (GONE, OTHER)
        else resource
        for resource in list_resources(run)
    ]


def delete_resource(run: Run, resource: Resource, waiting: Waiting | None = None) -> None:
    """Delete one thing of the list and wait until it is gone; a job is stopped instead.

    The arguments are those of `delete_resources`. What is gone already is left so.

    Raises:
        ConflictError: it cannot go yet: a commitment holds it, or something uses it; or it is not
            provably this run's.
        AccessError: whose it is cannot be read.
        WaitTimeoutError: it is still there after the deadline.
    """
    _delete(run, run.connection.client("bedrock"), resource, waiting)


def _delete(
    run: Run, bedrock: "BedrockClient", resource: Resource, waiting: Waiting | None
) -> None:
    """Delete one thing; a job is stopped instead."""
    if resource.status in (GONE, OTHER) or not resource.arn:
        return
    waiting = waiting or Waiting(
        poll_seconds=min(run.connection.poll_seconds, 5.0), deadline_seconds=900.0
    )
    ours: Any = {"tags": run.tags, "recorded": True}
    if resource.kind in LISTINGS:
        check_own(run, bedrock, resource.kind, resource.arn, resource.name)
    if resource.kind in (DEPLOYMENT, THROUGHPUT):
        if not recorded_in(run, resource.kind)[0] and (run.directory / FILE_NAME).exists():
            save(run, **serving.name_served(resource.arn))  # so that a later one is a new request
        serving.stop_serving(bedrock, resource.arn, waiting)
    elif resource.kind == JOB and resource.status not in customization.FINAL:
        customization.stop_job(bedrock, resource.arn)
        wait_until(
            lambda job: job is None or job.status not in customization.RUNNING,
            lambda: customization.find_job(bedrock, resource.arn),
            what=f"Stopping job {resource.name}",
            waiting=waiting,
        )
    elif resource.kind == MODEL:
        customization.delete_custom_model(bedrock, resource.arn)
    elif resource.kind == OBJECTS:
        s3.empty_bucket(run.connection.client("s3"), run.record.bucket, **ours)
    elif resource.kind == BUCKET:
        s3.delete_bucket(run.connection.client("s3"), run.record.bucket, **ours)
    elif resource.kind == ROLE:
        iam.delete_role(run.connection.client("iam"), run.record.role_name, **ours)
