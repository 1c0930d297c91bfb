"""How replies ended. A reply that was cut off is no measure of what its model knows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from haikuft.dataset.records import Record, reference_of
from haikuft.dataset.tokens import estimate_tokens
from haikuft.inference.replies import Reply
from haikuft.package_data import read_toml

_WORDS = read_toml(__package__, "endings.toml")
MANY = 0.05  # share of replies cut off at max_tokens from which on a comparison is not fair


def count_endings(replies: Iterable[Reply]) -> dict[str, int]:
    """Count the replies that did not end by themselves, by AWS's word for the reason."""
    counts = Counter(reply.stop_reason for reply in replies if reply.error is None)
    return {reason: n for reason, n in sorted(counts.items()) if _WORDS.get(reason, reason)}


def describe_endings(counts: Mapping[str, int]) -> str:
    """Write the counts in words, such as "3 cut off at max_tokens"."""
    words = [f"{n} {_WORDS.get(reason, reason)}" for reason, n in counts.items()]
    return ", ".join(words) or "all by themselves"


def warn_of_endings(endings: Mapping[str, Mapping[str, int]], n: int) -> str:
    """Say of which models replies did not end by themselves, and what to do; "" for none.

    Args:
        endings: For each model, its counts from `count_endings`.
        n: Replies of each model.
    """
    found = {model: counts for model, counts in endings.items() if counts}
    said = "; ".join(f"of {model} {describe_endings(counts)}" for model, counts in found.items())
    if not found:
        return ""
    sentence = f"Not all of the {n} replies ended by themselves: {said}."
    if were_many_cut(found, n):
        sentence += " The scores below compare lengths, too: raise max_tokens and ask again."
    return sentence


def were_many_cut(endings: Mapping[str, Mapping[str, int]], n: int) -> bool:
    """Whether many replies of a model were cut off at max_tokens; see `warn_of_endings`."""
    return any(counts.get("max_tokens", 0) >= MANY * n for counts in endings.values())


def suggest_max_tokens(records: Sequence[Record]) -> int:
    """Suggest the most tokens of a reply: twice the longest reference, rounded up to a power of 2.

    Twice, for a base model says the same in more words; from 256, for it may explain itself; to
    4,096, which is all that Claude 3 Haiku writes.
    """
    references = {reference_of(record) for record in records}
    longest = max((estimate_tokens(text).high for text in references), default=1)
    return int(min(max(256, 2 ** (2 * longest - 1).bit_length()), 4096))
