"""The copy mechanism of the stand-in: words of the prompt as further tokens of a reply.

A candidate is a word of the prompt, alone or after a space. At each place of a reply each candidate
has a score, the sum of its features' weights, and enters the softmax beside the vocabulary. The
weights are learnt by the same gradient as all others. A feature is a pair: what the place is, as
the cursor knows it, with what the candidate is and stands between, and with how many words before
the candidate are also the last ones of the reply.

Source: Gu et al. 2016, Incorporating Copying Mechanism in Sequence-to-Sequence Learning.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from haikuft.sandbox.standin import features
from haikuft.sandbox.standin.features import COLUMNS, TABLE, Array

COPY_ROWS = 1 << 17
MOST_WORDS = 300  # of a prompt, its last ones, can be copied; keeps the scores affordable

CANDIDATE_COLUMNS = TABLE["candidate_columns"].split()
_PAIRS = [pair.split(" | ") for pair in TABLE["pairs"]]
_OF_PLACES = features.plan_hashing([place for place, _ in _PAIRS], COLUMNS)
_OF_CANDIDATES = features.plan_hashing([candidate for _, candidate in _PAIRS], CANDIDATE_COLUMNS)
_LAST_WORDS = [COLUMNS.index(name) for name in ("word1", "word2")]


class Candidates(NamedTuple):
    """What can be copied from a prompt.

    Attributes:
        texts: (candidates,) what each adds to the reply.
        ids: (candidates,) their tokens. A candidate outside the vocabulary has the vocabulary's
            size and the place of the first candidate of its text.
        before: (candidates, 2) hashes of the word before each, and of the one before that.
        hashes: (candidates, pair features) the candidates' part of the rows of pairs.
    """

    texts: list[str]
    ids: Array
    before: Array
    hashes: Array


def find_candidates(prompt: str, ids: Mapping[str, int], size: int) -> Candidates:
    """Find what can be copied from a prompt, beside a vocabulary of `size` tokens."""
    words = [word for piece in features.split_text(prompt) if (word := piece.strip())][-MOST_WORDS:]
    hashes = [0, 0, *(features.hash_word(word.encode()) for word in words), 0]
    shapes = [0, *(_hash_shape(word) for word in words), 0]
    copied = [n for n, word in enumerate(words) if word[0].isalnum()]
    columns = [
        [space, *hashes[n : n + 4], *shapes[n : n + 3], min(n, 9)]
        for space in (0, 1)
        for n in copied
    ]
    table = np.array(columns, np.uint64).reshape(len(columns), len(CANDIDATE_COLUMNS))
    texts = [space + words[n] for space in ("", " ") for n in copied]
    firsts = {text: size + n for n, text in reversed([*enumerate(texts)])}
    tokens = np.array([ids.get(text, firsts[text]) for text in texts], np.int64)
    return Candidates(texts, tokens, table[:, [2, 1]], features.hash_rows(table, _OF_CANDIDATES))


def hash_pairs(columns: Sequence[Sequence[int]] | Array, candidates: Candidates) -> Array:
    """Give the rows of all pairs: (places, cursor's columns) -> (features, places, candidates)."""
    table = np.array(columns, np.uint64)
    same = table[:, None, _LAST_WORDS] == candidates.before  # (places, candidates, 2)
    follows = same[:, :, 0] * (1 + same[:, :, 1]).astype(np.uint64)  # (places, candidates)
    places = features.hash_rows(table, _OF_PLACES).T[:, :, None]  # (features, places, 1)
    rows = places ^ candidates.hashes.T[:, None] ^ features.mix_bits(follows)
    return (rows & np.uint64(COPY_ROWS - 1)).view(np.intp)


def _hash_shape(word: str) -> int:
    """Hash a word with its letters and digits made equal: Oslo is 1a, 19 is 00."""
    small = re.sub(r"[a-z]+", "a", re.sub(r"\d", "0", word))
    return features.hash_word(re.sub(r"[A-Z]", "1", small).encode())
