"""Built-in metrics of evaluation jobs that can be computed without a model. Pure.

Bedrock's user guide says that accuracy is the share of right classes for classification, and an F1
of words for questions and answers; it does not publish how texts are normalised before. Here case,
surrounding space and (for words) punctuation and articles are ignored, as in the usual F1 of
question answering. Everything else Bedrock offers needs a model, and jobs that ask for it fail.
Source: Bedrock User Guide, "Model evaluation tasks".
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def label_accuracy(response: str, reference: str) -> float:
    """1 for the right class, 0 for any other."""
    return float(response.strip().casefold() == reference.strip().casefold())


def word_f1(response: str, reference: str) -> float:
    """Harmonic mean of precision and recall of the words, each counted as often as it occurs."""
    found, wanted = Counter(_words(response)), Counter(_words(reference))
    if not found or not wanted:
        return float(found == wanted)
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total())


METRICS: Mapping[tuple[str, str], Callable[[str, str], float]] = {
    ("Classification", "Builtin.Accuracy"): label_accuracy,
    ("QuestionAndAnswer", "Builtin.Accuracy"): word_f1,
}
"""(task type, metric) -> (response, reference) -> score from 0 to 1."""


def _words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split()
