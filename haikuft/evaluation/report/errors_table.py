"""The records behind a score: side by side, those that got worse first, and in groups."""

import pandas as pd

from haikuft.errors import SettingsError
from haikuft.evaluation.scorers.scorer import Scorer
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.uncertainty import bootstrap_means
from haikuft.evaluation.statistics.verdicts import Comparison, format_changes, format_score
from haikuft.tables import Table, build_table

# In the order in which a reader should see them.
OUTCOMES = ("got worse", "still wrong", "fixed", "got better", "right in both", "unchanged")


def sort_records(evaluation: Evaluation) -> pd.DataFrame:
    """Add each further model's outcomes to the table of records; the first's got-worse come first.

    Returns:
        The table with a column "<model> outcome" for each, sorted by the outcome of the first,
        within an outcome by the size of the change, the largest first.
    """
    metric, table, first = evaluation.metric, evaluation.table, evaluation.models[1]
    change = (table[f"{first} {metric}"] - table[f"{evaluation.baseline} {metric}"]).abs()
    outcomes = {f"{m} outcome": name_outcomes(evaluation, m) for m in evaluation.models[1:]}
    order = [f"{first} outcome", "change"]
    sorted_table = table.assign(**outcomes, change=-change).sort_values(order, kind="stable")
    return sorted_table.drop(columns="change").reset_index(drop=True)


def name_outcomes(evaluation: Evaluation, model: str = "") -> pd.Series:
    """Name the outcome of each record, in the table's order, as an ordered category."""
    comparison = _comparison_of(evaluation, model)
    before = evaluation.table[f"{evaluation.baseline} {evaluation.metric}"]
    after = evaluation.table[f"{comparison.model} {evaluation.metric}"]
    scorer = comparison.scorer
    outcomes = [name_outcome(b, a, scorer) for b, a in zip(before, after, strict=True)]
    return pd.Series(pd.Categorical(outcomes, categories=list(OUTCOMES), ordered=True))


def count_outcomes(evaluation: Evaluation, model: str = "") -> dict[str, int]:
    """Count the records by outcome, in the order of `OUTCOMES`; outcomes of none are left out."""
    counts = name_outcomes(evaluation, model).value_counts()
    return {outcome: int(counts[outcome]) for outcome in OUTCOMES if counts[outcome]}


def break_down(evaluation: Evaluation, by: str, model: str = "") -> pd.DataFrame:
    """Score groups of records separately.

    Args:
        evaluation: From `compare`.
        by: "label" (the reference) or "length" (thirds of the prompts by their length).
        model: Which model the difference is of; "" takes the first after the baseline.

    Returns:
        One row a group: `by`, n, the mean score of each model by the deciding scorer, difference,
        low and high (95 % bootstrap interval of the group, not corrected for their number).

    Raises:
        SettingsError: nothing of that name to group by, or no such model.
    """
    name = _comparison_of(evaluation, model).model
    metric, base, table = evaluation.metric, evaluation.baseline, evaluation.table
    rows = []
    for group, part in table.groupby(_groups(evaluation, by), sort=True, observed=True):
        change = part[f"{name} {metric}"] - part[f"{base} {metric}"]
        interval = bootstrap_means(change.tolist(), seed=evaluation.seed)[0]
        scores = {m: part[f"{m} {metric}"].mean() for m in evaluation.models}
        change_of = {"difference": interval.value, "low": interval.low, "high": interval.high}
        rows.append({by: group, "n": len(part), **scores, **change_of})
    return pd.DataFrame(rows)


def show_groups(evaluation: Evaluation, by: str) -> Table:
    """Show `break_down`, with the difference and its interval in one column; shares as per cent."""
    share = _comparison_of(evaluation, "").scorer.is_share
    rows = []
    for row in break_down(evaluation, by).to_dict("records"):
        scores = (format_score(row[name], is_share=share) for name in evaluation.models)
        difference = (row[part] for part in ("difference", "low", "high"))
        change, low, high = format_changes(*difference, is_share=share)
        rows.append((row[by], row["n"], *scores, f"{change} ({low} to {high})"))
    heading = f"difference{' in points' if share else ''} (95 % interval)"
    return build_table(rows, by, "records", *evaluation.models, heading)


def _groups(evaluation: Evaluation, by: str) -> pd.Series:
    table = evaluation.table
    if by == "label" and evaluation.labels:
        return table["reference"].str.strip()
    if by == "length":
        lengths = table["prompt"].str.len()
        thirds = pd.qcut(lengths, 3, duplicates="drop")
        names = {
            third: f"{lengths[thirds == third].min():,} to {lengths[thirds == third].max():,} "
            "characters"
            for third in thirds.cat.categories
        }
        if len(set(names.values())) < 2:
            return pd.Series("all of one length", index=table.index)
        return thirds.cat.rename_categories(names)
    known = [*(["label"] if evaluation.labels else []), "length"]
    raise SettingsError(f'by: there is no "{by}" to group by. Use one of {", ".join(known)}.')


def _comparison_of(evaluation: Evaluation, model: str) -> Comparison:
    for comparison in evaluation.comparisons:
        if comparison.model == (model or evaluation.models[1]):
            return comparison
    names = ", ".join(evaluation.models[1:])
    raise SettingsError(f'model: "{model}" was not compared. Use one of {names}.')


def name_outcome(before: float, after: float, scorer: Scorer) -> str:
    """Name what became of one record: one of `OUTCOMES`, from its scores by the scorer."""
    gain = after - before if scorer.higher_is_better else before - after
    if gain < 0:
        return "got worse"
    best = float(scorer.higher_is_better)  # shares only: 1 where high is good, 0 where low is
    if not scorer.is_share:
        return "got better" if gain > 0 else "unchanged"
    if gain > 0:
        return "fixed" if after == best else "got better"
    return "right in both" if after == best else "still wrong"
