"""Models on the same records: scores with intervals, and a verdict that a sentence can carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import DataError, SettingsError
from haikuft.evaluation.scorers import Scorer, recognise_task, scorers_for
from haikuft.evaluation.uncertainty import FEWEST, Interval, bootstrap_mean, decide
from haikuft.replies import Reply


@dataclass(frozen=True, slots=True)
class Comparison:
    """One model against the baseline, by one scorer, on the records that both answered.

    Attributes:
        model: Name of the model, such as "tuned".
        baseline: Name of the model it is held against, such as "base".
        scorer: What was measured, and which way is good.
        n: Records scored.
        baseline_score: Mean score of the baseline.
        model_score: Mean score of the model.
        difference: Model minus baseline, with its 95 % interval (paired bootstrap).
        verdict: "better", "worse" or "not told apart".
    """

    model: str
    baseline: str
    scorer: Scorer
    n: int
    baseline_score: float
    model_score: float
    difference: Interval
    verdict: str

    @property
    def sentence(self) -> str:
        """The verdict in words, with the count, both scores and the interval."""
        share = self.scorer.is_share
        model, baseline = (
            _format_score(score, share) for score in (self.model_score, self.baseline_score)
        )
        scores = f"{self.scorer.title}: {self.model} {model}, {self.baseline} {baseline}"
        unit = " points" if share else ""
        change, low, high = (
            _format_change(number, share)
            for number in (self.difference.value, self.difference.low, self.difference.high)
        )
        interval = f"difference {change}{unit}, 95 % interval {low} to {high}"
        records = f"{self.n} record{'' if self.n == 1 else 's'}"
        if self.n < FEWEST:
            verdict = f"Not told apart by {records}, which are too few to tell"
        elif self.verdict == "not told apart":
            verdict = f"Not told apart by {records}"
        else:
            verdict = f"{self.model} is {self.verdict} than {self.baseline} on {records}"
        return f"{verdict[0].upper()}{verdict[1:]} ({scores}; {interval})."


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All models on the records that every one of them answered.

    Attributes:
        task: "labels", "structured" or "text".
        baseline: Name of the model the others are held against.
        models: Names of all models, the baseline first.
        labels: The labels of a label task, sorted; empty otherwise.
        n: Records scored.
        left_out: Records without a reply from every model.
        seed: Seed of the bootstrap.
        scores: One row a model and scorer: model, metric, title, n, score, low, high.
        comparisons: One for each further model by the deciding scorer, in the order of `models`.
        further: The same by each other scorer.
        table: One row a record: record_id, prompt, reference, and for each model its reply and
            scores, named "<model> reply" and "<model> <metric>".
        answered_by: For each model, who says to have answered; a stand-in says so here.
    """

    task: str
    baseline: str
    models: tuple[str, ...]
    labels: tuple[str, ...]
    n: int
    left_out: int
    seed: int
    scores: pd.DataFrame
    comparisons: tuple[Comparison, ...]
    further: tuple[Comparison, ...]
    table: pd.DataFrame
    answered_by: dict[str, tuple[str, ...]]

    @property
    def metric(self) -> str:
        """Name of the deciding scorer."""
        return self.comparisons[0].scorer.name

    @property
    def sentence(self) -> str:
        """Every verdict by the deciding scorer, and what was left out."""
        sentences = [comparison.sentence for comparison in self.comparisons]
        if self.left_out:
            sentences.append(
                f"Left out, because a model gave no reply: {self.left_out} of "
                f"{self.n + self.left_out} records."
            )
        return " ".join(sentences)


def compare(
    records: Sequence[Record],
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    *,
    baseline: str = "base",
    task: str = "",
    scorers: Sequence[Scorer] = (),
    labels: Sequence[str] = (),
    seed: int = 1,
) -> Evaluation:
    """Score every model's replies and hold each against the baseline.

    Args:
        records: The test records; their last assistant turn is the reference.
        replies_by_name: For each model's name, its replies by record id, as from `ask_many`.
        baseline: Which of the names the others are held against.
        task: "labels", "structured" or "text"; "" recognises it from these records.
        scorers: Your own choice, the deciding one first; left out, those of the task.
        labels: All labels of a label task; left out, those among the references.
        seed: Seed of the bootstrap.

    Raises:
        SettingsError: fewer than two models, no such baseline, or an unknown task.
        DataError: no record was answered by every model.
    """
    models = (baseline, *(name for name in replies_by_name if name != baseline))
    if baseline not in replies_by_name or len(models) < 2:
        raise SettingsError(
            f'compare: the replies are of {sorted(replies_by_name)}. Give those of "{baseline}" '
            "and of at least one more model, or name another baseline."
        )
    shared = [r for r in records if all(_answered(replies_by_name[m], r) for m in models)]
    if not shared:
        raise DataError(_explain_emptiness(records, replies_by_name, models))
    task = task or recognise_task(records)
    references = {reference_of(record).strip() for record in records}
    all_labels = tuple(sorted(references.union(labels))) if task == "labels" else ()
    chosen = list(scorers) or scorers_for(task, all_labels)
    table = _tabulate(shared, replies_by_name, models, chosen)
    comparisons = [
        _compare_pair(table, model, baseline, scorer, seed)
        for scorer in chosen
        for model in models[1:]
    ]
    return Evaluation(
        task=task,
        baseline=baseline,
        models=models,
        labels=all_labels,
        n=len(shared),
        left_out=len(records) - len(shared),
        seed=seed,
        scores=_score_models(table, models, chosen, seed),
        comparisons=tuple(comparisons[: len(models) - 1]),
        further=tuple(comparisons[len(models) - 1 :]),
        table=table,
        answered_by={m: _names_in(replies_by_name[m], shared) for m in models},
    )


def _answered(replies: Mapping[str, Reply], record: Record) -> bool:
    reply = replies.get(record_id(record))
    return reply is not None and reply.error is None


def _names_in(replies: Mapping[str, Reply], records: Sequence[Record]) -> tuple[str, ...]:
    return tuple(sorted({replies[record_id(record)].model for record in records}))


def _tabulate(
    records: Sequence[Record],
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    models: Sequence[str],
    scorers: Sequence[Scorer],
) -> pd.DataFrame:
    rows = []
    for record in records:
        key = record_id(record)
        row: dict[str, Any] = {
            "record_id": key,
            "prompt": prompt_of(record)[1][-1]["content"],
            "reference": reference_of(record),
        }
        for model in models:
            text = replies_by_name[model][key].text
            row[f"{model} reply"] = text
            row |= {f"{model} {scorer.name}": scorer(record, text) for scorer in scorers}
        rows.append(row)
    return pd.DataFrame(rows)


def _score_models(
    table: pd.DataFrame, models: Sequence[str], scorers: Sequence[Scorer], seed: int
) -> pd.DataFrame:
    rows = []
    for scorer in scorers:
        for model in models:
            mean = bootstrap_mean(table[f"{model} {scorer.name}"].tolist(), seed=seed)
            rows.append(
                {
                    "model": model,
                    "metric": scorer.name,
                    "title": scorer.title,
                    "n": len(table),
                    "score": mean.value,
                    "low": mean.low,
                    "high": mean.high,
                }
            )
    return pd.DataFrame(rows)


def _compare_pair(
    table: pd.DataFrame, model: str, baseline: str, scorer: Scorer, seed: int
) -> Comparison:
    ours, theirs = table[f"{model} {scorer.name}"], table[f"{baseline} {scorer.name}"]
    difference = bootstrap_mean((ours - theirs).tolist(), seed=seed)
    gain = difference
    if not scorer.higher_is_better:
        gain = Interval(-difference.value, -difference.high, -difference.low)
    return Comparison(
        model=model,
        baseline=baseline,
        scorer=scorer,
        n=len(table),
        baseline_score=float(theirs.mean()),
        model_score=float(ours.mean()),
        difference=difference,
        verdict=decide(gain, len(table)),
    )


def _explain_emptiness(
    records: Sequence[Record],
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    models: Sequence[str],
) -> str:
    counts = {m: sum(_answered(replies_by_name[m], r) for r in records) for m in models}
    told = ", ".join(f"{name} answered {count}" for name, count in counts.items())
    return (
        f"No record was answered by every model ({told} of {len(records)}). Ask again, or leave "
        "out the model without replies."
    )


def _format_score(score: float, is_share: bool) -> str:
    return f"{100 * score:.1f} %" if is_share else f"{score:.3g}"


def _format_change(change: float, is_share: bool) -> str:
    return f"{100 * change:+.1f}" if is_share else f"{change:+.3g}"
