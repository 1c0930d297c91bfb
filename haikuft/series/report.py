"""One page about a run: verdict, scores, figures and facts, in a file that needs nothing else."""

import json
from html import escape
from pathlib import Path

from haikuft import pages
from haikuft.evaluation.files import CSV_FILE, JSON_FILE, read_evaluation
from haikuft.evaluation.page import build_records, build_sections
from haikuft.metrics.assessment import ASSESSMENT_FILE
from haikuft.record_file import FILE_NAME, RunRecord, read_record
from haikuft.serving import build_limit_commands

REPORT_FILE = "report.html"


def write_report(directory: Path) -> Path:
    """Write report.html into a run's folder from what lies there, whole or not at all.

    A run that has not been evaluated yet has a report too, of what there is.
    """
    return pages.write_whole(directory / REPORT_FILE, build_report(directory))


def build_report(directory: Path) -> str:
    """Put the page together: the verdict first, then what it rests on, and each record last."""
    evaluated = (directory / JSON_FILE).exists()
    sections: list[str] = []
    if evaluated:
        evaluation = read_evaluation(directory)
        sections += build_sections(evaluation, directory / CSV_FILE)
    else:
        sections.append('<p class="verdict">Not evaluated yet: notebook 6 does that.</p>')
    sections += _training_section(directory / ASSESSMENT_FILE)
    sections += [pages.build_figure(path) for path in sorted((directory / "figures").glob("*.png"))]
    if (directory / FILE_NAME).exists():
        sections.append(_record_section(read_record(directory / FILE_NAME)))
    if evaluated:
        sections += build_records(evaluation, directory / CSV_FILE)
    return pages.build_page(f"Run {directory.name}", sections)


def _training_section(path: Path) -> list[str]:
    if not path.exists():
        return []
    assessment = json.loads(path.read_text("utf-8"))
    return ["<h2>Training</h2>", f"<p>{escape(str(assessment['sentence']))}</p>"]


def _record_section(record: RunRecord) -> str:
    facts = [
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
    page = "<h2>The run</h2>" + pages.build_table(("", ""), [fact for fact in facts if fact[1]])
    commands = build_limit_commands(record)
    if commands:
        page += (
            f"<h2>The limit of the throughput</h2><p>It is meant to be deleted at "
            f"{escape(record.throughput_ends)}. These commands have AWS do it, also when this "
            f'computer is off:</p><pre class="wide">{escape(commands)}</pre>'
        )
    return page
