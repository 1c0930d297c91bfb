"""Cost and latency of 1,000 requests, and when throughput pays; no price is invented."""

import math

import pandas as pd
import pytest

from haikuft.base_models import NOVA_2_LITE
from haikuft.errors import SettingsError
from haikuft.evaluation import FREE, price_hour, summarise_usage, weigh_serving
from haikuft.inference.replies import Reply
from haikuft.pricing.table import THROUGHPUT_TOKENS, Price, TokenPrice
from haikuft.runs.record_file import RunRecord

PRICES = {
    "base": TokenPrice(0.00025, 0.00125, "read in 2026-06"),
    "tuned": THROUGHPUT_TOKENS,
    "larger": None,
}


def reply(number: int, *, error: str | None = None) -> Reply:
    """Build a reply that took as many tenths of a second as its number."""
    return Reply(
        f"r{number}", "m", "billing", "end_turn", 100, 4, number / 10, "m", error, "", "{}"
    )


def an_hour(amount: float | None) -> dict[str, Price]:
    """Price an hour of the tuned model's throughput."""
    return {"tuned": Price("throughput", "", amount, "per hour", "2026-11-21", "as given")}


REPLIES = {f"r{number}": reply(number) for number in range(1, 102)}


def summarise() -> pd.DataFrame:
    """Summarise four models that answered alike, by name."""
    by_name = dict.fromkeys(("base", "tuned", "larger", FREE), REPLIES)
    usage = summarise_usage(by_name, PRICES, an_hour(20.0))
    return usage.set_index("model")


def test_summarise_usage_when_a_price_is_known_then_a_thousand_requests_have_one() -> None:
    """100 tokens in and 4 out, a thousand times, at 0.25 and 1.25 dollars per million."""
    usage = summarise()

    assert usage.loc["base", "dollars_per_1000"] == pytest.approx((100 * 0.25 + 4 * 1.25) / 1000)
    assert usage.loc["base", "cost"] == "US$0.03 per 1,000 requests (price: read in 2026-06)"
    assert usage.loc[FREE, ["dollars_per_1000", "cost"]].tolist() == [0.0, "free"]


def test_summarise_usage_when_a_price_is_not_known_then_it_says_not_given() -> None:
    """Nothing is made up."""
    usage = summarise()

    assert math.isnan(usage.loc["larger", "dollars_per_1000"])
    assert usage.loc["larger", "cost"] == "price not given"
    assert summarise_usage({"base": REPLIES})["cost"].tolist() == ["price not given"]


def test_summarise_usage_when_throughput_is_asked_then_an_hour_is_all_one_can_say() -> None:
    """Two units at ten dollars an hour."""
    usage = summarise()

    assert usage.loc["tuned", "cost"] == "US$20.00 an hour, however many requests"


def test_summarise_usage_when_replies_failed_then_they_are_counted_apart() -> None:
    """Means and percentiles are over good replies."""
    replies = REPLIES | {"r1": reply(1, error="timed out")}

    (row,) = summarise_usage({"base": replies}).to_dict("records")

    assert (row["replies"], row["errors"]) == (100, 1)
    assert row["input_tokens"] == 100
    assert row["latency_median"] == pytest.approx(5.15)
    assert row["latency_95"] == pytest.approx(9.605)
    assert row["latency_median"] < row["latency_95"] < row["latency_99"] <= 10.1


def test_summarise_usage_when_all_failed_then_there_is_a_row_all_the_same() -> None:
    """Without figures."""
    (row,) = summarise_usage({"base": {"r1": reply(1, error="no")}}, PRICES).to_dict("records")

    assert (row["replies"], row["errors"], row["cost"]) == (0, 1, "price not given")


def test_weigh_serving_when_a_request_is_free_then_throughput_never_pays() -> None:
    """And the sentence says so."""
    prices = {"base": TokenPrice(0.0, 0.0, "as given"), "tuned": THROUGHPUT_TOKENS}
    usage = summarise_usage(dict.fromkeys(prices, REPLIES), prices, an_hour(20.0))
    assert "(price: as given), cheaper at any rate." in weigh_serving(usage, prices, an_hour(20.0))


def test_weigh_serving_when_prices_are_known_then_it_names_the_rate() -> None:
    """20 dollars an hour against 0.03 a thousand are 666,667 requests an hour."""
    told = weigh_serving(summarise().reset_index(), PRICES, an_hour(20.0))

    assert "tuned costs US$20.00 an hour (price as of 2026-11-21)." in told
    assert "base on demand: US$0.03 per 1,000 requests (price: read in 2026-06), cheaper" in told
    assert "cheaper below 666,667 requests an hour (185.2 a second)." in told
    assert "larger on demand: price not given." in told


def test_weigh_serving_when_the_hour_has_no_price_then_it_asks_for_it() -> None:
    """As with Claude 3 Haiku, whose price no source may be quoted for."""
    told = weigh_serving(summarise().reset_index(), PRICES, an_hour(None))

    assert told.startswith("The price of the tuned model was not given. Give throughput_price")


DEPLOYED = {"tuned": TokenPrice(0.0005, 0.0025, "told")}


def test_summarise_usage_when_a_deployment_is_asked_then_its_tokens_bill() -> None:
    """100 in and 4 out, a thousand times; what throughput would cost is no cost of it."""
    usage = summarise_usage({"tuned": REPLIES}, DEPLOYED, an_hour(20.0))

    assert usage.loc[0, "dollars_per_1000"] == pytest.approx((100 * 0.5 + 4 * 2.5) / 1000)
    assert usage.loc[0, "cost"] == "US$0.06 per 1,000 requests (price: told)"
    unknown = summarise_usage({"tuned": REPLIES}, {"tuned": None}, an_hour(20.0))
    assert unknown.loc[0, "cost"] == "price not given"


def test_weigh_serving_when_deployed_then_it_says_how_much_more_and_when_hours_would_pay() -> None:
    """6 cents a thousand against 3, and 20 dollars an hour in its place: 333,333 an hour."""
    prices = PRICES | DEPLOYED
    usage = summarise_usage(dict.fromkeys(prices, REPLIES), prices, an_hour(20.0))

    told = weigh_serving(usage, prices, an_hour(20.0))

    assert told.startswith("tuned is deployed on demand: US$0.06 per 1,000 requests (price: told)")
    assert "nothing while idle" in told
    assert "US$0.03 per 1,000 requests (price: read in 2026-06), US$0.03 less." in told
    assert "larger on demand: price not given." in told
    assert "in its place costs US$20.00 an hour (price as of 2026-11-21)" in told
    assert "the deployment is cheaper below 333,333 requests an hour (92.6 a second)." in told


def test_weigh_serving_when_costs_are_below_a_cent_then_they_can_still_be_compared() -> None:
    """Two small amounts do not both read as less than a cent."""
    prices = {"base": TokenPrice(1e-6, 1e-6, "told"), "tuned": TokenPrice(3e-6, 3e-6, "told")}
    usage = summarise_usage(dict.fromkeys(prices, REPLIES), prices)

    told = weigh_serving(usage, prices, an_hour(None))

    assert "tuned is deployed on demand: US$0.00031 per 1,000 requests" in told
    assert "base on demand: US$0.0001 per 1,000 requests (price: told), US$0.00021 less." in told


@pytest.mark.parametrize(
    ("price", "hour", "words"),
    [
        (None, 20.0, "The price of the tuned model was not given. Give token_prices"),
        (DEPLOYED["tuned"], None, "in its place: price not given."),
    ],
)
def test_weigh_serving_when_a_deployment_s_price_is_missing_then_it_asks_for_it(
    price: TokenPrice | None, hour: float | None, words: str
) -> None:
    """Neither of the two is made up."""
    usage = summarise_usage({"tuned": REPLIES}, {"tuned": price}, an_hour(hour))

    assert words in weigh_serving(usage, {"tuned": price}, an_hour(hour))


def test_weigh_serving_when_nothing_custom_was_asked_then_there_is_nothing_to_say() -> None:
    """Neither a model without replies nor one that bills by the hour at an unknown price."""
    further = {"base": PRICES["base"], "further": THROUGHPUT_TOKENS}
    usage = summarise_usage(dict.fromkeys(further, REPLIES), further)

    assert weigh_serving(usage, further, an_hour(20.0)) == ""
    assert usage["cost"].tolist()[1] == "price not given"


def test_price_hour_when_the_record_has_a_price_then_it_is_multiplied_by_the_units() -> None:
    """With the day that the record keeps; without a price in record or table it is unknown."""
    given = RunRecord("first", "aws", model_units=2, price_per_unit_hour=10.0, price_date="today")

    assert (price_hour(given).amount, price_hour(given).as_of) == (20.0, "today")
    assert price_hour(RunRecord("first", "aws", serving="deployment")).amount is None


def test_price_hour_when_the_table_has_a_price_then_it_is_that_of_one_unit() -> None:
    """With its day: what throughput in a deployment's place would cost."""
    record = RunRecord("first", "aws", base_model_id=NOVA_2_LITE.id, serving="deployment")

    assert (price_hour(record).amount, price_hour(record).as_of) == (60.5, "2026-08-02")


@pytest.mark.parametrize("price", [-1.0, math.nan])
def test_price_hour_when_below_zero_then_it_is_refused(price: float) -> None:
    """No throughput pays its owner."""
    with pytest.raises(SettingsError, match="below zero"):
        price_hour(RunRecord("first", "aws", price_per_unit_hour=price))
