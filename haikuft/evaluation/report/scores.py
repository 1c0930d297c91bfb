"""The results of an evaluation as cards and a table, in a notebook and in the report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from haikuft.evaluation.report.files import describe
from haikuft.evaluation.scorers.scorer import SCORES
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.endings import warn_of_endings, were_many_cut
from haikuft.evaluation.statistics.free_baseline import RIVALS
from haikuft.evaluation.statistics.uncertainty import NO_VERDICT
from haikuft.evaluation.statistics.verdicts import format_changes, format_interval, format_score
from haikuft.tables import Card, Table, build_table

STAND_IN, CUT_OFF = "A stand-in answered", "Some replies are not whole"
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
        share = shares[metric]
        mean = format_score(row["score"], is_share=share)
        interval = format_interval(row["low"], row["high"], is_share=share)
        title = (
            f"{row['title'][0].upper()}{row['title'][1:]}",
            SCORES.get(metric, {}).get("meaning", ""),
        )
        rows.setdefault(metric, [title]).append((mean, interval))
    return build_table(rows.values(), "score (95 % interval)", *models)


def show_verdicts(evaluation: Evaluation) -> tuple[Card, ...]:
    """Make a card of each verdict by the deciding score, the models that were asked first.

    Before them stand that a stand-in answered, and a warning of replies that were cut off.
    """
    pairs = (*evaluation.comparisons, *evaluation.between)
    asked = [c for c in pairs if c.model not in RIVALS] or pairs
    first, *rest = [build_verdict(describe(c)) for c in asked]
    warning = warn_of_endings(evaluation.endings, evaluation.n)
    first = replace(first, details=evaluation.sentence)
    return (*note(STAND_IN, evaluation.notice), *note(CUT_OFF, warning), first, *rest)


def build_verdict(comparison: Mapping[str, Any]) -> Card:
    """Make the card of one comparison, as in evaluation.json: better, worse, or cannot tell."""
    share, verdict = comparison["is_share"], comparison["verdict"]
    model, baseline = comparison["model"], comparison["baseline"]
    word = "Cannot tell" if verdict == NO_VERDICT else verdict.capitalize()
    difference = (comparison["difference"][part] for part in ("value", "low", "high"))
    change, low, high = format_changes(*difference, is_share=share)
    scores = ", ".join(
        f"{name} {format_score(comparison[f'{which}_score'], is_share=share)}"
        for name, which in ((model, "model"), (baseline, "baseline"))
    )
    return Card(
        _TONES[verdict],
        f"{word}: {model} against {baseline}",
        f"{change}{' points' if share else ''} (95 % interval {low} to {high})",
        f"{comparison['title'].capitalize()}: {scores}, on {comparison['n']} records.",
        comparison["sentence"],
    )


def note(heading: str, sentence: str) -> tuple[Card, ...]:
    """Make a card of a notice or warning; nothing where there is none to give."""
    return (Card("note", heading, "", sentence),) if sentence else ()


def recommend(found: Mapping[str, Any]) -> str:
    """Recommend what to do, from the verdicts in evaluation.json, in a sentence or two."""
    first, base = found["comparisons"][0], found["baseline"]
    model, verdict = first["model"], first["verdict"]
    rivals = {
        c["baseline"]: c["verdict"]
        for c in found["between"]
        if c["model"] == model and c["baseline"] in RIVALS and c["verdict"] != "better"
    }
    if were_many_cut(found["endings"], found["n"]):
        return "Raise max_tokens and ask again before you decide, for many replies were cut off."
    if verdict == "worse":
        return f"Keep {base}, and check the training data before you train again."
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
