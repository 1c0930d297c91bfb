"""What tuning bought: scorers, comparisons with intervals, the records behind them, and money."""

from haikuft.evaluation.browsing import Browser, browse
from haikuft.evaluation.classes import ALL, count_confusions, score_classes
from haikuft.evaluation.comparison import Evaluation, compare
from haikuft.evaluation.errors_table import break_down, count_outcomes, examples
from haikuft.evaluation.files import read_evaluation, write_evaluation
from haikuft.evaluation.free_baseline import FREE, ask_free_baseline
from haikuft.evaluation.job_prompts import build_prompts, check_prompts
from haikuft.evaluation.jobs import (
    EvaluationJob,
    build_evaluation_request,
    get_evaluation_job,
    read_scores,
    start_evaluation_job,
    stop_evaluation_job,
    wait_for_evaluation_job,
)
from haikuft.evaluation.judging import RUBRIC, Judging, build_questions, check_judge, judge
from haikuft.evaluation.matching import (
    NO_LABEL,
    exact_match,
    length_gap,
    normalised_match,
    read_label,
    refusal,
)
from haikuft.evaluation.money import price_hour, summarise_usage, weigh_serving
from haikuft.evaluation.overlap import chrf, rouge_1, rouge_2, rouge_l
from haikuft.evaluation.page import write_page
from haikuft.evaluation.scorers import (
    Scorer,
    choose_scorers,
    recognise_task,
    schema_scorer,
    scorers_for,
)
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
    "RUBRIC",
    "Browser",
    "Comparison",
    "Evaluation",
    "EvaluationJob",
    "Interval",
    "Judging",
    "Scorer",
    "ask_free_baseline",
    "bootstrap_mean",
    "break_down",
    "browse",
    "build_evaluation_request",
    "build_prompts",
    "build_questions",
    "check_judge",
    "check_prompts",
    "choose_scorers",
    "chrf",
    "compare",
    "count_confusions",
    "count_outcomes",
    "exact_match",
    "examples",
    "get_evaluation_job",
    "json_agreement",
    "judge",
    "length_gap",
    "matches_schema",
    "normalised_match",
    "price_hour",
    "read_evaluation",
    "read_label",
    "read_scores",
    "recognise_task",
    "refusal",
    "required_keys",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "schema_scorer",
    "score_classes",
    "scorers_for",
    "start_evaluation_job",
    "stop_evaluation_job",
    "summarise_usage",
    "valid_json",
    "wait_for_evaluation_job",
    "weigh_serving",
    "write_evaluation",
    "write_page",
]
