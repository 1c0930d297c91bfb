"""Delete what a run has made, in the right order, and read AWS back."""

import time
from collections.abc import Callable
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
from haikuft.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


def delete_resources(
    run: Run,
    *,
    poll_seconds: float = 0.0,
    deadline_seconds: float = 900.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[Resource]:
    """Delete everything the run made, then read AWS back. Safe to repeat.

    Jobs cannot be deleted; a running one is stopped. What cannot go (a committed throughput, say)
    is left, with the reason as its hint, and everything else still goes.

    Args:
        run: whose things.
        poll_seconds: pause between two readings; 0 takes the target's own, at most 5.
        deadline_seconds: how long to wait at most for one thing to stop or go.
        sleep: pauses; tests bring their own.
        clock: seconds that only grow; tests bring their own.
    """
    bedrock = run.connection.client("bedrock")
    waiting = {
        "poll_seconds": poll_seconds or min(run.connection.poll_seconds, 5.0),
        "deadline_seconds": deadline_seconds,
        "sleep": sleep,
        "clock": clock,
    }
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


def delete_resource(
    run: Run,
    resource: Resource,
    *,
    poll_seconds: float = 0.0,
    deadline_seconds: float = 900.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Delete one thing of the list and wait until it is gone; a job is stopped instead.

    The arguments are those of `delete_resources`. What is gone already is left so.

    Raises:
        ConflictError: it cannot go yet: a commitment holds it, or something uses it; or it is not
            provably this run's.
        AccessError: whose it is cannot be read.
        WaitTimeoutError: it is still there after the deadline.
    """
    waiting = {
        "poll_seconds": poll_seconds or min(run.connection.poll_seconds, 5.0),
        "deadline_seconds": deadline_seconds,
        "sleep": sleep,
        "clock": clock,
    }
    _delete(run, run.connection.client("bedrock"), resource, waiting)


def _delete(
    run: Run, bedrock: "BedrockClient", resource: Resource, waiting: dict[str, Any]
) -> None:
    """Delete one thing; a job is stopped instead."""
    if resource.status in (GONE, OTHER) or not resource.arn:
        return
    ours: Any = {"tags": run.tags, "recorded": True}
    if resource.kind in LISTINGS:
        check_own(run, bedrock, resource.kind, resource.arn, resource.name)
    if resource.kind in (DEPLOYMENT, THROUGHPUT):
        if not recorded_in(run, resource.kind)[0] and (run.directory / FILE_NAME).exists():
            save(run, **serving.name_served(resource.arn))  # so that a later one is a new request
        serving.stop_serving(bedrock, resource.arn, **waiting)
    elif resource.kind == JOB and resource.status not in customization.FINAL:
        customization.stop_job(bedrock, resource.arn)
        wait_until(
            lambda job: job is None or job.status not in customization.RUNNING,
            lambda: customization.find_job(bedrock, resource.arn),
            what=f"Stopping job {resource.name}",
            **waiting,
        )
    elif resource.kind == MODEL:
        customization.delete_custom_model(bedrock, resource.arn)
    elif resource.kind == OBJECTS:
        s3.empty_bucket(run.connection.client("s3"), run.record.bucket, **ours)
    elif resource.kind == BUCKET:
        s3.delete_bucket(run.connection.client("s3"), run.record.bucket, **ours)
    elif resource.kind == ROLE:
        iam.delete_role(run.connection.client("iam"), run.record.role_name, **ours)
