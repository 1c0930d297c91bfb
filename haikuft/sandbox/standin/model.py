"""The stand-in: a small next-token model, trained on a job's own records. It is not Claude.

1. A reply becomes tokens: words seen at least twice in training, single bytes for all other text,
   and one token for the reply's end. So every text has tokens, and every loss is finite.
2. The features of the prompt and of the reply so far become rows of tables: see `features`.
3. hidden = tanh(context + (1 + gate) * prompt), next token = softmax(output @ hidden), where
   `context` and `gate` are sums over the features of the reply so far: what usually comes next,
   and how much the prompt matters at this place.
4. Training follows the gradient of the mean cross-entropy, a batch of records at a time.
5. A reply is written token by token until its end, a stop sequence or `max_tokens`. A small model
   that repeats something three times would repeat it for ever, so that token is excluded.
6. If more than half of the training replies differ, the task is open-ended. Then words of the
   prompt are further tokens, see `copying`, frequent parts of words are in the vocabulary, too, and
   the tables are narrower, since such replies are long. For labels none of this is used.

scikit-learn's MLPClassifier.partial_fit on the same features took 40 times as long and was no more
often right: its updates touch every row of every table, ours only those that a batch needs.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from haikuft.base_models import BaseModel
from haikuft.errors import DataError, NotFoundError
from haikuft.hyperparameters import EarlyStop, Hyperparameters, decide_early_stop
from haikuft.sandbox.standin import copying, features
from haikuft.sandbox.standin.copying import COPY_ROWS, Candidates
from haikuft.sandbox.standin.features import CONTEXT_ROWS, PROMPT_ROWS, Array, Record

if TYPE_CHECKING:
    from scipy import sparse

WIDTH, OPEN_WIDTH = 96, 64  # hidden units: the length of the rows of all tables but "copy"
RATES = {"prompt": 0.3, "context": 1.0, "gate": 0.6, "output": 0.5, "copy": 0.15}  # at multiplier 1
GRADIENT_MEMORY = (
    0.25  # of past gradients at each epoch's start; with all of it nothing would overfit
)
MOST_WORDS, MOST_OPEN_WORDS = 4000, 600  # in the vocabulary; keeps the softmax affordable
MOST_PARTS = 400  # of words, beside the words of an open-ended task
# Tokens whose probabilities are held at once: about 35 MB; for open-ended tasks the cache's size.
CHUNK, OPEN_CHUNK = 2048, 256
LEARNT_PROBABILITY = 0.99  # the gradient of a token this likely is left out, which saves time
LOOP = 24  # tokens; a reply is stuck if it ends with so many, at least three rounds of the same
LONGEST_LOOP = 80  # tokens of one round

Random = np.random.Generator | None  # None where nothing is drawn


class Point(NamedTuple):
    """A loss in nats per reply token. Steps count from 1, epochs from 0, as in AWS's files."""

    step: int
    epoch: int
    loss: float


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The configuration of a training.

    Attributes:
        epoch_count: Maximum passes over the training set.
        batch_size: Records for each update.
        learning_rate_multiplier: Scales the stand-in's own learning rates.
        early_stopping_threshold: Smallest decrease of the validation loss that counts.
        early_stopping_patience: Epochs in a row without such a decrease after which the
            training ends; 0 for no early stopping.
        warmup_steps: Updates in which the rates rise to their value.
    """

    epoch_count: int = 2
    batch_size: int = 32
    learning_rate_multiplier: float = 1.0
    early_stopping_threshold: float = 0.001
    early_stopping_patience: int = 2
    warmup_steps: int = 0


def build_training_config(
    base_model: BaseModel, hyperparameters: Hyperparameters
) -> TrainingConfig:
    """Build the configuration from a base model's hyperparameters.

    Those that it lacks have fixed values here: the batch size, and no early stopping. A learning
    rate is used relative to the model's default.
    """
    rate = base_model.hyperparameters.get("learning_rate")
    scale = hyperparameters["learning_rate"] / rate.default if rate else 1.0
    return TrainingConfig(
        epoch_count=int(hyperparameters["epoch_count"]),
        batch_size=int(hyperparameters.get("batch_size", base_model.training_batch)),
        learning_rate_multiplier=hyperparameters.get("learning_rate_multiplier", scale),
        early_stopping_threshold=hyperparameters.get("early_stopping_threshold", 0.0),
        early_stopping_patience=int(hyperparameters.get("early_stopping_patience", 0)),
        warmup_steps=int(hyperparameters.get("learning_rate_warmup_steps", 0)),
    )


class Generation(NamedTuple):
    """A reply and why it ended: "end_turn", "max_tokens" or "stop_sequence"."""

    text: str
    stop_reason: str
    stop_sequence: str | None
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Training:
    """The model of the kept epoch and the losses on the way there."""

    model: "StandIn"
    steps: list[Point]  # each batch before its update
    validations: list[Point]  # the whole validation set at each epoch's end
    early_stop: EarlyStop | None  # None without validation records
    kept_epoch: int  # counted from 1
    loss: float  # of the kept model on the training records, in nats per reply token


class StandIn:
    """The model: a vocabulary and four tables, or five. Made by `train` or `StandIn.load`.

    Of the tables for features only the rows that training has used are held, below a first row of
    zeros that stands for all others.

    Args:
        words: The vocabulary, without the single bytes and the end.
        rarity: (PROMPT_ROWS,) weight of each feature of a prompt.
        used: The rows that "prompt", "context" and "gate" hold, ascending, each (used rows,); the
            last two hold the same.
        tables: "prompt", "context" and "gate" (1 + used rows, WIDTH), "output" (tokens, WIDTH),
            where tokens are 256 bytes, the words and the end. If the task is open-ended, "copy"
            (COPY_ROWS, 1), too, and WIDTH is `OPEN_WIDTH`.
    """

    def __init__(
        self,
        words: Sequence[str],
        rarity: Array,
        used: Mapping[str, Array],
        tables: dict[str, Array],
    ) -> None:
        self.words, self.rarity, self.used, self.tables = words, rarity, used, tables
        # Where each row of features is held: (PROMPT_ROWS,) and (CONTEXT_ROWS,).
        self.held = {
            "prompt": np.zeros(PROMPT_ROWS, np.int32),
            "context": np.zeros(CONTEXT_ROWS, np.int32),
        }
        for name, held in self.held.items():
            held[used[name]] = np.arange(1, len(used[name]) + 1)
        self.ids = {word: 256 + place for place, word in enumerate(words)}
        # What each token adds to a reply. The last one is the end and adds nothing.
        self.pieces = [*(bytes([n]) for n in range(256)), *(word.encode() for word in words), b""]
        self.open_ended = "copy" in tables

    def loss(self, records: Iterable[Record]) -> float:
        """Measure the mean cross-entropy of the records' replies, in nats per reply token."""
        return _mean_loss(self, [_place(self, _encode(self, record)) for record in records])

    def generate(
        self,
        system: Any,
        messages: Sequence[Record],
        *,
        max_tokens: int,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_k: int | None = None,
        stop_sequences: Sequence[str] = (),
        seed: int = 0,
    ) -> Generation:
        """Write a reply, at temperature 0 with the likeliest tokens, else with drawn ones.

        A last message of the assistant's is the beginning of the reply, which is continued.
        """
        begun = [message for message in messages[-1:] if message["role"] == "assistant"]
        asked = messages[: len(messages) - len(begun)]
        prompt = features.join_texts(system, asked)
        rows, weights = features.weigh_features(prompt, self.rarity)  # both (prompt features,)
        prompt_sum = weights @ self.tables["prompt"][self.held["prompt"][rows]]  # (WIDTH,)
        cursor = features.Cursor()
        random = np.random.default_rng(seed) if temperature else None
        candidates, tokens, pieces = self.split(asked, features.join_texts(None, begun))
        for token in tokens:
            cursor.push(min(token, len(self.pieces)), pieces[token])
        stops = [one.encode() for one in stop_sequences]
        reply, reason, stop, written = b"", "max_tokens", b"", list[int]()
        while len(written) < max_tokens and reason == "max_tokens":
            columns = [cursor.columns()]
            rows = features.hash_place(tuple(columns[0]), open_ended=self.open_ended)
            place, scale = self.held["context"][rows], len(rows) ** -0.5  # (context features,)
            context = self.tables["context"][place].sum(0) * scale  # (WIDTH,)
            gate = 1 + self.tables["gate"][place].sum(0) * scale  # (WIDTH,)
            scores = self.tables["output"] @ np.tanh(context + gate * prompt_sum)  # (tokens,)
            if candidates:  # (tokens + candidates,) from here
                scores = np.pad(scores, (0, len(candidates.ids)), constant_values=-np.inf)
                pairs = copying.hash_pairs(columns, candidates)  # (features, 1, candidates)
                copies = self.tables["copy"][pairs, 0].sum(0)[0]  # (candidates,)
                np.logaddexp.at(scores, candidates.ids, copies)
            scores[find_loop(written)] = -np.inf
            token = choose_token(scores, temperature, top_p, top_k, random)
            if token == len(self.pieces) - 1:
                reason = "end_turn"
                break
            reply += pieces[token]
            written.append(token)
            cursor.push(min(token, len(self.pieces)), pieces[token])
            if ends := [(reply.find(one), one) for one in stops if one in reply]:
                (end, stop), reason = min(ends), "stop_sequence"
                reply = reply[:end]
        input_tokens = len(features.split_text(prompt))
        text = reply.decode(errors="ignore")  # `max_tokens` may cut a character in two
        return Generation(text, reason, stop.decode() or None, input_tokens, len(written))

    def split(
        self, prompt: Iterable[Record], reply: str
    ) -> tuple[Candidates | None, list[int], list[bytes]]:
        """Turn a reply to messages into tokens.

        Returns what can be copied from the messages, None unless the task is open-ended; the
        tokens; and what each of all tokens adds to a reply.
        """
        if not self.open_ended:
            return None, features.split_tokens(reply, self.ids, parts=False), self.pieces
        text = features.join_texts(None, prompt)
        candidates = copying.find_candidates(text, self.ids, len(self.pieces))
        ids = self.ids | dict(zip(candidates.texts, candidates.ids.tolist(), strict=True))
        pieces = [*self.pieces, *(text.encode() for text in candidates.texts)]
        return candidates, features.split_tokens(reply, ids, parts=True), pieces

    def save(self, directory: Path) -> None:
        """Write `model.npz` into the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        words = np.frombuffer(json.dumps(self.words).encode(), np.uint8)
        arrays: dict[str, Any] = {
            "words": words,
            "rarity": self.rarity,
            **_pack(self.used, self.tables),
        }
        np.savez(directory / "model.npz", **arrays)

    @classmethod
    def load(cls, directory: Path) -> "StandIn":
        """Read a saved model.

        Raises:
            NotFoundError: the directory holds none.
            DataError: its file is damaged.
        """
        path = directory / "model.npz"
        if not path.exists():
            raise NotFoundError(f"{directory} holds no saved model. Run the job again.")
        try:
            with np.load(path, allow_pickle=False) as file:
                packed = dict(file)
            words = json.loads(packed["words"].tobytes())
            return cls(words, packed["rarity"], *_unpack(packed))
        except (BadZipFile, EOFError, IndexError, KeyError, ValueError) as error:
            raise DataError(f"{path} is damaged: {error}. Run the job again.") from error


def train(
    training: Sequence[Record],
    validation: Sequence[Record],
    config: TrainingConfig,
    *,
    seed: int = 0,
    on_step: Callable[[Point], object] = lambda point: None,
    on_validation: Callable[[Point], object] = lambda point: None,
) -> Training:
    """Train a new model. Early stopping acts on the validation records, if there are any.

    `on_step` is given each training loss, and `on_validation` each validation loss.
    """
    if not training:
        raise DataError("There are no training records. Give the job at least one.")
    model, examples = _initialize(training, seed)
    held_out = [_place(model, _encode(model, record)) for record in validation]
    # Table name -> (rows of the table, 1): the sum of squared gradients of each row.
    histories = {name: np.zeros((len(rows), 1), np.float32) for name, rows in model.tables.items()}
    steps: list[Point] = []
    validations: list[Point] = []
    best: dict[str, Array] = {}
    stop, kept = None, config.epoch_count
    for epoch in range(config.epoch_count):
        histories = {name: GRADIENT_MEMORY * history for name, history in histories.items()}
        order = np.random.default_rng([seed, epoch]).permutation(len(examples))
        for start in range(0, len(order), config.batch_size):
            batch = [examples[n] for n in order[start : start + config.batch_size]]
            loss, tokens, gradients = _compute_loss(model, batch, learn=True)
            warmth = min(1.0, (len(steps) + 1) / max(1, config.warmup_steps))
            for name, (rows, gradient) in gradients.items():
                rate = RATES[name] * config.learning_rate_multiplier * warmth
                shift = _scale_gradient(
                    histories[name], rows, gradient / tokens, even=name == "prompt"
                )
                model.tables[name][rows] -= rate * shift
            steps.append(Point(len(steps) + 1, epoch, loss / tokens))
            on_step(steps[-1])
        if held_out:
            validations.append(Point(len(steps), epoch, _mean_loss(model, held_out)))
            on_validation(validations[-1])
        if held_out and config.early_stopping_patience:
            stop = decide_early_stop(
                [point.loss for point in validations],
                threshold=config.early_stopping_threshold,
                patience=config.early_stopping_patience,
            )
            kept = stop.best_epoch
            best = {n: t.copy() for n, t in model.tables.items()} if kept == epoch + 1 else best
            if stop.stopped_epoch:
                break
    model.tables = best or model.tables
    return Training(model, steps, validations, stop, kept, _mean_loss(model, examples))


class _Example(NamedTuple):
    rows: Array  # (prompt features,) rows of the prompt table
    weights: Array  # (prompt features,)
    places: Array  # (reply tokens, context features) rows of the context and gate tables
    targets: Array  # (reply tokens,) the reply's tokens, the end last
    columns: Array  # (reply tokens, cursor's columns), all of 32 bits
    candidates: Candidates | None  # what can be copied from the prompt


def _initialize(records: Sequence[Record], seed: int) -> tuple[StandIn, list[_Example]]:
    """Build the vocabulary from the replies; only the output table is not zero."""
    prompts = [features.prompt_text(record) for record in records]
    replies = [features.reply_text(record) for record in records]
    open_ended = 2 * len(set(replies)) > len(replies)
    words, width = _choose_words(replies, open_ended), OPEN_WIDTH if open_ended else WIDTH
    rarity = features.measure_rarity(prompts)
    none = np.empty(0, np.int64)
    copy = {"copy": np.zeros((COPY_ROWS, 1), np.float32)} if open_ended else {}
    empty = StandIn(words, rarity, {"prompt": none, "context": none}, copy)
    examples = [_encode(empty, record) for record in records]
    rows = np.unique(np.concatenate([example.rows for example in examples]))
    places = np.unique(np.concatenate([example.places for example in examples])).astype(np.int64)
    used = {"prompt": rows, "context": places, "gate": places}
    tables = {name: np.zeros((1 + len(rows), width), np.float32) for name, rows in used.items()}
    start = np.random.default_rng(seed).standard_normal((257 + len(words), width), np.float32)
    tables["output"] = start / np.float32(width**0.5)
    model = StandIn(words, rarity, used, tables | copy)
    return model, [_place(model, example) for example in examples]


def _choose_words(replies: Iterable[str], open_ended: bool) -> list[str]:
    """Choose the vocabulary: words seen at least twice, and parts of others if open-ended."""
    seen = Counter(piece for reply in replies for piece in features.split_text(reply))
    most = MOST_OPEN_WORDS if open_ended else MOST_WORDS
    words = [word for word, count in seen.most_common(most) if count > 1]
    if not open_ended:
        return words
    others = seen - Counter({word: seen[word] for word in words})
    parts = [part for part, _ in features.count_parts(others).most_common(MOST_PARTS)]
    return list(dict.fromkeys([*words, *parts]))


def _encode(model: StandIn, record: Record) -> _Example:
    rows, weights = features.weigh_features(features.prompt_text(record), model.rarity)
    candidates, tokens, pieces = model.split(record["messages"][:-1], features.reply_text(record))
    columns = features.read_reply(tokens, pieces, len(model.pieces))
    places = features.hash_columns(columns, open_ended=model.open_ended)
    targets = np.array([*tokens, len(model.pieces) - 1])
    return _Example(rows, weights, places, targets, np.array(columns, np.uint32), candidates)


def _place(model: StandIn, example: _Example) -> _Example:
    """Replace rows of features by those of the model's tables that hold them."""
    rows, places = model.held["prompt"][example.rows], model.held["context"][example.places]
    return example._replace(rows=rows, places=places)


def _compute_loss(
    model: StandIn, batch: Sequence[_Example], *, learn: bool = False
) -> tuple[float, int, dict[str, tuple[Array, Array]]]:
    """Sum the cross-entropy over the batch's tokens; to learn, the gradient of each table too."""
    tables = model.tables
    # (places,): every token of every reply in the batch, one after another.
    targets = np.concatenate([example.targets for example in batch])
    lengths = np.array([len(example.targets) for example in batch])  # (records,)
    owners = np.repeat(np.arange(len(batch)), lengths)  # (places,) the record of each place
    starts = lengths.cumsum() - lengths  # (records,) the first place of each record
    places = np.concatenate([example.places for example in batch])  # (places, context features)
    # prompts (records, used prompt rows) and contexts (places, used context rows) are sparse.
    prompt_rows, prompts = _sparse(
        tables["prompt"], [e.rows for e in batch], [e.weights for e in batch]
    )
    weight = np.full(places.shape[1], places.shape[1] ** -0.5, np.float32)  # length 1 together
    place_rows, contexts = _sparse(tables["context"], places, [weight] * len(places))
    prompt_sums = (prompts @ tables["prompt"][prompt_rows])[owners]  # (places, WIDTH)
    gate = 1 + contexts @ tables["gate"][place_rows]  # (places, WIDTH)
    hidden = np.tanh(contexts @ tables["context"][place_rows] + gate * prompt_sums)
    to_hidden = np.zeros_like(hidden)  # (places, WIDTH) the gradient of the hidden units
    to_output = np.zeros_like(tables["output"])  # (tokens, WIDTH)
    words, loss = len(tables["output"]), 0.0
    pairs, copies, also = _score_batch(model, batch)
    to_copies = np.zeros_like(copies)  # (places, candidates)
    chunk = OPEN_CHUNK if model.open_ended else CHUNK
    memory = np.empty((min(chunk, len(targets)), words + copies.shape[1]), np.float32)
    for start in range(0, len(targets), chunk):
        part = slice(start, start + chunk)
        scores = memory[: len(targets[part])]  # (places of the chunk, tokens + candidates)
        np.matmul(hidden[part], tables["output"].T, out=scores[:, :words])
        scores[:, words:] = copies[part]
        scores -= scores.max(1, keepdims=True)
        right = np.arange(len(scores)), targets[part]
        lines, copied = np.nonzero(also[part])
        also_right = lines, words + copied  # candidates of the same text as the target
        together = scores[right]  # (places of the chunk,) the target's score
        np.logaddexp.at(together, lines, scores[also_right])
        loss -= float(together.sum(dtype=np.float64))
        # Which part of the target's probability each of its scores gives.
        shares = np.exp(scores[right] - together)
        also_shares = np.exp(scores[also_right] - together[lines])
        sums = np.exp(scores, out=scores).sum(1, keepdims=True)  # (places of the chunk, 1)
        loss += float(np.log(sums).sum(dtype=np.float64))
        if learn:
            scores /= sums  # probabilities from here, and below their gradient
            # (places that still teach,)
            unsure = np.flatnonzero(np.exp(together) / sums[:, 0] < LEARNT_PROBABILITY)
            scores[right] -= shares
            scores[also_right] -= also_shares
            scores = scores[unsure]
            to_output += scores[:, :words].T @ hidden[part][unsure]
            to_hidden[start + unsure] = scores[:, :words] @ tables["output"]
            to_copies[start + unsure] = scores[:, words:]
    if not learn:
        return loss, len(targets), {}
    to_hidden *= 1 - hidden**2
    gradients = {  # table name -> its rows that change (n,) and their gradient (n, WIDTH)
        "prompt": (prompt_rows, prompts.T @ np.add.reduceat(to_hidden * gate, starts)),
        "context": (place_rows, contexts.T @ to_hidden),
        "gate": (place_rows, contexts.T @ (to_hidden * prompt_sums)),
        "output": (np.arange(len(to_output)), to_output),
    }
    if model.open_ended:
        gradients["copy"] = _sum_copies(pairs, to_copies, starts)
    return loss, len(targets), gradients


def _score_batch(model: StandIn, batch: Sequence[_Example]) -> tuple[list[Array], Array, Array]:
    """Score what can be copied at each place of a batch; all is empty unless it is open-ended.

    Returns the rows of each record's pairs, (features, reply tokens, its candidates); the scores,
    (places, most candidates), where a record has fewer -inf; and in the same shape whether one has
    the target's text, but is not the target itself.
    """
    found = [(e, e.candidates) for e in batch if e.candidates is not None]
    most = max((len(candidates.ids) for _, candidates in found), default=0)
    pairs, start = list[Array](), 0
    scores = np.full((sum(len(e.targets) for e in batch), most), -np.inf, np.float32)
    also = np.zeros(scores.shape, bool)
    for example, candidates in found:
        rows = copying.hash_pairs(example.columns, candidates)
        place = slice(start, start + rows.shape[1]), slice(0, rows.shape[2])
        scores[place] = model.tables["copy"][:, 0].take(rows).sum(0)
        tokens = len(model.pieces) + np.arange(rows.shape[2])  # (candidates,) were all unknown
        targets = example.targets[:, None]
        also[place] = (candidates.ids == targets) & (tokens != targets)
        pairs.append(rows)
        start += rows.shape[1]
    return pairs, scores, also


def _sum_copies(pairs: Sequence[Array], to_copies: Array, starts: Array) -> tuple[Array, Array]:
    """Sum the gradient (places, candidates) by rows of "copy": the rows (n,), and theirs (n, 1)."""
    total = np.zeros(COPY_ROWS)
    for rows, start in zip(pairs, starts, strict=True):
        gradient = to_copies[start : start + rows.shape[1], : rows.shape[2]]
        some = np.flatnonzero(gradient.any(1))  # (places that still teach,)
        weights = np.tile(gradient[some].ravel(), len(rows))
        total += np.bincount(rows[:, some].ravel(), weights, COPY_ROWS)
    changed = np.flatnonzero(total)
    return changed, total[changed, None].astype(np.float32)


def _scale_gradient(history: Array, rows: Array, gradient: Array, *, even: bool) -> Array:
    """Scale a gradient as AdaGrad does, by row: rows with large past gradients change less.

    `history` is (rows of the table, 1), `rows` (n,), `gradient` and the result (n, WIDTH). `even`
    adds the rows' mean, so that rare rows, those of a single record's words, change less.
    """
    history[rows] += (gradient**2).sum(1, keepdims=True)
    mean = history[rows].sum() / max(len(rows), 1)
    return np.asarray(gradient / np.sqrt(history[rows] + even * mean + 1e-12))


def _mean_loss(model: StandIn, examples: Sequence[_Example]) -> float:
    size = 8 if model.open_ended else 64  # records at a time; pairs with candidates take memory
    parts = [_compute_loss(model, examples[n : n + size]) for n in range(0, len(examples), size)]
    return sum(loss for loss, _, _ in parts) / sum(tokens for _, tokens, _ in parts)


def _sparse(
    table: Array, lines: Sequence[Array] | Array, weights: Sequence[Array]
) -> tuple[Array, "sparse.csr_matrix"]:
    """Make a matrix with a line for each of `lines`, rows of the table, and their weights.

    Returns the rows that occur, ascending, and the matrix, which has a column for each of them.
    """
    from scipy import sparse  # the server, which only answers, does without it

    rows = np.concatenate([*lines])  # (all entries,)
    ends = np.cumsum([0, *map(len, lines)], dtype=np.int32)  # (lines + 1,)
    occurs = np.bincount(rows, minlength=len(table)) > 0  # (rows of the table,)
    # (rows of the table,) right for each row that occurs
    columns = occurs.cumsum(dtype=np.int32) - 1
    entries = (np.concatenate([*weights]), columns[rows], ends)
    used = np.flatnonzero(occurs)
    return used, sparse.csr_matrix(entries, shape=(len(lines), len(used)))


def _pack(used: Mapping[str, Array], tables: Mapping[str, Array]) -> dict[str, Array]:
    """Copy the rows that are not zero, with their numbers among all rows of features."""
    held = {name: np.flatnonzero(table.any(1)) for name, table in tables.items()}
    numbers = {
        f"{name}_rows": used[name][rows - 1] if name in used else rows
        for name, rows in held.items()
    }
    return numbers | {name: table[held[name]] for name, table in tables.items()}


def _unpack(packed: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Give the rows that are held, and the tables."""
    places = np.union1d(packed["context_rows"], packed["gate_rows"])
    used = {"prompt": packed["prompt_rows"], "context": places, "gate": places}
    width = packed["output"].shape[1]
    tables = {name: np.zeros((1 + len(rows), width), np.float32) for name, rows in used.items()}
    for name, rows in used.items():
        tables[name][1 + np.searchsorted(rows, packed[f"{name}_rows"])] = packed[name]
    if "copy" in packed:  # a model of an open-ended task
        tables["copy"] = np.zeros((COPY_ROWS, 1), np.float32)
        tables["copy"][packed["copy_rows"]] = packed["copy"]
    return used, tables | {"output": packed["output"]}


def find_loop(tokens: list[int]) -> list[int]:
    """Return the token that would continue a loop, if the reply is in one."""
    for period in range(1, min(len(tokens) // 3, LONGEST_LOOP) + 1):
        if tokens[-1] == tokens[-1 - period]:  # else there is nothing to compare
            size = max(3 * period, LOOP)
            tail = tokens[-size:]
            if len(tokens) >= size and tail[period:] == tail[:-period]:
                return [tokens[-period]]
    return []


def choose_token(
    scores: Array, temperature: float, top_p: float, top_k: int | None, random: Random
) -> int:
    """Take the likeliest token at temperature 0, else draw one of the likeliest.

    `scores` is (tokens,), the logarithm of their probabilities but for a constant.
    """
    if temperature == 0 or random is None:
        return int(scores.argmax())
    order = np.argsort(-scores, kind="stable")[: top_k or None]  # (candidates,) likeliest first
    chances = np.exp((scores[order] - scores[order[0]]).astype(np.float64) / temperature)
    chances /= chances.sum()
    chances[1:][np.cumsum(chances)[:-1] >= top_p] = 0  # the likeliest token always stays
    return int(random.choice(order, p=chances / chances.sum()))
