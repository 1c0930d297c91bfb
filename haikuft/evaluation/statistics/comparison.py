"""Compare models on the same records: scores with intervals, tests and verdicts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import DataError, SettingsError
from haikuft.evaluation.scorers.labels import join_text
from haikuft.evaluation.scorers.scorer import (
    Scorer,
    asks_questions,
    list_different,
    recognise_task,
    scorers_for,
)
from haikuft.evaluation.statistics import uncertainty
from haikuft.evaluation.statistics.endings import count_endings, describe_endings, warn_of_endings
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.verdicts import Comparison, format_score, judge_rival
from haikuft.inference.replies import Reply, notice_of

BASELINE = "base"  # name of the model the others are compared with


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All models on the records that every one of them answered.

    Attributes:
        task: One of `TASKS`.
        baseline: Name of the model the others are compared with.
        models: Names of all models, the baseline first, the free rivals last.
        labels: The labels of a label task, sorted; empty otherwise.
        n: Different records scored; a copy of a record is no further evidence.
        copies: Records that were copies of others, and not counted.
        left_out: Different records without a reply from every model.
        seed: Seed of the bootstrap.
        scores: One row a model and scorer: model, metric, title, n, score, low, high, endings (how
            many of the model's replies did not end by themselves, and why). The interval is
            Wilson's for scores of 0 or 1, else from a bootstrap over the records.
        comparisons: One for each further model against the baseline by the deciding scorer, in the
            order of `models`.
        between: The further models against each other, and against the free rivals, by the same.
        further: The same pairs by each other scorer.
        table: One row a record: record_id, prompt, reference, and for each model its reply, why it
            ended, and its scores, named "<model> reply", "<model> stop_reason" and
            "<model> <metric>".
        answered_by: For each model, the names in its replies; a stand-in says so here.
        endings: For each model, AWS's reasons why replies did not end by themselves, and how many.
    """

    task: str
    baseline: str
    models: tuple[str, ...]
    labels: tuple[str, ...]
    n: int
    copies: int
    left_out: int
    seed: int
    scores: pd.DataFrame
    comparisons: tuple[Comparison, ...]
    between: tuple[Comparison, ...]
    further: tuple[Comparison, ...]
    table: pd.DataFrame
    answered_by: dict[str, tuple[str, ...]]
    endings: dict[str, dict[str, int]]

    @property
    def metric(self) -> str:
        """Name of the deciding scorer."""
        return self.comparisons[0].scorer.name

    @property
    def sentence(self) -> str:
        """How replies ended, every verdict by the deciding scorer, and what was left out."""
        asked = [c for c in self.comparisons if c.model not in RIVALS] or list(self.comparisons)
        sentences = [warn_of_endings(self.endings, self.n)]
        sentences += [comparison.sentence for comparison in asked]
        sentences.append(self._beside)
        for comparison in self.between:
            rival = comparison.baseline in RIVALS
            sentences.append(judge_rival(comparison) if rival else comparison.sentence)
        if self.left_out:
            sentences.append(
                f"Left out, because a model gave no reply: {self.left_out} of "
                f"{self.n + self.left_out} records."
            )
        if self.copies:
            sentences.append(
                f"The test records hold {self.copies} copies of others; each is counted once."
            )
        return " ".join(filter(None, sentences))

    @property
    def notice(self) -> str:
        """The sentence that a stand-in of the sandbox answered; "" where none did."""
        return notice_of(name for names in self.answered_by.values() for name in names)

    @property
    def _beside(self) -> str:
        """The two scores beside the deciding one; of labels there is no need."""
        shares = {c.scorer.title for c in self.further if c.scorer.is_share}
        rows = self.scores[~self.scores["model"].isin(RIVALS) & self.scores["title"].isin(shares)]
        by_title = [] if self.task == "labels" else list(rows.groupby("title", sort=False))[:2]
        said = []
        for title, found in by_title:
            pairs = zip(found["model"], found["score"], strict=True)
            words = (f"{model} {format_score(score, is_share=True)}" for model, score in pairs)
            said.append(f"{title}: {', '.join(words)}")
        return f"Beside it: {'; '.join(said)}." if said else ""


def compare(
    records: Sequence[Record],
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    *,
    task: str = "",
    scorers: Sequence[Scorer] = (),
    extra_scorers: Sequence[Scorer] = (),
    labels: Sequence[str] = (),
    seed: int = 1,
) -> Evaluation:
    """Score every model's replies and compare all models in pairs.

    Args:
        records: The test records; their last assistant turn is the reference. Copies count once.
        replies_by_name: For each model's name, its replies by record id, as from `ask_many`; with
            "base" the others are compared.
        task: One of `TASKS`; "" recognises it from these records.
        scorers: Your own choice, the deciding one first; left out, those of the task.
        extra_scorers: Further scorers.
        labels: All labels of a label task; left out, those among the references.
        seed: Seed of the bootstrap.

    Raises:
        SettingsError: fewer than two models, none of them "base", an unknown task, two scorers of
            one name, or a scorer that returned no usable number.
        DataError: no record was answered by every model.
    """
    further = [m for m in replies_by_name if m != BASELINE and m not in RIVALS]
    models = (BASELINE, *further, *(m for m in RIVALS if m in replies_by_name))
    if BASELINE not in replies_by_name or len(models) < 2:
        raise SettingsError(
            f'compare: the replies are of {sorted(replies_by_name)}. Give those of "{BASELINE}" '
            "and of at least one more model."
        )
    different = list_different(records)
    answered = {
        m: {key for key, reply in replies_by_name[m].items() if reply.error is None} for m in models
    }
    by_id = {record_id(record): record for record in different}
    shared = {key: r for key, r in by_id.items() if all(key in answered[m] for m in models)}
    if not shared:
        keys = [record_id(record) for record in records]
        counts = [f"{m} answered {sum(key in answered[m] for key in keys)}" for m in models]
        raise DataError(
            f"No record was answered by every model ({', '.join(counts)} of {len(records)}). Ask "
            "again, or leave out the model without replies."
        )
    task = task or recognise_task(records)
    references = {join_text(reference_of(record)) for record in records}
    all_labels = tuple(sorted(references.union(map(join_text, labels)))) if task == "labels" else ()
    own = scorers or scorers_for(task, all_labels, complete=asks_questions(records))
    chosen = [*own, *extra_scorers]
    names = [scorer.name for scorer in chosen]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise SettingsError(f'Two scorers are named "{twice}". Give one of them another name.')
    replies = {m: [replies_by_name[m][key] for key in shared] for m in models}
    table = _tabulate(shared, replies, chosen)
    endings = {model: count_endings(given) for model, given in replies.items()}
    pairs = [(model, BASELINE) for model in models[1:]]
    between = [
        (a, b) if b in RIVALS else (b, a) for a, b in combinations(models[1:], 2) if a not in RIVALS
    ]
    compared = _compare_pairs(table, [*pairs, *between], chosen, seed)
    return Evaluation(
        task=task,
        baseline=BASELINE,
        models=models,
        labels=all_labels,
        n=len(shared),
        copies=len(records) - len(different),
        left_out=len(different) - len(shared),
        seed=seed,
        scores=_score_models(table, models, chosen, seed).assign(
            endings=lambda scores: [describe_endings(endings[model]) for model in scores["model"]]
        ),
        comparisons=tuple(compared[: len(pairs)]),
        between=tuple(compared[len(pairs) : len(pairs) + len(between)]),
        further=tuple(compared[len(pairs) + len(between) :]),
        table=table,
        answered_by={m: tuple(sorted({one.model for one in replies[m]})) for m in models},
        endings=endings,
    )


def _tabulate(
    records: Mapping[str, Record], replies: Mapping[str, Sequence[Reply]], scorers: Sequence[Scorer]
) -> pd.DataFrame:
    """Tabulate records by id, and of each model the replies to them, in their order, and scores."""
    columns: dict[str, list[Any]] = {
        "record_id": list(records),
        "prompt": [_writable(prompt_of(r)[1][-1]["content"]) for r in records.values()],
        "reference": [_writable(reference_of(r)) for r in records.values()],
    }
    for model, given in replies.items():
        pairs = [(r, reply.text) for r, reply in zip(records.values(), given, strict=True)]
        columns[f"{model} reply"] = [_writable(text) for _, text in pairs]
        columns[f"{model} stop_reason"] = [reply.stop_reason for reply in given]
        for scorer in scorers:
            columns[f"{model} {scorer.name}"] = [scorer(*pair) for pair in pairs]
    return pd.DataFrame(columns)


def _writable(text: str) -> str:
    """Escape halves of surrogate pairs, which pandas refuses where pyarrow is installed."""
    return text.encode(errors="backslashreplace").decode()


def _score_models(
    table: pd.DataFrame, models: Sequence[str], scorers: Sequence[Scorer], seed: int
) -> pd.DataFrame:
    """Compute each model's mean score by each scorer, with its interval, one a row."""
    pairs = [(scorer, model) for scorer in scorers for model in models]
    columns = table[[f"{model} {scorer.name}" for scorer, model in pairs]].to_numpy(float)
    means = uncertainty.bootstrap_means(columns, seed=seed)
    rows = []
    for (scorer, model), values, mean in zip(pairs, columns.T.tolist(), means, strict=True):
        if scorer.is_share and uncertainty.is_right_or_wrong(values):
            mean = uncertainty.share_interval(values)
        named = (model, scorer.name, scorer.title, len(table))
        rows.append((*named, mean.value, mean.low, mean.high))
    return pd.DataFrame(rows, columns=["model", "metric", "title", "n", "score", "low", "high"])


def _compare_pairs(
    table: pd.DataFrame, pairs: Sequence[tuple[str, str]], scorers: Sequence[Scorer], seed: int
) -> list[Comparison]:
    """Compare every pair by every scorer; the pairs of one scorer are corrected together.

    Those of the free rivals against the baseline are corrected apart: no verdict rests on them.
    """
    asked = [(scorer, *pair) for scorer in scorers for pair in pairs]
    scores = [
        tuple(table[f"{name} {scorer.name}"].to_numpy(float) for name in pair)
        for scorer, *pair in asked
    ]
    differences = np.column_stack([ours - theirs for ours, theirs in scores])
    intervals = uncertainty.bootstrap_means(differences, seed=seed)
    exact = np.array([uncertainty.is_right_or_wrong(both) for both in scores])
    p_values = np.empty(len(asked))
    p_values[~exact] = uncertainty.paired_bootstrap(differences[:, ~exact], seed=seed)
    families = defaultdict(list)
    for at, (scorer, model, _) in enumerate(asked):
        families[scorer.name, model in RIVALS].append(at)
        if exact[at]:
            p_values[at] = uncertainty.mcnemar(*reversed(scores[at]))
    corrected = np.empty(len(asked))
    for members in families.values():
        corrected[members] = uncertainty.correct_by_holm(p_values[members].tolist())
    compared = []
    for at, (scorer, model, baseline) in enumerate(asked):
        ours, theirs = scores[at]
        gain = (ours - theirs).mean() * (1 if scorer.higher_is_better else -1)
        compared.append(
            Comparison(
                model=model,
                baseline=baseline,
                scorer=scorer,
                n=len(table),
                baseline_score=float(theirs.mean()),
                model_score=float(ours.mean()),
                difference=intervals[at],
                test=uncertainty.MCNEMAR if exact[at] else uncertainty.BOOTSTRAP,
                p_value=float(p_values[at]),
                corrected_p=float(corrected[at]),
                family=len(families[scorer.name, model in RIVALS]),
                smallest=uncertainty.smallest_difference(ours - theirs, right_or_wrong=exact[at]),
                verdict=uncertainty.decide(gain, float(corrected[at]), len(table)),
            )
        )
    return compared
