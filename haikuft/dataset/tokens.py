"""Tokens, estimated from UTF-8 bytes as a range.

Haiku's own tokenizer is not public. Measured on an older Claude tokenizer, text of many kinds and
scripts has between 2.4 bytes a token (digits) and 4.6 (English prose); only emoji and rare
characters have fewer. Characters are not counted: Chinese has about one token for each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

BYTES_PER_TOKEN = {"low": 4.6, "likely": 3.5, "high": 2.4}


@dataclass(frozen=True, slots=True)
class TokenRange:
    """The number of tokens that a text may have; `+` adds ranges, `*` repeats one.

    Attributes:
        low: The number at the most bytes a token.
        likely: The number at the usual bytes a token.
        high: The number at the fewest bytes a token.
    """

    low: int
    likely: int
    high: int

    def __add__(self, other: "TokenRange") -> "TokenRange":
        return TokenRange(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __mul__(self, times: int) -> "TokenRange":
        return TokenRange(self.low * times, self.likely * times, self.high * times)

    def __str__(self) -> str:
        return f"about {self.likely:,} tokens ({self.low:,} to {self.high:,})"


NO_TOKENS = TokenRange(0, 0, 0)


def estimate_tokens(text: str) -> TokenRange:
    """Estimate the tokens of one text, e.g. 460 bytes of it -> TokenRange(100, 131, 192)."""
    return tokens_of_bytes(count_bytes(text))


def estimate_record_tokens(record: Mapping[str, Any]) -> TokenRange:
    """Estimate the tokens of one record: its system prompt and all of its turns."""
    size = count_bytes(record.get("system") or "")
    return tokens_of_bytes(size + sum(count_bytes(turn["content"]) for turn in record["messages"]))


def estimate_total_tokens(records: Iterable[Mapping[str, Any]]) -> TokenRange:
    """Estimate the tokens of many records together: what one epoch processes."""
    return add_tokens(estimate_record_tokens(record) for record in records)


def add_tokens(ranges: Iterable[TokenRange]) -> TokenRange:
    """Add up many ranges; of none, it is zero."""
    return sum(ranges, start=NO_TOKENS)


def count_bytes(text: str) -> int:
    """Count the UTF-8 bytes of a text; half of a surrogate pair counts as three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def tokens_of_bytes(size: int) -> TokenRange:
    """Estimate the tokens of so many UTF-8 bytes of text."""
    return TokenRange(
        low=int(size / BYTES_PER_TOKEN["low"]),
        likely=round(size / BYTES_PER_TOKEN["likely"]),
        high=-int(-size // BYTES_PER_TOKEN["high"]),
    )
