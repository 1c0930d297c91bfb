"""Prices carry their date, and estimates their formula."""

import math

import pytest
from IPython.lib.pretty import pretty

from haikuft.base_models import NOVA_2_LITE, NOVA_LITE, NOVA_MICRO, NOVA_PRO, BaseModel
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import SettingsError
from haikuft.prices import PER_HOUR_1_MONTH
from haikuft.pricing import (
    HOURS_PER_MONTH,
    PRICES,
    TokenPrice,
    estimate_asking,
    estimate_throughput,
    estimate_training,
    find_token_price,
    format_dollars,
    get_price,
    list_prices,
    parse_token_price,
    read_token_prices,
    show_prices,
    show_range,
    take_price,
)

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
TOKENS = TokenRange(low=900_000, likely=1_000_000, high=1_500_000)


def test_every_price_has_a_unit_a_date_and_a_source() -> None:
    """No figure stands without saying when and where it was read."""
    assert all(p.unit and p.as_of and p.source for p in PRICES)
    assert all(p.amount is None or p.amount > 0 for p in PRICES)


def test_get_price_when_nobody_knows_it_then_the_amount_is_none() -> None:
    """What no dated source tells is not guessed."""
    assert get_price("training", HAIKU).amount is None
    assert get_price("throughput", HAIKU).amount is None
    assert get_price("training", "somebody.new-model-v1").amount is None
    assert str(get_price("training", HAIKU)).startswith("unknown per 1,000 tokens")


def test_get_price_when_it_is_known_then_it_is_the_dated_figure() -> None:
    """Storage holds for every custom model; on-demand tokens are the model's own."""
    assert get_price("storage", HAIKU).amount == 1.95
    assert get_price("input", HAIKU).amount == 0.25
    assert get_price("output", HAIKU).amount == 1.25
    assert "2026-08-02" in str(get_price("storage", HAIKU))


def test_get_price_when_the_model_has_two_then_the_one_without_commitment_comes_first() -> None:
    """Throughput is looked up as it is bought by default."""
    assert get_price("throughput", "amazon.nova-2-lite-v1:0:256k").amount == 60.50


def test_get_price_when_the_item_is_unknown_then_it_names_the_known() -> None:
    """A misspelt item is no unknown price."""
    with pytest.raises(SettingsError, match="storage"):
        get_price("disk")


@pytest.mark.parametrize(
    ("model", "item", "amount"),
    [
        (NOVA_MICRO, "training", 0.001),
        (NOVA_MICRO, "custom input", 0.035),
        (NOVA_LITE, "training", None),
        (NOVA_LITE, "throughput", 108.15),
        (NOVA_PRO, "custom output", 3.20),
        (NOVA_PRO, "throughput", None),
        (NOVA_2_LITE, "custom input", 0.30),
        (NOVA_2_LITE, "custom output", 2.50),
    ],
)
def test_get_price_when_the_model_is_a_nova_then_it_is_the_figure_read_or_none(
    model: BaseModel, item: str, amount: float | None
) -> None:
    """What one public source had, with its day; what none had is not made up."""
    assert get_price(item, model.id).amount == amount


def test_take_price_when_one_is_given_then_it_stands_before_the_table() -> None:
    """With the day that was said, or that none was."""
    given = take_price("training", NOVA_MICRO.id, 0.002, "2026-11-20")

    assert (given.amount, given.as_of, given.source) == (0.002, "2026-11-20", "as given")
    assert take_price("training", NOVA_MICRO.id, 0.002).as_of == "not said"
    assert take_price("training", NOVA_MICRO.id) == get_price("training", NOVA_MICRO.id)
    assert take_price("training", HAIKU).amount is None
    with pytest.raises(SettingsError, match="below zero"):
        take_price("training", HAIKU, -1.0)


@pytest.mark.parametrize(("unit", "amount"), [("", 60.5), (PER_HOUR_1_MONTH, 55.0), ("six", None)])
def test_take_price_when_a_unit_is_wanted_then_no_other_price_is_taken_for_it(
    unit: str, amount: float | None
) -> None:
    """An hour with a commitment is another price than one without."""
    assert take_price("throughput", NOVA_2_LITE.id, unit=unit).amount == amount


def test_list_prices_when_a_model_is_named_then_others_are_left_out() -> None:
    """One model's table holds its own prices and those of every custom model."""
    assert {p.base_model_id for p in list_prices(HAIKU)} == {HAIKU, ""}
    assert list_prices() == list(PRICES)


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
    assert "training_price" in str(estimate)


def test_estimate_training_when_the_price_has_no_date_then_it_says_so() -> None:
    """An undated price is shown as one."""
    assert "a price without a date" in str(estimate_training(TOKENS, 2, 0.002))


@pytest.mark.parametrize("price", [-0.1, math.nan])
def test_estimate_training_when_the_price_is_no_price_then_it_is_refused(price: float) -> None:
    """Below zero and not a number are slips."""
    with pytest.raises(SettingsError, match="price_per_1000_tokens"):
        estimate_training(TOKENS, 2, price)


RECORD = {
    "messages": [
        {"role": "user", "content": "x" * 3500},
        {"role": "assistant", "content": "y" * 350},
    ]
}


def test_estimate_asking_when_prices_are_known_then_prompts_and_answers_of_each_model_bill() -> (
    None
):
    """3,500 bytes of prompt and 350 of answer are about 1,000 and 100 tokens."""
    prices = {"base": TokenPrice(0.00025, 0.00125, "read"), "tuned": TokenPrice(0.001, 0.0, "told")}

    estimate = estimate_asking([RECORD] * 10, prices)

    assert estimate.likely == pytest.approx((10_000 * 1.25 + 1_000 * 1.25) / 1e6)
    assert estimate.low < estimate.likely < estimate.high
    assert "base at US$0.00025 in and US$0.00125 out per 1,000 tokens (read)" in estimate.formula
    assert "tuned at US$0.001 in" in estimate.formula


def test_estimate_asking_when_one_price_is_not_known_then_the_cost_is_unknown() -> None:
    """Part of a price makes no estimate; it says whose is missing and where to give it."""
    estimate = estimate_asking([RECORD], {"base": TokenPrice(0.1, 0.1, "read"), "tuned": None})

    assert estimate.likely is None
    assert "a price we do not know for tuned" in estimate.formula
    assert "token_prices" in estimate.formula


def test_estimates_when_shown_in_a_notebook_then_they_are_plain_text() -> None:
    """MathJax would read what stands between two dollar signs as a formula."""
    for shown in (estimate_training(TOKENS, 1, 0.001), estimate_throughput(1, 5.0)):
        assert pretty(shown) == str(shown)
        assert not hasattr(shown, "_repr_html_")


def test_show_prices_when_an_item_is_named_then_only_its_rows_are_shown() -> None:
    """As a table, with dates and sources."""
    table = show_prices("training")

    assert {row[0] for row in table.rows} == {"training"}
    assert table.headings == ("item", "model", "US$", "unit", "as of", "source")
    assert len(show_prices().rows) == len(PRICES)


def test_estimate_throughput_when_uncommitted_then_nothing_is_owed_beyond_the_hours() -> None:
    """Hours, days and months follow from units and price."""
    cost = estimate_throughput(2, 60.5, as_of="2026-08-02")

    assert (cost.hour, cost.day, cost.committed) == (121.0, 2904.0, 0.0)
    assert cost.month == 121.0 * HOURS_PER_MONTH
    assert str(cost).startswith("US$121.00 an hour, US$2,904.00 a day, US$88,330.00 a month: 2 mod")


def test_estimate_throughput_when_committed_then_the_whole_term_is_owed() -> None:
    """A commitment costs its term, however soon you stop using it."""
    cost = estimate_throughput(1, 10.0, "6 months")

    assert cost.committed == 10.0 * HOURS_PER_MONTH * 6
    assert "US$43,800.00 is owed from the start" in str(cost)


def test_estimate_throughput_when_the_price_is_zero_then_the_cost_is_unknown() -> None:
    """It still says that every hour bills."""
    cost = estimate_throughput(1, 0.0)

    assert (cost.hour, cost.day, cost.month) == (None, None, None)
    assert "1 model unit will bill every hour, used or not" in str(cost)


def test_estimate_throughput_when_an_argument_is_out_of_range_then_it_is_refused() -> None:
    """No unit, and a term that is not sold."""
    with pytest.raises(SettingsError, match="model_units"):
        estimate_throughput(0, 1.0)
    with pytest.raises(SettingsError, match='"1 month"'):
        estimate_throughput(1, 1.0, "OneMonth")


def test_format_dollars_when_below_a_cent_then_it_does_not_read_as_nothing() -> None:
    """Small change is still change."""
    assert format_dollars(0.0004) == "less than US$0.01"
    assert format_dollars(0) == "US$0.00"
    assert format_dollars(1234.5) == "US$1,234.50"


def test_range_when_shown_then_three_amounts_or_unknown() -> None:
    """A table's cells are words, whether the price is known or not."""
    known = estimate_training(TOKENS, 2, 0.001)
    assert show_range(known) == ("US$1.80", "US$2.00", "US$3.00")
    assert show_range(estimate_training(TOKENS, 2, 0.0)) == ("unknown",) * 3


@pytest.mark.parametrize(
    "name",
    [
        "anthropic.claude-3-haiku-20240307-v1:0",
        "anthropic.claude-3-haiku-20240307-v1:0:200k",
        "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    ],
)
def test_find_token_price_when_the_table_knows_the_model_then_it_is_by_the_thousand(
    name: str,
) -> None:
    """A million tokens in and a hundred thousand out, at the table's price; it says its date."""
    price = find_token_price(name)

    assert price is not None
    assert price.cost(1_000_000, 100_000) == pytest.approx(0.25 + 0.125)
    assert "2026" in price.source


def test_find_token_price_when_a_throughput_is_asked_then_its_tokens_cost_nothing_more() -> None:
    """It bills by the hour."""
    arn = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
    price = find_token_price(arn)

    assert price is not None
    assert price.cost(1_000_000, 1_000_000) == 0


@pytest.mark.parametrize("name", ["us.amazon.nova-micro-v1:0", "meta.llama3-3-70b-instruct-v1:0"])
def test_find_token_price_when_the_table_does_not_know_then_there_is_none(name: str) -> None:
    """No price is made up."""
    assert find_token_price(name) is None


def test_find_token_price_when_a_deployment_is_asked_then_its_base_model_tells_it() -> None:
    """Its ARN does not name one; without it nothing is known."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
    price = find_token_price(arn, NOVA_2_LITE.id)

    assert price is not None
    assert (price.input, price.output) == (pytest.approx(0.0003), pytest.approx(0.0025))
    assert find_token_price(arn) is None
    assert find_token_price(arn, HAIKU) is None


def test_find_token_price_when_a_profile_is_all_there_is_then_its_price_is_the_base_model_s() -> (
    None
):
    """Nova 2 Lite is asked through a profile alone."""
    price = find_token_price(NOVA_2_LITE.inference_id)

    assert price is not None
    assert price.input == pytest.approx(0.00033)


def test_parse_token_price_when_it_is_two_figures_then_they_are_in_and_out() -> None:
    """Anything else is refused and shown how."""
    assert parse_token_price("0.0003 0.0025") == TokenPrice(0.0003, 0.0025, "as given")
    for text in ("", "1", "1 x", "1 -1", "nan 1", "1 2 3"):
        with pytest.raises(SettingsError, match=r"token_price: .* such as"):
            parse_token_price(text)


def test_read_token_prices_when_one_is_known_otherwise_then_it_stands_unless_given() -> None:
    """The tuned model's price follows from how it is served."""
    known = {"tuned": TokenPrice(1.0, 2.0, "told")}

    assert read_token_prices([], {"tuned": "arn"}, known) == known
    assert read_token_prices(["tuned 3 4"], {"tuned": "arn"}, known)["tuned"] == TokenPrice(
        3.0, 4.0, "as given"
    )


def test_read_token_prices_when_one_is_given_then_it_stands_and_the_others_are_looked_up() -> None:
    """Under the names that the notebook gives the models."""
    models = {"base": HAIKU.rpartition(":")[0], "us.b-v1:0": "us.b-v1:0", "c": "c"}
    prices = read_token_prices(["us.b-v1:0 0.5 2"], models)

    assert prices["base"] == find_token_price(HAIKU.rpartition(":")[0])
    assert prices["us.b-v1:0"] == TokenPrice(0.5, 2.0, "as given")
    assert prices["c"] is None


@pytest.mark.parametrize(
    "text", ["", "base", "base 1", "base 1 x", "base -1 1", "base 1 nan", "bass 1 2"]
)
def test_read_token_prices_when_one_cannot_be_read_then_it_shows_how(text: str) -> None:
    """Also one for a model that is not asked."""
    with pytest.raises(SettingsError, match="token_prices"):
        read_token_prices([text], {"base": "base"})
