"""An evaluation on disk: evaluation.json for the report, evaluation.csv for a spreadsheet."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.errors import DataError, NotFoundError
from haikuft.evaluation.classes import score_classes
from haikuft.evaluation.comparison import Evaluation
from haikuft.evaluation.errors_table import break_down, count_outcomes, name_outcomes
from haikuft.evaluation.verdicts import Comparison

if TYPE_CHECKING:
    import pandas as pd

JSON_FILE = "evaluation.json"
CSV_FILE = "evaluation.csv"
FORMAT = 2


def write_evaluation(
    directory: Path,
    evaluation: Evaluation,
    *,
    usage: "pd.DataFrame | None" = None,
    break_even: str = "",
) -> Path:
    """Write both files, each whole or not at all.

    evaluation.json holds format, task, metric, n, left_out, seed, baseline, models, answered_by,
    sentence, scores, comparisons, between, further, outcomes, groups (by length and by each fact,
    for each further model), usage, break_even, and by_class for labels. evaluation.csv holds one
    row a record with every reply, score and outcome, those first that got worse.

    Args:
        directory: The run's folder; made where there is none.
        evaluation: From `compare`.
        usage: From `summarise_usage`; left out, the report says nothing of money and time.
        break_even: From `weigh_serving`.

    Returns:
        The path of evaluation.json.
    """
    directory.mkdir(parents=True, exist_ok=True)
    further = evaluation.models[1:]
    summary: dict[str, Any] = {
        "format": FORMAT,
        "task": evaluation.task,
        "metric": evaluation.metric,
        "n": evaluation.n,
        "left_out": evaluation.left_out,
        "seed": evaluation.seed,
        "baseline": evaluation.baseline,
        "models": list(evaluation.models),
        "answered_by": {name: list(names) for name, names in evaluation.answered_by.items()},
        "sentence": evaluation.sentence,
        "scores": evaluation.scores.to_dict("records"),
        "comparisons": [_describe(comparison) for comparison in evaluation.comparisons],
        "between": [_describe(comparison) for comparison in evaluation.between],
        "further": [_describe(comparison) for comparison in evaluation.further],
        "outcomes": {name: count_outcomes(evaluation, name) for name in further},
        "groups": {
            name: {by: _rows(break_down(evaluation, by, name)) for by in _groupings(evaluation)}
            for name in further
        },
        "usage": [] if usage is None else _rows(usage),
        "break_even": break_even,
    }
    if evaluation.task == "labels":
        summary["by_class"] = _rows(score_classes(evaluation))
    table = evaluation.table.assign(
        **{f"{m} outcome": name_outcomes(evaluation, m) for m in further}
    )
    table = table.sort_values([f"{m} outcome" for m in further], kind="stable")
    _write_whole(directory / CSV_FILE, table.to_csv(index=False))
    text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
    _write_whole(directory / JSON_FILE, f"{text}\n")
    return directory / JSON_FILE


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


def _groupings(evaluation: Evaluation) -> list[str]:
    return ["length", *evaluation.facts]


def _rows(frame: "pd.DataFrame") -> list[dict[str, Any]]:
    """Give a table's rows; JSON has no NaN, so what is not known is null."""
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _describe(comparison: Comparison) -> dict[str, Any]:
    return {
        "model": comparison.model,
        "baseline": comparison.baseline,
        "metric": comparison.scorer.name,
        "title": comparison.scorer.title,
        "is_share": comparison.scorer.is_share,
        "n": comparison.n,
        "baseline_score": comparison.baseline_score,
        "model_score": comparison.model_score,
        "difference": asdict(comparison.difference),
        "test": comparison.test,
        "p_value": comparison.p_value,
        "corrected_p": comparison.corrected_p,
        "smallest": comparison.smallest,
        "verdict": comparison.verdict,
        "sentence": comparison.sentence,
    }


def _write_whole(path: Path, text: str) -> None:
    """Write beside the file, then put it in its place, so that no reader meets half of one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(text.encode(errors="backslashreplace"))
    beside.replace(path)
