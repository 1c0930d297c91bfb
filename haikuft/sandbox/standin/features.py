"""The features of the stand-in: text as numbers. Pure, and the same in training and inference.

A prompt is a bag of words: its words, its word pairs and the parts of its words, each hashed to a
row of a table. Features of nearly all prompts have weight 0, rare ones more, and the weights of a
prompt have a fixed norm, so that the length of a prompt does not matter. Further features are the
options in a prompt that share words with its text, which the baseline uses, too.

A reply is read token by token. A cursor has the last tokens, open quotation marks and brackets, the
current keys and lengths, and whether a key or its value comes next, which decides between colon and
comma; combinations of these are the features, hashed to rows in the same way. Open-ended replies,
most of which differ, have features of their own.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from haikuft.package_data import read_toml
from haikuft.sandbox.standin.baseline import shared_options

Array = npt.NDArray[Any]
Record = Mapping[str, Any]

PROMPT_ROWS = 1 << 17  # the first half for words and word pairs, the second for parts of words
CONTEXT_ROWS, OPEN_ROWS = 1 << 18, 1 << 17  # the second for open-ended replies: fewer are faster
HALF = PROMPT_ROWS // 2
LONGEST_PART = 4  # letters of a part of a word

TABLE = read_toml("haikuft.sandbox.standin", "standin.toml")["features"]
COLUMNS = TABLE["columns"].split()

_PIECE = re.compile(r" ?\w+| ?[^\w\s]|\s+")
_WORD = re.compile(r"\w+")
_MIX = np.uint64(0x9E3779B97F4A7C15)  # an odd number with well-spread bits


class Cursor:
    """The state of a reply: its last tokens, its open string and brackets, their keys, lengths."""

    def __init__(self) -> None:
        self.last = [0] * 6
        self.position = 0
        self.since = 0  # tokens since a quotation mark, or since the reply began
        self.seen: Counter[tuple[int, ...]] = Counter()  # three tokens in a row
        self.string: bytearray | None = None  # the open string; None outside one
        self.escaped = False
        self.closed = 0  # hash of the last string, which a colon makes the key
        self.words = [0, 0]  # hashes of the last tokens' texts
        # Of brackets: which one, commas, present key, 1 in its value, hash of its first text value.
        self.levels = [[0, 0, 0, 0, 0]]

    def push(self, token: int, piece: bytes) -> None:
        """Move past one token, which adds `piece` to the reply."""
        self.last = [token + 1, *self.last[:5]]
        self.words = [hash_word(piece), self.words[0]]
        self.position, self.since = self.position + 1, self.since + 1
        self.seen[tuple(self.last[:3])] += 1
        for byte in piece:
            self._read(byte)

    def _read(self, byte: int) -> None:
        if self.escaped:
            self.escaped = False
        elif byte == ord('"'):
            self.closed = zlib.crc32(self.string or b"")
            if self.string is not None and self.levels[-1][3]:
                self.levels[-1][4] = self.levels[-1][4] or self.closed
            self.string, self.since = (bytearray() if self.string is None else None), 0
        elif self.string is not None:
            self.escaped = byte == ord("\\")
            self.string.append(byte)
        elif byte in b"{[":
            self.levels.append([byte, 0, 0, 0, 0])
        elif byte in b"}]":
            self.levels[1:] = self.levels[1:-1]
        elif byte == ord(":"):
            self.levels[-1][2:4] = self.closed, 1
        elif byte == ord(","):
            self.levels[-1][1:4] = self.levels[-1][1] + 1, self.levels[-1][2], 0

    def _slot(self) -> int:
        """Number what may come next: in a string or not; in no bracket, a list, a key, a value."""
        bracket, _, _, value, _ = self.levels[-1]
        return (self.string is not None) + 2 * (bracket and 1 + (bracket == ord("{")) + value)

    def columns(self) -> list[int]:
        """Read the state as whole numbers, in the order of `COLUMNS`."""
        brackets = zlib.crc32(bytes(level[0] for level in self.levels[-6:]))
        path = zlib.crc32(repr([level[2] for level in self.levels]).encode())
        return [
            *(min(self.position, 12), *self.last, self._slot(), brackets, path),
            # Lengths by thresholds, so that a string longer than any in training is known as long.
            *(min(self.levels[-1][1], 15), *(int(self.since > 1 << n) for n in range(3, 8))),
            min(self.seen[tuple(self.last[:3])], 4),
            zlib.crc32(repr([level[4] for level in self.levels[:-1]]).encode()),
            *self.words,
        ]


def split_text(text: str) -> list[str]:
    """Split into words, marks and white space; joined again they are the text."""
    return _PIECE.findall(text)


def split_tokens(text: str, ids: Mapping[str, int], *, parts: bool) -> list[int]:
    """Turn text into tokens: words of the vocabulary by their ids, all else byte by byte.

    With `parts`, what begins another word and is in the vocabulary is a token, the longest first.
    """
    known = ((ids.get(piece), piece) for piece in split_text(text))
    return [n for token, piece in known for n in ([token] if token else _spell(piece, ids, parts))]


def _spell(piece: str, ids: Mapping[str, int], parts: bool) -> Iterable[int]:
    """Give the tokens of a word that is not in the vocabulary."""
    if not parts:
        return piece.encode()
    tokens = list[int]()
    while piece:
        sizes = range(LONGEST_PART, 1, -1)
        size = next((size for size in sizes if piece[:size] in ids), 1)
        tokens += [ids[piece[:size]]] if size > 1 else piece[0].encode()
        piece = piece[size:]
    return tokens


def count_parts(words: Mapping[str, int]) -> Counter[str]:
    """Count how many tokens each part of the words would save, given how often each word occurs.

    A part of n letters saves n - 1 tokens each time that it occurs.
    """
    saved = Counter[str]()
    for word, count in words.items():
        for size in range(2, LONGEST_PART + 1):
            for start in range(len(word) - size + 1):
                saved[word[start : start + size]] += count * (size - 1)
    return saved


def join_texts(system: Any, messages: Iterable[Record]) -> str:
    """Join the texts of a prompt; each content is a text or a list of blocks."""
    parts = [part for part in (system, *(message["content"] for message in messages)) if part]
    blocks = [[{"text": part}] if isinstance(part, str) else part for part in parts]
    return "\n".join(block.get("text", "") for part in blocks for block in part)


def prompt_text(record: Record) -> str:
    """Return everything before the desired reply, with the system prompt."""
    return join_texts(record.get("system"), record["messages"][:-1])


def reply_text(record: Record) -> str:
    """Return the desired reply: the last message."""
    return join_texts(None, record["messages"][-1:])


def plan_hashing(combinations: Sequence[str], columns: Sequence[str]) -> Array:
    """Number the columns of combinations: (most columns of one, combinations), -1 for no more."""
    chosen = [[columns.index(name) for name in one.split()] for one in combinations]
    return np.array([*zip_longest(*chosen, fillvalue=-1)])


def hash_rows(columns: Sequence[Sequence[int]] | Array, plan: Array) -> Array:
    """Hash each combination of columns: (lines, columns) -> (lines, combinations)."""
    values = np.asarray(columns, np.uint64).T  # (columns, lines)
    # (combinations, lines), to begin with each one's number
    mixed = np.indices((plan.shape[1], values.shape[1]))[0].astype(np.uint64)
    for step in plan:
        there = step >= 0  # (combinations,) those that have so many columns
        mixed[there] = mix_bits(mixed[there] ^ values[step[there]])
    return np.asarray(mixed.T)


def mix_bits(values: Array) -> Array:
    """Spread the bits of whole numbers of 64 bits; the result has the same shape."""
    mixed = values * _MIX
    return np.asarray(mixed ^ mixed >> np.uint64(29))


FEATURES = plan_hashing(TABLE["combinations"], COLUMNS)
OPEN_FEATURES = plan_hashing(TABLE["open_combinations"], COLUMNS)


def hash_columns(columns: Sequence[Sequence[int]], *, open_ended: bool) -> Array:
    """Give the row of each feature: (places, columns) -> (places, features)."""
    plan, size = (OPEN_FEATURES, OPEN_ROWS) if open_ended else (FEATURES, CONTEXT_ROWS)
    return (hash_rows(columns, plan) % np.uint64(size)).astype(np.int32)


@lru_cache(maxsize=1024)
def hash_place(columns: tuple[int, ...], *, open_ended: bool) -> Array:
    """Give the row of each feature of one place, (features,). Cached; it must not be changed."""
    return np.asarray(hash_columns([columns], open_ended=open_ended)[0])


def read_reply(tokens: Sequence[int], pieces: Sequence[bytes], size: int) -> list[list[int]]:
    """Give the cursor's columns before each token and after the last: (tokens + 1, columns).

    Tokens outside the vocabulary of `size` tokens, which are copied words, are one to the cursor.
    """
    cursor = Cursor()
    columns = [cursor.columns()]
    for token in tokens:
        cursor.push(min(token, size), pieces[token])
        columns.append(cursor.columns())
    return columns


def hash_word(text: bytes) -> int:
    """Hash a text without its case and the spaces around it; 0 if nothing is left."""
    return zlib.crc32(text.strip().lower())


@lru_cache(maxsize=500)  # a small training asks for each text twice; each holds some 10 KB
def count_features(text: str) -> tuple[Array, Array]:
    """Count a prompt's features: their rows, ascending, and how often each occurs.

    Both arrays are (different features,). Cached; they must not be changed.
    """
    found = [_hash_word(word) for word in _WORD.findall(text.lower())]
    words = np.array([word for word, _ in found], np.int64)  # (words,)
    # (words and pairs of words,) rows in the first half of the table
    both = np.concatenate([words, words[:-1] * 31 + words[1:]]) % HALF
    return np.unique(np.concatenate([both, *(parts for _, parts in found)]), return_counts=True)


def measure_rarity(prompts: Sequence[str]) -> Array:
    """Weigh each row by how few prompts have it; what nearly all have weighs nothing.

    Returns (PROMPT_ROWS,).
    """
    holders = np.zeros(PROMPT_ROWS)  # (PROMPT_ROWS,) prompts that have the feature
    for prompt in prompts:
        holders[count_features(prompt)[0]] += 1
    rarity = np.log((1 + len(prompts)) / (1 + holders))
    return np.where(rarity > 0.05, 1 + rarity, 0).astype(np.float32)


def weigh_features(text: str, rarity: Array) -> tuple[Array, Array]:
    """Weigh a prompt's features: words and parts by count and rarity, each kind to length 1.

    Returns their rows and their weights, both (features,).
    """
    rows, counts = count_features(text)
    weights = (1 + np.log(counts)) * rarity[rows]
    for half in (rows < HALF, rows >= HALF):
        weights[half] /= np.linalg.norm(weights[half]) or 1
    shared = [zlib.crc32(f"option {name}".encode()) % HALF for name in shared_options(text)]
    rows = np.concatenate([rows, np.array(shared, np.int64)])
    weights = np.concatenate([weights, np.full(len(shared), (len(shared) or 1) ** -0.5)])
    return rows[weights > 0], weights[weights > 0].astype(np.float32)


@lru_cache(maxsize=100_000)
def _hash_word(word: str) -> tuple[int, Array]:
    """Hash a word, and its parts of three to five letters: a number and (parts,) rows."""
    framed = f"_{word}_"
    parts = [framed[n : n + size] for size in (3, 4, 5) for n in range(len(framed) - size + 1)]
    rows = [HALF + zlib.crc32(part.encode()) % HALF for part in parts]
    return zlib.crc32(word.encode()), np.array(rows, np.int64)
