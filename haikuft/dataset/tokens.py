"""Tokens, estimated from the characters of a text as a range.

The tokenizers of the models that Bedrock tunes are not public. `token_rates.csv` holds the tokens
of each kind of character on the last Claude tokenizer that is: tokenizer.json in the PyPI wheel
anthropic 0.34.2, fitted on 2026-11-29 by tests/benchmarks/token_rates.py. That is an older Claude's
tokenizer; for Nova the range is an estimate and nothing more.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import add
from typing import Any

from haikuft.package_data import read_csv, read_text

BASIS = (
    "counts by kind of character, measured on an older Claude tokenizer (in the PyPI package "
    "anthropic 0.34.2); those of today's models are not public, and for Nova it is only an estimate"
)


@dataclass(frozen=True, slots=True)
class TokenRange:
    """The number of tokens that a text may have, low, likely, high; `+` adds, `*` repeats.

    Attributes:
        low: The least number that is likely to occur.
        likely: The number to expect.
        high: The largest number that is likely to occur; never more than the UTF-8 bytes.
    """

    low: int
    likely: int
    high: int

    def __iter__(self) -> Iterator[int]:
        return iter((self.low, self.likely, self.high))

    def __add__(self, other: "TokenRange") -> "TokenRange":
        return TokenRange(*map(add, self, other))

    def __mul__(self, times: float) -> "TokenRange":
        return TokenRange(*(round(n * times) for n in self))

    def __str__(self) -> str:
        return f"about {self.likely:,} tokens ({self.low:,} to {self.high:,})"


NO_TOKENS = TokenRange(0, 0, 0)


# Tokens for each character of a kind, or for each word or change of kind: low, likely, high.
_Rate = tuple[float, float, float]
# Of each byte: a lower-case letter, A capital, 0 digit, space, line end or tab, mark; u: not ASCII.
_CLASSES = bytes(
    ord("u") if code > 127
    else ord("a") if chr(code).islower()
    else ord("A") if chr(code).isupper()
    else ord("0") if chr(code).isdigit()
    else 32 if code == 32
    else 10 if chr(code).isspace()
    else ord(".")
    for code in range(256)
)  # fmt: skip
# Frequent words of English that few other languages have.
_ENGLISH = frozenset(read_text(__package__, "english_words.txt").split())
# Shares of these words among all: up to the first a text is not English, from the second it is.
_ENGLISH_SHARES = (0.04, 0.09)


def estimate_tokens(text: str) -> TokenRange:
    """Estimate the tokens of one text."""
    if not text:
        return NO_TOKENS
    rates, _ = _load_rates()
    sums = [0.0, 0.0, 0.0]
    for kind, number in count_kinds(text).items():
        for at, rate in enumerate(rates[kind]):
            sums[at] += number * rate
    size = count_bytes(text)
    low, likely, high = (min(size, tokens) for tokens in sums)
    return TokenRange(int(low), round(likely), -int(-high // 1))


def count_kinds(text: str) -> Mapping[str, float]:
    """Count the characters of each kind of `token_rates.csv`, and words and changes inside them.

    Letters and words of a text that is partly English are divided among both kinds of them.
    """
    count = (b" " + text.encode("utf-8", "surrogatepass").translate(_CLASSES)).count
    letters, words = count(b"a") + count(b"A"), count(b" a") + count(b" A")
    least, most = _ENGLISH_SHARES
    parts = text.split()
    parts = parts[:: 1 + len(parts) // 500]  # as many as show the language
    share = sum(map(_ENGLISH.__contains__, parts)) / len(parts) if parts else 0.0
    english = min(1.0, max(0.0, (share - least) / (most - least)))
    kinds = Counter[str]()
    if not text.isascii():
        for char, number in Counter(text).items():
            if char > "\x7f":
                kinds[_kind_of(char)] += number
    return {
        "letter": letters * (1 - english),
        "word": words * (1 - english),
        "English letter": letters * english,
        "English word": words * english,
        "change inside a word": count(b"aA") + count(b"a0") + count(b"0a"),
        "digit": count(b"0"),
        "mark": count(b"."),
        "line end or tab": count(b"\n"),
        **kinds,
    }


def estimate_texts(texts: Iterable[str]) -> TokenRange:
    """Estimate the tokens of several texts of one record; each may be in another script."""
    return estimate_tokens("\n".join(filter(None, texts)))


def estimate_record_tokens(record: Mapping[str, Any]) -> TokenRange:
    """Estimate the tokens of one record: its system prompt and all of its turns."""
    turns = (turn["content"] for turn in record["messages"])
    return estimate_texts([record.get("system") or "", *turns])


def estimate_total_tokens(records: Iterable[Mapping[str, Any]]) -> TokenRange:
    """Estimate the tokens of many records together: what one epoch processes."""
    return add_tokens(estimate_record_tokens(record) for record in records)


def add_tokens(ranges: Iterable[TokenRange]) -> TokenRange:
    """Add up many ranges; of none, it is zero."""
    return sum(ranges, start=NO_TOKENS)


def count_bytes(text: str) -> int:
    """Count the UTF-8 bytes of a text; half of a surrogate pair counts as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _kind_of(char: str) -> str:
    _, blocks = _load_rates()
    first, last, kind = blocks[bisect_right(blocks, (char, "\U0010ffff")) - 1]
    return kind if first <= char <= last else "other character"


@cache
def _load_rates() -> tuple[Mapping[str, _Rate], list[tuple[str, str, str]]]:
    """Read the rate of each kind, and the first and last character of each block, in order."""
    rates: dict[str, _Rate] = {}
    blocks = []
    for row in read_csv(__package__, "token_rates.csv"):
        rates[row["kind"]] = float(row["low"]), float(row["likely"]), float(row["high"])
        if row["first"]:
            blocks.append((chr(int(row["first"], 16)), chr(int(row["last"], 16)), row["kind"]))
    return rates, sorted(blocks)
