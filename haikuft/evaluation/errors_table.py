"""What lies behind a score: records side by side, figures by class, and what is mistaken."""

from collections.abc import Mapping

import pandas as pd

from haikuft.errors import SettingsError
from haikuft.evaluation.comparison import Comparison, Evaluation
from haikuft.evaluation.scorers import NO_LABEL, read_label
from haikuft.replies import Reply

# In the order in which a reader should see them.
OUTCOMES = ("got worse", "still wrong", "mended", "got better", "right in both", "unchanged")


def examples(evaluation: Evaluation, model: str = "", *, limit: int = 0) -> pd.DataFrame:
    """Put the baseline's and one model's replies side by side, those that got worse first.

    Args:
        evaluation: From `compare`.
        model: Which model; "" takes the first after the baseline.
        limit: Show so many rows at most; 0 for all.

    Returns:
        Columns outcome, prompt, reference, both replies, and both scores; the largest change
        first within an outcome.
    """
    comparison = _comparison_of(evaluation, model)
    metric, base, name = evaluation.metric, evaluation.baseline, comparison.model
    table = evaluation.table
    before, after = table[f"{base} {metric}"], table[f"{name} {metric}"]
    shown = pd.DataFrame(
        {
            "outcome": name_outcomes(evaluation, name),
            "prompt": table["prompt"],
            "reference": table["reference"],
            base: table[f"{base} reply"],
            name: table[f"{name} reply"],
            f"{base} {metric}": before,
            f"{name} {metric}": after,
            "change": (after - before).abs(),
        }
    )
    shown = shown.sort_values(
        ["outcome", "change"], ascending=[True, False], kind="stable", ignore_index=True
    ).drop(columns="change")
    return shown.head(limit) if limit else shown


def name_outcomes(evaluation: Evaluation, model: str = "") -> pd.Series:
    """Name what became of each record, in the table's order, as an ordered category."""
    comparison = _comparison_of(evaluation, model)
    before = evaluation.table[f"{evaluation.baseline} {evaluation.metric}"]
    after = evaluation.table[f"{comparison.model} {evaluation.metric}"]
    outcomes = [_name_outcome(b, a, comparison) for b, a in zip(before, after, strict=True)]
    return pd.Series(pd.Categorical(outcomes, categories=list(OUTCOMES), ordered=True))


def count_outcomes(evaluation: Evaluation, model: str = "") -> dict[str, int]:
    """Count the records by outcome, in the order of `OUTCOMES`; outcomes of none are left out."""
    counts = name_outcomes(evaluation, model).value_counts()
    return {outcome: int(counts[outcome]) for outcome in OUTCOMES if counts[outcome]}


def score_classes(evaluation: Evaluation) -> pd.DataFrame:
    """Precision, recall and F1 of each model for each label, by scikit-learn.

    Returns:
        One row a label: label, n, then "<model> precision", "<model> recall", "<model> F1". A
        figure with nothing to divide by is 0.

    Raises:
        SettingsError: the task is no label task.
    """
    from sklearn.metrics import precision_recall_fscore_support

    labels = _labels_of(evaluation)
    references = [text.strip() for text in evaluation.table["reference"]]
    columns: dict[str, object] = {
        "label": labels,
        "n": [references.count(label) for label in labels],
    }
    for model in evaluation.models:
        figures = precision_recall_fscore_support(
            references, _predictions(evaluation, model), labels=labels, zero_division=0
        )
        for name, values in zip(("precision", "recall", "F1"), figures, strict=False):
            columns[f"{model} {name}"] = values
    return pd.DataFrame(columns)


def count_confusions(evaluation: Evaluation, model: str = "") -> pd.DataFrame:
    """Count each label's records by the label that the model gave them.

    Returns:
        Square table, references down, labels given across; a last column `NO_LABEL` counts replies
        that name none of the labels, or two.

    Raises:
        SettingsError: the task is no label task.
    """
    from sklearn.metrics import confusion_matrix

    labels = _labels_of(evaluation)
    name = model or evaluation.models[1]
    references = [text.strip() for text in evaluation.table["reference"]]
    given = [*labels, NO_LABEL]
    counts = confusion_matrix(references, _predictions(evaluation, name), labels=given)
    table = pd.DataFrame(counts[:-1], index=labels, columns=given)
    return table.rename_axis(index="reference", columns=name)


def summarise_usage(
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    prices: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """Tokens, latency and failures of each model, and what 1,000 requests cost where it is known.

    Args:
        replies_by_name: For each model's name, its replies by record id.
        prices: For a model's name, US dollars per million tokens read and written. A model behind
            Provisioned Throughput bills by the hour and has none.

    Returns:
        One row a model: model, replies, errors, input_tokens and output_tokens (means),
        latency_median and latency_95 (seconds), dollars_per_1000 (NaN where not known).
    """
    rows = []
    for name, replies in replies_by_name.items():
        good = pd.DataFrame(
            [
                (reply.input_tokens, reply.output_tokens, reply.latency_seconds)
                for reply in replies.values()
                if reply.error is None
            ],
            columns=["input", "output", "seconds"],
            dtype=float,
        )
        price_in, price_out = (prices or {}).get(name, (float("nan"), float("nan")))
        tokens_in, tokens_out = good["input"].mean(), good["output"].mean()
        rows.append(
            {
                "model": name,
                "replies": len(good),
                "errors": len(replies) - len(good),
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "latency_median": good["seconds"].median(),
                "latency_95": good["seconds"].quantile(0.95),
                "dollars_per_1000": (tokens_in * price_in + tokens_out * price_out) / 1000,
            }
        )
    return pd.DataFrame(rows)


def _comparison_of(evaluation: Evaluation, model: str) -> Comparison:
    for comparison in evaluation.comparisons:
        if comparison.model == (model or evaluation.models[1]):
            return comparison
    names = ", ".join(evaluation.models[1:])
    raise SettingsError(f'model: "{model}" was not compared. Use one of {names}.')


def _name_outcome(before: float, after: float, comparison: Comparison) -> str:
    scorer = comparison.scorer
    gain = after - before if scorer.higher_is_better else before - after
    if gain < 0:
        return "got worse"
    best = float(scorer.higher_is_better)  # shares only: 1 where high is good, 0 where low is
    if not scorer.is_share:
        return "got better" if gain > 0 else "unchanged"
    if gain > 0:
        return "mended" if after == best else "got better"
    return "right in both" if after == best else "still wrong"


def _labels_of(evaluation: Evaluation) -> list[str]:
    if evaluation.task != "labels":
        raise SettingsError(
            f"The task is {evaluation.task}, which has no classes. Figures by class need labels."
        )
    return list(evaluation.labels)


def _predictions(evaluation: Evaluation, model: str) -> list[str]:
    replies = evaluation.table[f"{model} reply"]
    return [read_label(reply, evaluation.labels) for reply in replies]
