"""A page about a run: verdict, scores, figures and settings, in one file."""

import json
from pathlib import Path

from haikuft import html
from haikuft.evaluation.report.files import CSV_FILE, JSON_FILE, read_evaluation
from haikuft.evaluation.report.page import build_records, build_sections
from haikuft.files import write_whole
from haikuft.html import escape
from haikuft.inference.replies import NOTICE
from haikuft.metrics.assessment import ASSESSMENT_FILE
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record
from haikuft.serving import build_limit_commands

REPORT_FILE = "report.html"


def write_report(directory: Path) -> Path:
    """Write report.html from the files in a run's folder.

    A run that is not evaluated yet has a shorter report.
    """
    return write_whole(directory / REPORT_FILE, build_report(directory))


def build_report(directory: Path) -> str:
    """Build the page: the verdict first, then what it is based on, and each record last."""
    evaluated, begun = (directory / JSON_FILE).exists(), (directory / FILE_NAME).exists()
    record = read_record(directory / FILE_NAME) if begun else None
    sections: list[str] = []
    if evaluated:
        evaluation = read_evaluation(directory)
        sections += build_sections(evaluation, directory / CSV_FILE)
    else:
        on_sandbox = record is not None and record.target == "sandbox"
        sections += [
            html.build_notice(NOTICE if on_sandbox else ""),
            '<p class="verdict">Not evaluated yet: notebook 6 does that.</p>',
        ]
    sections += _training_section(directory / ASSESSMENT_FILE)
    sections += [html.build_figure(path) for path in sorted((directory / "figures").glob("*.png"))]
    if record is not None:
        sections.append(_record_section(record))
    if evaluated:
        sections += build_records(evaluation, directory / CSV_FILE)
    return html.build_page(f"Run {directory.name}", sections)


def _training_section(path: Path) -> list[str]:
    if not path.exists():
        return []
    assessment = json.loads(path.read_text("utf-8"))
    return ["<h2>Training</h2>", f"<p>{escape(str(assessment['sentence']))}</p>"]


def _record_section(record: RunRecord) -> str:
    rows = [
        ("target", record.target),
        ("Region", record.region),
        ("base model", record.base_model_id),
        ("data set", record.dataset),
        ("training records", record.training_records),
        ("validation records", record.validation_records),
        ("test records", record.test_records),
        ("job", record.job_name),
        ("custom model", record.custom_model_name),
        ("deployment", record.deployment_name),
        ("throughput", record.throughput_name),
        ("begun", record.created),
    ]
    page = "<h2>The run</h2>" + html.build_table(row for row in rows if row[1])
    commands = build_limit_commands(record)
    if commands:
        page += (
            f"<h2>The limit of the throughput</h2><p>It is meant to be deleted at "
            f"{escape(record.throughput_ends)}. These commands have AWS do it, also when this "
            f'computer is off:</p><pre style="overflow-x:auto">{escape(commands)}</pre>'
        )
    return page
