"""Scorers: plain functions of a record and a reply, with a name and a direction.

Add your own in one cell:

    def is_short(record, reply):
        return float(len(reply) <= 80)

    scorers = [*scorers_for("text"), Scorer("short", "replies of 80 characters or fewer", is_short)]
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from haikuft.dataset.labels import labels_of
from haikuft.dataset.records import Record, reference_of
from haikuft.errors import SettingsError

TASKS = ("labels", "structured", "text")
NO_LABEL = "(no label)"

_WORD = re.compile(r"[^\W_]+")
_EDGES = " \t\r\n.,;:!?\"'`*_()[]{}<>"


@dataclass(frozen=True, slots=True)
class Scorer:
    """A function of (record, reply) with what a table and a sentence need to know about it.

    Attributes:
        name: Short, for columns and files.
        title: What the mean over records is, as a sentence would say it.
        function: Takes the record and the reply's text, returns a number.
        higher_is_better: False where a small number is the good one.
        is_share: True where each score lies between 0 and 1, so that means read as per cent.
    """

    name: str
    title: str
    function: Callable[[Record, str], float]
    higher_is_better: bool = True
    is_share: bool = True

    def __call__(self, record: Record, reply: str) -> float:
        """Score one reply.

        Raises:
            SettingsError: the function returned no finite number.
        """
        score = float(self.function(record, reply))
        if not math.isfinite(score):
            raise SettingsError(f'Scorer "{self.name}" returned {score} for the reply {reply!r}.')
        return score


def recognise_task(records: Sequence[Record]) -> str:
    """Tell the kind of task from the reference answers: "labels", "structured" or "text".

    "structured" when all of them are JSON objects or lists, "labels" when `labels_of` finds labels.
    Ask it about a whole file: a handful of records shows few labels twice.
    """
    if records and all(_parse_json(reference_of(record)) is not None for record in records):
        return "structured"
    return "labels" if labels_of(records) else "text"


def scorers_for(task: str, labels: Sequence[str] = ()) -> list[Scorer]:
    """Name the scorers of a task, the one that decides the verdict first.

    Args:
        task: "labels", "structured" or "text".
        labels: All labels of a label task.

    Raises:
        SettingsError: an unknown task.
    """
    exact = Scorer("exact_match", "replies equal to the reference", exact_match)
    overlap = Scorer("rouge_l", "ROUGE-L", rouge_l)
    if task == "labels":
        right = partial(label_match, labels=tuple(labels))
        return [Scorer("accuracy", "right labels", right), exact]
    if task == "structured":
        return [
            Scorer("valid_json", "replies that are valid JSON", valid_json),
            Scorer("json_agreement", "agreement with the reference's values", json_agreement),
            exact,
        ]
    if task == "text":
        same = Scorer("same_words", "replies with the reference's words", normalised_match)
        return [overlap, same, exact]
    raise SettingsError(f'task: "{task}" is unknown. Use one of {", ".join(TASKS)}, or "".')


def exact_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference, white space at its ends aside."""
    return float(reply.strip() == reference_of(record).strip())


def normalised_match(record: Record, reply: str) -> float:
    """Score 1.0 when the reply is the reference but for case, spacing and marks at its ends."""
    return float(normalise(reply) == normalise(reference_of(record)))


def label_match(record: Record, reply: str, *, labels: Sequence[str]) -> float:
    """Score 1.0 when the label read out of the reply is the reference."""
    return float(read_label(reply, labels) == reference_of(record).strip())


def valid_json(record: Record, reply: str) -> float:
    """Score 1.0 when the whole reply is a JSON object or list; a fence around it counts as wrong.

    The record plays no part; scorers take one all the same.
    """
    return float(_parse_json(reply) is not None)


def json_agreement(record: Record, reply: str) -> float:
    """Score the share of values that agree, of all that the reply or the reference holds.

    A value is a leaf of the JSON with the way to it. A reply that is no JSON scores 0.0.
    """
    expected, found = _parse_json(reference_of(record)), _parse_json(reply)
    if expected is None or found is None:
        return 0.0
    wanted, given = set(_leaves(expected)), set(_leaves(found))
    return len(wanted & given) / len(wanted | given)


def rouge_l(record: Record, reply: str) -> float:
    """Score the longest common subsequence of words as F1 (ROUGE-L).

    Words are lower-case runs of letters and digits of any script, without stemming; on ASCII text
    that is what the package rouge-score does, which would bring NLTK along for these few lines.
    """
    expected, found = _split_words(reference_of(record)), _split_words(reply)
    if not expected or not found:
        return float(expected == found)
    row = [0] * (len(found) + 1)  # row[j]: longest common subsequence with the first j words found
    for word in expected:
        diagonal = 0
        for j, other in enumerate(found, 1):
            longer = diagonal + 1 if word == other else max(row[j], row[j - 1])
            diagonal, row[j] = row[j], longer
    return 2 * row[-1] / (len(expected) + len(found))


def read_label(reply: str, labels: Sequence[str]) -> str:
    """Read a label out of a reply: the reply itself, or the only label whose words stand in it.

    So a model that answers in a sentence has a fair chance; one that names two labels has not
    decided, and gets `NO_LABEL`. A label inside a longer one ("card" in "card lost") counts only
    where it stands alone.
    """
    by_form = {normalise(label): label for label in labels}
    if normalise(reply) in by_form:
        return by_form[normalise(reply)]
    forms = sorted(filter(None, by_form), key=len, reverse=True)  # the longest takes its words
    if not forms:
        return NO_LABEL
    pattern = rf"(?<!\w)(?:{'|'.join(map(re.escape, forms))})(?!\w)"
    named = {by_form[form] for form in re.findall(pattern, normalise(reply))}
    return named.pop() if len(named) == 1 else NO_LABEL


def normalise(text: str) -> str:
    """Fold case, join white space, and drop marks at both ends."""
    return " ".join(text.casefold().split()).strip(_EDGES)


def _split_words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _parse_json(text: str) -> dict[str, Any] | list[Any] | None:
    """Read a text as a JSON object or list; None when it is anything else, a bare number too."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
    """List each leaf with its way from the root; empty objects and lists are leaves too."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for at, item in enumerate(value) for leaf in _leaves(item, (*path, at))]
    return [(path, json.dumps(value, sort_keys=True))]
