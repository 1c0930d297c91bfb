"""The records of an evaluation with their replies, to page through, search, sort and filter."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from haikuft.browsing import PROMPT, Browser, RichCell, fold_text, shorten_number
from haikuft.evaluation.report.errors_table import sort_records
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.html import escape


def browse(evaluation: Evaluation) -> Browser:
    """Show every record with the first two models' replies, those that got worse first."""
    rows, labels = sort_records(evaluation).to_dict("records"), bool(evaluation.labels)
    return browse_rows(rows, evaluation.models[:2], evaluation.metric, labels=labels)


def browse_rows(
    rows: Iterable[Mapping[Any, Any]], models: Sequence[str], metric: str, *, labels: bool
) -> Browser:
    """Show records with models' replies; below each its score, of a free rival its outcome, too.

    Args:
        rows: One a record, as in evaluation.csv.
        models: Those to show, the baseline first.
        metric: Name of the deciding scorer.
        labels: Whether the references are labels, by which records can be chosen.
    """
    outcomes = [f"{model} outcome" for model in models[1:] if model not in RIVALS]

    def build_reply_of(model: str, row: Mapping[Any, Any]) -> RichCell:
        more = [row[f"{model} outcome"]] if model in RIVALS else []
        return build_reply(row[f"{model} reply"], float(row[f"{model} {metric}"]), metric, *more)

    columns = [*outcomes, PROMPT, "reference"]
    cells = [
        [*(row[name] for name in columns), *(build_reply_of(model, row) for model in models)]
        for row in rows
    ]
    choices = [*outcomes, *(["reference"] if labels else [])]
    return Browser([*columns, *models], cells, choices)


def build_reply(text: str, score: float, metric: str, *more: str) -> RichCell:
    """Build the cell of a reply, with its score and further words below it in small type."""
    note = ", ".join([f"{metric} {shorten_number(score)}", *more])
    return RichCell(f"{text} ({note})", f"{fold_text(text)}<small>{escape(note)}</small>", score)
