"""The results of an evaluation as cards and a table, in a notebook and in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from haikuft.evaluation.report.files import describe
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.endings import warn_of_endings
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.uncertainty import NO_VERDICT
from haikuft.evaluation.statistics.verdicts import format_change, format_score
from haikuft.tables import Card, Table, build_table

# What each score of a task measures, for a reader who has not met it.
MEANINGS = {
    "accuracy": "The share of replies that name the right label.",
    "exact_match": "The share of replies that are the reference answer, word for word.",
    "length_gap": "The mean difference in length, in characters; lower is better.",
    "refusals": "The share of replies that decline to answer; lower is better.",
    "json_agreement": "The share of values that agree, of all in the reply or the reference.",
    "valid_json": "The share of replies that a JSON parser accepts.",
    "required_keys": "The share of the reference's keys, at the top level, that the reply has.",
    "same_shape": "The share of replies with the keys and types of the reference.",
    "right_rouge_l": "The words shared in the same order, from 0 to 1; 0 where a fact is wrong.",
    "right_facts": "The share of replies whose numbers, dates, codes and names are right.",
    "left_out_facts": "The share of replies without a fact of the reference; lower is better.",
    "rouge_l": "The words that reply and reference share in the same order, from 0 to 1.",
    "rouge_1": "The single words that reply and reference share, from 0 to 1.",
    "rouge_2": "The pairs of neighbouring words that reply and reference share, from 0 to 1.",
    "chrf": "The short character sequences that reply and reference share, from 0 to 1.",
    "same_words": "The share of replies equal to the reference but for case and marks at the ends.",
    "schema": "The share of replies that the JSON Schema accepts.",
}
_TONES = {"better": "good", "worse": "bad", NO_VERDICT: "unclear"}


def show_scores(evaluation: Evaluation) -> Table:
    """Make a table with a row a score and a column a model; intervals in small type."""
    shares = {
        c.scorer.name: c.scorer.is_share for c in (*evaluation.comparisons, *evaluation.further)
    }
    return tabulate_scores(evaluation.scores.to_dict("records"), shares)


def tabulate_scores(scores: Sequence[Mapping[Any, Any]], shares: Mapping[str, bool]) -> Table:
    """Make that table of rows with metric, title, model, score, low and high.

    Args:
        scores: One row a score and model, as in evaluation.json.
        shares: Metric -> whether it is a share, written as per cent.
    """
    models = list(dict.fromkeys(row["model"] for row in scores))
    rows: dict[str, list[tuple[str, str]]] = {}
    for row in scores:
        metric = row["metric"]
        mean, low, high = (
            format_score(row[part], is_share=shares[metric]) for part in ("score", "low", "high")
        )
        title = (f"{row['title'][0].upper()}{row['title'][1:]}", MEANINGS.get(metric, ""))
        rows.setdefault(metric, [title]).append((mean, f"{low} to {high}"))
    return build_table(rows.values(), "score (95 % interval)", *models)


def show_verdicts(evaluation: Evaluation) -> tuple[Card, ...]:
    """Make a card of each verdict by the deciding score, and one of the sandbox's notice.

    The models that were asked stand first, each against the baseline; then each of them against
    the others and the free rivals. A warning of replies that were cut off stands before them.
    """
    pairs = (*evaluation.comparisons, *evaluation.between)
    asked = [c for c in pairs if c.model not in RIVALS] or pairs
    cards = [build_verdict(describe(c)) for c in asked]
    first = replace(cards[0], details=evaluation.sentence)
    warning = note_endings(evaluation.endings, evaluation.n)
    return (*warning, first, *cards[1:], *note_stand_in(evaluation.notice))


def build_verdict(comparison: Mapping[str, Any]) -> Card:
    """Make the card of one comparison, as in evaluation.json: better, worse, or cannot tell."""
    share, verdict = comparison["is_share"], comparison["verdict"]
    models = comparison["model"], comparison["baseline"]
    word = "Cannot tell" if verdict == NO_VERDICT else verdict.capitalize()
    change, low, high = (
        format_change(comparison["difference"][part], is_share=share)
        for part in ("value", "low", "high")
    )
    model, baseline = (
        format_score(comparison[f"{one}_score"], is_share=share) for one in ("model", "baseline")
    )
    return Card(
        _TONES[verdict],
        f"{word}: {models[0]} against {models[1]}",
        f"{change}{' points' if share else ''} (95 % interval {low} to {high})",
        f"{comparison['title'].capitalize()}: {models[0]} {model}, {models[1]} {baseline}, on "
        f"{comparison['n']} records.",
    )


def note_endings(endings: Mapping[str, Mapping[str, int]], n: int) -> tuple[Card, ...]:
    """Make the card that replies did not end by themselves; nothing where all did."""
    warning = warn_of_endings(endings, n)
    return (Card("unclear", "Some replies are not whole", "", warning),) if warning else ()


def note_stand_in(notice: str) -> tuple[Card, ...]:
    """Make the card that a stand-in answered; nothing for no notice."""
    card = Card("note", "A stand-in answered", "", f"{notice} Repeat the run on AWS to decide.")
    return (card,) if notice else ()


def recommend(found: Mapping[str, Any]) -> str:
    """Recommend what to do, from the verdicts in evaluation.json, in a sentence or two."""
    first, base = found["comparisons"][0], found["baseline"]
    model, verdict = first["model"], first["verdict"]
    rivals = {
        c["baseline"]: c["verdict"]
        for c in found["between"]
        if c["model"] == model and c["baseline"] in RIVALS and c["verdict"] != "better"
    }
    if verdict == "worse":
        return (
            f"Keep {base}. Read the records that got worse and check the training data before you "
            "train again."
        )
    if verdict == NO_VERDICT and "worse" not in rivals.values():
        return (
            f"Keep {base} for now: {found['n']} records cannot tell the two models apart. Evaluate "
            "with more test records, or improve the training data."
        )
    if rivals:
        return (
            f"Try the {' or the '.join(rivals)} first. It costs nothing, and these records do not "
            f"show that {model} is better than it."
        )
    return f"Use {model}, if the gain is worth what it costs."
