"""What tuning bought: scorers, a comparison with intervals, and the records behind the numbers."""

from haikuft.evaluation.comparison import Comparison, Evaluation, compare
from haikuft.evaluation.errors_table import (
    count_confusions,
    count_outcomes,
    examples,
    score_classes,
    summarise_usage,
)
from haikuft.evaluation.files import read_evaluation, write_evaluation
from haikuft.evaluation.scorers import (
    NO_LABEL,
    Scorer,
    exact_match,
    json_agreement,
    normalised_match,
    read_label,
    recognise_task,
    rouge_l,
    scorers_for,
    valid_json,
)
from haikuft.evaluation.uncertainty import Interval, bootstrap_mean

__all__ = [
    "NO_LABEL",
    "Comparison",
    "Evaluation",
    "Interval",
    "Scorer",
    "bootstrap_mean",
    "compare",
    "count_confusions",
    "count_outcomes",
    "exact_match",
    "examples",
    "json_agreement",
    "normalised_match",
    "read_evaluation",
    "read_label",
    "recognise_task",
    "rouge_l",
    "score_classes",
    "scorers_for",
    "summarise_usage",
    "valid_json",
    "write_evaluation",
]
