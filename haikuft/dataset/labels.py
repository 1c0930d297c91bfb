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

    They are labels when there are at least two different ones, all of them are short, of one line
    and no JSON, and each is the answer of three records on average.

    Raises:
        DataError: a record does not end with the assistant's answer.
    """
    from haikuft.dataset.records import reference_of  # not loaded for `is_label` alone

    labels = [reference_of(record).strip() for record in records]
    kinds = Counter(labels)
    if len(kinds) < 2 or len(labels) < LEAST_A_LABEL * len(kinds):
        return None
    return labels if all(map(is_label, kinds)) else None


def is_label(text: str) -> bool:
    """Whether an answer is short, of one line and no JSON, as a label is."""
    return 0 < len(text) <= MAX_LABEL_LENGTH and "\n" not in text and not _JSON.match(text)
