"""Money and time beside quality: what 1,000 requests cost, and which way of serving pays.

All money is US dollars. A price that nobody gave is never guessed: it reads "price not given".
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from haikuft.errors import SettingsError
from haikuft.evaluation.free_baseline import FREE
from haikuft.prices import TokenPrice, take_price
from haikuft.pricing import format_dollars
from haikuft.record_file import RunRecord
from haikuft.replies import Reply

NOT_GIVEN = "price not given"
UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """How one model bills.

    Attributes:
        kind: "on demand" bills a base model's tokens, "deployment" a custom model's, "throughput"
            bills hours, "free" nothing.
        tokens: What its tokens cost, on demand or deployed; None when not given.
        hourly_price: Of the whole throughput, by the hour, asked or not; for a deployment of the
            throughput that could take its place; None when not given.
        as_of: The day of the hourly price, "" if nobody said.
    """

    kind: Literal["on demand", "deployment", "throughput", "free"]
    tokens: TokenPrice | None = None
    hourly_price: float | None = None
    as_of: str = ""


def price_throughput(
    model_units: int, price_per_unit_hour: float, *, as_of: str = ""
) -> ModelPrice:
    """Price a throughput by its units; 0 for a price per unit and hour that is not known."""
    if not price_per_unit_hour >= 0:  # written so that nan is refused too
        raise SettingsError(
            f"throughput_price: {price_per_unit_hour} is below zero. Give a number of 0 or more."
        )
    hourly = model_units * price_per_unit_hour or None
    return ModelPrice("throughput", hourly_price=hourly, as_of=as_of)


def price_served(record: RunRecord, tokens: TokenPrice | None) -> ModelPrice:
    """Price a run's tuned model as it is served, by the prices that its record keeps.

    Args:
        record: Says how it is served; without a price an hour the table's is taken.
        tokens: What its tokens cost, as from `read_token_prices`; None where not known.
    """
    hourly = take_price(
        "throughput", record.base_model_id, record.price_per_unit_hour, record.price_date
    )
    as_of = record.price_date if record.price_per_unit_hour else hourly.as_of
    units = price_throughput(max(record.model_units, 1), hourly.amount or 0.0, as_of=as_of)
    if record.serving == "deployment":
        return replace(units, kind="deployment", tokens=tokens)
    return units


def combine_prices(
    token_prices: Mapping[str, TokenPrice | None], served: Mapping[str, ModelPrice]
) -> dict[str, ModelPrice]:
    """Say how each model bills: as it is served, or by the token on demand.

    Args:
        token_prices: For each model's name, as from `read_token_prices`; None where not known.
        served: The price of those models that are custom, from `price_served`.
    """
    return {
        name: served.get(name) or ModelPrice("on demand", price)
        for name, price in token_prices.items()
    }


def summarise_usage(
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    prices: Mapping[str, ModelPrice] | None = None,
    *,
    requests_per_hour: float = 0.0,
) -> pd.DataFrame:
    """Tokens, latency and failures of each model, and what 1,000 requests like these cost.

    Args:
        replies_by_name: For each model's name, its replies by record id.
        prices: How each model bills; one without is of a price not given. A free baseline is free.
        requests_per_hour: Your traffic, by which a throughput's hours are shared out; 0 if you do
            not know it.

    Returns:
        One row a model: model, replies, errors, characters, input_tokens and output_tokens (means
        of a reply), latency_median, latency_95 and latency_99 (seconds), dollars_per_1000 (NaN
        where it is not known), cost (in words).
    """
    rows = []
    for name, replies in replies_by_name.items():
        price = ModelPrice("free") if name == FREE else (prices or {}).get(name)
        good = [reply for reply in replies.values() if reply.error is None]
        seconds = pd.Series([reply.latency_seconds for reply in good], dtype=float)
        tokens_in = _mean([reply.input_tokens for reply in good])
        tokens_out = _mean([reply.output_tokens for reply in good])
        dollars = 1000 * cost_per_request(price, tokens_in, tokens_out, requests_per_hour)
        rows.append(
            {
                "model": name,
                "replies": len(good),
                "errors": len(replies) - len(good),
                "characters": _mean([len(reply.text) for reply in good]),
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                "latency_median": seconds.median(),
                "latency_95": seconds.quantile(0.95),
                "latency_99": seconds.quantile(0.99),
                "dollars_per_1000": dollars,
                "cost": _tell_cost(price, dollars),
            }
        )
    return pd.DataFrame(rows)


def cost_per_request(
    price: ModelPrice | None,
    input_tokens: float,
    output_tokens: float,
    requests_per_hour: float = 0.0,
) -> float:
    """Cost of one request; NaN where a price, or a throughput's traffic, is not given."""
    if price is None:
        return UNKNOWN
    if price.kind == "free":
        return 0.0
    if price.kind == "throughput":
        known = price.hourly_price is not None and requests_per_hour > 0
        return (price.hourly_price or 0.0) / requests_per_hour if known else UNKNOWN
    if price.tokens is None:
        return UNKNOWN
    return (input_tokens * price.tokens.input + output_tokens * price.tokens.output) / 1000


def find_break_even(hourly_price: float, dollars_per_request: float) -> float:
    """Find the requests an hour at which throughput costs as much as asking on demand.

    Below it on demand is cheaper. Infinite where a request costs nothing.

    Raises:
        SettingsError: a figure is below zero.
    """
    if not (hourly_price >= 0 and dollars_per_request >= 0):
        raise SettingsError(
            f"Break-even of {hourly_price} an hour and {dollars_per_request} a request: give "
            "numbers of 0 or more."
        )
    return hourly_price / dollars_per_request if dollars_per_request else math.inf


def weigh_serving(usage: pd.DataFrame, prices: Mapping[str, ModelPrice]) -> str:
    """Say what each served model costs beside each model on demand.

    Of throughput: from which request rate on it is cheaper than asking on demand. Of a deployment,
    which has no hour to make up for: how much more 1,000 requests cost, and from which rate on
    throughput in its place would be cheaper.

    Args:
        usage: From `summarise_usage`.
        prices: As given to it, from `combine_prices`.

    Returns:
        A sentence for each pair, or what to give where a price is missing; "" without either.
    """
    rows = {row["model"]: row for row in usage.to_dict("records")}
    weigh = {"throughput": _weigh_throughput, "deployment": _weigh_deployment}
    sentences = [
        sentence
        for name, price in prices.items()
        if price.kind in weigh and name in rows
        for sentence in weigh[price.kind](name, price, rows, prices)
    ]
    return " ".join(sentences)


def _weigh_throughput(
    name: str,
    price: ModelPrice,
    rows: Mapping[str, Mapping[Hashable, Any]],
    prices: Mapping[str, ModelPrice],
) -> list[str]:
    if price.hourly_price is None:
        return [
            f"{name}: {NOT_GIVEN}. With throughput_price (US dollars per model unit and hour) "
            "in notebook 5 this page tells how many requests an hour make it worth its hours."
        ]
    hours = f"{name} costs {format_dollars(price.hourly_price)} an hour{_tell_source(price)}"
    return [
        _weigh_pair(hours, price.hourly_price, other, rows[other]["dollars_per_1000"])
        + ("" if math.isnan(rows[other]["dollars_per_1000"]) else _tell_source(prices[other]))
        + "."
        for other in _on_demand(rows, prices)
    ]


def _weigh_deployment(
    name: str,
    price: ModelPrice,
    rows: Mapping[str, Mapping[Hashable, Any]],
    prices: Mapping[str, ModelPrice],
) -> list[str]:
    dollars = rows[name]["dollars_per_1000"]
    if math.isnan(dollars):
        return [
            f"{name}: {NOT_GIVEN}. With token_prices (US dollars per 1,000 tokens in and out) this "
            "page tells what it costs beside the others."
        ]
    sentences = [
        f"{name} is deployed on demand: {format_dollars(dollars)} per 1,000 requests"
        f"{_tell_source(price)}, nothing while idle, so no rate of requests has to be reached."
    ]
    for other in _on_demand(rows, prices):
        theirs = rows[other]["dollars_per_1000"]
        if math.isnan(theirs):
            sentences.append(f"{other} on demand: {NOT_GIVEN}.")
            continue
        more = dollars - theirs
        words = f"{format_dollars(abs(more))} {'more' if more >= 0 else 'less'}"
        source = _tell_source(prices[other])
        sentences.append(f"1,000 requests cost {words} than with {other}{source}.")
    if price.hourly_price is None:
        sentences.append(f"Provisioned Throughput in its place: {NOT_GIVEN}.")
        return sentences
    when = f" (price as of {price.as_of})" if price.as_of else ""
    hours = (
        f"Provisioned Throughput in its place costs {format_dollars(price.hourly_price)} an hour"
    )
    return [*sentences, f"{_weigh_pair(hours + when, price.hourly_price, name, dollars)}."]


def _on_demand(
    rows: Mapping[str, Mapping[Hashable, Any]], prices: Mapping[str, ModelPrice]
) -> list[str]:
    return [other for other in rows if other in prices and prices[other].kind == "on demand"]


def _weigh_pair(hours: str, hourly: float, other: str, dollars: float) -> str:
    if math.isnan(dollars):
        return f"{hours}; {other} on demand: {NOT_GIVEN}"
    rate = find_break_even(hourly, dollars / 1000)
    if math.isinf(rate):
        return f"{hours}; {other} on demand costs nothing, so it is always cheaper"
    second = rate / 3600
    pace = f"{second:,.1f}" if second >= 1 else f"{second:.2g}"
    return (
        f"{hours}, as much as {rate:,.0f} requests an hour ({pace} a second) to "
        f"{other} on demand; with fewer, {other} is cheaper"
    )


def _tell_cost(price: ModelPrice | None, dollars: float) -> str:
    if price is not None and price.kind == "free":
        return "free"
    if not math.isnan(dollars):
        source = _tell_source(price) if price else ""
        return f"{format_dollars(dollars)} per 1,000 requests{source}"
    if price is not None and price.kind == "throughput" and price.hourly_price is not None:
        return f"{format_dollars(price.hourly_price)} an hour, however many requests"
    return NOT_GIVEN


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else UNKNOWN


def _tell_source(price: ModelPrice) -> str:
    if price.tokens is not None:
        return f" (price: {price.tokens.source})"
    return f" (price as of {price.as_of})" if price.as_of else ""
