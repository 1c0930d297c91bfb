"""Delete what a run has made, in the right order, and list what AWS still has."""

from dataclasses import replace
from typing import Any

import msgspec

from haikuft import customization, s3
from haikuft.aws.waiting import Waiting, wait_until
from haikuft.customization.jobs import find_job
from haikuft.customization.models import delete_custom_model
from haikuft.customization.readings import FINAL, RUNNING
from haikuft.errors import CredentialsError, HaikuftError, RecordError
from haikuft.files import write_whole
from haikuft.iam import roles
from haikuft.inventory.resources import (
    BUCKET,
    GONE,
    KINDS,
    OBJECTS,
    OTHER,
    ROLE,
    Resource,
    find_prefixes,
    list_kind,
    list_resources,
)
from haikuft.runs.lookup import DEPLOYMENT, JOB, LISTINGS, MODEL, THROUGHPUT, check_own, recorded_in
from haikuft.runs.record_file import FILE_NAME, read_record
from haikuft.runs.run_record import Run, save
from haikuft.serving.lifecycle import stop_serving
from haikuft.serving.served import name_served

READ_BACK_FILE = "read_back.json"  # in a run's folder: what the last deletion has returned


def delete_resources(run: Run, waiting: Waiting | None = None) -> list[Resource]:
    """Delete everything the run made, then list it again, what is gone included. Safe to repeat.

    The list is written into the run's folder, too, where there is one.

    Jobs cannot be deleted; a running one is stopped. What cannot be deleted (such as throughput
    with a commitment) is left, with the reason as its hint; everything else is still deleted.

    Args:
        run: whose resources.
        waiting: how to wait for one resource to stop or to be deleted; None waits 15 minutes at
            most, with the target's own pause of at most 5 seconds.
    """
    reasons: dict[tuple[str, str], str] = {}
    had: list[Resource] = []
    # Each kind is listed just before its deletion: a job may create its model while it is stopped.
    for kind in KINDS:
        for resource in list_kind(run, kind):
            had.append(Resource(kind, resource.name, resource.arn, GONE))
            try:
                delete_resource(run, resource, waiting)
            except CredentialsError:
                raise
            except HaikuftError as error:
                reasons[resource.kind, resource.name] = str(error)
    left = list_resources(run)
    names = {(one.kind, one.name) for one in left}
    left += [one for one in had if (one.kind, one.name) not in names]
    left = [
        replace(resource, hint=reasons.get((resource.kind, resource.name), resource.hint))
        if resource.status not in (GONE, OTHER)
        else resource
        for resource in sorted(left, key=lambda one: KINDS.index(one.kind))
    ]
    if run.directory.is_dir():
        write_whole(run.directory / READ_BACK_FILE, msgspec.json.encode(left).decode())
    return left


def delete_resource(run: Run, resource: Resource, waiting: Waiting | None = None) -> None:
    """Delete one resource and wait until it is gone; a job is stopped instead.

    `waiting` is that of `delete_resources`. Deleting what is gone already succeeds.

    Raises:
        ConflictError: it cannot be deleted yet because of a commitment or because something uses
            it; or it is not provably this run's.
        AccessError: its tags may not be read.
        WaitTimeoutError: it is still there after the deadline.
    """
    bedrock = run.connection.client("bedrock")
    if resource.status in (GONE, OTHER) or not resource.arn:
        return
    waiting = waiting or Waiting(
        poll_seconds=min(run.connection.poll_seconds, 5.0), deadline_seconds=900.0
    )
    ours: Any = {"tags": run.tags, "recorded": True}
    if resource.kind in LISTINGS:
        check_own(run, resource.kind, resource.arn, resource.name)
    if resource.kind in (DEPLOYMENT, THROUGHPUT):
        _note(run, resource)
        stop_serving(bedrock, resource.arn, waiting)
    elif resource.kind == JOB and resource.status not in FINAL:
        customization.stop_job(bedrock, resource.arn)
        wait_until(
            lambda job: job is None or job.status not in RUNNING,
            lambda: find_job(bedrock, resource.arn),
            what=f"Stopping job {resource.name}",
            waiting=waiting,
        )
    elif resource.kind == MODEL:
        delete_custom_model(bedrock, resource.arn)
    elif resource.kind == OBJECTS:
        client, prefixes = run.connection.client("s3"), find_prefixes(run)
        if prefixes == ("",):
            s3.empty_bucket(client, run.record.bucket, **ours)
        else:  # somebody else's bucket: the keys carry the owner id
            s3.delete_objects(client, run.record.bucket, prefixes)
    elif resource.kind == BUCKET:
        s3.delete_bucket(run.connection.client("s3"), run.record.bucket, **ours)
    elif resource.kind == ROLE:
        roles.delete_role(run.connection.client("iam"), resource.name, **ours)


def _note(run: Run, resource: Resource) -> None:
    """Write down what served and is deleted now, so that a later one is a new request.

    A record that is lost, cut or another's says nothing of it, and hinders nothing.
    """
    try:
        record = read_record(run.directory / FILE_NAME)
    except RecordError:
        return
    if record.owner == run.record.owner and not recorded_in(run, resource.kind)[0]:
        save(run, **name_served(resource.arn))
