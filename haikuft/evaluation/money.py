"""Money and time beside quality: what 1,000 requests cost, and when throughput pays.

All money is US dollars. A price that nobody gave is never guessed: it reads "price not given".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from haikuft.errors import SettingsError
from haikuft.evaluation.free_baseline import FREE
from haikuft.prices import get_price
from haikuft.pricing import format_dollars
from haikuft.replies import Reply

NOT_GIVEN = "price not given"
UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """How one model bills.

    Attributes:
        kind: "on demand" bills tokens, "throughput" bills hours, "free" nothing.
        input_price: Per million tokens read, on demand; None when not given, as are the next two.
        output_price: Per million tokens written, on demand.
        hourly_price: Of the whole throughput, by the hour, asked or not.
        as_of: The day of the price, "" if nobody said.
    """

    kind: Literal["on demand", "throughput", "free"]
    input_price: float | None = None
    output_price: float | None = None
    hourly_price: float | None = None
    as_of: str = ""


def price_on_demand(base_model_id: str) -> ModelPrice:
    """Look a base model's tokens up in the dated table of `haikuft.prices`."""
    read, written = get_price("input", base_model_id), get_price("output", base_model_id)
    as_of = read.as_of if read.amount is not None else ""
    return ModelPrice("on demand", read.amount, written.amount, as_of=as_of)


def read_prices(texts: Sequence[str], models: Sequence[str]) -> dict[str, ModelPrice]:
    """Read prices given as "input/output", US dollars per million tokens, for models in order.

    A model without one, or with "", has no price given. Example: `read_prices(["0.8/4"], ["big"])`.

    Raises:
        SettingsError: a text that is no such pair, or more prices than models.
    """
    if len(texts) > len(models):
        raise SettingsError(
            f"further_prices: {len(texts)} prices for {len(models)} further models. Give one for "
            'each, in their order, and "" where you do not know.'
        )
    padded = [*texts, *[""] * (len(models) - len(texts))]
    return {
        model: _read_price(text) if text.strip() else ModelPrice("on demand")
        for model, text in zip(models, padded, strict=True)
    }


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
    if price.input_price is None or price.output_price is None:
        return UNKNOWN
    return (input_tokens * price.input_price + output_tokens * price.output_price) / 1e6


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


def weigh_throughput(usage: pd.DataFrame, prices: Mapping[str, ModelPrice]) -> str:
    """Say from which request rate on each throughput is cheaper than each model on demand.

    Args:
        usage: From `summarise_usage`.
        prices: As given to it.

    Returns:
        A sentence for each pair, or what to give where a price is missing; "" without throughput.
    """
    rows = {row["model"]: row for row in usage.to_dict("records")}
    sentences = []
    for name, price in prices.items():
        if price.kind != "throughput" or name not in rows:
            continue
        if price.hourly_price is None:
            sentences.append(
                f"{name}: {NOT_GIVEN}. With throughput_price (US dollars per model unit and hour) "
                "this page tells how many requests an hour make it worth its hours."
            )
            continue
        hours = f"{name} costs {format_dollars(price.hourly_price)} an hour{_date(price.as_of)}"
        sentences += [
            _weigh_pair(name, hours, price.hourly_price, other, rows[other]["dollars_per_1000"])
            + ("" if math.isnan(rows[other]["dollars_per_1000"]) else _date(prices[other].as_of))
            + "."
            for other in rows
            if other in prices and prices[other].kind == "on demand"
        ]
    return " ".join(sentences)


def _weigh_pair(name: str, hours: str, hourly: float, other: str, dollars: float) -> str:
    if math.isnan(dollars):
        return f"{hours}; {other} on demand: {NOT_GIVEN}"
    rate = find_break_even(hourly, dollars / 1000)
    if math.isinf(rate):
        return f"{hours}; {other} on demand costs nothing, so it is always cheaper"
    return (
        f"{hours}, as much as {rate:,.0f} requests an hour ({rate / 3600:,.2g} a second) to "
        f"{other} on demand; with fewer, {other} is cheaper"
    )


def _tell_cost(price: ModelPrice | None, dollars: float) -> str:
    if price is not None and price.kind == "free":
        return "free"
    if not math.isnan(dollars):
        date = _date(price.as_of) if price else ""
        return f"{format_dollars(dollars)} per 1,000 requests{date}"
    if price is not None and price.hourly_price is not None:
        return f"{format_dollars(price.hourly_price)} an hour, however many requests"
    return NOT_GIVEN


def _read_price(text: str) -> ModelPrice:
    try:
        read, written = (float(part) for part in text.split("/"))
    except ValueError:
        read = written = UNKNOWN
    if not (0 <= read < math.inf and 0 <= written < math.inf):
        raise SettingsError(
            f'further_prices: "{text}" is no price. Write US dollars per million tokens as '
            '"input/output", such as "0.8/4", or "" where you do not know.'
        )
    return ModelPrice("on demand", read, written)


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else UNKNOWN


def _date(as_of: str) -> str:
    return f" (price as of {as_of})" if as_of else ""
