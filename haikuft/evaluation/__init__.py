"""Compare models: scorers, differences with intervals, the records behind them, and costs."""

from haikuft.evaluation.job_prompts import build_prompts, check_prompts
from haikuft.evaluation.jobs import evaluate_replies, read_scores
from haikuft.evaluation.judging import RUBRIC, build_questions, check_judge, judge
from haikuft.evaluation.money import price_hour, summarise_usage, weigh_serving
from haikuft.evaluation.report.browsing import browse
from haikuft.evaluation.report.errors_table import break_down, count_outcomes
from haikuft.evaluation.report.files import write_evaluation
from haikuft.evaluation.report.scores import show_scores, show_verdicts
from haikuft.evaluation.scorers.scorer import (
    Scorer,
    choose_scorers,
    describe_task,
    has_few_answers,
    recognise_task,
    schema_scorer,
)
from haikuft.evaluation.statistics.classes import list_confusions, score_classes, show_classes
from haikuft.evaluation.statistics.comparison import compare
from haikuft.evaluation.statistics.endings import suggest_max_tokens
from haikuft.evaluation.statistics.free_baseline import (
    FREE,
    MOST_FREQUENT,
    ask_free_baseline,
    ask_most_frequent,
)

__all__ = [
    "FREE",
    "MOST_FREQUENT",
    "RUBRIC",
    "Scorer",
    "ask_free_baseline",
    "ask_most_frequent",
    "break_down",
    "browse",
    "build_prompts",
    "build_questions",
    "check_judge",
    "check_prompts",
    "choose_scorers",
    "compare",
    "count_outcomes",
    "describe_task",
    "evaluate_replies",
    "has_few_answers",
    "judge",
    "list_confusions",
    "price_hour",
    "read_scores",
    "recognise_task",
    "schema_scorer",
    "score_classes",
    "show_classes",
    "show_scores",
    "show_verdicts",
    "suggest_max_tokens",
    "summarise_usage",
    "weigh_serving",
    "write_evaluation",
]
