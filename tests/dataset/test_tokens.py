"""Token estimates: an honest range for texts of every script and kind, which adds up."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_texts import draw_text

from haikuft.dataset.tokens import (
    NO_TOKENS,
    TokenRange,
    add_tokens,
    count_bytes,
    estimate_record_tokens,
    estimate_texts,
    estimate_tokens,
    estimate_total_tokens,
)


def read_counts() -> dict[str, list[tuple[str, int]]]:
    """Give texts of each kind with the tokens that a Claude tokenizer counts in them.

    None of them was used to fit the rates; `tests/benchmarks/token_rates.py` counted them.
    """
    counts = defaultdict(list)
    path = Path(__file__).with_name("token_counts.csv")
    for row in csv.DictReader(path.read_text(encoding="utf-8").split("\n")):
        text = draw_text(row["kind"], 1, int(row["seed"]))
        assert count_bytes(text) == int(row["bytes"]), "the texts have changed: count them again"
        counts[row["kind"]].append((text, int(row["tokens"])))
    return counts


COUNTS = read_counts()


def test_ranges_when_texts_of_many_kinds_are_counted_then_nearly_all_are_inside():
    """At least 95 % of texts of 2,000 bytes or more, over at least 30 kinds."""
    texts = [(text, tokens) for found in COUNTS.values() for text, tokens in found]
    ranges = [(estimate_tokens(text), tokens) for text, tokens in texts]
    inside = sum(found.low <= tokens <= found.high for found, tokens in ranges)
    assert len(COUNTS) >= 70
    assert min(count_bytes(text) for text, _ in texts) >= 1_990  # white space at the ends is gone
    assert inside / len(ranges) >= 0.97


@pytest.mark.parametrize("kind", sorted(COUNTS))
def test_range_when_the_kind_is_known_then_it_is_narrow_enough_to_plan_with(kind):
    """The upper end is at most 2.2 times the lower for English and 3 times for anything else."""
    for text, _ in COUNTS[kind]:
        found = estimate_tokens(text)
        assert found.high <= found.low * (2.2 if kind.startswith("English") else 3)
        assert found.low <= found.likely <= found.high <= count_bytes(text)


def test_tokens_when_text_is_empty_then_none():
    """No bytes, no tokens."""
    assert estimate_tokens("") == NO_TOKENS
    assert estimate_texts(["", ""]) == NO_TOKENS


def test_tokens_when_a_text_is_partly_english_then_its_range_is_between_the_two():
    """Letters and words count as English by the share of English words."""
    english, german = (COUNTS[kind][0][0] for kind in ("English", "German"))
    both = estimate_tokens(f"{english} {german}")
    assert estimate_tokens(english).likely + estimate_tokens(german).likely == pytest.approx(
        both.likely, rel=0.2
    )


@given(st.text())
def test_tokens_when_a_text_is_any_text_then_the_range_is_in_order_and_within_its_bytes(text):
    """An estimate never fails on odd text, and no token has less than a byte."""
    found = estimate_tokens(text)
    assert 0 <= found.low <= found.likely <= found.high <= count_bytes(text)


def test_tokens_when_text_holds_half_a_surrogate_pair_then_it_is_counted_all_the_same():
    """An estimate never fails on odd text."""
    assert estimate_tokens("\ud800").high == 3


def test_record_tokens_when_it_has_a_system_prompt_then_that_counts(make_record):
    """All that is trained on counts: system prompt and every turn."""
    plain, prompted = make_record(), make_record(system="Réponds en français. " * 20)
    more = estimate_record_tokens(prompted).likely - estimate_record_tokens(plain).likely
    assert more == pytest.approx(estimate_tokens("Réponds en français. " * 20).likely, rel=0.1)


def test_tokens_when_added_then_each_figure_adds_up(make_record):
    """Ranges add figure by figure, and of nothing the sum is zero."""
    assert TokenRange(1, 2, 3) + TokenRange(10, 20, 30) == TokenRange(11, 22, 33)
    assert add_tokens([]) == TokenRange(0, 0, 0)
    one = estimate_record_tokens(make_record())
    assert estimate_total_tokens([make_record()] * 2) == one + one


def test_tokens_when_shown_then_guess_and_range_are_readable():
    """A range reads as words."""
    assert str(TokenRange(1000, 2000, 3000)) == "about 2,000 tokens (1,000 to 3,000)"


def test_tokens_when_multiplied_then_each_figure_is():
    """So many records of one size have so many times its tokens."""
    assert TokenRange(1, 2, 3) * 4 == TokenRange(4, 8, 12)
    assert TokenRange(10, 20, 30) * 1.25 == TokenRange(12, 25, 38)
