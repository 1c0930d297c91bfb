"""An evaluation as HTML, for the report on a run: the first screen, and what it is based on."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from haikuft import html
from haikuft.evaluation.report.browsing import (
    PROMPT,
    build_browser,
    build_reply,
    cut_shared,
    find_shared,
)
from haikuft.evaluation.report.scores import (
    build_verdict,
    note_endings,
    note_stand_in,
    recommend,
    tabulate_scores,
)
from haikuft.evaluation.statistics.classes import models_of_classes, show_classes
from haikuft.evaluation.statistics.endings import describe_endings
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.verdicts import format_change, format_p
from haikuft.html import escape
from haikuft.tables import Card

_MOST_EXAMPLES = 10
_SHOWN = ("fixed", "got better", "got worse", "still wrong", "unchanged", "right in both")
_MOST_ROWS = 2000  # of the table of all records; the rest is in the CSV file
_LONGEST_TEXT = 300  # characters of a record's text that are shown
_LONGEST_FIRST = 160  # the same on the first screen
_DIFFERENCES = (
    *("score", "model", "against", "difference", "95 % interval", "p", "test"),
    *("detectable", "verdict"),
)


def build_summary(found: Mapping[str, Any], table: Path) -> list[str]:
    """Build the first screen: question, answer, recommendation, three examples, cost, caveat.

    Args:
        found: From `read_evaluation`.
        table: evaluation.csv in the same folder; without it there are no examples.
    """
    first = found["comparisons"][0]
    question = f"Is {first['model']} better than {found['baseline']} on {found['n']} test records?"
    cards = [
        *note_endings(found["endings"], found["n"]),
        replace(build_verdict(first), details=found["sentence"]),
        Card("note", "Recommendation", sentence=recommend(found)),
        *note_stand_in(found["notice"]),
    ]
    return [
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
        "Differences": _difference_tables(pairs),
        "Outcomes of the records": _outcome_sections(found, table),
        "Groups of records": _group_sections(found),
        "Costs and times": _money_section(found),
    }
    folds = [html.build_fold(title, "".join(parts)) for title, parts in sections.items() if parts]
    records = html.build_fold("All records", "".join(_build_records(found, table)))
    return [*folds, f'<div class="screen-only">{records}</div>'] if table.exists() else folds


def _build_records(found: Mapping[str, Any], table: Path) -> list[str]:
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
    return [browser.to_html(), *more]


def _three_examples(table: Path, base: str, model: str) -> list[str]:
    """Build a table of one record each of three outcomes, those that tuning changed first."""
    rows = _read_rows(table)
    by_outcome = {row[f"{model} outcome"]: row for row in reversed(rows)}
    shown = [(outcome, by_outcome[outcome]) for outcome in _SHOWN if outcome in by_outcome]
    shared = find_shared([row[PROMPT] for row in rows])
    texts = ("reference", f"{base} reply", f"{model} reply")
    cells = [
        (
            outcome,
            _short(" ".join(cut_shared(row[PROMPT], *shared).split()), _LONGEST_FIRST),
            *(_short(row[name], _LONGEST_FIRST) for name in texts),
        )
        for outcome, row in shown[:3]
    ]
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


def _difference_tables(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        "<p>Each row compares two models on the same records. Shares differ in points. p is the "
        "probability of so large a difference by chance, of the paired test, after Holm's "
        "correction for all pairs of models; the verdict uses it. Detectable: the smallest "
        "difference that so many records detect four times in five.</p>",
        html.build_table(map(_difference_row, pairs), _DIFFERENCES),
    ]


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
        )
        for use in found["usage"]
    ]
    headings = ("model", "cost", "tokens in", "tokens out", "seconds (median)", "95 %", "99 %")
    return [
        "<p>Tokens are means of a request. Half of the replies came within the median time, and "
        "95 or 99 of 100 within the times beside it.</p>",
        html.build_table(rows, (*headings, "replies", "failed")),
    ]


def _outcome_sections(found: Mapping[str, Any], table: Path) -> list[str]:
    counts = [
        (model, outcome, count)
        for model, outcomes in found["outcomes"].items()
        for outcome, count in outcomes.items()
    ]
    return [
        html.build_table(counts, ("model", f"against {found['baseline']}", "records")),
        *(_examples_section(table, model) for model in found["outcomes"] if model not in RIVALS),
    ]


def _examples_section(table: Path, model: str) -> str:
    """Build a table of the records that got worse with this model."""
    if not table.exists():
        return ""
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


def _round(number: float | None) -> object:
    return "" if number is None else round(number)


def _short(text: str, longest: int = _LONGEST_TEXT) -> str:
    return text if len(text) <= longest else f"{text[:longest].rstrip()} …"
