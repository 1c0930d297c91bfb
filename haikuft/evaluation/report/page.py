"""An evaluation as HTML, for the report on a run: the first screen, and what it is based on."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from haikuft import html
from haikuft.browsing import PROMPT, cut_shared, find_shared
from haikuft.evaluation.report.browsing import browse_rows
from haikuft.evaluation.report.scores import (
    CUT_OFF,
    STAND_IN,
    build_verdict,
    note,
    recommend,
    tabulate_scores,
)
from haikuft.evaluation.statistics.classes import models_of_classes, show_classes
from haikuft.evaluation.statistics.endings import describe_endings, warn_of_endings
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.html import escape

_SHOWN = ("fixed", "got better", "got worse", "still wrong", "unchanged", "right in both")
_MOST_ROWS = 2000  # of the table of all records; the rest is in the CSV file
_LONGEST_TEXT = 160  # characters of an example's text that are shown
_USAGE = ("model", "input_tokens", "output_tokens", "latency_median", "latency_95", "latency_99")


def build_summary(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build the first screen: who answered, question, answer, recommendation, examples, cost.

    Args:
        found: From `read_evaluation`.
        table: evaluation.csv in the same folder; without it there are no examples.
    """
    first = found["comparisons"][0]
    question = f"Is {first['model']} better than {found['baseline']} on {found['n']} test records?"
    repeat = " Repeat the run on AWS before you decide." if found["notice"] else ""
    cards = [
        *note(CUT_OFF, warn_of_endings(found["endings"], found["n"])),
        replace(build_verdict(first), details=found["sentence"]),
        *note("Recommendation", recommend(found) + repeat),
    ]
    return [
        *(card._repr_html_() for card in note(STAND_IN, found["notice"])),
        f'<p class="question">{escape(question)}</p>',
        *(card._repr_html_() for card in cards),
        *_three_examples(table, found["baseline"], first["model"]),
        *_cost_lines(found),
    ]


def build_details(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build the sections below the first screen, each below a title that shows it on a click.

    Args:
        found: From `read_evaluation`.
        table: evaluation.csv in the same folder; without it there are no records.
    """
    further = [c for c in found["further"] if not {c["model"], c["baseline"]} & {*RIVALS}]
    pairs = [*found["comparisons"], *found["between"], *further]
    sections = {
        "Scores": _score_tables(found),
        "Differences": [build_verdict(pair)._repr_html_() for pair in pairs],
        "Outcomes of the records": [_tabulate_outcomes(found)],
        "Groups of records": _group_sections(found),
        "Tokens and seconds": _usage_section(found),
    }
    folds = [html.build_fold(title, "".join(parts)) for title, parts in sections.items() if parts]
    records = html.build_fold("All records", "".join(_build_records(found, table)))
    return [*folds, f'<div class="screen-only">{records}</div>'] if table.exists() else folds


def _build_records(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build a table of every record with its replies, to sort, search and filter."""
    rows = _read_rows(table)
    labels = found["task"] == "labels"
    browser = browse_rows(rows[:_MOST_ROWS], found["models"], found["metric"], labels=labels)
    rest = len(rows) - _MOST_ROWS
    more = [f"<p>{rest:,} more in {escape(table.name)}.</p>"] if rest > 0 else []
    return [browser._repr_html_(), *more]


def _three_examples(table: Path, base: str, model: str) -> list[str]:
    """Build a table of one record each of three outcomes, those that tuning changed first."""
    rows = _read_rows(table)
    shared = find_shared([row[PROMPT] for row in rows])
    shown = {row[f"{model} outcome"]: row for row in reversed(rows)}
    texts = ("reference", f"{base} reply", f"{model} reply")
    cells = [
        [outcome, *map(_short, (cut_shared(row[PROMPT], *shared), *(row[name] for name in texts)))]
        for outcome in _SHOWN
        if (row := shown.get(outcome))
    ][:3]
    headings = ("outcome", "prompt", "reference", base, model)
    return [html.build_table(cells, headings, caption="Examples")] if cells else []


def _cost_lines(found: Mapping[str, Any]) -> list[str]:
    if not found["usage"]:
        return []
    rows = [(use["model"], use["cost"]) for use in found["usage"] if use["model"] not in RIVALS]
    said = f"<p>{escape(found['break_even'])}</p>" if found["break_even"] else ""
    return [html.build_table(rows, caption="Cost"), said]


def _score_tables(found: Mapping[str, Any]) -> list[str]:
    shares = {c["metric"]: c["is_share"] for c in (*found["comparisons"], *found["further"])}
    scores = tabulate_scores(found["scores"], shares)
    answered = [
        (model, ", ".join(names), describe_endings(found["endings"][model]))
        for model, names in found["answered_by"].items()
    ]
    copies = f"<p>{found['copies']} copies of test records are not counted.</p>"
    return [
        f"<p>Mean scores over {found['n']} test records. The 95 % interval in small type says how "
        "far the mean could lie from that of other test records of the same kind.</p>",
        html.build_table(scores.rows, scores.headings),
        copies if found["copies"] else "",
        html.build_table(answered, ("model", "name in its replies", "how replies ended")),
    ]


def _usage_section(found: Mapping[str, Any]) -> list[str]:
    rows = [{name.replace("_", " "): use[name] for name in _USAGE} for use in found["usage"]]
    told = (
        "<p>Tokens are means of a request; latencies are seconds. Half of the replies came within "
        "the median, and 95 or 99 of 100 within the figures beside it.</p>"
    )
    return [told, _frame(rows)] if rows else []


def _tabulate_outcomes(found: Mapping[str, Any]) -> str:
    counts = [
        (model, outcome, count)
        for model, outcomes in found["outcomes"].items()
        for outcome, count in outcomes.items()
    ]
    return html.build_table(counts, ("model", f"against {found['baseline']}", "records"))


def _group_sections(found: Mapping[str, Any]) -> list[str]:
    sections = []
    if found.get("by_class"):
        shown = show_classes(found["by_class"], models_of_classes(found["models"]))
        sections += [
            "<h2>By label</h2><p>Precision: how many of the records given this label have it. "
            "Recall: how many that have it were given it. F1: the mean of both.</p>",
            html.build_table(shown.rows, shown.headings),
        ]
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
    if not table.exists():  # forgotten
        return []
    with table.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT].rstrip()} …"
