"""The results of an evaluation as cards, a table and a recommendation."""

from typing import Any

import pytest

from haikuft.dataset.records import record_id
from haikuft.evaluation import compare, show_scores, show_verdicts
from haikuft.evaluation.report.scores import recommend
from haikuft.evaluation.scorers.scorer import SCORES
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.evaluation.statistics.free_baseline import FREE
from haikuft.inference.replies import NOTICE, Reply

RECORDS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": f"ticket {number}"},
            {"role": "assistant", "content": ("yes", "no")[number % 2]},
        ]
    }
    for number in range(40)
]


def evaluate(base: int, tuned: int, free: int = 0) -> Evaluation:
    """Compare models that are right on so many records."""

    def reply(record: dict[str, Any], right: bool) -> Reply:
        text = record["messages"][1]["content"] if right else "?"
        key = record_id(record)
        return Reply(key, "m", text, "end_turn", 9, 8, 0.1, "sandbox-stand-in", None, "", "{}")

    return compare(
        RECORDS,
        {
            name: {record_id(r): reply(r, n < count) for n, r in enumerate(RECORDS)}
            for name, count in {"base": base, "tuned": tuned, FREE: free}.items()
        },
    )


def test_scores_when_shown_then_a_row_is_a_score_and_a_column_a_model() -> None:
    """With the interval below the mean, and a sentence below the name of the score."""
    table = show_scores(evaluate(20, 40))

    assert table.headings == ("score (95 % interval)", "base", "tuned", FREE)
    assert table.rows[0][0] == ("Right labels", SCORES["accuracy"]["meaning"])
    assert table.rows[0][1] == ("50.0 %", "35.2 to 64.8\N{NO-BREAK SPACE}%")
    assert "<small" in table._repr_html_()
    assert "50.0 % (35.2 to 64.8\N{NO-BREAK SPACE}%)" in repr(table)


@pytest.mark.parametrize(
    ("base", "tuned", "mark", "word"),
    [(20, 40, "✓", "Better"), (40, 20, "✗", "Worse"), (20, 21, "?", "Cannot tell")],
)
def test_verdicts_when_shown_then_each_is_a_mark_a_word_and_a_number(
    base: int, tuned: int, mark: str, word: str
) -> None:
    """Who answered, then the comparison with the base model, then that with the free rival."""
    note, first, rival = show_verdicts(evaluate(base, tuned))

    assert repr(first).startswith(f"{mark} {word}: tuned against base: ")
    assert rival.heading == f"Better: tuned against {FREE}"
    assert note.sentence.startswith(NOTICE)
    assert max(map(len, repr(first).splitlines())) <= 88


@pytest.mark.parametrize(
    ("base", "tuned", "free", "advice"),
    [
        (20, 40, 0, "Use tuned"),
        (20, 40, 40, "Try the free baseline first"),
        (40, 20, 0, "Keep base, and check the training data"),
        (20, 21, 0, "Keep base for now"),
        (20, 21, 40, "Try the free baseline first"),
    ],
)
def test_recommendation_follows_the_verdicts(base: int, tuned: int, free: int, advice: str) -> None:
    """A model that is paid for must be better than what is free."""
    from haikuft.evaluation.report.files import describe

    found = evaluate(base, tuned, free)
    pairs = {name: [*map(describe, getattr(found, name))] for name in ("comparisons", "between")}

    summary = {**pairs, "baseline": "base", "n": found.n, "endings": found.endings}
    assert recommend(summary).startswith(advice)
    cut = {**summary, "endings": {"base": {"max_tokens": 2}, "tuned": {}}}
    assert recommend(cut).startswith("Raise max_tokens and ask again before you decide")
    assert recommend({**summary, "endings": {"base": {"max_tokens": 1}}}).startswith(advice)
