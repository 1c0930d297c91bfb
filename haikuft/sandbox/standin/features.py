"""The features of the stand-in: text as numbers. Pure, and the same in training and inference.

A prompt is a bag of words: its words, its word pairs and the parts of its words, each hashed to a
row of a table. Features of nearly all prompts have weight 0, rare ones more, and the weights of a
prompt have a fixed norm, so that the length of a prompt does not matter. Further features are the
options in a prompt that share words with its text, which the baseline uses, too.

A reply is read token by token. A cursor has the last tokens, open quotation marks and brackets, the
current keys and lengths, and whether a key or its value comes next, which decides between colon and
comma; combinations of these are the features, hashed to rows in the same way.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from haikuft.package_data import read_toml
from haikuft.sandbox.standin.baseline import shared_options

Array = npt.NDArray[Any]
Record = Mapping[str, Any]

PROMPT_ROWS = 1 << 17  # the first half for words and word pairs, the second for parts of words
CONTEXT_ROWS = 1 << 18
HALF = PROMPT_ROWS // 2

_TABLE = read_toml("haikuft.sandbox.standin", "standin.toml")["features"]
COLUMNS = _TABLE["columns"].split()
FEATURES = [[COLUMNS.index(name) for name in one.split()] for one in _TABLE["combinations"]]

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
        self.levels = [[0, 0, 0, 0]]  # of brackets: which one, commas, present key, 1 in its value

    def push(self, token: int, piece: bytes) -> None:
        """Move past one token, which adds `piece` to the reply."""
        self.last = [token + 1, *self.last[:5]]
        self.position, self.since = self.position + 1, self.since + 1
        self.seen[tuple(self.last[:3])] += 1
        for byte in piece:
            self._read(byte)

    def _read(self, byte: int) -> None:
        if self.escaped:
            self.escaped = False
        elif byte == ord('"'):
            self.closed = zlib.crc32(self.string or b"")
            self.string, self.since = (bytearray() if self.string is None else None), 0
        elif self.string is not None:
            self.escaped = byte == ord("\\")
            self.string.append(byte)
        elif byte in b"{[":
            self.levels.append([byte, 0, 0, 0])
        elif byte in b"}]":
            self.levels[1:] = self.levels[1:-1]
        elif byte == ord(":"):
            self.levels[-1][2:] = self.closed, 1
        elif byte == ord(","):
            self.levels[-1][1:] = self.levels[-1][1] + 1, self.levels[-1][2], 0

    def _slot(self) -> int:
        """Number what may come next: in a string or not; in no bracket, a list, a key, a value."""
        bracket, _, _, value = self.levels[-1]
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
        ]


def split_text(text: str) -> list[str]:
    """Split into words, marks and white space; joined again they are the text."""
    return _PIECE.findall(text)


def split_tokens(text: str, ids: Mapping[str, int]) -> list[int]:
    """Turn text into tokens: words of the vocabulary by their ids, all else byte by byte."""
    known = ((ids.get(piece), piece) for piece in split_text(text))
    return [n for token, piece in known for n in ([token] if token else piece.encode())]


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


def hash_columns(columns: Sequence[Sequence[int]]) -> Array:
    """Give the row of each feature: (places, columns) -> (places, features)."""
    values = np.array(columns, np.uint64).T  # (columns, places)
    # One array (places,) for each feature.
    mixed = [np.full(len(columns), number, np.uint64) for number in range(len(FEATURES))]
    for number, chosen in enumerate(FEATURES):
        for column in chosen:
            mixed[number] = (mixed[number] ^ values[column]) * _MIX
            mixed[number] ^= mixed[number] >> np.uint64(29)
    return (np.array(mixed).T % np.uint64(CONTEXT_ROWS)).astype(np.int32)


def read_reply(tokens: Sequence[int], pieces: Sequence[bytes]) -> Array:
    """Give the features before each token and after the last: (tokens + 1, features)."""
    cursor = Cursor()
    columns = [cursor.columns()]
    for token in tokens:
        cursor.push(token, pieces[token])
        columns.append(cursor.columns())
    return hash_columns(columns)


def count_features(text: str) -> tuple[Array, Array]:
    """Count a prompt's features: their rows, ascending, and how often each occurs.

    Both arrays are (different features,).
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
