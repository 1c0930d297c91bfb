"""Token estimates: an honest range from UTF-8 bytes, which adds up."""

from haikuft.dataset.tokens import (
    TokenRange,
    add_tokens,
    estimate_record_tokens,
    estimate_tokens,
    estimate_total_tokens,
)


def test_tokens_when_text_is_ascii_then_range_is_bytes_by_4_6_3_5_and_2_4():
    """The three figures are those stated."""
    assert estimate_tokens("a" * 460) == TokenRange(100, 131, 192)


def test_tokens_when_text_is_empty_then_none():
    """No bytes, no tokens."""
    assert estimate_tokens("") == TokenRange(0, 0, 0)


def test_tokens_when_script_is_not_latin_then_bytes_count_and_not_characters():
    """Chinese has about one token a character; a count of characters by 3 would miss that."""
    text = "今天天气很好" * 100
    assert estimate_tokens(text).low < len(text) < estimate_tokens(text).high


def test_tokens_when_text_holds_half_a_surrogate_pair_then_it_is_counted_all_the_same():
    """An estimate never fails on odd text."""
    assert estimate_tokens("\ud800").high == 2


def test_record_tokens_when_it_has_a_system_prompt_then_that_counts(make_record):
    """All that is trained on counts: system prompt and every turn."""
    plain, prompted = make_record(), make_record(system="s" * 35)
    assert estimate_record_tokens(prompted).likely == estimate_record_tokens(plain).likely + 10


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
