"""How a run ends: what it made, what it found out, and on AWS what bills from now on."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from haikuft import inventory
from haikuft.errors import HaikuftError, RecordError
from haikuft.evaluation.report.files import read_evaluation
from haikuft.inventory.deletion import READ_BACK_FILE, delete_resource
from haikuft.inventory.lost import search_account
from haikuft.inventory.resources import BUCKET, GONE, OTHER, ROLE, UNKNOWN, Resource, list_kind
from haikuft.inventory.tables import describe_billing
from haikuft.runs.lookup import DEPLOYMENT, JOB, MODEL, THROUGHPUT
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record
from haikuft.runs.run_record import Run, open_run
from haikuft.series.planning import EVALUATE, Step
from haikuft.series.report import write_report
from haikuft.serving.lifecycle import find_served


def summary_lines(
    directory: Path, record: RunRecord | None, done: Sequence[Step], *, seconds: float
) -> list[str]:
    """Write the report, and say in a few lines what was made, found out, and where it is.

    Args:
        directory: The run's folder, runs/<run>.
        record: What it had made before anything was deleted; None if it made nothing.
        done: The notebooks executed.
        seconds: How long it took.
    """
    numbers = [step.notebook.number for step in done]
    which = f"notebook {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} notebooks"
    lines = [f'\nDone: {which} of run "{directory.name}" in {_minutes(seconds)}.']
    if record is not None:
        deleted = any(step.values.get("delete") for step in done)
        lines += _made_lines(record, directory, seconds=seconds, deleted=deleted)
    if EVALUATE in numbers:
        lines += _score_lines(directory)
    shown = [("Notebooks", directory / "notebooks"), ("Report", write_report(directory))]
    return [*lines, *(f"{name:<10} {_near(path)}" for name, path in shown)]


def end_serving(directory: Path) -> str:
    """Delete the throughput without commitment that this run made, and say whether it is gone.

    A deployment stays, for it bills nothing while idle, and the sentence says so. Empty when
    nothing serves. What AWS answers is in the sentence and never stops the run: its last lines
    must be reached.
    """
    try:
        record = read_record(directory / FILE_NAME)
        if not (record.deployment_name or record.throughput_name):
            return ""
        opened = open_run(record.run, target=record.target)
        serves = [
            resource
            for kind in (DEPLOYMENT, THROUGHPUT)
            for resource in list_kind(opened, kind)
            if resource.status not in (GONE, OTHER)
        ]
        return " ".join(_end(opened, resource) for resource in serves)
    except HaikuftError as error:
        return (
            "What serves the model could not be ended; if there is any, it continues to bill: "
            f"{error}"
        )


def _end(run: Run, resource: Resource) -> str:
    what = f"{resource.kind[0].upper()}{resource.kind[1:]} {resource.name}"
    if resource.status == UNKNOWN:
        return f"{what}: not known, and not ended; it may continue to bill. {resource.hint}"
    if resource.kind == DEPLOYMENT:
        return f"{what} stays: it bills its tokens when asked, and nothing while idle."
    bedrock = run.connection.client("bedrock")
    try:
        found = find_served(bedrock, resource.arn)
        if found is not None and found.commitment != "none":
            return f"{what} is committed for {found.commitment} and continues to bill."
        delete_resource(run, resource)
    except HaikuftError as error:
        return f"{what} could NOT be deleted, and continues to bill: {error}"
    return f"{what} is deleted (--keep-serving would have kept it)."


def billing_lines(
    run: str, *, command: str, region: str = "", base_model_id: str = ""
) -> list[str]:
    """Say what bills now, how much an hour, and the command that ends it.

    A record that is lost or cannot be used leads to a search of the account by name and tags.

    Args:
        run: The run's name.
        command: What ends it.
        region: Where to search without a record; "" where that is not known.
        base_model_id: What was tuned; "" where that is not known.
    """
    try:
        try:
            opened = open_run(run, target="aws")
            resources = inventory.list_resources(opened)
            others = any(one.status == OTHER for one in resources)
            if not (others and opened.record.is_new):
                first, *rest = describe_billing(resources, f"To end it: {command}")
                return [f"\n{first}", *rest]
            reason = "This record names nothing yet, and others in the account have its name."
        except RecordError as error:
            reason = str(error)
        found, unknown = search_account("aws", run, region=region, base_model_id=base_model_id)
        lines = describe_found(found, unknown, command)
        return [f"\n{reason}", "The account was searched by name and tags.", *lines]
    except (Exception, KeyboardInterrupt) as error:  # whatever it was, the last lines are said
        reason = str(error) or type(error).__name__
        return [
            f"\nAWS could not be asked what bills now: {reason}",
            "Billing now: not known, and something may bill.",
            f"To end it: {command}",
        ]


def describe_found(
    found: Sequence[tuple[Run, Sequence[Resource]]], unknown: Sequence[Resource], command: str
) -> list[str]:
    """Say what bills of what a search has found, with owner, Region, and what ends it."""
    resources, commands = [*unknown], []
    for run, mine in found:
        owner, place = run.record.owner, run.record.region
        resources += [replace(one, name=f"{one.name} (owner id {owner}, {place})") for one in mine]
        if "--class" not in command and any(one.bills or one.status == UNKNOWN for one in mine):
            there = "" if "--region" in command else f" --region {place}"
            commands.append(f"To end it, if it is yours: {command}{there} --owner {owner}")
    of = "this class" if "--class" in command else "this run"
    return describe_billing(resources, *(commands or [f"To end it: {command}"]), of=of)


def _made_lines(record: RunRecord, directory: Path, *, seconds: float, deleted: bool) -> list[str]:
    """Say what was made, and after a clean-up what of it notebook 7 read back as gone."""
    made = {
        BUCKET: record.bucket,
        ROLE: record.role_name,
        JOB: record.job_name,
        MODEL: record.custom_model_name,
        DEPLOYMENT: record.deployment_name,
        THROUGHPUT: record.throughput_name,
    }
    made = {kind: name for kind, name in made.items() if name}
    lines = {kind: f"  {kind} {name}" for kind, name in made.items()}
    if not (made and deleted):
        return ["Made:", *lines.values()] if made else []
    path = directory / READ_BACK_FILE
    if not path.exists() or path.stat().st_mtime < time.time() - seconds:  # or an earlier run's
        return ["Made; whether it is gone was not read back:", *lines.values()]
    left = msgspec.json.decode(path.read_bytes(), type=list[Resource])
    states = {one.kind: one for one in left if one.status != GONE}
    gone = [line for kind, line in lines.items() if kind not in states]
    still = [
        f"  {kind} {states[kind].name}: {states[kind].status}. {states[kind].hint}".rstrip(". ")
        for kind in made
        if kind in states
    ]
    gone = ["Made, and deleted again:", *gone] if gone else []
    return [*gone, "Made, and still there:", *still] if still else gone


def _score_lines(directory: Path) -> list[str]:
    found = read_evaluation(directory)
    lines = [f"Scores on {found['n']} test records:"]
    for score in found["scores"]:
        if score["metric"] == found["metric"]:
            lines.append(
                f"  {score['model']}: {score['title']} {score['score']:.3f} "
                f"(95 % interval {score['low']:.3f} to {score['high']:.3f})"
            )
    sentences = filter(None, (found["notice"], found["sentence"]))
    return [*lines, *(f"  {sentence}" for sentence in sentences)]


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _near(path: Path) -> str:
    """Write the path as seen from here, where it is below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
