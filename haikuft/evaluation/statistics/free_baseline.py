"""The free baseline: TF-IDF and logistic regression, fitted to the same training split.

A tuned model that costs money should be better than this. scikit-learn fits it; the strength of
the regularisation (C) is chosen by cross-validation on the training records alone.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import DataError
from haikuft.inference.replies import Reply

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FREE = "free baseline"  # its name among the models of a comparison
MODEL = "TF-IDF + logistic regression"  # the name in its replies
STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # the values of C that are tried
FOLDS = 5


def ask_free_baseline(
    training: Sequence[Record],
    records: Sequence[Record],
    *,
    seed: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Reply]:
    """Train on the training records and answer the others, with replies like any model's.

    Args:
        training: The training split, with labels as references.
        records: The records to answer; their references are not used.
        seed: Of the folds.
        clock: Seconds, for the latency.

    Returns:
        Reply by record id. Tokens are 0: nothing is billed.

    Raises:
        DataError: the training records have fewer than two labels, or prompts without words.
    """
    model = train_free_baseline(training, seed=seed)
    strength = f"{model.named_steps['classifier'].C:g}"
    asked_at = datetime.now(UTC).isoformat(timespec="seconds")
    replies = {}
    for record in records:
        started = clock()
        (label,) = model.predict([_text_of(record)])
        replies[record_id(record)] = Reply(
            record_id=record_id(record),
            model_id=FREE,
            text=str(label),
            stop_reason="end_turn",
            input_tokens=0,
            output_tokens=0,
            latency_seconds=round(clock() - started, 6),
            model=f"{MODEL}, C = {strength}",
            error=None,
            asked_at=asked_at,
            settings="{}",
        )
    return replies


def train_free_baseline(training: Sequence[Record], *, seed: int = 1) -> "Pipeline":
    """Fit scikit-learn's pipeline of steps "words" and "classifier".

    C is chosen by the mean accuracy over up to five folds, each with word counts of its own, so
    that no fold uses another's. Where a label has a single record there are no folds, and C is 1.

    Raises:
        DataError: the training records have fewer than two labels, or prompts without words.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

    texts = [_text_of(record) for record in training]
    labels = [reference_of(record).strip() for record in training]
    counts = Counter(labels)
    if len(counts) < 2:
        raise DataError(
            f"The training records have {len(counts)} label. The free baseline needs two or more: "
            "give the training split of a label task."
        )
    words = TfidfVectorizer(sublinear_tf=True)
    split = words.build_analyzer()
    if not any(map(split, texts)):
        raise DataError(
            "The training prompts hold no words of two letters or more, so the free baseline has "
            "nothing to count. Leave it out."
        )
    model = Pipeline([("words", words), ("classifier", LogisticRegression(max_iter=1000))])
    folds = min(FOLDS, *counts.values())
    if folds < 2:
        return model.fit(texts, labels)
    search = GridSearchCV(
        model,
        {"classifier__C": STRENGTHS},
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
    )
    with threadpool_limits(1):  # on so little data more threads are forty times slower
        best: Any = search.fit(texts, labels).best_estimator_
    return best


def _text_of(record: Record) -> str:
    """What was asked, without the system prompt, which is the same for all."""
    return "\n".join(message["content"] for message in prompt_of(record)[1])
