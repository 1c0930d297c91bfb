"""Estimates carry their formula, and an unknown price is never a price of nothing."""

import math

import pytest
from IPython.lib.pretty import pretty

from haikuft.dataset.tokens import TokenRange, estimate_tokens
from haikuft.errors import SettingsError
from haikuft.pricing import estimate_requests, estimate_training, show_range
from haikuft.pricing.estimates import HOURS_PER_MONTH, estimate_throughput
from haikuft.pricing.table import TokenPrice

TOKENS = TokenRange(low=900_000, likely=1_000_000, high=1_500_000)


def test_estimate_training_when_the_price_is_known_then_every_epoch_bills_every_token() -> None:
    """Every epoch bills the whole set, and the sentence shows how."""
    estimate = estimate_training(TOKENS, 3, 0.002, as_of="2026-11-01")

    assert estimate.likely == pytest.approx(6.0)
    assert (estimate.low, estimate.high) == (pytest.approx(5.4), pytest.approx(9.0))
    assert str(estimate) == (
        "About US$6.00 (between US$5.40 and US$9.00): 1,000,000 tokens (900,000 to 1,500,000) "
        "× 3 epochs × US$0.002 per 1,000 tokens (price as of 2026-11-01). Allow for twice that: "
        "tokens billed have been 1.7 times those estimated."
    )


def test_estimate_training_when_the_price_is_zero_then_it_says_that_the_cost_is_unknown() -> None:
    """A price nobody gave is never a price of nothing."""
    estimate = estimate_training(TOKENS, 2, 0.0)

    assert estimate.likely is None
    assert str(estimate).startswith("Cost unknown: 1,000,000 tokens")
    assert "are billed on AWS" in str(estimate)
    assert "× 1 epoch are billed" in str(estimate_training(TOKENS, 1, 0.0))
    assert "training_price" in str(estimate)


def test_estimate_training_when_the_price_has_no_date_then_it_says_so() -> None:
    """An undated price is shown as one."""
    assert "a price without a date" in str(estimate_training(TOKENS, 2, 0.002))


@pytest.mark.parametrize("price", [-0.1, math.nan])
def test_estimate_training_when_the_price_is_no_price_then_it_is_refused(price: float) -> None:
    """Below zero and not a number are slips."""
    with pytest.raises(SettingsError, match="price_per_1000_tokens"):
        estimate_training(TOKENS, 2, price)


PROMPT, ANSWER = "Where is the parcel? " * 200, "It is on its way to you. " * 20
RECORD = {
    "messages": [
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": ANSWER},
    ]
}


def test_estimate_requests_when_prices_are_known_then_prompts_and_answers_of_each_model_bill() -> (
    None
):
    """What is read and what is written have a price each."""
    read, written = estimate_tokens(PROMPT).likely, estimate_tokens(ANSWER).likely
    prices = {"base": TokenPrice(0.00025, 0.00125, "read"), "tuned": TokenPrice(0.001, 0.0, "told")}

    estimate = estimate_requests([RECORD] * 10, prices)

    assert estimate.likely == pytest.approx(10 * (read * 1.25 + written * 1.25) / 1e6)
    assert estimate.low < estimate.likely < estimate.high
    assert estimate.formula.startswith(
        f"10 requests of about {read:,} tokens in and {written:,} out each, "
    )
    assert "base at US$0.25 in and US$1.25 out per 1,000,000 tokens (read)" in estimate.formula
    assert "tuned at US$1.00 in" in estimate.formula


def test_estimate_requests_when_one_price_is_not_known_then_the_cost_is_unknown() -> None:
    """Part of a price makes no estimate; it says whose is missing and where to give it."""
    estimate = estimate_requests([RECORD], {"base": TokenPrice(0.1, 0.1, "read"), "tuned": None})

    assert estimate.likely is None
    assert "to tuned, at a price we do not know" in estimate.formula
    assert "token_prices" in estimate.formula


def test_estimate_requests_when_their_number_is_said_then_the_records_stand_for_so_many() -> None:
    """A thousand requests cost a hundred times what ten do."""
    prices = {"base": TokenPrice(0.00025, 0.00125, "read")}

    many = estimate_requests([RECORD] * 10, prices, requests=1000)

    assert many.likely == pytest.approx(100 * estimate_requests([RECORD] * 10, prices).likely)
    assert many.formula.startswith("1,000 requests of about ")


def test_estimates_when_shown_in_a_notebook_then_they_are_plain_text() -> None:
    """MathJax would read what stands between two dollar signs as a formula."""
    for shown in (estimate_training(TOKENS, 1, 0.001), estimate_throughput(1, 5.0)):
        assert pretty(shown) == str(shown)
        assert not hasattr(shown, "_repr_html_")


def test_estimate_throughput_when_uncommitted_then_nothing_is_owed_beyond_the_hours() -> None:
    """Hours, days and months follow from units and price."""
    cost = estimate_throughput(2, 60.5, as_of="2026-08-02")

    assert (cost.hour, cost.months) == (121.0, 0)
    assert "owed" not in str(cost)
    assert str(cost).startswith("US$121.00 an hour, US$2,904.00 a day, US$88,330.00 a month: 2 mod")


def test_estimate_throughput_when_committed_then_the_whole_term_is_owed() -> None:
    """A commitment costs its term, however soon you stop using it."""
    cost = estimate_throughput(1, 10.0, "6 months")

    assert (cost.months, 10.0 * HOURS_PER_MONTH * 6) == (6, 43_800.0)
    assert "US$43,800.00 is owed from the start" in str(cost)


def test_estimate_throughput_when_the_price_is_zero_then_the_cost_is_unknown() -> None:
    """It still says that every hour bills."""
    cost = estimate_throughput(1, 0.0)

    assert cost.hour is None
    assert "1 model unit will bill every hour, used or not" in str(cost)


def test_estimate_throughput_when_an_argument_is_out_of_range_then_it_is_refused() -> None:
    """No unit, and a term that is not sold."""
    with pytest.raises(SettingsError, match="model_units"):
        estimate_throughput(0, 1.0)
    with pytest.raises(SettingsError, match='"1 month"'):
        estimate_throughput(1, 1.0, "OneMonth")


def test_range_when_shown_then_three_amounts_or_unknown() -> None:
    """A table's cells are words, whether the price is known or not."""
    known = estimate_training(TOKENS, 2, 0.001)
    assert show_range(known) == ("US$1.80", "US$2.00", "US$3.00")
    assert show_range(estimate_training(TOKENS, 2, 0.0)) == ("unknown",) * 3


def test_estimate_when_it_is_below_a_cent_then_its_range_is_still_one() -> None:
    """A small job's three amounts can be distinguished; one that cannot has no range at all."""
    small = estimate_training(TokenRange(800, 1_000, 1_500), 1, 0.001)

    assert str(small).startswith("About US$0.001 (between US$0.0008 and US$0.0015): 1,000 tokens")
    alike = estimate_training(TokenRange(1_000, 1_000, 1_000), 1, 0.001)
    assert str(alike).startswith("About US$0.001: 1,000 tokens")
