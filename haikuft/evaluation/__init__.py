"""Compare models: scorers, differences with intervals, the records behind them, and costs."""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "job_prompts": "build_prompts check_prompts",
        "jobs": "evaluate_replies read_scores",
        "judging": "RUBRIC build_questions check_judge judge",
        "money": "price_hour summarise_usage weigh_serving",
        "report.browsing": "browse",
        "report.errors_table": "count_outcomes show_groups",
        "report.files": "write_evaluation",
        "report.scores": "show_scores show_verdicts",
        "scorers.scorer": "Scorer choose_scorers describe_task has_few_answers recognise_task "
        "schema_scorer",
        "statistics.classes": "list_confusions score_classes show_classes",
        "statistics.comparison": "compare",
        "statistics.endings": "suggest_max_tokens",
        "statistics.free_baseline": "FREE MOST_FREQUENT ask_free_baseline ask_most_frequent",
    },
)
