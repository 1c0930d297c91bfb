"""Money reads as people write it, at every magnitude."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.pricing import show_prices
from haikuft.pricing.amounts import format_dollars, format_precise, format_price
from haikuft.pricing.estimates import Estimate
from haikuft.pricing.table import TokenPrice, find_token_price

WRITTEN = re.compile(r"US\$\d{1,3}(,\d{3})*\.\d{2,}")
# Digits times a power of ten: from a millionth of a cent to a hundred million dollars.
AMOUNTS = st.builds(
    lambda digits, power: float(f"{digits}e{power}"), st.integers(1, 99_999), st.integers(-12, 3)
)


def read(text: str) -> Decimal:
    """Read an amount back."""
    assert WRITTEN.fullmatch(text), text
    return Decimal(text.removeprefix("US$").replace(",", ""))


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.0, "US$0.00"),
        (0.0004, "less than US$0.01"),
        (0.0099, "less than US$0.01"),
        (0.01, "US$0.01"),
        (1234.5, "US$1,234.50"),
    ],
)
def test_format_dollars_when_one_amount_then_it_is_to_the_cent(amount: float, words: str) -> None:
    """Below a cent it does not read as nothing."""
    assert format_dollars(amount) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0.0, "US$0.00"),
        (3.5e-05, "US$0.000035"),
        (0.00025, "US$0.00025"),
        (0.8, "US$0.80"),
        (60.5, "US$60.50"),
        (1e6, "US$1,000,000.00"),
    ],
)
def test_format_price_when_a_unit_price_then_it_has_the_decimals_it_needs(
    amount: float, words: str
) -> None:
    """No exponent, and no figure lost."""
    assert format_price(amount) == words


@given(AMOUNTS)
def test_format_price_when_read_back_then_it_is_the_amount_in_the_fewest_decimals(
    amount: float,
) -> None:
    """At least two decimals; a third and each further one is not a zero at the end."""
    text = format_price(amount)

    assert float(read(text)) == amount
    assert re.search(r"\.\d\d(\d*[1-9])?$", text)


@given(AMOUNTS)
def test_format_dollars_when_read_back_then_it_is_off_by_half_a_cent_at_most(
    amount: float,
) -> None:
    """What is said to be less than a cent is."""
    text = format_dollars(amount)

    if text == "less than US$0.01":
        assert 0 < amount < 0.01
    else:
        assert abs(read(text) - Decimal(repr(amount))) <= Decimal("0.005")


@given(AMOUNTS)
def test_format_precise_when_read_back_then_it_is_within_a_twentieth(amount: float) -> None:
    """Two digits below a dollar, cents above; never nothing, and never "less than"."""
    text = format_precise(amount)

    assert abs(read(text) / Decimal(repr(amount)) - 1) <= Decimal("0.05")
    assert re.search(r"\.\d\d(\d*[1-9])?$", text)


@given(st.lists(AMOUNTS, min_size=3, max_size=3).map(sorted))
def test_estimate_when_shown_then_its_range_is_in_order_and_says_less_than_nowhere(
    amounts: list[float],
) -> None:
    """A bracket with twice the same amount says nothing, so there is none."""
    text = str(Estimate(*amounts, "tokens × price."))

    assert "less than" not in text
    shown = [read(one) for one in re.findall(WRITTEN.pattern.replace("(", "(?:"), text)]
    if len(shown) == 1:
        assert "between" not in text
    else:
        likely, low, high = shown
        assert low <= likely <= high
        assert low != high


@given(AMOUNTS, AMOUNTS)
def test_token_price_when_shown_then_both_figures_are_per_million_without_exponent(
    read_price: float, written_price: float
) -> None:
    """A thousand times the figures that are given."""
    words = str(TokenPrice(read_price, written_price, "as given"))

    found = re.fullmatch(r"(\S+) in and (\S+) out per 1,000,000 tokens \(as given\)", words)
    assert found
    prices = [float(read(figure)) / 1000 for figure in found.groups()]
    assert prices == pytest.approx([read_price, written_price])


def test_table_when_shown_then_no_price_has_an_exponent() -> None:
    """Nor has what it makes of them for a thousand tokens."""
    assert all(row[2] == "unknown" or read(row[2]) for row in show_prices().rows)
    assert str(find_token_price("amazon.nova-micro-v1:0")).startswith("US$0.035 in and US$0.14 out")
