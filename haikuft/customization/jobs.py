"""Model customization jobs: start, get, wait, stop.

Source: Bedrock API, Create-, Get- and StopModelCustomizationJob.
botocore has no waiters for Bedrock.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from haikuft.aws_errors import error_code, explain, explaining, is_absent
from haikuft.base_models import JobTime
from haikuft.customization.failures import explain_failure
from haikuft.customization.readings import RUNNING, CustomizationJob
from haikuft.customization.stalls import OTHERWISE, StallWatch
from haikuft.errors import (
    AccessError,
    ConflictError,
    HaikuftError,
    JobFailedError,
    NotFoundError,
    SettingsError,
)
from haikuft.waiting import wait_until

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

_ROLE_TROUBLE = "could not assume provided iam role"


def start_job(
    bedrock: "BedrockClient",
    request: Mapping[str, Any],
    *,
    patience_seconds: float = 60.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Start a job and return its ARN. On AWS this costs money.

    A new role takes a while until Bedrock can assume it, and no call can probe that: until
    `patience_seconds` have passed we try again.

    Raises:
        AccessError: Bedrock cannot assume the role, even after that.
        ConflictError: the job's or the model's name is taken.
    """
    began, pause = clock(), 0.5
    while True:
        try:
            return bedrock.create_model_customization_job(**request)["jobArn"]
        except ClientError as error:
            waited = clock() - began
            if _ROLE_TROUBLE not in str(error).lower():
                raise _explain_start(error, request) from error
            if waited + pause > patience_seconds:
                raise AccessError(
                    f"Bedrock cannot assume role {request['roleArn']}, tried for {waited:.0f} s. "
                    "Its trust policy must name bedrock.amazonaws.com with this account and "
                    "Region, and no boundary may forbid it: run notebook 1 again, which repairs "
                    "the role, then this notebook."
                ) from error
        except BotoCoreError as error:
            raise explain(error, doing=f"starting job {request['jobName']}") from error
        sleep(pause)
        pause = min(2 * pause, 5.0)


def get_job(bedrock: "BedrockClient", job: str) -> CustomizationJob:
    """Read a job once, by its ARN or its name.

    Raises:
        NotFoundError: this account and Region have no such job.
    """
    with explaining(f"reading customization job {job}"):
        return CustomizationJob.from_response(
            bedrock.get_model_customization_job(jobIdentifier=job)
        )


def find_job(bedrock: "BedrockClient", job: str) -> CustomizationJob | None:
    """Read a job once, by its ARN or its name; None where AWS knows no such job."""
    try:
        return get_job(bedrock, job)
    except NotFoundError:
        return None


def wait_for_job(
    bedrock: "BedrockClient",
    job: str,
    *,
    poll_seconds: float = 60.0,
    deadline_seconds: float = 24 * 3600.0,
    patience_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_change: Callable[[CustomizationJob], None] | None = None,
    resume: str = "",
    expected: JobTime | None = None,
    warn: Callable[[str], None] = print,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> CustomizationJob:
    """Wait until a job has completed. Interrupting the wait leaves the job running.

    A job that is past its time is warned of, and again each time it has taken twice as long. The
    deadline ends the wait and never the job.

    Args:
        bedrock: a client.
        job: its ARN or its name.
        poll_seconds: pause between two readings.
        deadline_seconds: how long to wait at most.
        patience_seconds: how long a lost network is borne in a row.
        sleep: pauses; tests bring their own.
        clock: seconds that only grow; tests bring their own.
        on_change: is shown the first reading, and each whose status or stages differ.
        resume: the command that goes on from here, named in errors.
        expected: how long such a job takes; None warns of nothing.
        warn: is given each warning.
        now: the time in UTC, to tell how long the job has taken since it was created.

    Raises:
        JobFailedError: it failed or was stopped; says AWS's reason and how to mend it.
        WaitTimeoutError: the deadline has passed; the job goes on, and what can be done is said.
        CredentialsError: the login has run out; the job goes on.
        HaikuftError: no network, or a status this version does not know.
    """
    watch = StallWatch(expected, warn)

    def read() -> CustomizationJob:
        reading = get_job(bedrock, job)
        watch.look(reading, now())
        return reading

    found = wait_until(
        lambda reading: reading.status not in RUNNING,
        read,
        what=f"Customization job {job.rpartition('/')[2]}",
        poll_seconds=poll_seconds,
        deadline_seconds=deadline_seconds,
        patience_seconds=patience_seconds,
        sleep=sleep,
        clock=clock,
        on_change=on_change,
        state=lambda job: (job.status, [(stage.name, stage.status) for stage in job.stages]),
        resume=resume,
        otherwise=OTHERWISE,
    )
    return check_ended_well(found)


def check_ended_well(job: CustomizationJob) -> CustomizationJob:
    """Return a completed job.

    Raises:
        JobFailedError: it failed or was stopped.
        HaikuftError: its status is none this version knows.
    """
    if job.status == "Failed":
        reason = (job.failure_message or "AWS gives no reason").rstrip(". ")
        mend = explain_failure(job.failure_message)
        raise JobFailedError(
            f"Customization job {job.name} failed: {reason}. {mend} Then run notebook 3 "
            "again: it starts another job."
        )
    if job.status == "Stopped":
        raise JobFailedError(
            f"Customization job {job.name} was stopped. It leaves no model and cannot go on; the "
            "tokens it trained are billed. Run notebook 3 again to start another."
        )
    if job.status != "Completed":
        raise HaikuftError(
            f'Customization job {job.name} has the status "{job.status}", which this version of '
            "haikuft does not know. Look at the job in the Bedrock console."
        )
    return job


def stop_job(bedrock: "BedrockClient", job: str) -> None:
    """Ask a running job to stop; one that has ended or is gone is left as it is.

    A stopped job leaves no model, cannot go on, and bills the tokens it has trained.
    """
    with explaining(f"stopping customization job {job}"):
        try:
            bedrock.stop_model_customization_job(jobIdentifier=job)
        except ClientError as error:
            found = find_job(bedrock, job)
            if found is not None and found.status == "InProgress":
                raise
            if found is None and not is_absent(error):
                raise


def _explain_start(error: ClientError, request: Mapping[str, Any]) -> HaikuftError:
    doing = f"starting job {request['jobName']}"
    if error_code(error) == "ConflictException" or "currently in use" in str(error).lower():
        return ConflictError(
            f"{explain(error, doing=doing)} Names of jobs and models stay taken for good. Another "
            "process may have started this run's job a moment ago: run notebook 3 again, which "
            "finds it, or takes new names."
        )
    if "model identifier is invalid" in str(error).lower():
        return SettingsError(
            f"{explain(error, doing=doing)} {request['baseModelIdentifier']} cannot be tuned in "
            "this Region; notebook 1 lists what can."
        )
    return explain(error, doing=doing)
