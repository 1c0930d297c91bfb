"""A page about a run for the person who decides: the answer, and what it is based on."""

from datetime import UTC, datetime
from pathlib import Path

from haikuft import html
from haikuft.evaluation.report.files import CSV_FILE, JSON_FILE, read_evaluation
from haikuft.evaluation.report.page import build_details, build_summary
from haikuft.evaluation.report.scores import STAND_IN, note
from haikuft.files import write_whole
from haikuft.html import escape
from haikuft.inference.replies import NOTICE
from haikuft.metrics.assessment import ASSESSMENT_FILE, read_assessment
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record
from haikuft.serving.limit import build_limit_commands

REPORT_FILE = "report.html"


def write_report(directory: Path) -> Path:
    """Write report.html from the files in a run's folder.

    A run that is not evaluated yet has a shorter report.
    """
    return write_whole(directory / REPORT_FILE, build_report(directory))


def build_report(directory: Path) -> str:
    """Build the page: the answer on the first screen, then what it is based on, folded."""
    begun = (directory / FILE_NAME).exists()
    record = read_record(directory / FILE_NAME) if begun else None
    evaluation, table = directory / JSON_FILE, directory / CSV_FILE
    sections, details = [], []
    if evaluation.exists():
        found = read_evaluation(directory)
        sections, details = build_summary(found, table), build_details(found, table)
        made = datetime.fromtimestamp(evaluation.stat().st_mtime, UTC)
        sections.append(f"<p>Evaluated on {_write_time(made)}.</p>")
        sections += [_name_models(record)] if record else []
    else:
        notice = NOTICE if record is not None and record.target == "sandbox" else ""
        cards = (*note(STAND_IN, notice), *note("Not evaluated yet", "Notebook 6 does that."))
        sections = [card._repr_html_() for card in cards]
    parts = {
        "Training": _training_section(directory / ASSESSMENT_FILE),
        "Figures": "".join(map(html.build_figure, sorted(directory.glob("figures/*.png")))),
        "The run": _record_section(record) if record else "",
    }
    details += [html.build_fold(title, part) for title, part in parts.items() if part]
    return html.build_page(f'Run "{directory.name}"', [*sections, *details])


def _write_time(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M %Z}"


def _name_models(record: RunRecord) -> str:
    """Say what "base" and "tuned" are, and what they were tested on."""
    tuned = f"tuned: the custom model {record.custom_model_name} made from it"
    said = f"base: {record.base_model_id}; {tuned}; data set: {record.dataset}."
    return f"<p>{escape(said)}</p>"


def _training_section(path: Path) -> str:
    return read_assessment(path).card._repr_html_() if path.exists() else ""


def _record_section(record: RunRecord) -> str:
    rows = [
        ("target", record.target),
        ("Region", record.region),
        ("base model", record.base_model_id),
        ("data set", record.dataset),
        ("training records", f"{record.training_records:,}"),
        ("validation records", f"{record.validation_records:,}"),
        ("test records", f"{record.test_records:,}"),
        ("job", record.job_name),
        ("custom model", record.custom_model_name),
        ("deployment", record.deployment_name),
        ("throughput", record.throughput_name),
        ("begun", record.created and _write_time(datetime.fromisoformat(record.created))),
    ]
    page = html.build_table(row for row in rows if row[1])
    commands = build_limit_commands(record)
    if commands:
        page += (
            f"<h2>The limit of the throughput</h2><p>It is meant to be deleted at "
            f"{escape(record.throughput_ends)}. These commands have AWS do it, also when this "
            f"computer is off:</p><pre>{escape(commands)}</pre>"
        )
    return page
