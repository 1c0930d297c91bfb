"""One page about a run: verdict, scores, figures and facts, in a file that needs nothing else.

The page loads nothing: figures stand in it as text. It can be sent and opened anywhere.
"""

import base64
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from haikuft.evaluation.files import CSV_FILE, JSON_FILE, read_evaluation
from haikuft.metrics.assessment import ASSESSMENT_FILE
from haikuft.plots import read_alt_text
from haikuft.record_file import FILE_NAME, RunRecord, read_record

REPORT_FILE = "report.html"
_MOST_EXAMPLES = 10
_LONGEST_TEXT = 400  # characters of a prompt or reply that are shown

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 52rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.verdict { font-size: 1.15rem; border-left: 4px solid #1f5fa8; padding-left: .8rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0;
         border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1.5rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: #555; font-size: .9rem; }
"""


def write_report(directory: Path) -> Path:
    """Write report.html into a run's folder from what lies there, whole or not at all.

    A run that has not been evaluated yet has a report too, of what there is.
    """
    page = build_report(directory)
    path = directory / REPORT_FILE
    directory.mkdir(parents=True, exist_ok=True)
    beside = directory / f".{REPORT_FILE}"
    beside.write_text(page, encoding="utf-8")
    return beside.replace(path)


def build_report(directory: Path) -> str:
    """Put the page together: the verdict first, then what it rests on."""
    title = f"Run {directory.name}"
    sections: list[str] = []
    if (directory / JSON_FILE).exists():
        evaluation = read_evaluation(directory)
        sections += _evaluation_sections(evaluation, directory / CSV_FILE)
    else:
        sections.append('<p class="verdict">Not evaluated yet: notebook 6 does that.</p>')
    sections += _training_section(directory / ASSESSMENT_FILE)
    sections += [_figure(path) for path in sorted((directory / "figures").glob("*.png"))]
    if (directory / FILE_NAME).exists():
        sections.append(_record_section(read_record(directory / FILE_NAME)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def _evaluation_sections(found: Mapping[str, Any], table: Path) -> list[str]:
    rows = [
        (
            score["title"],
            score["model"],
            score["score"],
            f"{score['low']:.3f} to {score['high']:.3f}",
            score["n"],
        )
        for score in found["scores"]
    ]
    answered = [(model, ", ".join(names)) for model, names in found["answered_by"].items()]
    outcomes = [
        (model, outcome, count)
        for model, counts in found["outcomes"].items()
        for outcome, count in counts.items()
    ]
    sections = [
        f'<p class="verdict">{escape(found["sentence"])}</p>',
        "<h2>Scores</h2>",
        _table(("score", "model", "mean", "95 % interval", "records"), rows),
        "<h2>Who answered</h2>",
        _table(("model", "name in its replies"), answered),
        "<h2>What became of the records</h2>",
        _table(("model", "against the base", "records"), outcomes),
        *(_examples_section(table, model) for model in found["outcomes"]),
    ]
    if found.get("by_class"):
        headings = list(found["by_class"][0])
        by_class = [[row[name] for name in headings] for row in found["by_class"]]
        sections += ["<h2>By label</h2>", _table(headings, by_class)]
    return sections


def _examples_section(table: Path, model: str) -> str:
    """Show the records that got worse by this model, or say that none did."""
    with table.open(encoding="utf-8", newline="") as lines:
        worse = [row for row in csv.DictReader(lines) if row[f"{model} outcome"] == "got worse"]
    heading = f"<h2>What got worse with {escape(model)}</h2>"
    if not worse:
        return f"{heading}<p>No record got worse.</p>"
    rows = [
        (_short(row["prompt"]), _short(row["reference"]), _short(row[f"{model} reply"]))
        for row in worse[:_MOST_EXAMPLES]
    ]
    rest = len(worse) - len(rows)
    more = f"<p>{rest} more in {escape(table.name)}.</p>" if rest else ""
    return heading + _table(("prompt", "reference", "reply"), rows) + more


def _training_section(path: Path) -> list[str]:
    if not path.exists():
        return []
    assessment = json.loads(path.read_text("utf-8"))
    return ["<h2>Training</h2>", f"<p>{escape(str(assessment['sentence']))}</p>"]


def _figure(path: Path) -> str:
    words = path.stem.replace("_", " ").capitalize()
    image = base64.b64encode(path.read_bytes()).decode("ascii")
    alt = read_alt_text(path) or words
    return (
        f'<figure><img alt="{escape(alt)}" src="data:image/png;base64,{image}">'
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


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
        ("throughput", record.throughput_name),
        ("begun", record.created),
    ]
    return "<h2>The run</h2>" + _table(("", ""), [fact for fact in facts if fact[1]])


def _table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(heading)}</th>' for heading in headings)
    head = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        text = f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
        return f'<td class="number">{text}</td>'
    return f"<td>{escape(str(value))}</td>"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
