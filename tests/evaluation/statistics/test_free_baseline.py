"""The free baseline learns from the training split alone, and says who it is."""

from itertools import count
from typing import Any

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from haikuft.dataset.records import record_id
from haikuft.errors import DataError
from haikuft.evaluation import ask_free_baseline, ask_most_frequent, recognise_task
from haikuft.evaluation.statistics import free_baseline
from haikuft.evaluation.statistics.free_baseline import STRENGTHS, train_free_baseline

WORDS = {
    "refund": ("money back", "refund please", "return my payment", "reimburse", "paid too much"),
    "delivery": ("parcel late", "where is the box", "courier lost it", "not arrived", "shipping"),
}


def record(label: str, text: str, system: str = "") -> dict[str, Any]:
    """Build a record of one turn."""
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
    return {"system": system, "messages": turns} if system else {"messages": turns}


TRAINING = [
    record(label, f"{first} {second}")
    for label, phrases in WORDS.items()
    for first in phrases
    for second in phrases
]


def test_free_baseline_when_words_tell_the_label_then_it_learns_them() -> None:
    """From the training split to texts it has not seen."""
    asked = [record("?", "hello, the parcel is late"), record("?", "give my money back at once")]

    replies = ask_free_baseline(TRAINING, asked)

    assert [replies[record_id(one)].text for one in asked] == ["delivery", "refund"]


def test_free_baseline_when_it_answers_then_it_costs_nothing_and_says_who_it_is() -> None:
    """No reply can be taken for a model's that bills."""
    ticks = count()
    one = record("refund", "refund please")

    (reply,) = ask_free_baseline(TRAINING, [one], clock=lambda: float(next(ticks))).values()

    assert (reply.input_tokens, reply.output_tokens, reply.error) == (0, 0, None)
    assert reply.latency_seconds == 1.0
    assert reply.model.startswith("TF-IDF + logistic regression, C = ")


def test_free_baseline_when_the_references_of_the_test_change_then_its_answers_do_not() -> None:
    """It never looks at them."""
    texts = ("parcel", "money", "hello")

    first, second = (
        [r.text for r in ask_free_baseline(TRAINING, [record(ref, t) for t in texts]).values()]
        for ref in ("refund", "delivery")
    )

    assert first == second


def test_free_baseline_when_the_seed_is_the_same_then_so_is_what_it_learns() -> None:
    """C is one of those tried, chosen on the training split."""
    models = [train_free_baseline(TRAINING, seed=3) for _ in range(2)]

    weights = [model.named_steps["classifier"].coef_ for model in models]
    assert (weights[0] == weights[1]).all()
    assert models[0].named_steps["classifier"].C in STRENGTHS


def test_free_baseline_when_a_label_stands_once_then_it_learns_without_folds() -> None:
    """Nothing can be held back from so little."""
    model = train_free_baseline([*TRAINING, record("other", "something else")])

    assert model.named_steps["classifier"].C == 1
    assert set(model.classes_) == {"refund", "delivery", "other"}


def test_free_baseline_when_every_prompt_names_all_labels_then_the_list_does_not_mislead_it() -> (
    None
):
    """As in a task whose prompt ends with its options."""
    ending = " Which one fits? refund, delivery"
    training = [
        record(r["messages"][1]["content"], r["messages"][0]["content"] + ending) for r in TRAINING
    ]
    one = record("?", "the courier lost my parcel" + ending)

    assert recognise_task(training) == "labels"
    assert [reply.text for reply in ask_free_baseline(training, [one]).values()] == ["delivery"]


@pytest.mark.parametrize(
    ("training", "said"),
    [
        ([], "have 0 label"),
        ([record("refund", "money")] * 4, "have 1 label"),
        ([record("a", "?"), record("b", "!")] * 4, "hold no words"),
    ],
)
def test_free_baseline_when_there_is_nothing_to_learn_then_it_says_so(
    training: list[dict[str, Any]], said: str
) -> None:
    """One label, or prompts without words."""
    with pytest.raises(DataError, match=said):
        train_free_baseline(training)


SCRIPTS = {
    "Chinese": ("您好包裹在哪里谢谢{}", "请帮我退款编号{}号", "密码忘记了账户{}登录"),
    "Japanese": ("荷物はどこですか{}番", "返金をお願いします{}", "パスワードを忘れた{}"),
    "Thai": ("พัสดุอยู่ที่ไหน{}", "ขอคืนเงินเลขที่{}", "ลืมรหัสผ่านบัญชี{}"),
    "Hindi": ("मेरा पार्सल कहाँ है {}", "पैसे वापस कीजिए {}", "पासवर्ड भूल गया {}"),
    "Arabic": ("أين طردي {}", "أريد استرداد المال {}", "نسيت كلمة المرور {}"),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_free_baseline_when_the_script_is_any_then_it_learns_what_words_alone_would_not(
    script: str,
) -> None:
    """Cross-validation chooses characters where there are no spaces."""
    forms = SCRIPTS[script]
    records = [record("abc"[n % 3], forms[n % 3].format(n)) for n in range(200)]

    replies = ask_free_baseline(records[:140], records[140:])

    right = [replies[record_id(r)].text == r["messages"][1]["content"] for r in records[140:]]
    assert sum(right) / len(right) > 0.95


def test_free_baseline_when_words_have_marks_then_they_are_counted_whole() -> None:
    """A vowel sign of Hindi is no letter for Python, and divides no word here."""
    records = [record("abc"[n % 3], SCRIPTS["Hindi"][n % 3].format("!" * n)) for n in range(60)]

    counted = train_free_baseline(records)["words"]

    assert counted.analyzer == "word"
    assert {"पार्सल", "कहाँ", "पासवर्ड"} <= set(counted.vocabulary_)


def test_free_baseline_when_records_are_copies_then_it_learns_what_one_of_each_teaches() -> None:
    """Copies in two folds would let it learn by heart what it is tried on."""
    once, thrice = (train_free_baseline(TRAINING * times) for times in (1, 3))

    assert (once["classifier"].coef_ == thrice["classifier"].coef_).all()


def test_free_baseline_when_texts_are_given_by_their_products_then_it_chooses_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Columns and products say the same of few texts."""
    records = [record("abc"[n % 3], SCRIPTS["Thai"][n % 3].format(n)) for n in range(60)]

    chosen = []
    for most in (0, len(records) + 1):
        monkeypatch.setattr(free_baseline, "MOST_PRODUCTS", most)
        model = train_free_baseline(records)
        chosen.append((model["words"].analyzer, model["classifier"].C))

    assert chosen[0] == chosen[1]


@pytest.mark.parametrize(("script", "analyzer"), [("Hindi", "word"), ("Thai", "char_wb")])
def test_free_baseline_when_it_has_counted_then_as_scikit_learn_does(
    monkeypatch: pytest.MonkeyPatch, script: str, analyzer: str
) -> None:
    """What is counted once for all folds gives the columns and weights of a fit on the texts."""
    monkeypatch.setattr(free_baseline, "MOST_RUNS", 60)
    texts = [SCRIPTS[script][n % 3].format(n) for n in range(60)]
    counted = train_free_baseline([record("abc"[n % 3], text) for n, text in enumerate(texts)])[0]
    fitted = TfidfVectorizer(**{**counted.get_params(), "vocabulary": None}).fit(texts)

    assert counted.analyzer == analyzer
    assert counted.vocabulary_ == fitted.vocabulary_
    assert counted.idf_ == pytest.approx(fitted.idf_)
    assert abs(counted.transform(texts) - fitted.transform(texts)).max() < 1e-6


def test_free_baseline_when_texts_are_many_then_folds_learn_from_some_and_the_model_from_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rare label is never left out, and what a fold has not seen is counted in the end."""
    for limit, value in {"MOST_LEARNT": 6, "ENOUGH": 10, "MOST_PRODUCTS": 0}.items():
        monkeypatch.setattr(free_baseline, limit, value)
    rare = [record("other", "opening hours"), record("other", "opening hours on sunday")]

    model = train_free_baseline([*TRAINING, *rare])

    assert model.predict(["money back refund", "parcel late", "opening hours"]).tolist() == [
        "refund",
        "delivery",
        "other",
    ]
    assert {"reimburse", "courier", "sunday"} <= set(model["words"].vocabulary_)


def test_most_frequent_answer_when_asked_then_it_is_the_same_for_all() -> None:
    """Of equals the first by its letters."""
    training = [record("b", "x"), record("a", "y"), record("b", "z"), record("a", "v")]

    replies = ask_most_frequent(training, [record("?", "one"), record("?", "two")])

    assert [reply.text for reply in replies.values()] == ["a", "a"]
