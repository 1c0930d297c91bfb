"""ROUGE in any script: the same text is 1.0, a changed word costs something and not everything."""

import unicodedata
from typing import Any

import pytest

from haikuft.evaluation.scorers.text_overlap import rouge_1, rouge_2, rouge_l

TEXTS = {
    "Greek": ("Το δέμα φτάνει αύριο στη Λάρισα", "αύριο", "σήμερα"),
    "Arabic": ("سوف تصل الشحنة غدا إلى المكتب", "غدا", "اليوم"),
    "Hindi": ("आपका पार्सल कल दफ़्तर पहुँचेगा", "कल", "आज"),
    "Thai": ("พัสดุจะมาถึงบ้านพรุ่งนี้", "บ้าน", "ร้าน"),
    "Chinese": ("您的订单将于明天发货", "明天", "后天"),
    "Japanese": ("ご注文は明日発送されます", "明日", "昨日"),
    "Korean": ("소포는 내일 사무실에 도착합니다", "내일", "모레"),
    "emoji": ("🚚📦🏠🙂", "🏠", "🏢"),
}


def record(reference: str) -> dict[str, Any]:
    """Build a record with this reference."""
    turns = [("user", "when?"), ("assistant", reference)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


@pytest.mark.parametrize("script", TEXTS)
def test_rouge_when_a_word_is_changed_then_the_score_lies_between_none_and_full(
    script: str,
) -> None:
    """In every script, with or without spaces."""
    text, word, other = TEXTS[script]

    for scorer in (rouge_1, rouge_2, rouge_l):
        assert scorer(record(text), text) == 1.0
        assert 0 < scorer(record(text), text.replace(word, other)) < 1.0


@pytest.mark.parametrize(
    ("reference", "reply", "shared"),
    [("ผมไปบ้าน", "ผมไปบ่าน", 6 / 7), ("वह पिता है", "वह पीता है", 2 / 3), ("אָב", "אֵב", 0)],
)
def test_rouge_when_only_a_mark_differs_then_it_is_another_word(
    reference: str, reply: str, shared: float
) -> None:
    """Marks belong to their letters; dropped, or words of their own, the texts would be alike."""
    assert rouge_l(record(reference), reply) == pytest.approx(shared)


def test_rouge_when_marks_are_characters_of_their_own_then_the_text_is_the_same() -> None:
    """Unicode is normalised."""
    assert rouge_l(record("Größe"), unicodedata.normalize("NFD", "Größe")) == 1.0
