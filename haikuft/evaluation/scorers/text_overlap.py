"""Scorers of free text by what it shares with the reference: ROUGE and chrF.

ROUGE comes from the package rouge-score, chrF from sacrebleu: those that papers report.
Both count shared words or letters: a correct answer in other words scores low.
"""

import unicodedata
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING

import regex

from haikuft.dataset.records import Record, reference_of
from haikuft.evaluation.scorers.labels import NO_SPACES

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.chrf import CHRF

# Where there are no spaces each letter is a word, and each emoji; marks stay with their letter.
_ALONE = rf"[{NO_SPACES}\p{{Emoji_Presentation}}]"
_WORD = regex.compile(rf"{_ALONE}\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--{NO_SPACES}]+", regex.V1)
_KINDS = ["rouge1", "rouge2", "rougeL"]


def rouge_1(record: Record, reply: str) -> float:
    """Score the words shared with the reference, as F1 (ROUGE-1)."""
    return _rouge(reference_of(record), reply)["rouge1"]


def rouge_2(record: Record, reply: str) -> float:
    """Score the pairs of neighbouring words shared with the reference, as F1 (ROUGE-2)."""
    return _rouge(reference_of(record), reply)["rouge2"]


def rouge_l(record: Record, reply: str) -> float:
    """Score the longest common subsequence of words, as F1 (ROUGE-L)."""
    return _rouge(reference_of(record), reply)["rougeL"]


def chrf(record: Record, reply: str) -> float:
    """Score the runs of one to six letters shared with the reference (chrF2), 0 to 1."""
    return float(_chrf().sentence_score(reply, [reference_of(record)]).score / 100)


def split_words(text: str) -> list[str]:
    """Split into lower-case words of any script, without stemming; marks between them are dropped.

    In scripts without spaces each letter with its marks is a word, and so is each emoji. Unicode is
    normalised (NFC).
    """
    return list(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


@lru_cache(maxsize=1)  # three scorers ask about one reply in a row
def _rouge(reference: str, reply: str) -> dict[str, float]:
    scores = _rouge_scorer().score(reference, reply)
    return {kind: float(scores[kind].fmeasure) for kind in _KINDS}


@lru_cache(maxsize=1)
def _rouge_scorer() -> "RougeScorer":
    from rouge_score.rouge_scorer import RougeScorer  # late: it loads NLTK

    # Its own tokenizer drops every letter that is not of ASCII.
    return RougeScorer(_KINDS, tokenizer=SimpleNamespace(tokenize=split_words))


@lru_cache(maxsize=1)
def _chrf() -> "CHRF":
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
