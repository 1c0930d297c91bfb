"""Scorers agree with the libraries they stand on, and survive whatever a model says."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import sentence_chrf

from haikuft.errors import SettingsError
from haikuft.evaluation import Scorer, choose_scorers, recognise_task, schema_scorer
from haikuft.evaluation.scorers.labels import (
    NO_LABEL,
    exact_match,
    length_gap,
    normalised_match,
    read_label,
    refusal,
)
from haikuft.evaluation.scorers.scorer import describe_task, has_few_answers, scorers_for
from haikuft.evaluation.scorers.structured import (
    build_schema,
    json_agreement,
    matches_schema,
    required_keys,
    valid_json,
)
from haikuft.evaluation.scorers.text_overlap import chrf, rouge_1, rouge_2, rouge_l

LABELS = ("billing", "card lost", "card")
SCHEMA = '{"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}'
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
ASCII = st.text(st.characters(max_codepoint=126, min_codepoint=32), max_size=80)


def record(reference: str, number: int = 0) -> dict[str, Any]:
    """Build a record with this reference."""
    return {
        "messages": [
            {"role": "user", "content": f"ticket {number}"},
            {"role": "assistant", "content": reference},
        ]
    }


# Scorers


@pytest.mark.parametrize(
    ("reply_text", "exact", "normalised"),
    [
        ("Card lost", 1, 1),
        (" Card lost\n", 1, 1),
        ("card  LOST.", 0, 1),
        ("Card lost, I think", 0, 0),
        ("", 0, 0),
    ],
)
def test_matches_when_the_reply_varies_then_only_the_normalised_one_forgives(
    reply_text: str, exact: float, normalised: float
) -> None:
    """Case, spacing and marks at the ends are form, not content."""
    assert exact_match(record("Card lost"), reply_text) == exact
    assert normalised_match(record("Card lost"), reply_text) == normalised


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("billing", "billing"),
        ('"Billing."', "billing"),
        ("The category is: card lost.", "card lost"),
        ("This is about a card", "card"),
        ("billing or card lost", NO_LABEL),
        ("discard", NO_LABEL),
        ("no idea", NO_LABEL),
        ("", NO_LABEL),
    ],
)
def test_read_label_when_a_model_talks_then_its_one_label_counts(text: str, label: str) -> None:
    """A chatty base model has a fair chance; one that names two labels has not decided."""
    assert read_label(text, LABELS) == label


def test_read_label_when_labels_hold_signs_then_they_are_read_as_text() -> None:
    """A plus or a bracket in a label is no pattern."""
    assert read_label("It is C++ (new)!", ["C++ (new)", "C"]) == "C++ (new)"


@pytest.mark.parametrize(
    ("text", "score"),
    [('{"a": 1}', 1), (" [1, 2]\n", 1), ("```json\n{}\n```", 0), ("42", 0), ('{"a": NaN}', 0)],
)
def test_valid_json_when_the_whole_reply_is_an_object_or_list_then_it_counts(
    text: str, score: float
) -> None:
    """What a program could parse as it stands."""
    assert valid_json(record("{}"), text) == score


def test_valid_json_when_it_is_nested_beyond_reason_then_it_does_not_count() -> None:
    """A runaway reply ends no evaluation."""
    assert valid_json(record("{}"), "[" * 100_000) == 0.0


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ('{"b": {"c": [1, 2]}, "a": "x"}', 1.0),
        ('{"a": "x"}', 1 / 3),
        ('{"a": "y", "b": {"c": [1, 2]}}', 2 / 4),
        ('{"a": "x", "b": {"c": [1, 2]}, "d": null}', 3 / 4),
        ("not json", 0.0),
    ],
)
def test_json_agreement_when_values_differ_then_it_is_the_share_that_agree(
    text: str, score: float
) -> None:
    """Order of keys is form; a missing, a wrong and an added value each cost."""
    assert json_agreement(record('{"a": "x", "b": {"c": [1, 2]}}'), text) == pytest.approx(score)


@pytest.mark.parametrize(
    ("reference", "text", "score"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", 1.0),
        ("the cat sat on the mat", "the cat on a mat", 2 * 4 / (6 + 5)),
        ("a b c d", "d c b a", 2 * 1 / 8),
        ("police killed the gunman", "police kill the gunman", 2 * 3 / 8),
        ("Größe: 5 Äpfel", "größe 5", 2 * 2 / 5),
        ("something", "", 0.0),
    ],
)
def test_rouge_l_when_worked_by_hand_then_it_is_the_f1_of_the_common_subsequence(
    reference: str, text: str, score: float
) -> None:
    """Words in order, in any script, case aside."""
    assert rouge_l(record(reference), text) == pytest.approx(score)


def test_scorer_when_it_returns_no_number_then_it_is_named() -> None:
    """A mean of nothing would hide the fault."""
    broken = Scorer("ratio", "ratio", lambda record, text: math.nan)

    with pytest.raises(SettingsError, match='Scorer "ratio" returned nan'):
        broken(record("x"), "y")


# The kind of task


def test_recognise_task_when_references_are_few_and_short_then_it_is_labels() -> None:
    """Repeated short answers are a class."""
    assert recognise_task([record(label, n) for n in range(4) for label in LABELS]) == "labels"


def test_recognise_task_when_references_are_json_then_it_is_structured() -> None:
    """Even if they repeat."""
    assert recognise_task([record('{"a": 1}', n) for n in range(8)]) == "structured"


def test_recognise_task_when_references_differ_then_it_is_text() -> None:
    """Free answers, or none."""
    assert recognise_task([record(f"answer {n}", n) for n in range(9)]) == "text"
    assert recognise_task([]) == "text"


def test_has_few_answers_when_references_repeat_then_it_holds_in_any_form() -> None:
    """JSON and answers of several lines, too; one answer is none to choose from."""
    few = [record(answer, n) for n in range(3) for answer in ('{"a": 1}', "two\nlines")]

    assert has_few_answers(few)
    assert not has_few_answers(few[:5])
    assert not has_few_answers([record("one", n) for n in range(9)])


def test_describe_task_when_all_answers_are_one_then_it_says_that_there_is_nothing_to_learn() -> (
    None
):
    """Otherwise it counts them."""
    assert "one and the same answer" in describe_task("text", [record("yes", n) for n in range(9)])
    assert describe_task("labels", [record("ab"[n % 2], n) for n in range(1200)]) == (
        "The answers are labels: 2 different ones in 1,200 records."
    )


def test_describe_task_when_records_have_copies_then_it_says_how_many_and_what_they_count() -> None:
    """White space makes no other record; the same prompt with another answer is one."""
    records = [record("a b", 1), record(" a  b", 1), record("a b", 1), record("b", 1)]
    assert describe_task("text", records).endswith(
        "in 4 records. Copies of others among them: 2. A record and its copies go to the same "
        "file, and are one piece of evidence in notebook 6."
    )


@pytest.mark.parametrize(("labels", "records"), [(77, 1150), (150, 2000)])
def test_recognise_task_when_there_are_many_labels_then_the_whole_data_set_shows_them(
    labels: int, records: int
) -> None:
    """A part of it has too few records a label."""
    whole = [record(f"intent {n % labels}", n) for n in range(records)]

    assert recognise_task(whole) == "labels"


def test_scorers_for_when_the_task_is_unknown_then_it_names_the_known() -> None:
    """A misspelt task is no task."""
    with pytest.raises(SettingsError, match="labels, calls, structured, text"):
        scorers_for("label")


@pytest.mark.parametrize(
    ("task", "deciding"),
    [
        ("labels", "accuracy"),
        ("calls", "right_arguments"),
        ("structured", "json_agreement"),
        ("text", "right_rouge_l"),
    ],
)
def test_scorers_for_when_the_task_is_known_then_the_deciding_one_comes_first(
    task: str, deciding: str
) -> None:
    """Each kind has its own first figure, and exact match beside it."""
    names = [scorer.name for scorer in scorers_for(task)]

    assert names[0] == deciding
    assert "exact_match" in names


# What others count, counted alike


@given(reference=ASCII, text=ASCII)
def test_rouge_when_texts_are_ascii_then_it_is_what_rouge_score_says(
    reference: str, text: str
) -> None:
    """The library's own tokenizer and ours part there in nothing."""
    expected = RougeScorer(["rouge1", "rouge2", "rougeL"]).score(reference, text)

    for scorer, kind in ((rouge_1, "rouge1"), (rouge_2, "rouge2"), (rouge_l, "rougeL")):
        assert scorer(record(reference), text) == pytest.approx(expected[kind].fmeasure)


@given(reference=st.text(max_size=60), text=st.text(max_size=60))
def test_chrf_when_texts_are_of_any_script_then_it_is_what_sacrebleu_says(
    reference: str, text: str
) -> None:
    """As a share instead of per cent."""
    expected = sentence_chrf(text, [reference]).score

    assert chrf(record(reference), text) == pytest.approx(expected / 100)


@given(value=JSON)
def test_schema_when_the_reply_is_any_json_then_it_is_what_jsonschema_says(value: Any) -> None:
    """Only objects and arrays count as replies in JSON."""
    expected = isinstance(value, dict) and Draft202012Validator(json.loads(SCHEMA)).is_valid(value)

    assert schema_scorer(SCHEMA)(record("{}"), json.dumps(value)) == expected


@given(value=JSON)
def test_build_schema_when_made_of_a_value_then_it_is_sound_and_allows_that_value(
    value: Any,
) -> None:
    """A reference is of its own shape."""
    schema = build_schema(value)

    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("text", "keys", "shape"),
    [
        ('{"a": 5, "b": ["z"]}', 1.0, 1.0),
        ('{"a": 1, "b": [], "more": 0}', 1.0, 1.0),
        ('{"a": "1", "b": ["x"]}', 1.0, 0.0),
        ('{"a": 1}', 0.5, 0.0),
        ("[]", 0.0, 0.0),
        ("a, b", 0.0, 0.0),
    ],
)
def test_keys_and_shape_when_the_reply_strays_then_each_sees_its_own(
    text: str, keys: float, shape: float
) -> None:
    """Keys are those on top; the shape goes all the way down, types included."""
    reference = record('{"a": 1, "b": ["x", "y"]}')

    assert required_keys(reference, text) == keys
    assert matches_schema(reference, text) == shape


def test_required_keys_when_the_reference_has_none_then_the_kind_decides() -> None:
    """An array for an array."""
    assert required_keys(record("[]"), "[1]") == 1.0


@pytest.mark.parametrize("schema", ["{", '{"type": "objct"}'])
def test_schema_when_it_is_none_then_it_is_refused_even_if_no_reply_is_json(schema: str) -> None:
    """A misspelt schema would fail every reply."""
    with pytest.raises(SettingsError, match="not a JSON Schema"):
        matches_schema(record("{}"), "no json", schema=schema)


def test_schema_when_it_refers_to_itself_and_the_reply_is_nested_then_it_does_not_count() -> None:
    """A runaway reply ends no evaluation."""
    schema = '{"type": "array", "items": {"$ref": "#"}}'

    assert matches_schema(record("[]"), "[[]]", schema=schema) == 1.0
    assert matches_schema(record("[]"), "[" * 900 + "]" * 900, schema=schema) == 0.0


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("I'm sorry, but I can't help with that.", 1),
        ("As an AI, I have no orders.", 1),
        ("I am unable to read it", 1),
        ("  ", 1),
        ("billing", 0),
        ("Yes, I can help with that.", 0),
        ("The customer writes: " + "x" * 120 + " I cannot pay.", 0),
    ],
)
def test_refusal_when_a_reply_opens_as_one_then_it_counts(text: str, score: float) -> None:
    """At the beginning only: an answer may quote a refusal."""
    assert refusal(record("billing"), text) == score


def test_refusal_when_the_reference_refuses_too_then_it_is_no_fault() -> None:
    """Some things are to be refused."""
    assert refusal(record("I can't share that."), "I'm sorry, no.") == 0


def test_length_gap_when_longer_or_shorter_then_it_counts_the_characters() -> None:
    """Both are off."""
    assert (length_gap(record("four"), "fours "), length_gap(record("four"), "")) == (1, 4)


def test_scorer_when_a_share_is_no_share_then_it_says_how_to_mend() -> None:
    """A count given for a share would show as thousands of per cent."""
    counting = Scorer("words", "words", lambda record, text: len(text.split()))

    with pytest.raises(SettingsError, match="set is_share=False"):
        counting(record("x"), "three words here")


# Whatever a model says

SCORERS = {
    scorer.name: scorer
    for task in ("labels", "structured", "text")
    for scorer in (*scorers_for(task, LABELS), schema_scorer(SCHEMA))
}
REPLIES = (
    st.text()
    | st.text(st.sampled_from('{}[]",:0 1eE.-\\nul'))
    | st.text(st.characters(categories=["Cs", "Co", "Cn", "Cc"]))
    | JSON.map(json.dumps)
    | st.integers(0, 3000).map(lambda depth: "[" * depth + "]" * depth)
    | st.integers(0, 6000).map(lambda digits: f'{{"a": {"9" * digits or 0}}}')
)


@pytest.mark.parametrize("name", SCORERS)
@given(reference=st.sampled_from(["billing", '{"a": [1, {"b": null}]}', "", "Größe"]), text=REPLIES)
def test_scorer_when_the_reply_is_any_text_then_it_gives_a_number(
    name: str, reference: str, text: str
) -> None:
    """What a model says ends no evaluation."""
    score = SCORERS[name](record(reference), text)

    assert math.isfinite(score)
    assert score >= 0
    assert score <= 1 or not SCORERS[name].is_share


@pytest.mark.parametrize("scorer", [rouge_l, rouge_1, rouge_2, chrf, json_agreement, exact_match])
def test_scorer_when_the_reply_is_the_reference_then_the_score_is_full(
    scorer: Callable[[dict[str, Any], str], float],
) -> None:
    """Nothing could be better."""
    assert scorer(record('{"word": "two words"}'), '{"word": "two words"}') == pytest.approx(1)


def test_scorers_when_chosen_by_name_then_they_come_in_that_order() -> None:
    """The first of them decides the verdict."""
    chosen = choose_scorers(["refusals", "exact_match"], "text")

    assert [scorer.name for scorer in chosen] == ["refusals", "exact_match"]


def test_scorers_when_none_is_named_then_they_are_the_tasks_own() -> None:
    """With the labels of the records."""
    records = [
        {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": label}]}
        for label in LABELS
    ]

    chosen = choose_scorers([], "labels", records)

    assert [s.name for s in chosen] == [s.name for s in scorers_for("labels")]
    assert chosen[0](records[2], "It is card lost.") == 0
    assert chosen[0](records[1], "It is card lost.") == 1


def test_scorers_when_a_name_is_of_another_task_then_it_is_refused_with_those_there_are() -> None:
    """A misspelt name is not passed over."""
    with pytest.raises(SettingsError, match="rouge_l is no scorer of the task labels"):
        choose_scorers(["rouge_l"], "labels")
