"""Cost and latency: what 1,000 requests cost, and from which rate throughput is cheaper.

All money is US dollars. A price that nobody gave is not guessed: it reads "price not given".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from haikuft.evaluation.statistics.endings import count_endings, describe_endings
from haikuft.evaluation.statistics.free_baseline import FREE, RIVALS
from haikuft.inference.replies import Reply
from haikuft.pricing import take_price
from haikuft.pricing.amounts import format_dollars, format_precise
from haikuft.pricing.table import THROUGHPUT_TOKENS, Price, TokenPrice
from haikuft.runs.record_file import RunRecord

NOT_GIVEN = "price not given"
UNKNOWN = float("nan")
_LATENCIES = ("latency_median", "latency_95", "latency_99")
_FREE_TOKENS = TokenPrice(0.0, 0.0, FREE)


def price_hour(record: RunRecord) -> Price:
    """Price an hour of the Provisioned Throughput that serves a run's tuned model.

    For a deployment: of one model unit, which could serve the model instead.

    Args:
        record: Its price per unit and hour is taken, else the table's.
    """
    given, as_of = record.price_per_unit_hour, record.price_date
    unit = take_price("throughput", record.base_model_id, given, as_of)
    amount = None if unit.amount is None else unit.amount * max(record.model_units, 1)
    return replace(unit, amount=amount, unit="per hour")


def summarise_usage(
    replies_by_name: Mapping[str, Mapping[str, Reply]],
    prices: Mapping[str, TokenPrice | None] | None = None,
    hours: Mapping[str, Price] | None = None,
) -> pd.DataFrame:
    """Tokens, latency and failures of each model, and what 1,000 requests like these cost.

    Args:
        replies_by_name: For each model's name, its replies by record id.
        prices: Name -> its token price, as from `pricing.read_token_prices`.
        hours: Name of a custom model -> the price of an hour, from `price_hour`. It counts where
            the token price is `THROUGHPUT_TOKENS`.

    Returns:
        One row a model: model, replies, errors, endings (how many did not end by themselves, and
        why), input_tokens and output_tokens (means of a reply), latency_median,
        latency_95 and latency_99 (seconds), dollars_per_1000 (NaN where it is not known), cost (in
        words).
    """
    prices = {**(prices or {}), **dict.fromkeys(RIVALS, _FREE_TOKENS)}
    rows = []
    for name, replies in replies_by_name.items():
        price, hour = prices.get(name), (hours or {}).get(name)
        good = [reply for reply in replies.values() if reply.error is None]
        figures = pd.DataFrame(
            [(r.input_tokens, r.output_tokens, r.latency_seconds) for r in good],
            columns=["input_tokens", "output_tokens", "seconds"],
            dtype=float,
        )
        tokens_in, tokens_out, _ = figures.mean()
        latencies = figures["seconds"].quantile([0.5, 0.95, 0.99])
        dollars = UNKNOWN
        if price and price != THROUGHPUT_TOKENS:
            dollars = 1000 * price.cost(tokens_in, tokens_out)
        rows.append(
            {
                "model": name,
                "replies": len(good),
                "errors": len(replies) - len(good),
                "endings": describe_endings(count_endings(good)),
                "input_tokens": tokens_in,
                "output_tokens": tokens_out,
                **dict(zip(_LATENCIES, latencies, strict=True)),
                "dollars_per_1000": dollars,
                "cost": _describe_cost(price, hour, dollars),
            }
        )
    return pd.DataFrame(rows)


def weigh_serving(
    usage: pd.DataFrame, prices: Mapping[str, TokenPrice | None], hours: Mapping[str, Price]
) -> str:
    """Compare the cost of each custom model with that of each model on demand.

    For throughput: below which request rate on demand is cheaper. For a deployment: how much less
    or more the others cost, and below which request rate it is cheaper than throughput.

    Args:
        usage: From `summarise_usage`.
        prices: As given to it.
        hours: As given to it.

    Returns:
        A sentence for each pair, or what to give where a price is missing; "" without either.
    """
    rows = {row.model: row for row in usage.itertuples()}
    others = [
        rows[name]
        for name, price in prices.items()
        if name in rows and name not in hours and price != THROUGHPUT_TOKENS
    ]
    sentences: list[str] = []
    for name, hour in hours.items():
        if name in rows and name in prices:
            by_hour = prices[name] == THROUGHPUT_TOKENS
            weigh = _weigh_throughput if by_hour else _weigh_deployment
            sentences += weigh(rows[name], hour, others)
    return " ".join(sentences)


def _weigh_throughput(row: Any, hour: Price, others: Sequence[Any]) -> list[str]:
    if hour.amount is None:
        return [
            f"The price of the {row.model} model was not given. Give throughput_price (US$ per "
            "model unit and hour) in notebook 5; then it is said here from how many requests an "
            "hour it is cheaper."
        ]
    sentences = [f"{row.model} costs {_describe_hour(hour)}."]
    for other in others:
        known = not math.isnan(other.dollars_per_1000)
        cheaper = f", {_cheaper(hour.amount, other.dollars_per_1000)}" if known else ""
        sentences.append(f"{other.model} on demand: {other.cost}{cheaper}.")
    return sentences


def _weigh_deployment(row: Any, hour: Price, others: Sequence[Any]) -> list[str]:
    if math.isnan(row.dollars_per_1000):
        return [
            f"The price of the {row.model} model was not given. Give token_prices (US$ per 1,000 "
            "tokens in and out); then it is said here what it costs beside the others."
        ]
    sentences = [f"{row.model} is deployed on demand: {row.cost}, and nothing while idle."]
    for other in others:
        less = row.dollars_per_1000 - other.dollars_per_1000  # NaN when the other's is not known
        difference = f", {format_precise(abs(less))} {'less' if less >= 0 else 'more'}"
        difference = "" if math.isnan(less) else difference
        sentences.append(f"{other.model} on demand: {other.cost}{difference}.")
    instead = "Provisioned Throughput in its place"
    if hour.amount is None:
        return [*sentences, f"{instead}: {NOT_GIVEN}."]
    cheaper = _cheaper(hour.amount, row.dollars_per_1000)
    costs = f"{instead} costs {_describe_hour(hour)}; the deployment is {cheaper}."
    return [*sentences, costs]


def _describe_hour(hour: Price) -> str:
    dated = f" (price as of {hour.as_of})" if hour.as_of else ""
    return f"{format_dollars(hour.amount or 0.0)} an hour{dated}"


def _cheaper(hourly: float, dollars_per_1000: float) -> str:
    """Say at which request rates on demand is cheaper than throughput at so much an hour."""
    if not dollars_per_1000:
        return "cheaper at any rate"
    rate = 1000 * hourly / dollars_per_1000  # requests an hour at which both cost as much
    pace = f" ({rate / 3600:,.1f} a second)" if rate >= 3600 else ""
    return f"cheaper below {max(rate, 1):,.0f} requests an hour{pace}"


def _describe_cost(price: TokenPrice | None, hour: Price | None, dollars: float) -> str:
    if price == _FREE_TOKENS:
        return "free"
    if price == THROUGHPUT_TOKENS and hour and hour.amount:
        return f"{format_dollars(hour.amount)} an hour, however many requests"
    if price is None or math.isnan(dollars):
        return NOT_GIVEN
    return f"{format_precise(dollars)} per 1,000 requests (price: {price.source})"
