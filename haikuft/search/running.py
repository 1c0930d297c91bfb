"""Run a search: as many jobs at once as the quota allows, and a line for each that has ended.

A job's name holds its trial's key, so that a second start finds what an earlier one has started.
How each ended is a line of `runs/<run>/search/trials.jsonl`.
Source: Bedrock API, the operations on model customization jobs.
"""

import hashlib
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from haikuft import customization, s3
from haikuft.aws.errors import error_code, explaining
from haikuft.aws.ownership import request_token
from haikuft.aws.waiting import Waiting, wait_until
from haikuft.customization.plan import build_job_request
from haikuft.customization.readings import RUNNING, CustomizationJob
from haikuft.errors import AccessError
from haikuft.files import JsonLinesFile, read_json_lines, write_whole
from haikuft.hyperparameters import to_aws
from haikuft.metrics.files import download_metrics, find_metrics
from haikuft.runs.lookup import JOB, find_own
from haikuft.runs.run_record import Run
from haikuft.search.trials import OVER, Curve, Trial, take_part

_CONFLICT = "another search of this run is at work. Wait for its end, or end it."


def find_trials(run: Run, trials: Sequence[Trial]) -> list[Trial]:
    """Find what an earlier start has done of these trials, at AWS and in the run's folder.

    Raises:
        AccessError: we may not look for the run's jobs, so none may be started.
    """
    own = find_own(run, JOB)
    found = {one.key: one for one in read_json_lines(_path(run), Trial, what="a trial")}
    for one in trials:
        jobs = [job for job in own if job.name.startswith(f"{run.search_prefix}{one.key}-")]
        if jobs and jobs[0].status != "Failed":  # the newest
            one = replace(one, attempt=len(jobs), job_arn=jobs[0].arn, status="InProgress")
        found.setdefault(one.key, replace(one, attempt=len(jobs) + (not one.status)))
    return [found[one.key] for one in trials]


def run_trials(
    run: Run,
    trials: Sequence[Trial],
    *,
    early_stop: bool = True,
    waiting: Waiting | None = None,
    tell: Callable[[str], None] = print,
) -> list[Trial]:
    """Run trials to the end of their jobs, and return them. On AWS this costs money.

    Interrupting it leaves the jobs running; `find_trials` finds them.

    Args:
        run: Has a role and data.
        trials: From `plan_search`; their price was agreed to.
        early_stop: Whether a trial with a bad validation loss is stopped, see `is_hopeless`; not
            one of the default configuration. Only the sandbox tells losses before the end.
        waiting: How to wait for the next end; None waits 24 hours, with the target's own pause.
        tell: Is given a line for each job that ends.

    Raises:
        ConflictError: another process runs a search of this run.
        AccessError: Bedrock cannot assume the role, or a quota leaves no room for any job.
        WaitTimeoutError: the deadline has passed; the jobs continue.
    """
    waiting = waiting or Waiting(poll_seconds=run.connection.poll_seconds)
    ended = [one for one in trials if one.status in OVER]
    todo = [one for one in trials if one.status not in OVER]
    running: dict[str, Trial] = {}
    with JsonLinesFile(_path(run), conflict=_CONFLICT) as file:
        while todo or running:
            while todo and _start(run, todo[0], running):
                del todo[0]
            read = partial(_read_ended, run, running, ended if early_stop else ())
            for job in wait_until(bool, read, what="The search", waiting=waiting):
                ended.append(_read_result(run, job, running.pop(job.arn)))
                if job.status in OVER:
                    file.append(ended[-1])
                told = f"{job.status}, loss {ended[-1].loss:.3f}, {ended[-1].label}"
                tell(f"{len(ended)} of {len(trials)}: {told}. {job.failure_message or ''}".rstrip())
    return ended


def is_hopeless(curve: Curve, ended: Sequence[Trial]) -> bool:
    """Tell whether a trial's lowest loss is above the median of the others' at the same epoch.

    The median stopping rule of Google Vizier (Golovin et al., KDD 2017), with lowest losses in
    place of means. Others are trials on all records; fewer than three stop nothing.
    """
    others = [one.curve[: len(curve)] for one in ended if one.curve and one.share == 1]
    if not curve or len(others) < 3:
        return False
    lowest, *rest = (min(loss for _, loss in one) for one in (curve, *others))
    return not lowest <= statistics.median(rest)  # written so that nan is stopped


def _start(run: Run, trial: Trial, running: dict[str, Trial]) -> bool:
    """Start a trial's job, or take up the one that runs; False where the quota is reached."""
    arn = trial.job_arn
    try:
        arn = arn or customization.start_job(
            run.connection.client("bedrock"), _build_request(run, trial)
        )
    except AccessError as error:
        if error_code(error.__cause__) != "ServiceQuotaExceededException" or not running:
            raise
        return False  # until one of ours has ended
    running[arn] = replace(trial, job_arn=arn)
    return True


def _build_request(run: Run, trial: Trial) -> dict[str, object]:
    """Build the request of a trial's job; its part of the records is uploaded, unless it was."""
    client, bucket = run.connection.client("s3"), run.record.bucket
    lines = (run.data / "train.jsonl").read_text("utf-8").split("\n")
    text = "".join(f"{line}\n" for line in take_part(filter(None, lines), trial))
    path = _path(run).with_name(f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.jsonl")
    key = s3.own_key(f"training/{path.name}", run.resource_name)
    if not s3.list_objects(client, bucket, key):
        write_whole(path, text)
        s3.upload_file(client, path, bucket, key, kms_key_arn=run.record.kms_key_arn)
    given = replace(run, record=replace(run.record, training_uri=s3.join_uri(bucket, key)))
    name = f"{run.search_prefix}{trial.key}-{trial.attempt}"
    request = build_job_request(given, name, to_aws(trial.hyperparameters, run.base_model))
    token = request_token(run.record.owner, JOB, trial.attempt, request)
    return request | {"clientRequestToken": token}


def _read_ended(
    run: Run, running: dict[str, Trial], others: Sequence[Trial]
) -> list[CustomizationJob]:
    """Read which jobs have ended; first stop those that are hopeless beside the others."""
    bedrock = run.connection.client("bedrock")
    for arn, one in running.items() if others else ():
        told = run.connection.read_progress(arn).get("validations", ())  # one an epoch
        curve = tuple((epoch, loss) for epoch, (_, loss) in enumerate(told, 1))
        running[arn] = replace(one, curve=curve or one.curve)
        if not one.is_default and is_hopeless(running[arn].curve, others):
            customization.stop_job(bedrock, arn)
    with explaining("listing the trials' jobs"):
        pages = bedrock.get_paginator("list_model_customization_jobs").paginate(
            nameContains=run.search_prefix, statusEquals="InProgress"
        )
        listed = pages.build_full_result()["modelCustomizationJobSummaries"]
    unlisted = running.keys() - {one["jobArn"] for one in listed}  # a new one may not be listed yet
    jobs = [customization.get_job(bedrock, arn) for arn in unlisted]
    return [job for job in jobs if job.status not in RUNNING]


def _read_result(run: Run, job: CustomizationJob, trial: Trial) -> Trial:
    """Read what became of a trial, with its losses where its job has completed."""
    curve = trial.curve
    reported = min((loss for _, loss in curve), default=math.inf)
    if job.status == "Completed":
        client = run.connection.client("s3")
        uri = find_metrics(client, job.output_uri, job.arn).validation_uri
        table = download_metrics(client, uri, _path(run).with_name(job.name))
        if table is not None:
            curve = tuple(table[["epoch_number", "loss"]].itertuples(index=False, name=None))
        reported = next(iter(job.validation_losses), math.inf)
    loss = reported if math.isfinite(reported) else math.inf
    return replace(trial, status=job.status, curve=curve, loss=loss)


def _path(run: Run) -> Path:
    return run.directory / "search" / "trials.jsonl"
