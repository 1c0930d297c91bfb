"""Scorers of whole texts: equality, labels, length and refusals."""

import re
from collections.abc import Sequence

from haikuft.dataset.records import Record, reference_of

NO_LABEL = "(no label)"

_EDGES = " \t\r\n.,;:!?\"'`*_()[]{}<>"
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am)(?: very| so| really)? sorry|my apologies|i apologi[sz]e|unfortunately)\b"
    r"|\bas an ai\b"
    r"|\bi(?:'m| am)(?: not able| unable|n't able)\b"
    r"|\bi (?:can ?not|can't|won't|will not|couldn't|could not|must decline|refuse|decline)\b"
    r"|\bi do(?: not|n't) (?:have (?:enough|access|the ability)|feel comfortable)\b"
)
_OPENING = 120  # characters; later in a long answer a refusal may be a quotation


def exact_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference, white space at its ends aside."""
    return float(reply.strip() == reference_of(record).strip())


def normalised_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference but for case, spacing and marks at its ends."""
    return float(normalise(reply) == normalise(reference_of(record)))


def label_match(record: Record, reply: str, *, labels: Sequence[str]) -> float:
    """Score 1.0 when the label in the reply is the reference."""
    return float(read_label(reply, labels) == reference_of(record).strip())


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

    A model may so answer in a sentence; a reply that names two labels gets `NO_LABEL`. A label
    inside a longer one ("card" in "card lost") counts only where it occurs alone.
    """
    by_form = {normalise(label): label for label in labels}
    if normalise(reply) in by_form:
        return by_form[normalise(reply)]
    forms = sorted(
        filter(None, by_form), key=len, reverse=True
    )  # longest first, so that it matches before a part of it
    if not forms:
        return NO_LABEL
    pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)"
    named = {by_form[form] for form in re.findall(pattern, normalise(reply))}
    return named.pop() if len(named) == 1 else NO_LABEL


def normalise(text: str) -> str:
    """Fold case, join white space, and drop marks at both ends."""
    return " ".join(text.casefold().split()).strip(_EDGES)


def _refuses(text: str) -> bool:
    opening = text.strip()[:_OPENING].casefold().replace("’", "'")
    return not opening or _REFUSAL.search(opening) is not None
