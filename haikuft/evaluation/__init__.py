"""What tuning bought: scorers, comparisons with intervals, the records behind them, and money."""

from haikuft.evaluation.browsing import Browser, browse
from haikuft.evaluation.classes import ALL, count_confusions, score_classes
from haikuft.evaluation.comparison import Evaluation, compare
from haikuft.evaluation.errors_table import break_down, count_outcomes, examples
from haikuft.evaluation.files import read_evaluation, write_evaluation
from haikuft.evaluation.free_baseline import FREE, ask_free_baseline
from haikuft.evaluation.matching import (
    NO_LABEL,
    exact_match,
    length_gap,
    normalised_match,
    read_label,
    refusal,
)
from haikuft.evaluation.money import (
    ModelPrice,
    combine_prices,
    find_break_even,
    price_throughput,
    summarise_usage,
    weigh_throughput,
)
from haikuft.evaluation.overlap import chrf, rouge_1, rouge_2, rouge_l
from haikuft.evaluation.page import write_page
from haikuft.evaluation.scorers import Scorer, recognise_task, schema_scorer, scorers_for
from haikuft.evaluation.structured import (
    json_agreement,
    matches_schema,
    required_keys,
    valid_json,
)
from haikuft.evaluation.uncertainty import Interval, bootstrap_mean
from haikuft.evaluation.verdicts import Comparison

__all__ = [
    "ALL",
    "FREE",
    "NO_LABEL",
    "Browser",
    "Comparison",
    "Evaluation",
    "Interval",
    "ModelPrice",
    "Scorer",
    "ask_free_baseline",
    "bootstrap_mean",
    "break_down",
    "browse",
    "chrf",
    "combine_prices",
    "compare",
    "count_confusions",
    "count_outcomes",
    "exact_match",
    "examples",
    "find_break_even",
    "json_agreement",
    "length_gap",
    "matches_schema",
    "normalised_match",
    "price_throughput",
    "read_evaluation",
    "read_label",
    "recognise_task",
    "refusal",
    "required_keys",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "schema_scorer",
    "score_classes",
    "scorers_for",
    "summarise_usage",
    "valid_json",
    "weigh_throughput",
    "write_evaluation",
    "write_page",
]
