"""Prices carry their unit, date and source; what no source tells is unknown."""

import csv
from importlib.resources import files

import pytest

from haikuft.base_models import NOVA_2_LITE, NOVA_LITE, NOVA_MICRO, NOVA_PRO, BaseModel
from haikuft.errors import SettingsError
from haikuft.pricing import read_token_prices, show_prices, take_price
from haikuft.pricing.table import (
    THROUGHPUT_TOKENS,
    TokenPrice,
    find_token_price,
    load_prices,
    parse_token_price,
)

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"


def test_every_price_has_a_unit_a_date_and_a_source() -> None:
    """No figure stands without saying when and where it was read."""
    prices = load_prices()
    assert all(p.unit and p.source for p in prices)
    assert all(p.as_of or "without a date" in p.source for p in prices)
    assert all(p.amount is None or p.amount > 0 for p in prices)


def test_table_when_read_then_each_item_has_one_price_for_a_model_and_unit() -> None:
    """No row hides another, and no column is left over."""
    with files("haikuft.pricing").joinpath("prices.csv").open(encoding="utf-8") as file:
        assert all(None not in row and None not in row.values() for row in csv.DictReader(file))
    keys = [(p.item, p.base_model_id, p.unit) for p in load_prices()]
    assert len(set(keys)) == len(keys)


def test_take_price_when_nobody_knows_it_then_the_amount_is_none() -> None:
    """What no dated source tells is not guessed."""
    assert take_price("training", HAIKU).amount is None
    assert take_price("throughput", HAIKU).amount is None
    assert take_price("training", "somebody.new-model-v1").amount is None
    assert str(take_price("training", HAIKU)).startswith("unknown per 1,000 tokens")


def test_take_price_when_it_is_known_then_it_is_the_dated_figure() -> None:
    """Storage holds for every custom model; on-demand tokens are the model's own."""
    assert take_price("storage", HAIKU).amount == 1.95
    assert take_price("input", HAIKU).amount == 0.25
    assert take_price("output", HAIKU).amount == 1.25
    assert "2026-08-02" in str(take_price("storage", HAIKU))


def test_take_price_when_the_model_has_two_then_the_one_without_commitment_comes_first() -> None:
    """Throughput is looked up as it is bought by default."""
    assert take_price("throughput", "amazon.nova-2-lite-v1:0:256k").amount == 60.50


def test_take_price_when_the_item_is_unknown_then_it_names_the_known() -> None:
    """A misspelt item is no unknown price."""
    with pytest.raises(SettingsError, match="storage"):
        take_price("disk")


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
def test_take_price_when_the_model_is_a_nova_then_it_is_the_figure_read_or_none(
    model: BaseModel, item: str, amount: float | None
) -> None:
    """What one public source had, with its day; what none had is not made up."""
    assert take_price(item, model.id).amount == amount


def test_take_price_when_one_is_given_then_it_stands_before_the_table() -> None:
    """With the day that was said, or that none was."""
    given = take_price("training", NOVA_MICRO.id, 0.002, "2026-11-20")

    assert (given.amount, given.as_of, given.source) == (0.002, "2026-11-20", "as given")
    assert take_price("training", NOVA_MICRO.id, 0.002).as_of == ""
    assert str(take_price("training", HAIKU, 2.0)) == "US$2.00 per 1,000 tokens (as given)"
    assert take_price("training", NOVA_MICRO.id).amount == 0.001
    assert take_price("training", HAIKU).amount is None
    with pytest.raises(SettingsError, match="below zero"):
        take_price("training", HAIKU, -1.0)


@pytest.mark.parametrize(
    ("term", "amount"), [("no commitment", 60.5), ("1 month", 55.0), ("6 months", None)]
)
def test_take_price_when_a_unit_is_wanted_then_no_other_price_is_taken_for_it(
    term: str, amount: float | None
) -> None:
    """An hour with a commitment is another price than one without."""
    unit = f"per model unit and hour, {term}"
    price = take_price("throughput", NOVA_2_LITE.id, unit=unit)
    assert (price.amount, price.unit) == (amount, unit)


def test_show_prices_when_an_item_is_named_then_only_its_rows_are_shown() -> None:
    """As a table, with dates and sources."""
    table = show_prices("training")

    assert {row[0] for row in table.rows} == {"training"}
    assert "unknown" not in {row[2] for row in table.rows}
    assert table.headings == ("item", "model", "price", "unit", "as of", "source")
    assert len(show_prices().rows) == sum(price.amount is not None for price in load_prices())


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


def test_read_token_prices_when_a_model_bills_by_the_hour_then_no_token_price_is_taken() -> None:
    """Its tokens cost nothing beside the hours, so a price for them is a slip."""
    known = {"tuned": THROUGHPUT_TOKENS}

    with pytest.raises(SettingsError, match=r"tuned has no token price.*bills by the hour"):
        read_token_prices(["tuned 3 4"], {"tuned": "arn"}, known)
