"""Labels: whether the answers of a data set are a few classes of its prompts."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

MAX_LABEL_LENGTH = 60  # characters
# How an object or array begins; "[urgent]" is none.
_JSON = re.compile(r'\{\s*["}]|\[\s*(?:[\]\[{"\d-]|(?:true|false|null)\b)')
LEAST_A_LABEL = 3  # records that a label has on average; with fewer the answers are free text


def labels_of(records: Sequence[Mapping[str, Any]]) -> list[str] | None:
    """Give each record's label, or None when the answers are no labels.

    Raises:
        DataError: a record does not end with the assistant's answer.
    """
    from haikuft.dataset.records import reference_of  # not loaded for `are_labels` alone

    labels = [reference_of(record).strip() for record in records]
    return labels if are_labels(Counter(labels)) else None


def are_labels(answers: Counter[str]) -> bool:
    """Whether answers are labels: at least two different ones, all short, of one line and no JSON.

    Args:
        answers: Answer -> how many records have it; that must be three on average.
    """
    enough = len(answers) > 1 and answers.total() >= LEAST_A_LABEL * len(answers)
    return enough and all(map(is_label, answers))


def is_label(text: str) -> bool:
    """Whether an answer is short, of one line and no JSON, as a label is."""
    return 0 < len(text) <= MAX_LABEL_LENGTH and "\n" not in text and not _JSON.match(text)
