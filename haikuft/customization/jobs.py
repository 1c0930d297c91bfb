"""Model customization jobs: start, get, find, wait, stop. Used by notebooks 3, 4 and 7.

Source: Bedrock API, Create-, Get- and StopModelCustomizationJob.
botocore has no waiters for Bedrock.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from haikuft.aws.errors import explaining, is_absent, unless_absent
from haikuft.aws.waiting import Waiting, retry, wait_until
from haikuft.base_models import JobTime
from haikuft.customization.readings import RUNNING, CustomizationJob
from haikuft.customization.stalls import OTHERWISE, StallWatch
from haikuft.errors import ConflictError, HaikuftError, JobFailedError
from haikuft.package_data import read_toml

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient

_ROLE_TROUBLE = "could not assume provided iam role"
NEW_ROLE = Waiting(poll_seconds=0.5, deadline_seconds=60.0)


def start_job(
    bedrock: "BedrockClient", request: Mapping[str, Any], waiting: Waiting = NEW_ROLE
) -> str:
    """Start a job and return its ARN. On AWS this costs money.

    A new role takes a while until Bedrock can assume it, and no call can probe that. So the
    request is repeated until the deadline, after a pause that doubles up to 5 seconds.

    Args:
        bedrock: a client.
        request: the arguments of `create_model_customization_job`.
        waiting: how to wait for a new role.

    Raises:
        AccessError: Bedrock cannot assume the role, even after that.
        ConflictError: the job's or the model's name is taken.
    """
    names = [request[name] for name in ("jobName", "baseModelIdentifier", "roleArn")]

    def start() -> str:
        with explaining("starting job {} on {} under role {}".format(*names)):
            return bedrock.create_model_customization_job(**request)["jobArn"]

    try:
        return retry(start, lambda error: _ROLE_TROUBLE in str(error).lower(), waiting)
    except HaikuftError as error:
        if isinstance(error, ConflictError) or "currently in use" in str(error).lower():
            raise ConflictError(
                f"{error} Names of jobs and models stay taken for good. Another process may have "
                "started this run's job a moment ago: run notebook 3 again, which finds it, or "
                "takes new names."
            ) from error.__cause__
        raise


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
    return unless_absent(get_job, bedrock, job)


def wait_for_job(
    bedrock: "BedrockClient",
    job: str,
    waiting: Waiting,
    *,
    expected: JobTime | None = None,
    warn: Callable[[str], None] = print,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> CustomizationJob:
    """Wait until a job has completed. Interrupting the wait leaves the job running.

    A job that takes longer than expected gives a warning, and another each time it has taken twice
    as long. The deadline ends the wait and never the job.

    Args:
        bedrock: a client.
        job: its ARN or its name.
        waiting: how to wait; `on_change` is given each reading whose status or stages differ.
        expected: how long such a job takes; None gives no warning.
        warn: is given each warning.
        now: the time in UTC, to tell how long the job has taken since it was created.

    Raises:
        JobFailedError: it failed or was stopped; says AWS's reason and how to fix it.
        WaitTimeoutError: the deadline has passed; the job continues. Says what can be done.
        CredentialsError: the login has expired; the job continues.
        HaikuftError: no network, or a status this version does not know.
    """
    watch = StallWatch(expected, warn)

    def read() -> CustomizationJob:
        reading = get_job(bedrock, job)
        watch.check(reading, now())
        return reading

    found = wait_until(
        lambda reading: reading.status not in RUNNING,
        read,
        what=f"Customization job {job.rpartition('/')[2]}",
        waiting=waiting,
        state=lambda job: (job.status, [(stage.name, stage.status) for stage in job.stages]),
        otherwise=OTHERWISE,
    )
    return check_ended_well(found)


def check_ended_well(job: CustomizationJob) -> CustomizationJob:
    """Return a completed job.

    Raises:
        JobFailedError: it failed or was stopped.
        HaikuftError: a status this version does not know.
    """
    if job.status == "Failed":
        reason = (job.failure_message or "AWS gives no reason").rstrip(". ")
        raise JobFailedError(
            f"Customization job {job.name} failed: {reason}. "
            f"{explain_failure(job.failure_message)} Then run notebook 3 again: it starts another "
            "job."
        )
    if job.status == "Stopped":
        raise JobFailedError(
            f"Customization job {job.name} was stopped. It leaves no model and cannot be resumed; "
            "on AWS the tokens it trained are billed. Run notebook 3 again to start another."
        )
    if job.status != "Completed":
        raise HaikuftError(
            f'Customization job {job.name} has the status "{job.status}", which this version of '
            "haikuft does not know. Look at the job in the Bedrock console."
        )
    return job


def explain_failure(message: str | None) -> str:
    """Say how to fix what AWS gives as the reason why a job failed, by its words."""
    fixes = read_toml(__package__, "failures.toml")
    text = (message or "").lower()
    return next(str(fix) for words, fix in fixes.items() if words in text)


def stop_job(bedrock: "BedrockClient", job: str) -> None:
    """Ask a running job to stop; one that has ended or is gone is left as it is.

    A stopped job leaves no model, cannot be resumed, and on AWS bills the tokens it has trained.
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
