"""Failures on purpose, as `notebooks/workshop/failures.ipynb` shows them on the sandbox.

A cell of it changes a setting or a file, the next one fails within `expect`, a third one fixes it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict

from botocore.exceptions import ClientError
from IPython.display import display

from haikuft import customization, sandbox
from haikuft.aws.waiting import Waiting
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.readings import CustomizationJob
from haikuft.errors import HaikuftError, SettingsError
from haikuft.files import write_whole
from haikuft.hyperparameters import build_hyperparameters, to_aws
from haikuft.metrics.assessment import Assessment, assess
from haikuft.metrics.files import download_metrics, find_metrics
from haikuft.runs import run_record
from haikuft.runs.run_record import Run
from haikuft.tables import build_table

SETTINGS_FILE = "sandbox_settings.json"  # in the run's folder while settings may be changed


def check_target(target: str) -> None:
    """Refuse any target but the sandbox.

    Raises:
        SettingsError: the target is another one.
    """
    if target != "sandbox":
        raise SettingsError(f'target = "{target}": this runs with target = "sandbox" only.')


def keep_settings(run: Run) -> None:
    """Write the sandbox's settings into the run's folder, and speed the sandbox up.

    Settings that an interrupted run of the notebook has left in the folder are put back first.
    """
    restore_settings(run)
    endpoint = run.connection.endpoint
    settings = asdict(sandbox.read_settings(endpoint))
    write_whole(run.directory / SETTINGS_FILE, json.dumps(settings, indent=2) + "\n")
    sandbox.configure(endpoint, stage_seconds=0)


def restore_settings(run: Run) -> None:
    """Put the sandbox's settings back to those that were kept; without any, change nothing."""
    path = run.directory / SETTINGS_FILE
    if path.exists():
        sandbox.configure(run.connection.endpoint, **json.loads(path.read_text(encoding="utf-8")))
        path.unlink()


@contextmanager
def expect(run: Run) -> Iterator[None]:
    """Show the error that the block ends with, as AWS or the helpers say it, and continue.

    Any other end of the block puts the sandbox's settings back.

    Raises:
        SettingsError: the block had no error.
    """
    try:
        yield
    except (HaikuftError, ClientError) as error:
        table = build_table([(str(error),)], type(error).__name__)
        display(table)  # type: ignore[no-untyped-call]
        return
    except BaseException:
        restore_settings(run)
        raise
    restore_settings(run)
    raise SettingsError(
        "This cell was to fail, and it did not. Run the notebook again from its beginning."
    )


def train(run: Run, values: Mapping[str, float], seconds: float = 120.0) -> CustomizationJob:
    """Start a new job of the run, and wait until it has completed.

    Args:
        run: has a role and data in S3.
        values: hyperparameters by our names; those left out take AWS's defaults.
        seconds: how long to wait for it.

    Raises:
        JobFailedError: the job failed or was stopped.
        WaitTimeoutError: the job still runs.
    """
    bedrock = run.connection.client("bedrock")
    chosen = to_aws(build_hyperparameters(run.base_model, **values), run.base_model)
    plan = customization.plan_job(bedrock, run, chosen, new_job=True)
    arn = customization.start_job(bedrock, plan.request)
    run_record.save(run, **plan.changes | {"job_arn": arn})
    return wait_for_job(bedrock, arn, Waiting(poll_seconds=0.2, deadline_seconds=seconds))


def assess_losses(run: Run, job: CustomizationJob) -> Assessment:
    """Read a completed job's losses from S3 and assess them, as notebook 4 does."""
    client = run.connection.client("s3")
    files = find_metrics(client, job.output_uri, job.arn)
    training = download_metrics(client, files.training_uri, run.metrics)
    validation = download_metrics(client, files.validation_uri, run.metrics)
    return assess(training, validation)  # type: ignore[arg-type]  # it has such a file
