"""Figures by class of a label task: precision, recall, F1, and confusions."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from haikuft.errors import SettingsError
from haikuft.evaluation.scorers.labels import NO_LABEL, join_text, read_label
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import MOST_FREQUENT
from haikuft.evaluation.statistics.uncertainty import Interval, draw_weights, intervals_of
from haikuft.tables import Table, build_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALL = "(mean of labels)"  # the last row: macro averages


def score_classes(evaluation: Evaluation) -> pd.DataFrame:
    """Precision, recall and F1 of each model for each label, by scikit-learn.

    Returns:
        One row a label: label, n, then "<model> precision", "<model> recall", "<model> F1",
        "<model> F1 low" and "<model> F1 high" (95 % bootstrap interval over the records). A figure
        that would divide by zero is 0. The last row, `ALL`, holds the means over the labels that
        occur in the references or the replies.

    Raises:
        SettingsError: the task is not a label task.
    """
    from sklearn.metrics import precision_recall_fscore_support

    labels, references = _read_references(evaluation)
    columns: dict[str, object] = {
        "label": [*labels, ALL],
        "n": [*(references.count(label) for label in labels), len(references)],
    }
    for model in models_of_classes(evaluation.models):
        given = _labels_given(evaluation, model)
        seen = np.isin(labels, [*references, *given])
        figures = precision_recall_fscore_support(references, given, labels=labels, zero_division=0)
        for name, values in zip(("precision", "recall", "F1"), figures, strict=False):
            columns[f"{model} {name}"] = [*values, values[seen].mean()]
        texts = tuple(references), tuple(given), tuple(labels)
        intervals = _resample_f1(*texts, evaluation.seed)
        columns[f"{model} F1 low"] = [interval.low for interval in intervals]
        columns[f"{model} F1 high"] = [interval.high for interval in intervals]
    return pd.DataFrame(columns)


def count_confusions(evaluation: Evaluation, model: str = "") -> pd.DataFrame:
    """Count each label's records by the label that the model gave them.

    Returns:
        Square table, references down, labels given across; a last column `NO_LABEL` counts replies
        that name none of the labels, or two.

    Raises:
        SettingsError: the task is not a label task.
    """
    from sklearn.metrics import confusion_matrix

    labels, references = _read_references(evaluation)
    name = model or evaluation.models[1]
    given = [*labels, NO_LABEL]
    counts = confusion_matrix(references, _labels_given(evaluation, name), labels=given)
    table = pd.DataFrame(counts[:-1], index=labels, columns=given)
    return table.rename_axis(index="reference", columns=name)


def models_of_classes(models: Sequence[str]) -> list[str]:
    """Pick the models whose figures by class say something: one answer for all has none."""
    return [model for model in models if model != MOST_FREQUENT]


def list_confusions(evaluation: Evaluation, model: str = "") -> pd.DataFrame:
    """List which labels a model took for which others, the most frequent pair first.

    Returns:
        Columns reference, given and n; pairs that do not occur are left out.

    Raises:
        SettingsError: the task is not a label task.
    """
    counts = count_confusions(evaluation, model)
    pairs = counts.melt(var_name="given", value_name="n", ignore_index=False).reset_index()
    pairs = pairs[(pairs["reference"] != pairs["given"]) & (pairs["n"] > 0)]
    return pairs.sort_values(["n", "reference"], ascending=[False, True], ignore_index=True)


def show_classes(rows: Sequence[Mapping[str, Any]], models: Sequence[str]) -> Table:
    """Show the rows of `score_classes` with two columns a model, worst labels first.

    Args:
        rows: One a label, and last the means, which come first here.
        models: Those to show; by the second of them the labels are sorted.
    """
    *labels, mean = rows
    ordered = sorted(labels, key=lambda row: row[f"{models[min(1, len(models) - 1)]} F1"])
    cells = []
    for row in (mean, *ordered):
        cells.append([row["label"], f"{row['n']}"])
        for model in models:
            low, high = row[f"{model} F1 low"], row[f"{model} F1 high"]
            interval = f"{low:.2f} to {high:.2f}" if low < high else "–"
            cells[-1] += [
                f"{row[f'{model} F1']:.2f} ({interval})",
                f"{row[f'{model} precision']:.2f}, {row[f'{model} recall']:.2f}",
            ]
    heads = (text for m in models for text in (f"{m}: F1 (95 %)", "precision, recall"))
    return build_table(cells, "label", "records", *heads)


@lru_cache(maxsize=8)  # the report asks again for what notebook 6 has shown
def _resample_f1(
    references: tuple[str, ...], given: tuple[str, ...], labels: tuple[str, ...], seed: int
) -> list[Interval]:
    """Compute the interval of each label's F1, and last that of their mean."""
    names = np.array(labels)
    wanted = np.array(references)[:, None] == names
    found = np.array(given)[:, None] == names
    right, either = 2.0 * (wanted & found), wanted.astype(float) + found
    # Of shape (resamples, labels), masked where a label is in neither.
    blocks = [
        np.ma.divide(weights @ right, weights @ either)
        for weights in draw_weights(len(wanted), seed)
    ]
    seen = np.ma.divide(right.sum(0, keepdims=True), either.sum(0, keepdims=True))
    drawn = np.ma.concatenate(blocks)  # type: ignore[no-untyped-call]
    return intervals_of(_with_mean(seen)[0], _with_mean(drawn))


def _with_mean(scores: "np.ma.MaskedArray[Any, Any]") -> "NDArray[np.float64]":
    """Append the mean of each row's defined labels; a label defined in no row scores 0."""
    values = np.where(scores.count(axis=0) > 0, scores.filled(np.nan), 0.0)
    return np.column_stack([values, np.ma.filled(scores.mean(axis=1), 0.0)])


def _read_references(evaluation: Evaluation) -> tuple[list[str], list[str]]:
    """Read the labels of a label task, and of each record the label of its reference."""
    if evaluation.task != "labels":
        raise SettingsError(
            f"The task is {evaluation.task}, which has no classes. Figures by class need labels."
        )
    return list(evaluation.labels), [join_text(text) for text in evaluation.table["reference"]]


def _labels_given(evaluation: Evaluation, model: str) -> list[str]:
    replies = evaluation.table[f"{model} reply"]
    return [read_label(reply, evaluation.labels) for reply in replies]
