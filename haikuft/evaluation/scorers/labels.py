"""Scorers of whole texts: equality, labels, length and refusals."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

import regex

from haikuft.dataset.records import Record, reference_of
from haikuft.package_data import read_toml

NO_LABEL = "(no label)"

_EDGES = " \t\r\n.,;:!?\"'`*_()[]{}<>"
_SENTENCE_MARKS = " .,;:!?\"'`。、"
_KOREAN_PARTICLES = "입니다|이다|은|는|이|가|을|를|에|의|로|으로|와|과|도"
# Scripts that write no space between words; Unicode counts the Japanese long vowel as no script's.
NO_SPACES = r"[\p{Han}\p{Hiragana}\p{Katakana}ーｰ\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_REFUSAL = re.compile("|".join(read_toml(__package__, "refusals.toml")["openings"]))
_OPENING = 120  # characters; later in a long answer a refusal may be a quotation


def exact_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference, white space at its ends aside.

    A letter and its mark may be one character or two: Unicode calls that the same text (NFC).
    """
    texts = (unicodedata.normalize("NFC", text).strip() for text in (reply, reference_of(record)))
    return float(len(set(texts)) == 1)


def normalised_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference but for case, spacing and marks at its ends."""
    return float(normalise(reply) == normalise(reference_of(record)))


def label_match(record: Record, reply: str, *, labels: Sequence[str]) -> float:
    """Score 1.0 when the label in the reply is the reference."""
    return float(read_label(reply, labels) == join_text(reference_of(record)))


def length_gap(record: Record, reply: str) -> float:
    """Count the characters by which the reply is longer or shorter than the reference."""
    return float(abs(len(reply.strip()) - len(reference_of(record).strip())))


def refusal(record: Record, reply: str) -> float:
    """Score 1.0 when the reply opens as a refusal in English, and the reference does not.

    It finds phrases such as "I'm sorry", "I cannot", "I am unable", "As an AI" within the first 120
    characters; an empty reply counts as a refusal, too. A list of phrases makes mistakes: read what
    it finds.
    """
    return float(_refuses(reply) and not _refuses(reference_of(record)))


def read_label(reply: str, labels: Sequence[str]) -> str:
    """Read the label of a reply: the reply itself, or the only label that occurs in it.

    A reply that is a label as it stands, white space aside, is that label. Case and marks at the
    ends are folded only where one label is left: with the labels "<10" and ">10" the reply "10" is
    neither. A model may answer in a sentence; a reply that names two labels gets `NO_LABEL`. A
    label inside a longer one ("card" in "card lost") counts only where it occurs alone; in scripts
    without spaces it may stand between other letters. A number is no part of another: "1.5" and
    "-1" do not name the label "1".
    """
    return _read_label(reply, tuple(labels))


@lru_cache(maxsize=10_000)  # tables, figures and the report read the same replies
def _read_label(reply: str, labels: tuple[str, ...]) -> str:
    text = join_text(reply)
    known, pattern = _make_pattern(labels)
    if text in known:
        return text
    found = _fold_to_label(
        text, known, (_drop_sentence_marks, str.casefold, _fold_sentence, normalise)
    )
    if found != NO_LABEL:
        return found
    forms = pattern.findall(text)
    named = {_fold_to_label(form, known, (str, str.casefold, normalise)) for form in forms}
    return named.pop() if len(named) == 1 else NO_LABEL


def join_text(text: str) -> str:
    """Normalise Unicode (NFC) and join white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def normalise(text: str) -> str:
    """Fold case, join white space, and drop marks at both ends."""
    return join_text(text).casefold().strip(_EDGES)


def _fold_to_label(
    text: str, labels: tuple[str, ...], folds: Sequence[Callable[[str], str]]
) -> str:
    """Name the only label that the first of these folds makes equal to a text, else `NO_LABEL`."""
    for fold in folds:
        if label := _fold_labels(labels, fold).get(fold(text)):
            return label
    return NO_LABEL


@lru_cache(maxsize=64)
def _fold_labels(labels: tuple[str, ...], fold: Callable[[str], str]) -> dict[str, str]:
    """Map what a fold makes of labels to the label, unless it is empty or of two labels."""
    forms = Counter(map(fold, labels))
    return {form: label for label in labels if (form := fold(label)) and forms[form] == 1}


@lru_cache(maxsize=8)
def _make_pattern(labels: tuple[str, ...]) -> tuple[tuple[str, ...], "regex.Pattern[str]"]:
    """Join the labels' white space; make a pattern of them and their forms without marks."""
    known = tuple(dict.fromkeys(map(join_text, labels)))
    # A label that is nothing but marks is read where it is the whole reply: a full stop ends any
    # sentence. The longest form comes first, so that it matches before a part of it.
    forms = {form for label in known if normalise(label) for form in (label, normalise(label))}
    ordered = "|".join(regex.escape(form) for form in sorted(forms, key=len, reverse=True))
    # A letter of a script with spaces beside a form makes it a part of another word, and so does a
    # "+" or "#" after it (C, C++), and a point or a sign of a longer number. In Korean a particle
    # may follow.
    word = rf"[\w--{NO_SPACES}]"
    inside = rf"(?:(?<={NO_SPACES})|(?<!{word}))(?<!\d[.,]|(?<!\w)[-−](?=\d))"
    after = rf"(?:{_KOREAN_PARTICLES})?(?!{word}|\p{{M}}|[+#]|[.,]\d)"
    pattern = rf"{inside}({ordered or '(?!)'}){after}"
    return known, regex.compile(pattern, regex.I | regex.V1)


def _drop_sentence_marks(text: str) -> str:
    """Drop the marks that end or quote a sentence."""
    return text.strip(_SENTENCE_MARKS)


def _fold_sentence(text: str) -> str:
    return _drop_sentence_marks(text).casefold()


def _refuses(text: str) -> bool:
    opening = text.strip()[:_OPENING].casefold().replace("’", "'")
    return not opening or _REFUSAL.search(opening) is not None
