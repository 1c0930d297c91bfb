"""Rivals that cost nothing: a text classifier of the same training split, and its usual answer.

A tuned model that costs money should be better than these. The free baseline is TF-IDF and logistic
regression by scikit-learn; whether it counts words or characters, and the strength of the
regularisation (C), are chosen by cross-validation on the training records alone.
"""

import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import regex

from haikuft.dataset.records import Record, question_of, record_id, reference_of
from haikuft.errors import DataError
from haikuft.evaluation.scorers.labels import NO_SPACES
from haikuft.inference.replies import Reply

if TYPE_CHECKING:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import Pipeline

FREE = "free baseline"  # its name among the models of a comparison
MOST_FREQUENT = "most frequent answer"
RIVALS = (FREE, MOST_FREQUENT)
MODEL = "TF-IDF + logistic regression"  # the name in its replies
STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # the values of C that are tried
FOLDS = 5
ENOUGH = 1000  # texts held back to choose by; no more folds than hold about so many are tried
MOST_LEARNT = 2000  # texts that a fold learns from, besides one of each label
MOST_RUNS = 30_000  # of one to four characters that are counted, the most frequent first
MOST_PRODUCTS = 1000  # texts whose products with each other are computed
_LITTLE = 1e-4  # added to a text's product with itself: texts with the same counts have no root
_WORD = regex.compile(r"[\w\p{M}]{2,}")  # scikit-learn's own pattern divides words at their marks


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
        clock: Seconds, for the latency, which is the mean of all.

    Returns:
        Reply by record id. Tokens are 0: nothing is billed.

    Raises:
        DataError: the training records have fewer than two labels, or prompts without words.
    """
    model = train_free_baseline(training, seed=seed)
    counted = "words" if model.named_steps["words"].analyzer == "word" else "characters"
    name = f"{MODEL}, C = {model.named_steps['classifier'].C:g}, of {counted}"
    started = clock()
    answers = model.predict([question_of(record) for record in records]) if records else ()
    seconds = (clock() - started) / max(1, len(records))
    return {
        record_id(record): _answer(record, FREE, str(answer), name, seconds)
        for record, answer in zip(records, answers, strict=True)
    }


def ask_most_frequent(training: Sequence[Record], records: Sequence[Record]) -> dict[str, Reply]:
    """Answer every record with the most frequent answer of the training records."""
    counts = Counter(reference_of(record).strip() for record in training)
    answer = max(sorted(counts), key=counts.__getitem__)
    return {
        record_id(record): _answer(record, MOST_FREQUENT, answer, MOST_FREQUENT, 0.0)
        for record in records
    }


def _answer(record: Record, model_id: str, text: str, model: str, seconds: float) -> Reply:
    return Reply(
        record_id=record_id(record),
        model_id=model_id,
        text=text,
        stop_reason="end_turn",
        input_tokens=0,
        output_tokens=0,
        latency_seconds=round(seconds, 6),
        model=model,
        error=None,
        asked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        settings="{}",
    )


def train_free_baseline(training: Sequence[Record], *, seed: int = 1) -> "Pipeline":
    """Fit scikit-learn's pipeline of steps "words" and "classifier".

    First words or runs of characters, then C, are chosen by the mean accuracy over up to five
    folds, each with counts of its own, so that no fold uses another's; of many texts, over as many
    of the folds as hold about 1,000 back, each of which learns from about 2,000 at most. Copies of
    a record count once. Where a label has a single record there are no folds: then C is 1, and
    characters are counted where most letters are of a script without spaces.

    Raises:
        DataError: the training records have fewer than two labels, or prompts without words.
    """
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

    pairs = dict.fromkeys(
        (question_of(record), reference_of(record).strip()) for record in training
    )
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    names, numbers, records = np.unique(labels, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise DataError(
            f"The training records have {len(names)} label. The free baseline needs two or more: "
            "give the training split of a label task."
        )
    written = "".join(texts)
    if not regex.search(r"[\p{L}\p{N}]", written):
        raise DataError(
            "The training prompts hold no words, so the free baseline has nothing to count. Leave "
            "it out."
        )
    options: dict[str, Any] = {"sublinear_tf": True, "preprocessor": _prepare, "dtype": np.float32}
    words = TfidfVectorizer(tokenizer=_WORD.findall, token_pattern=None, **options)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), max_features=MOST_RUNS, **options
    )
    divided = CountVectorizer(analyzer=str.split, dtype=np.float32)
    spread = divided.fit_transform(texts)  # (texts, words between spaces)
    counted = [_count(one, spread, divided.get_feature_names_out()) for one in (words, characters)]
    with threadpool_limits(1):  # on so little data more threads are forty times slower
        if min(records) < 2:
            letters = len(regex.findall(r"\p{L}", written))
            bare = 2 * len(regex.findall(NO_SPACES, written)) > letters
            best, strength, start = counted[bare], STRENGTHS[0], None
        else:
            best, strength, start = _choose(counted, numbers, _split(numbers, records, seed))
        weighed, kept, idf = _weigh(best, np.arange(len(texts)))
        vectorizer = best.vectorizer.set_params(vocabulary=list(best.names[kept]))
        vectorizer.idf_ = idf
        classifier = LogisticRegression(C=strength, max_iter=1000, warm_start=start is not None)
        if start is not None:
            classifier.coef_, classifier.intercept_ = start[:, kept], start[:, -1]
        classifier.fit(weighed, labels)
    return Pipeline([("words", vectorizer), ("classifier", classifier)])


def _split(numbers: Any, records: Any, seed: int) -> list[tuple[Any, Any]]:
    """Divide the texts into what a fold learns from and what it holds back, by their labels."""
    from sklearn.model_selection import StratifiedKFold

    folds = min(FOLDS, *records)
    enough = max(1, round(ENOUGH * folds / len(numbers)))
    folding = StratifiedKFold(folds, shuffle=True, random_state=seed).split(numbers, numbers)
    draw = np.random.default_rng(seed)

    def pick(learnt: Any) -> Any:
        one_each = learnt[np.unique(numbers[learnt], return_index=True)[1]]
        some = draw.choice(learnt, min(len(learnt), MOST_LEARNT), replace=False)
        return np.union1d(one_each, some)

    return [(pick(learnt), held) for learnt, held in islice(folding, enough)]


class _Counted(NamedTuple):
    """What a vectorizer counts in the training texts."""

    vectorizer: "TfidfVectorizer"
    counts: Any  # sparse, (texts, columns)
    names: Any  # of the columns


def _count(vectorizer: "TfidfVectorizer", spread: Any, words: Any) -> _Counted:
    """Count once what a word between spaces holds, for all texts; `spread` is (texts, words)."""
    from sklearn.feature_extraction.text import CountVectorizer

    options = {name: getattr(vectorizer, name) for name in CountVectorizer().get_params()}
    of_words = CountVectorizer(**{**options, "max_features": None})
    counts = spread @ of_words.fit_transform(words)
    return _Counted(vectorizer, counts, of_words.get_feature_names_out())


def _weigh(counted: _Counted, learnt: Any) -> tuple[Any, Any, Any]:
    """Weigh all texts as the vectorizer would that has learnt from these.

    Returns:
        Weights, sparse (texts, kept); the columns kept; the inverse document frequency of each.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    vectorizer, counts, _ = counted
    totals = np.asarray(counts[learnt].sum(axis=0)).ravel()  # (columns,)
    kept = np.flatnonzero(totals)
    most = vectorizer.max_features or len(kept)
    kept = np.sort(kept[np.argsort(-totals[kept])[:most]])  # as scikit-learn does
    weigh = TfidfTransformer(sublinear_tf=vectorizer.sublinear_tf).fit(counts[learnt][:, kept])
    return weigh.transform(counts[:, kept]), kept, weigh.idf_


def _choose(
    counted: Sequence[_Counted], numbers: Any, splits: Sequence[tuple[Any, Any]]
) -> tuple[_Counted, float, Any]:
    """Choose what to count with the smallest C, and then C, by the mean accuracy over the folds.

    Of equals the first is taken: words, which are quicker, and the smaller C. Where columns
    outnumber texts, a text is given by its products with those learnt from, which are all that the
    regression uses of it. Each regression begins at the weights of the smaller C before it.

    Returns:
        What to count; C; and the first fold's weights with it, (labels, columns and the intercept),
            from which the regression on all texts needs fewer steps; None where they are of
            products.
    """
    from scipy.linalg import cholesky, solve_triangular
    from sklearn.linear_model import LogisticRegression

    def prepare(one: _Counted) -> Iterator[tuple[Any, ...]]:
        for learnt, held in splits:
            weighed, kept, _ = _weigh(one, learnt)
            if len(numbers) < min(len(kept), MOST_PRODUCTS):
                dense, kept = weighed.toarray(), None
                products = (dense @ dense.T)[learnt].astype(float)  # (learnt, texts)
                root = cholesky(products[:, learnt] + _LITTLE * np.eye(len(learnt)), lower=True)
                weighed = solve_triangular(root, products, lower=True).T
            classifier = LogisticRegression(max_iter=1000, warm_start=True)
            yield classifier, kept, weighed[learnt], numbers[learnt], weighed[held], numbers[held]

    def score(folds: Sequence[tuple[Any, ...]], strength: float) -> tuple[Any, Any]:
        accuracies = [
            (classifier.set_params(C=strength).fit(shown, answers).predict(held) == wanted).mean()
            for classifier, _, shown, answers, held, wanted in folds
        ]
        classifier = folds[0][0]
        return np.mean(accuracies), np.c_[classifier.coef_, classifier.intercept_]

    folds = [list(prepare(one)) for one in counted]
    first = [score(of_one, STRENGTHS[0]) for of_one in folds]
    best = int(np.argmax([accuracy for accuracy, _ in first]))
    scores = [first[best], *(score(folds[best], strength) for strength in STRENGTHS[1:])]
    chosen = int(np.argmax([accuracy for accuracy, _ in scores]))
    (kept, weights), start = (folds[best][0][1], scores[chosen][1]), None
    if kept is not None:
        start = np.zeros((len(weights), len(counted[best].names) + 1), weights.dtype)
        start[:, [*kept, -1]] = weights
    return counted[best], STRENGTHS[chosen], start


def _prepare(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()
