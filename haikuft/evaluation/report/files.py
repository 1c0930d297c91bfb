"""An evaluation as files: evaluation.json for the report, evaluation.csv for a spreadsheet."""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.errors import DataError, NotFoundError
from haikuft.evaluation.report.errors_table import break_down, count_outcomes, sort_records
from haikuft.evaluation.statistics.classes import list_confusions, score_classes
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.verdicts import Comparison
from haikuft.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

JSON_FILE = "evaluation.json"
CSV_FILE = "evaluation.csv"
FORMAT = 3
MOST_CONFUSIONS = 20  # pairs of labels that are listed, the most frequent first
_COPIED = (
    *("task", "metric", "n", "copies", "left_out", "seed", "baseline", "models", "answered_by"),
    *("endings", "notice", "sentence"),
)
_COMPARISONS = ("comparisons", "between", "further")


def write_evaluation(
    directory: Path,
    evaluation: Evaluation,
    *,
    usage: "pd.DataFrame | None" = None,
    break_even: str = "",
) -> Path:
    """Write both files.

    evaluation.json holds format, task, metric, n, copies, left_out, seed, baseline, models,
    answered_by, endings, notice, sentence, scores, comparisons, between, further, outcomes, groups
    (by length, for each further model), usage, break_even, and for labels by_class
    and confusions.
    evaluation.csv holds one row a record with every reply, why it ended, its scores and outcome;
    those that got worse come first.

    Args:
        directory: The run's folder; made where there is none.
        evaluation: From `compare`.
        usage: From `summarise_usage`; without it the report has no section on costs and times.
        break_even: From `weigh_serving`.

    Returns:
        The path of evaluation.json.
    """
    further = evaluation.models[1:]
    summary: dict[str, Any] = {
        "format": FORMAT,
        **{name: getattr(evaluation, name) for name in _COPIED},
        "scores": evaluation.scores.to_dict("records"),
        **{name: list(map(describe, getattr(evaluation, name))) for name in _COMPARISONS},
        "outcomes": {name: count_outcomes(evaluation, name) for name in further},
        "groups": {
            name: {"length": _rows(break_down(evaluation, "length", name))} for name in further
        },
        "usage": [] if usage is None else _rows(usage),
        "break_even": break_even,
    }
    if evaluation.task == "labels":
        summary["by_class"] = _rows(score_classes(evaluation))
        summary["confusions"] = {
            name: _rows(list_confusions(evaluation, name).head(MOST_CONFUSIONS))
            for name in further
            if name not in RIVALS
        }
    write_whole(directory / CSV_FILE, sort_records(evaluation).to_csv(index=False))
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    return write_whole(directory / JSON_FILE, f"{text}\n")


def read_evaluation(directory: Path) -> dict[str, Any]:
    """Read evaluation.json back.

    Raises:
        NotFoundError: there is none.
        DataError: it cannot be read.
    """
    path = directory / JSON_FILE
    try:
        summary = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"{path} does not exist. Run notebook 6 first.") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}). Run notebook 6 again.") from None
    if not isinstance(summary, dict) or summary.get("format") != FORMAT:
        raise DataError(f"{path}: not an evaluation of this version. Run notebook 6 again.")
    return summary


def _rows(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Convert a table to rows; JSON has no NaN, so unknown values are null."""
    known = frame.astype(object).where(frame.notna(), None)
    return known.to_dict("records")  # type: ignore[return-value]  # columns have texts as names


def describe(comparison: Comparison) -> dict[str, Any]:
    """Write a comparison as JSON holds it, with metric, title and is_share of its scorer."""
    values = {field.name: getattr(comparison, field.name) for field in fields(comparison)}
    scorer = values.pop("scorer")
    return {
        **values,
        "metric": scorer.name,
        "title": scorer.title,
        "is_share": scorer.is_share,
        "difference": asdict(comparison.difference),
        "sentence": comparison.sentence,
    }
