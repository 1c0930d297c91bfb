"""How a run ends: what it made, what it found out, and on AWS what bills from now on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haikuft import inventory, serving
from haikuft.base_models import Serving
from haikuft.errors import HaikuftError
from haikuft.evaluation import read_evaluation
from haikuft.inventory import Resource
from haikuft.pricing import format_dollars
from haikuft.record_file import FILE_NAME, RunRecord, read_record
from haikuft.run_record import open_run
from haikuft.series.planning import EVALUATE
from haikuft.series.report import write_report


@dataclass(frozen=True, slots=True)
class Walked:
    """A headless run that came to its end.

    Attributes:
        run: Its name.
        directory: Its folder, runs/<run>.
        record: What it had made before anything was deleted; None if it made nothing.
        notebooks: Numbers of the notebooks executed.
        deleted: Whether the clean-up was told to delete.
        seconds: How long it took.

    """

    run: str
    directory: Path
    record: RunRecord | None
    notebooks: tuple[int, ...]
    deleted: bool
    seconds: float


def summary_lines(walked: Walked) -> list[str]:
    """Write the report, and say in a few lines what was made, found out, and where it lies."""
    numbers = walked.notebooks
    which = f"notebook {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} notebooks"
    lines = [f"\nDone: {which} of run {walked.run} in {_minutes(walked.seconds)}."]
    if walked.record is not None:
        lines += _made_lines(walked.record, deleted=walked.deleted)
    if EVALUATE in numbers:
        lines += _score_lines(walked.directory)
    report = write_report(walked.directory)
    shown = [("Notebooks", walked.directory / "notebooks"), ("Report", report)]
    return [*lines, *(f"{name:<10} {_near(path)}" for name, path in shown)]


def end_serving(run: str, directory: Path) -> str:
    """Delete the throughput without commitment that this run made, and say what came of it.

    A deployment stays, for it bills nothing while idle, and the sentence says so. Empty when
    nothing serves. What AWS answers is in the sentence and never stops the run: its last lines
    must be reached.
    """
    record = read_record(directory / FILE_NAME) if (directory / FILE_NAME).exists() else None
    if record is None:
        return ""
    named: dict[Serving, str] = {
        "deployment": record.deployment_name,
        "provisioned_throughput": record.throughput_name,
    }
    said = [_end(run, record, kind, name) for kind, name in named.items() if name]
    return " ".join(filter(None, said))


def _end(run: str, record: RunRecord, kind: Serving, name: str) -> str:
    what = f"{serving.NOUNS[kind][0].upper()}{serving.NOUNS[kind][1:]} {name}"
    try:
        bedrock = open_run(run, target=record.target).connection.client("bedrock")
        found = serving.find_served(bedrock, kind, name)
        if found is None:
            return ""
        if kind == "deployment":
            return f"{what} stays: it bills its tokens when asked, and nothing while idle."
        if found.commitment != "none":
            return f"{what} is committed for {found.commitment} and goes on."
        serving.stop_serving(bedrock, found.arn)
    except HaikuftError as error:
        if kind == "deployment":
            return f"{what} could not be looked at; it bills its tokens when asked: {error}"
        return f"{what} could NOT be deleted, and bills on: {error}"
    return f"{what} is deleted (--keep-serving would have kept it)."


def billing_lines(run: str, directory: Path, *, command: str) -> list[str]:
    """Say what bills now, how much an hour, and the command that ends it."""
    if not (directory / FILE_NAME).exists():
        return ["\nBilling now: nothing, for this run has made nothing yet."]
    try:
        resources = inventory.billing_now(open_run(run, target="aws"))
    except (Exception, KeyboardInterrupt) as error:  # whatever it was, the last lines are said
        reason = str(error) or type(error).__name__
        return [
            f"\nAWS could not be asked what bills now: {reason}",
            "Billing now: not known, and something may bill.",
            f"To end it: {command}",
        ]
    if not resources:
        return ["\nBilling now: nothing of this run."]
    lines = [f"  {resource.kind} {resource.name}: {_rate(resource)}" for resource in resources]
    return ["\nBilling now:", *lines, f"  {_total(resources)}", f"To end it: {command}"]


def _made_lines(record: RunRecord, *, deleted: bool) -> list[str]:
    made = [
        ("bucket", record.bucket),
        ("role", record.role_name),
        ("job", record.job_name),
        ("custom model", record.custom_model_name),
        ("deployment", record.deployment_name),
        ("throughput", record.throughput_name),
    ]
    words = [f"{kind} {name}" for kind, name in made if name]
    if not words:
        return []
    heading = "Made, and deleted again:" if deleted else "Made:"
    return [heading, *(f"  {line}" for line in words)]


def _score_lines(directory: Path) -> list[str]:
    found = read_evaluation(directory)
    lines = [f"Scores on {found['n']} test records:"]
    for score in found["scores"]:
        if score["metric"] == found["metric"]:
            lines.append(
                f"  {score['model']}: {score['title']} {score['score']:.3f} "
                f"(95 % interval {score['low']:.3f} to {score['high']:.3f})"
            )
    return [*lines, f"  {found['sentence']}"]


def _rate(resource: Resource) -> str:
    if resource.per_hour is None:
        return resource.bills
    return f"{format_dollars(resource.per_hour)} an hour; {resource.bills}"


def _total(resources: Sequence[Resource]) -> str:
    known = [resource.per_hour for resource in resources if resource.per_hour is not None]
    rest = len(resources) - len(known)
    words = (
        f"In all {format_dollars(sum(known))} an hour" if known else "How much an hour is not known"
    )
    return f"{words}{f', and {rest} of unknown price' if known and rest else ''}."


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _near(path: Path) -> str:
    """Write the path as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
