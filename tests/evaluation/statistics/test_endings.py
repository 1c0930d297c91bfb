"""How replies ended stands beside the scores; where many were cut off, the fix is named."""

from pathlib import Path
from typing import Any

import pytest

from haikuft.dataset.records import record_id
from haikuft.evaluation import (
    compare,
    show_verdicts,
    suggest_max_tokens,
    summarise_usage,
    write_evaluation,
)
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.inference.replies import NOTICE, Reply
from haikuft.series.report import build_report


def record(number: int) -> dict[str, Any]:
    """Build a record that asks for a number as JSON."""
    turns = [
        ("user", f"Give {number} as JSON, and reason first."),
        ("assistant", f'{{"n": {number}}}'),
    ]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def reply(one: dict[str, Any], text: str, stop: str, model: str = "m") -> Reply:
    """Build a reply that ended so."""
    return Reply(record_id(one), "m", text, stop, 9, 8, 0.1, model, None, "2026-01-01", "{}")


RECORDS = [record(number) for number in range(40)]


def evaluate(stops: list[str], model: str = "m") -> tuple[Evaluation, dict[str, dict[str, Reply]]]:
    """Compare a base model whose replies ended so with a tuned one that is right."""
    replies = {
        "base": {
            record_id(r): reply(r, '{"n": ', stop, model)
            for r, stop in zip(RECORDS, stops, strict=True)
        },
        "tuned": {
            record_id(r): reply(r, r["messages"][1]["content"], "end_turn", model) for r in RECORDS
        },
    }
    return compare(RECORDS, replies), replies


def test_evaluation_when_replies_were_cut_off_then_sentence_tables_page_and_csv_say_so(
    tmp_path: Path,
) -> None:
    """The case `truncated_replies`: the remedy comes before the verdict."""
    found, replies = evaluate(["max_tokens"] * 40)
    usage = summarise_usage(replies)
    write_evaluation(tmp_path, found, usage=usage)
    page = build_report(tmp_path)

    assert found.sentence.startswith(
        "Not all of the 40 replies ended by themselves: of base 40 cut off at max_tokens. The "
        "scores below compare lengths, too: raise max_tokens and ask again. Tuned is better"
    )
    cards = [card.heading for card in show_verdicts(found)]
    assert cards == ["Some replies are not whole", "Better: tuned against base"]
    scores = found.scores.set_index("model")
    assert set(scores.loc["base", "endings"]) == {"40 cut off at max_tokens"}
    assert set(scores.loc["tuned", "endings"]) == {"all by themselves"}
    assert usage["endings"].tolist() == ["40 cut off at max_tokens", "all by themselves"]
    assert page.index("Some replies are not whole") < page.index("Better: tuned against base")
    assert "base stop_reason" in (tmp_path / "evaluation.csv").read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("content_filtered", "1 filtered for their content"),
        ("guardrail_intervened", "1 stopped by a guardrail"),
        ("malformed_model_output", "1 malformed"),
        ("model_context_window_exceeded", "1 cut off at the end of the context window"),
        ("a_reason_of_tomorrow", "1 a_reason_of_tomorrow"),
        ("max_tokens", "1 cut off at max_tokens"),
    ],
)
def test_evaluation_when_one_reply_ended_otherwise_then_it_is_told_without_advice(
    reason: str, words: str
) -> None:
    """One of forty decides nothing; a reason that nobody knows yet is told by AWS's word."""
    found, _ = evaluate([reason, *["end_turn"] * 39])

    assert f"by themselves: of base {words}. Tuned" in found.sentence
    assert found.endings == {"base": {reason: 1}, "tuned": {}}


def test_evaluation_when_all_ended_by_themselves_then_nothing_is_said() -> None:
    """A stop sequence is an end, too."""
    found, _ = evaluate(["end_turn", "stop_sequence"] * 20)

    assert "by themselves" not in found.sentence


def test_page_when_a_stand_in_answered_then_it_says_so_first(tmp_path: Path) -> None:
    """Before question and verdict; a page about models of AWS says no such thing."""
    for name in ("sandbox-stand-in/base", "claude"):
        write_evaluation(tmp_path, evaluate(["end_turn"] * 40, name)[0])
        page = build_report(tmp_path)
        assert (NOTICE in page) == (name != "claude")
        assert page.find(NOTICE) < page.index('class="question"') < page.index(": tuned against")


@pytest.mark.parametrize(("length", "tokens"), [(1, 256), (1000, 1024), (100_000, 4096)])
def test_suggest_max_tokens_when_references_are_long_then_replies_may_be(
    length: int, tokens: int
) -> None:
    """Twice as long as the longest, and never so short that a base model cannot explain itself."""
    turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x" * length}]

    assert suggest_max_tokens([*RECORDS, {"messages": turns}]) == tokens
