"""An evaluation as HTML: for its own page, and for the report on a run."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haikuft import html
from haikuft.evaluation.report.browsing import PROMPT, build_browser, build_reply
from haikuft.evaluation.report.files import CSV_FILE, read_evaluation
from haikuft.evaluation.statistics.classes import models_of_classes, show_classes
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.verdicts import format_change, format_p, format_score
from haikuft.files import write_whole
from haikuft.html import escape

PAGE_FILE = "evaluation.html"
_MOST_EXAMPLES = 10
_MOST_ROWS = 2000  # of the table of all records; the rest is in the CSV file
_LONGEST_TEXT = 400  # characters of an example that are shown
_DIFFERENCES = (
    *("score", "model", "against", "difference", "95 % interval", "p", "test"),
    *("detectable", "verdict"),
)
_FIGURES = ("comparison", "differences", "slopes", "confusion")  # those of notebook 6


def write_page(directory: Path) -> Path:
    """Write evaluation.html from the files in a run's folder.

    Raises:
        NotFoundError: the run has not been evaluated.
        DataError: its evaluation cannot be read.
    """
    found = read_evaluation(directory)
    figures = [directory / "figures" / f"{name}.png" for name in _FIGURES]
    sections = [
        *build_sections(found, directory / CSV_FILE),
        *(html.build_figure(path) for path in figures if path.exists()),
        *build_records(found, directory / CSV_FILE),
    ]
    page = html.build_page(f"Evaluation of run {directory.name}", sections)
    return write_whole(directory / PAGE_FILE, page)


def build_sections(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build the sections of the result, the verdict first.

    Args:
        found: From `read_evaluation`.
        table: evaluation.csv in the same folder.
    """
    return [
        html.build_notice(found["notice"]),
        f'<p class="verdict">{escape(found["sentence"])}</p>',
        *_score_tables(found),
        *_money_section(found),
        *_outcome_sections(found, table),
        *_group_sections(found),
    ]


def build_records(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build a table of every record with its replies, to sort, search and filter."""
    rows = _read_rows(table)
    models, metric = found["models"], found["metric"]
    # Of each model but the first and the free rivals, whose outcomes stand below their replies.
    outcomes = [f"{model} outcome" for model in models[1:] if model not in RIVALS]

    def build_row(row: Mapping[str, str]) -> list[object]:
        replies = [
            build_reply(
                row[f"{model} reply"],
                float(row[f"{model} {metric}"]),
                metric,
                *([row[f"{model} outcome"]] if model in RIVALS else []),
            )
            for model in models
        ]
        return [*(row[name] for name in (*outcomes, PROMPT, "reference")), *replies]

    browser = build_browser(
        [*outcomes, PROMPT, "reference", *models],
        map(build_row, rows[:_MOST_ROWS]),
        choices=[*outcomes, *(["reference"] if found["task"] == "labels" else [])],
    )
    rest = len(rows) - _MOST_ROWS
    more = [f"<p>{rest:,} more in {escape(table.name)}.</p>"] if rest > 0 else []
    return ["<h2>All records</h2>", browser.to_html(), *more]


def _score_tables(found: Mapping[str, Any]) -> list[str]:
    shares = {c["metric"]: c["is_share"] for c in _all_comparisons(found)}
    scores = []
    for score in found["scores"]:
        share = shares[score["metric"]]
        mean, low, high = (
            format_score(score[part], is_share=share) for part in ("score", "low", "high")
        )
        row = (score["title"], score["model"], mean, f"{low} to {high}", score["n"])
        scores.append((*row, score["endings"]))
    headings = ("score", "model", "mean", "95 % interval", "records", "how replies ended")
    copies = f"<p>{found['copies']} copies of test records are not counted.</p>"
    return [
        "<h2>Scores</h2>",
        html.build_table(scores, headings),
        copies if found["copies"] else "",
        "<h2>Differences</h2>",
        html.build_table(map(_difference_row, _all_comparisons(found)), _DIFFERENCES),
        "<p>Shares differ in points. p is of the paired test, after Holm's correction for all "
        "pairs of models; the verdict uses it. Detectable: the smallest difference that so many "
        "records detect four times in five.</p>",
        "<h2>Who answered</h2>",
        html.build_table(
            [(model, ", ".join(names)) for model, names in found["answered_by"].items()],
            ("model", "name in its replies"),
        ),
    ]


def _all_comparisons(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*found["comparisons"], *found["between"], *found["further"]]


def _difference_row(comparison: Mapping[str, Any]) -> Sequence[object]:
    share, difference = comparison["is_share"], comparison["difference"]
    value, low, high = (
        format_change(difference[part], is_share=share) for part in ("value", "low", "high")
    )
    smallest = comparison["smallest"]
    return (
        comparison["title"],
        comparison["model"],
        comparison["baseline"],
        value,
        f"{low} to {high}",
        format_p(comparison["corrected_p"]).removeprefix("p ").removeprefix("= "),
        comparison["test"],
        "" if smallest is None else format_change(smallest, is_share=share).removeprefix("+"),
        comparison["verdict"],
    )


def _money_section(found: Mapping[str, Any]) -> list[str]:
    if not found["usage"]:
        return []
    rows = [
        (
            use["model"],
            use["cost"],
            *(_round(use[name]) for name in ("input_tokens", "output_tokens")),
            *(use[name] or 0.0 for name in ("latency_median", "latency_95", "latency_99")),
            use["replies"],
            use["errors"],
            use["endings"],
        )
        for use in found["usage"]
    ]
    headings = ("model", "cost", "tokens in", "tokens out", "seconds (median)", "95 %", "99 %")
    return [
        "<h2>Costs and times</h2>",
        html.build_table(rows, (*headings, "replies", "failed", "how replies ended")),
        f"<p>{escape(found['break_even'])}</p>" if found["break_even"] else "",
    ]


def _outcome_sections(found: Mapping[str, Any], table: Path) -> list[str]:
    counts = [
        (model, outcome, count)
        for model, outcomes in found["outcomes"].items()
        for outcome, count in outcomes.items()
    ]
    return [
        "<h2>Outcomes of the records</h2>",
        html.build_table(counts, ("model", f"against {found['baseline']}", "records")),
        *(_examples_section(table, model) for model in found["outcomes"] if model not in RIVALS),
    ]


def _examples_section(table: Path, model: str) -> str:
    """Build a table of the records that got worse with this model."""
    worse = [row for row in _read_rows(table) if row[f"{model} outcome"] == "got worse"]
    heading = f"<h2>What got worse with {escape(model)}</h2>"
    if not worse:
        return f"{heading}<p>No record got worse.</p>"
    rows = [
        (_short(row["prompt"]), _short(row["reference"]), _short(row[f"{model} reply"]))
        for row in worse[:_MOST_EXAMPLES]
    ]
    rest = len(worse) - len(rows)
    more = f"<p>{rest} more in {escape(table.name)}.</p>" if rest else ""
    return heading + html.build_table(rows, ("prompt", "reference", "reply")) + more


def _group_sections(found: Mapping[str, Any]) -> list[str]:
    sections = []
    if found.get("by_class"):
        shown = show_classes(found["by_class"], models_of_classes(found["models"]))
        sections += ["<h2>By label</h2>", html.build_table(shown.rows, shown.headings)]
        for model, pairs in found["confusions"].items():
            heading = f"<h2>Labels that {escape(model)} took for others</h2>"
            sections.append(heading + (_frame(pairs) if pairs else "<p>None.</p>"))
    asked = {model: groups for model, groups in found["groups"].items() if model not in RIVALS}
    for model, groups in asked.items():
        for by, rows in groups.items():
            heading = f"<h2>By {escape(by)}: {escape(model)} against {escape(found['baseline'])}"
            sections += [f"{heading}</h2>", _frame(rows)]
    return sections


def _frame(rows: Sequence[Mapping[str, Any]]) -> str:
    values = [["" if value is None else value for value in row.values()] for row in rows]
    return html.build_table(values, list(rows[0]))


def _read_rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _round(number: float | None) -> object:
    return "" if number is None else round(number)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} …"
