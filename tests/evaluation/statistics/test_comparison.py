"""Scores follow from replies, verdicts from paired tests, and the worst examples come first."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from haikuft.dataset.records import record_id
from haikuft.errors import DataError, NotFoundError, SettingsError
from haikuft.evaluation import (
    FREE,
    MOST_FREQUENT,
    Scorer,
    ask_most_frequent,
    compare,
    count_outcomes,
    list_confusions,
    score_classes,
    show_classes,
    show_groups,
    write_evaluation,
)
from haikuft.evaluation.report.errors_table import break_down, sort_records
from haikuft.evaluation.report.files import read_evaluation
from haikuft.evaluation.scorers.labels import NO_LABEL
from haikuft.evaluation.statistics.classes import ALL, count_confusions
from haikuft.evaluation.statistics.comparison import Evaluation
from haikuft.inference.replies import Reply

LABELS = ("billing", "card lost", "card")


def record(reference: str, number: int = 0) -> dict[str, Any]:
    """Build a record with this reference."""
    return {
        "messages": [
            {"role": "user", "content": f"ticket {number}"},
            {"role": "assistant", "content": reference},
        ]
    }


def reply(one: dict[str, Any], text: str, **changes: Any) -> Reply:
    """Build a reply to a record."""
    values: dict[str, Any] = {
        "record_id": record_id(one),
        "model_id": "m",
        "text": text,
        "stop_reason": "end_turn",
        "input_tokens": 100,
        "output_tokens": 4,
        "latency_seconds": 0.5,
        "model": "sandbox-stand-in/m",
        "error": None,
        "asked_at": "2026-11-21T10:00:00+00:00",
        "settings": "{}",
    }
    return Reply(**{**values, **changes})


def replies(records: Sequence[dict[str, Any]], texts: Sequence[str]) -> dict[str, Reply]:
    """Build replies by record id."""
    return {record_id(r): reply(r, t) for r, t in zip(records, texts, strict=True)}


def evaluate(base_right: Sequence[bool], tuned_right: Sequence[bool], **options: Any) -> Evaluation:
    """Compare two models on a label task, given where each is right."""
    records = [record("yes" if n % 2 else "no", n) for n in range(len(base_right))]
    references = [r["messages"][-1]["content"] for r in records]
    by_name = {
        name: replies(
            records, [ref if ok else "?" for ref, ok in zip(references, right, strict=True)]
        )
        for name, right in (("base", base_right), ("tuned", tuned_right))
    }
    return compare(records, by_name, task="labels", **options)


# Comparison


def test_compare_when_tuned_is_right_more_often_then_it_is_better_with_its_numbers() -> None:
    """The sentence carries verdict, count, both scores and the interval."""
    evaluation = evaluate([False] * 30 + [True] * 10, [True] * 35 + [False] * 5)
    comparison = evaluation.comparisons[0]

    assert comparison.verdict == "better"
    assert (comparison.baseline_score, comparison.model_score) == (0.25, 0.875)
    assert comparison.difference.value == pytest.approx(0.625)
    low, high = 100 * comparison.difference.low, 100 * comparison.difference.high
    assert 30 < low < 62.5 < high < 90
    assert evaluation.sentence == (
        "Tuned is better than base on 40 records (right labels: tuned 87.5 %, base 25.0 %; "
        f"difference +62.5 points, 95 % interval {low:+.1f} to {high:+.1f}; "
        "p < 0.001 by McNemar's exact test)."
    )


def test_compare_when_tuned_is_right_less_often_then_it_is_worse() -> None:
    """The same words, the other way."""
    evaluation = evaluate([True] * 40, [True] * 20 + [False] * 20)

    assert evaluation.comparisons[0].verdict == "worse"
    assert evaluation.sentence.startswith("Tuned is worse than base on 40 records")
    assert "difference -50.0 points" in evaluation.sentence


def test_compare_when_the_interval_holds_zero_then_they_are_not_told_apart() -> None:
    """Two records more are no proof."""
    evaluation = evaluate([True] * 20 + [False] * 20, [False] * 4 + [True] * 22 + [False] * 14)

    assert evaluation.comparisons[0].model_score > evaluation.comparisons[0].baseline_score
    assert evaluation.sentence.startswith(
        "Tuned and base are not distinguishable on 40 records (right labels:"
    )
    assert re.search(
        r"With this number of records, a difference of \d+\.\d points would be found four times",
        evaluation.sentence,
    )


def test_compare_when_there_are_few_records_then_even_a_clean_sweep_proves_nothing() -> None:
    """Nine of nine against none of nine is an interval without width, and no verdict."""
    evaluation = evaluate([False] * 9, [True] * 9)

    assert evaluation.comparisons[0].verdict == "not distinguishable"
    assert evaluation.sentence.startswith("Not distinguishable on 9 records, which are too few")


def test_compare_when_both_are_the_same_coin_then_nearly_every_seed_says_so() -> None:
    """Two models of one quality are told apart in at most 1 of 20 draws."""
    verdicts = []
    for seed in range(20):
        coins = np.random.default_rng(seed).random((2, 100)) < 0.7
        verdicts.append(evaluate(coins[0].tolist(), coins[1].tolist()).comparisons[0].verdict)

    assert verdicts.count("not distinguishable") >= 19


def test_compare_when_the_gain_is_the_same_for_all_then_pairing_sees_it() -> None:
    """A small gain on every record stands out although the records differ widely."""
    records = [record(" ".join(f"w{i}" for i in range(20)), n) for n in range(30)]
    kept = [2 + n % 15 for n in range(30)]
    words = [f"w{i}" for i in range(20)]
    base = replies(records, [" ".join(words[:k]) for k in kept])
    tuned = replies(records, [" ".join(words[: k + 1]) for k in kept])

    comparison = compare(records, {"base": base, "tuned": tuned}, task="text").comparisons[0]

    assert comparison.verdict == "better"
    assert comparison.difference.high - comparison.difference.low < 0.02


def test_compare_when_three_models_answered_then_each_is_held_against_the_baseline() -> None:
    """One comparison a further model, in the order given, and a row a model and scorer."""
    records = [record(label, n) for n in range(10) for label in LABELS]
    references = [r["messages"][-1]["content"] for r in records]
    by_name = {
        "tuned": replies(records, references),
        "base": replies(records, ["?"] * 30),
        "larger": replies(records, references[:15] + ["?"] * 15),
    }

    evaluation = compare(records, by_name)

    assert evaluation.task == "labels"
    assert evaluation.models == ("base", "tuned", "larger")
    assert [c.model for c in evaluation.comparisons] == ["tuned", "larger"]
    accuracy = evaluation.scores[evaluation.scores["metric"] == "accuracy"]
    assert accuracy["score"].tolist() == [0.0, 1.0, 0.5]
    assert [(c.model, c.baseline) for c in evaluation.between] == [("larger", "tuned")]
    assert [c.scorer.name for c in evaluation.further[:3]] == ["exact_match"] * 3
    assert {c.family for c in (*evaluation.comparisons, *evaluation.between)} == {3}
    assert "Larger is worse than tuned on 30 records" in evaluation.sentence


def test_compare_when_a_reply_is_missing_or_failed_then_its_record_is_left_out_and_counted() -> (
    None
):
    """A failure of the network is no failure of the model, and is told."""
    records = [record("yes" if n % 2 else "no", n) for n in range(20)]
    base = replies(records, ["yes"] * 20)
    tuned = replies(records, ["yes"] * 20)
    del base[record_id(records[0])]
    tuned[record_id(records[1])] = reply(records[1], "", error="timed out")

    evaluation = compare(records, {"base": base, "tuned": tuned})

    assert (evaluation.n, evaluation.left_out) == (18, 2)
    assert "Left out, because a model gave no reply: 2 of 20 records." in evaluation.sentence


def test_compare_when_a_model_has_no_reply_at_all_then_it_says_which() -> None:
    """A comparison of nothing is refused."""
    records = [record("yes", n) for n in range(5)]

    with pytest.raises(DataError, match="base answered 5, tuned answered 0 of 5"):
        compare(records, {"base": replies(records, ["yes"] * 5), "tuned": {}})


@pytest.mark.parametrize("by_name", [{}, {"tuned": {}}, {"base": {}}])
def test_compare_when_there_are_not_two_models_then_it_is_refused(by_name: dict[str, Any]) -> None:
    """One model alone is better than nothing, and worse than a comparison."""
    with pytest.raises(SettingsError, match='Give those of "base"'):
        compare([record("yes")], by_name)


def test_compare_when_a_scorer_is_the_readers_own_then_it_decides_in_its_direction() -> None:
    """Fewer characters can be the good thing; the score is a number, not a share."""
    records = [record("x", n) for n in range(20)]
    length = Scorer(
        "length",
        "mean length in characters",
        lambda record, text: len(text),
        higher_is_better=False,
        is_share=False,
    )
    by_name = {
        "base": replies(records, ["long answer"] * 20),
        "tuned": replies(records, ["ok"] * 20),
    }

    evaluation = compare(records, by_name, scorers=[length])

    assert evaluation.comparisons[0].verdict == "better"
    assert "mean length in characters: tuned 2, base 11; difference -9" in evaluation.sentence
    assert count_outcomes(evaluation) == {"got better": 20}


def test_compare_when_stand_ins_answered_then_the_evaluation_says_so() -> None:
    """No page can pass a stand-in's numbers off as Claude's."""
    assert evaluate([True] * 10, [True] * 10).answered_by == {
        "base": ("sandbox-stand-in/m",),
        "tuned": ("sandbox-stand-in/m",),
    }


def test_compare_when_two_scorers_share_a_name_then_it_is_refused() -> None:
    """The second would hide the first's column."""
    twice = Scorer("accuracy", "again", lambda record, text: 1.0)

    with pytest.raises(SettingsError, match='Two scorers are named "accuracy"'):
        evaluate([True] * 3, [True] * 3, extra_scorers=[twice])


def test_compare_when_a_scorer_is_added_then_the_tasks_own_still_decide() -> None:
    """One more line in every table."""
    brief = Scorer("brief", "short replies", lambda record, text: len(text) < 9)

    evaluation = evaluate([True] * 12, [True] * 12, extra_scorers=[brief])

    assert evaluation.metric == "accuracy"
    assert "brief" in set(evaluation.scores["metric"])


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (40, "Tuned has no advantage over the free baseline that these records can detect: "),
        (
            10,
            "Tuned is worse than the free baseline on 40 records",
        ),
        (-1, "). Tuned is better than the free baseline on 40 records"),
    ],
)
def test_compare_when_a_free_baseline_stands_beside_then_the_verdict_weighs_it(
    right: int, said: str
) -> None:
    """Forty records, the free baseline right on all, then the tuned on as many, fewer, or more."""
    records = [record("yes" if n % 2 else "no", n) for n in range(40)]
    references = [r["messages"][-1]["content"] for r in records]
    tuned, free = (right, 40) if right >= 0 else (40, 10)
    by_name = {
        FREE: replies(records, references[:free] + ["?"] * (40 - free)),
        "base": replies(records, ["?"] * 40),
        "tuned": replies(records, references[:tuned] + ["?"] * (40 - tuned)),
    }

    evaluation = compare(records, by_name, task="labels")

    assert evaluation.models == ("base", "tuned", FREE)
    assert said in evaluation.sentence
    assert "Free baseline is" not in evaluation.sentence


# Behind the numbers


def test_sort_records_when_sorted_then_what_got_worse_comes_first() -> None:
    """Then what is still wrong, what was fixed, and what was right all along."""
    evaluation = evaluate([True, False, False, True], [True, True, False, False])

    found = sort_records(evaluation)

    assert found["tuned outcome"].tolist() == ["got worse", "still wrong", "fixed", "right in both"]
    assert found["prompt"].tolist() == ["ticket 3", "ticket 2", "ticket 1", "ticket 0"]
    assert found[["base reply", "tuned reply"]].iloc[0].tolist() == ["yes", "?"]
    assert count_outcomes(evaluation) == {
        "got worse": 1,
        "still wrong": 1,
        "fixed": 1,
        "right in both": 1,
    }


def test_sort_records_when_scores_are_graded_then_the_largest_loss_comes_first() -> None:
    """Better but not perfect is no mending."""
    records = [record("a b c d", n) for n in range(3)]
    base = replies(records, ["a b c d", "a b c d", "a"])
    tuned = replies(records, ["a b c", "a", "a b"])

    found = sort_records(compare(records, {"base": base, "tuned": tuned}, task="text"))

    assert found["tuned outcome"].tolist() == ["got worse", "got worse", "got better"]
    assert found["tuned reply"].tolist() == ["a", "a b c", "a b"]


def test_count_outcomes_when_the_model_is_unknown_then_it_names_the_known() -> None:
    """The baseline is held against itself by no one."""
    with pytest.raises(SettingsError, match="Use one of tuned"):
        count_outcomes(evaluate([True] * 3, [True] * 3), "base")


def test_break_down_when_grouped_by_label_then_each_has_its_count_and_difference() -> None:
    """Where something was gained, and where lost."""
    found = break_down(evaluate([True, False] * 6, [True] * 12), "label").set_index("label")

    assert found["n"].to_dict() == {"no": 6, "yes": 6}
    assert found["base"].to_dict() == {"no": 1.0, "yes": 0.0}
    assert found["difference"].to_dict() == {"no": 0.0, "yes": 1.0}


def test_show_groups_when_scores_are_shares_then_all_is_in_per_cent() -> None:
    """With the interval beside the difference."""
    table = show_groups(evaluate([True, False] * 6, [True] * 12), "label")

    assert table.headings[1:] == (
        "records",
        "base",
        "tuned",
        "difference in points (95 % interval)",
    )
    assert table.rows[1] == ("yes", "6", "0.0 %", "100.0 %", "+100.0 (+100.0 to +100.0)")


def test_break_down_when_grouped_by_length_then_thirds_of_the_prompts_stand_in_order() -> None:
    """Short prompts first, with their range of characters."""
    records = [record(f"answer {n}", 10**n) for n in range(9)]
    texts = replies(records, ["answer 1"] * 9)

    found = break_down(compare(records, {"base": texts, "tuned": texts}, task="text"), "length")

    assert found["n"].tolist() == [3, 3, 3]
    assert found["length"].iloc[0] == "8 to 10 characters"


def test_break_down_when_the_group_is_unknown_then_it_names_the_known() -> None:
    """A misspelt column is told."""
    with pytest.raises(SettingsError, match="Use one of label, length"):
        break_down(evaluate([True] * 3, [True] * 3), "lenght")


def _labelled(texts: Sequence[str]) -> Evaluation:
    """Compare on four tickets: billing, billing, card, card lost."""
    records = [
        record(label, n) for n, label in enumerate(("billing", "billing", "card", "card lost"))
    ]
    by_name = {"base": replies(records, ["?"] * 4), "tuned": replies(records, texts)}
    return compare(records, by_name, task="labels", labels=["refund"])


def test_score_classes_when_worked_by_hand_then_precision_recall_and_f1_agree() -> None:
    """Two of two billing found, one card taken for billing."""
    table = score_classes(_labelled(["billing", "billing", "billing", "card lost"]))

    assert table["label"].tolist() == ["billing", "card", "card lost", "refund", ALL]
    assert table["n"].tolist() == [2, 1, 1, 0, 4]
    assert table["tuned precision"].tolist() == pytest.approx([2 / 3, 0, 1, 0, 5 / 9])
    assert table["tuned recall"].tolist() == pytest.approx([1, 0, 1, 0, 2 / 3])
    assert table["tuned F1"].tolist() == pytest.approx([0.8, 0, 1, 0, 0.6])
    assert table["base F1"].tolist() == [0, 0, 0, 0, 0]
    for _, row in table.iterrows():
        assert row["tuned F1 low"] <= row["tuned F1"] <= row["tuned F1 high"]


def test_count_confusions_when_a_reply_names_no_label_then_it_has_a_column_of_its_own() -> None:
    """References go down, labels given across."""
    table = count_confusions(_labelled(["billing", "who knows", "billing", "card lost"]))

    assert list(table.columns) == ["billing", "card", "card lost", "refund", NO_LABEL]
    assert table.loc["billing"].tolist() == [1, 0, 0, 0, 1]
    assert table.loc["card"].tolist() == [1, 0, 0, 0, 0]
    assert table.to_numpy().sum() == 4


def test_score_classes_when_the_task_has_no_classes_then_it_says_so() -> None:
    """Free text has none."""
    records = [record(f"answer {n}", n) for n in range(3)]
    texts = replies(records, ["a"] * 3)

    with pytest.raises(SettingsError, match="no classes"):
        score_classes(compare(records, {"base": texts, "tuned": texts}))


# Files


def test_write_evaluation_when_read_back_then_the_report_has_what_it_needs(tmp_path: Path) -> None:
    """Verdict, numbers, classes and outcomes; and a row a record for a spreadsheet."""
    evaluation = evaluate([False] * 12, [True] * 11 + [False])

    path = write_evaluation(tmp_path / "runs", evaluation)

    assert path == tmp_path / "runs" / "evaluation.json"
    found = read_evaluation(tmp_path / "runs")
    assert found["sentence"] == evaluation.sentence
    assert found["comparisons"][0]["verdict"] == "better"
    assert found["comparisons"][0]["difference"]["value"] == pytest.approx(11 / 12)
    assert (found["n"], found["metric"], found["models"]) == (12, "accuracy", ["base", "tuned"])
    assert found["outcomes"] == {"tuned": {"still wrong": 1, "fixed": 11}}
    assert [row["label"] for row in found["by_class"]] == ["no", "yes", ALL]
    assert found["comparisons"][0]["test"] == "McNemar's exact test"
    table = pd.read_csv(tmp_path / "runs" / "evaluation.csv")
    assert table["tuned outcome"].tolist() == ["still wrong"] + ["fixed"] * 11
    assert sorted(p.name for p in path.parent.iterdir()) == ["evaluation.csv", "evaluation.json"]


def test_write_evaluation_when_replies_hold_half_a_character_then_it_is_written_all_the_same(
    tmp_path: Path,
) -> None:
    """What a model said ends no evaluation."""
    records = [record(f"answer {n}", n) for n in range(3)]
    texts = replies(records, ["\ud83d"] * 3)

    path = write_evaluation(tmp_path, compare(records, {"base": texts, "tuned": texts}))

    assert json.loads(path.read_text("utf-8"))["n"] == 3


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_read_evaluation_when_the_file_is_no_evaluation_then_it_names_notebook_six(
    tmp_path: Path, text: str
) -> None:
    """Cut, foreign or of another version."""
    (tmp_path / "evaluation.json").write_text(text)

    with pytest.raises(DataError, match="Run notebook 6 again"):
        read_evaluation(tmp_path)


def test_read_evaluation_when_there_is_none_then_it_names_notebook_six(tmp_path: Path) -> None:
    """Not evaluated yet."""
    with pytest.raises(NotFoundError, match="Run notebook 6 first"):
        read_evaluation(tmp_path)


# Copies, rivals, and what stands beside the verdict


def test_compare_when_records_are_copies_then_each_counts_once() -> None:
    """The case `duplicated_test_records`: five of twenty are too few, also if all stand twice."""
    records = [record("billing" if n % 2 else "access", n) for n in range(20)]
    references = [r["messages"][1]["content"] for r in records]
    by_name = {
        "base": replies(records, [*["other"] * 5, *references[5:]]),
        "tuned": replies(records, references),
    }
    spaced = {"messages": [records[0]["messages"][0], {"role": "assistant", "content": "access "}]}

    once = compare(records, by_name, task="labels")
    twice = compare([*records, *records, spaced], by_name, task="labels")

    assert (twice.n, twice.copies, once.copies) == (20, 21, 0)
    assert twice.comparisons[0].p_value == once.comparisons[0].p_value == pytest.approx(0.0625)
    assert twice.comparisons[0].verdict == "not distinguishable"
    assert twice.scores.equals(once.scores)
    assert twice.sentence.endswith(
        "The test records hold 21 copies of others; each is counted once."
    )


def test_compare_when_there_are_free_rivals_then_the_model_is_held_against_each() -> None:
    """They are not held against each other, and take no part in the model's correction."""
    records = [record("yes" if n % 2 else "no", n) for n in range(60)]
    references = [r["messages"][1]["content"] for r in records]
    by_name = {
        MOST_FREQUENT: ask_most_frequent([record("no"), record("no", 1), record("yes")], records),
        FREE: replies(records, [*references[:40], *["?"] * 20]),
        "tuned": replies(records, references),
        "base": replies(records, ["?"] * 60),
    }

    found = compare(records, by_name, task="labels")

    assert found.models == ("base", "tuned", FREE, MOST_FREQUENT)
    assert [(c.model, c.baseline) for c in found.between] == [
        ("tuned", FREE),
        ("tuned", MOST_FREQUENT),
    ]
    assert {c.family for c in (*found.between, found.comparisons[0])} == {3}
    assert "Tuned is better than the most frequent answer" in found.sentence


def test_compare_when_the_task_is_json_then_agreement_decides_and_validity_stands_beside() -> None:
    """Valid JSON of which a third is wrong is not 100 % against 0 %."""
    records = [record(f'{{"queue": "{"abc"[n % 3]}"}}', n) for n in range(60)]
    by_name = {
        "base": replies(records, ["queue a"] * 60),
        "tuned": replies(records, ['{"queue": "a"}'] * 60),
    }

    found = compare(records, by_name)

    assert found.metric == "json_agreement"
    assert "reference's values: tuned 33.3 %, base 0.0 %" in found.sentence
    assert "Beside it: replies that are valid JSON: base 0.0 %, tuned 100.0 %" in found.sentence


def test_compare_when_a_fluent_reply_has_a_wrong_fact_then_it_is_no_better() -> None:
    """High overlap does not save it; the facts and exact match stand beside the verdict."""
    records = [record(f"Your order {n + 100} arrives in {n + 2} days.", n) for n in range(40)]
    references = [r["messages"][1]["content"] for r in records]
    wrong = [text.replace(" days", "0 days") for text in references]
    by_name = {
        "base": replies(records, [*wrong[:10], *references[10:]]),
        "tuned": replies(records, [*references[:10], *wrong[10:]]),
    }

    found = compare(records, by_name)

    assert found.comparisons[0].verdict == "worse"
    scores = found.scores.set_index(["model", "metric"])["score"]
    assert scores["tuned", "rouge_l"] > 0.85
    assert scores["tuned", "right_rouge_l"] == 0.25  # as many as have no wrong fact
    assert "Beside it: replies with no fact wrong: base 75.0 %, tuned 25.0 %; replies equal" in (
        found.sentence
    )
    assert count_outcomes(found)["got worse"] == 30


def test_compare_when_the_prompts_are_questions_then_a_fact_left_out_is_wrong() -> None:
    """Elsewhere it is only counted."""
    for mark, score in (("?", 0.0), (".", 1.0)):
        records = [record(f"It takes {n + 2} days.", n) for n in range(12)]
        for one in records:
            one["messages"][0]["content"] += mark
        by_name = dict.fromkeys(("base", "tuned"), replies(records, ["It takes days."] * 12))
        scores = compare(records, by_name).scores.set_index(["model", "metric"])["score"]

        assert scores["tuned", "right_facts"] == score
        assert scores["tuned", "left_out_facts"] == 1.0


def test_list_confusions_when_labels_are_confused_then_the_most_frequent_pair_is_first() -> None:
    """Right answers are no confusion; a reply without a label is one."""
    records = [record(LABELS[n % 3], n) for n in range(9)]
    texts = [
        "card lost",
        "card lost",
        "?",
        "card lost",
        "card lost",
        "card",
        "billing",
        "card",
        "x",
    ]
    found = compare(records, {"base": replies(records, texts), "tuned": replies(records, texts)})

    pairs = [tuple(row) for row in list_confusions(found).to_numpy()]
    assert pairs == [
        ("billing", "card lost", 2),
        ("card", NO_LABEL, 2),
        ("card lost", "card", 1),
    ]


def test_show_classes_when_shown_then_the_means_come_first_and_the_worst_label_next() -> None:
    """Two columns a model: F1 with its interval, and what it is made of."""
    records = [record(LABELS[n % 3], n) for n in range(30)]
    references = [r["messages"][1]["content"] for r in records]
    wrong = ["?" if text == "card" else text for text in references]
    found = compare(
        records, {"base": replies(records, references), "tuned": replies(records, wrong)}
    )

    table = show_classes(score_classes(found).to_dict("records"), found.models)

    assert table.headings[2:4] == ("base: F1 (95 %)", "precision, recall")
    assert [row[:2] for row in table.rows[:2]] == [(ALL, "30"), ("card", "10")]
    assert table.rows[1][4:] == ("0.00 (–)", "0.00, 0.00")
