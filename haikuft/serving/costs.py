"""What serving costs in each way that a base model allows, side by side. All money is US dollars.

Prices are given ones, else those in the run's record, else the dated table's; what none of them
knows stays unknown, and the words say how to give it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from haikuft.base_models import Serving
from haikuft.dataset.records import Record
from haikuft.prices import (
    PER_HOUR,
    PER_HOUR_1_MONTH,
    PRICING_PAGE,
    TokenPrice,
    find_token_price,
    parse_token_price,
    take_price,
)
from haikuft.pricing import (
    Estimate,
    ThroughputCost,
    count_asked,
    estimate_throughput,
    format_dollars,
    show_range,
)
from haikuft.record_file import RunRecord
from haikuft.run_record import Run
from haikuft.tables import Table, build_table

PER_HOUR_6_MONTHS = "per model unit and hour, 6 months"
_NOT_YET_MADE = ":custom-model-deployment/"  # stands for the deployment that is to come
_UNITS = {"none": PER_HOUR, "1 month": PER_HOUR_1_MONTH, "6 months": PER_HOUR_6_MONTHS}


@dataclass(frozen=True, slots=True)
class ServingCost:
    """What one way of serving costs.

    Attributes:
        price: The price in words, or that it is unknown.
        source: Where the price was read, and when.
        commitment: "none", or how long it must be kept.
        hours: What it costs while it exists, used or not; None where it costs nothing unused.
        thousand: What 1,000 requests like the test records cost; None where they cost nothing
            beyond the hours.
        request: What it is started with: units and commitment, where it has any.
        changes: The prices, as the run's record keeps them.
    """

    kind: Serving
    price: str
    source: str
    commitment: str
    hours: ThroughputCost | None
    thousand: Estimate | None
    request: Mapping[str, Any]
    changes: Mapping[str, Any]

    def __str__(self) -> str:
        """One sentence or two with the cost and its formula."""
        if self.hours is not None:
            return str(self.hours)
        return f"For 1,000 requests like the test records: {self.thousand} Unused it costs nothing."

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the sentence in a notebook; as plain text, because MathJax reads dollar signs."""
        printer.text(str(self))


def estimate_costs(
    run: Run,
    records: Sequence[Record],
    *,
    model_units: int = 1,
    commitment: str = "none",
    throughput_price: float = 0.0,
    token_price: str = "",
    price_date: str = "",
) -> dict[Serving, ServingCost]:
    """Estimate each way of serving that the run's base model allows, in its order.

    Args:
        run: Its record knows prices of an earlier time.
        records: What is typically asked, such as the test records; at least one.
        model_units: Units of Provisioned Throughput.
        commitment: "none", "1 month" or "6 months", of Provisioned Throughput.
        throughput_price: US dollars per model unit and hour; 0 for one known otherwise.
        token_price: US dollars per 1,000 tokens that a deployment reads and writes, such as
            "0.0003 0.0025"; "" likewise.
        price_date: The day of the given prices.

    Raises:
        SettingsError: a figure that cannot be.
    """
    given = {
        "price_per_unit_hour": throughput_price or run.record.price_per_unit_hour,
        "token_price": token_price or run.record.token_price,
        "price_date": price_date or run.record.price_date,
    }
    ways = {
        "deployment": lambda: _cost_deployment(run, records, given),
        "provisioned_throughput": lambda: _cost_throughput(run, model_units, commitment, given),
    }
    return {kind: ways[kind]() for kind in run.base_model.serving}


def price_tokens(record: RunRecord) -> TokenPrice | None:
    """Say what the tokens of a run's tuned model cost; None where nobody knows.

    Behind Provisioned Throughput they cost nothing more than its hours.
    """
    if record.serving == "deployment" and record.token_price:
        source = f"as given, as of {record.price_date}" if record.price_date else "as given"
        return parse_token_price(record.token_price, source=source)
    return find_token_price(record.served_arn, record.base_model_id)


def tabulate_costs(costs: Mapping[Serving, ServingCost]) -> Table:
    """Lay the ways out side by side, the one cheaper for a trial first."""
    rows = []
    for cost in costs.values():
        if cost.thousand is not None:
            low, likely, high = show_range(cost.thousand)
            asked = likely if cost.thousand.likely is None else f"{likely} ({low} to {high})"
        else:
            asked = "no more than the hours"
        day = cost.hours.day if cost.hours else 0.0
        unused = "unknown" if day is None else format_dollars(day)
        rows.append((cost.kind, cost.price, asked, unused, cost.source))
    return build_table(rows, "serving", "price", "1,000 requests", "a day unused", "as of, source")


def _cost_throughput(
    run: Run, model_units: int, commitment: str, given: Mapping[str, Any]
) -> ServingCost:
    price = take_price(
        "throughput",
        run.base_model.id,
        given["price_per_unit_hour"],
        given["price_date"],
        unit=_UNITS.get(commitment, ""),
    )
    as_of = given["price_date"] if given["price_per_unit_hour"] else price.as_of
    amount = price.amount or 0.0
    return ServingCost(
        kind="provisioned_throughput",
        price=f"US${amount:,.10g} {price.unit}" if amount else "unknown; give throughput_price",
        source=f"{price.as_of}; {price.source}",
        commitment=commitment,
        hours=estimate_throughput(model_units, amount, commitment, as_of=as_of),
        thousand=None,
        request={"model_units": model_units, "commitment": commitment},
        changes={
            "model_units": model_units,
            "commitment": commitment,
            **given,
            "price_per_unit_hour": amount,
            "price_date": as_of if amount else given["price_date"],
        },
    )


def _cost_deployment(run: Run, records: Sequence[Record], given: Mapping[str, Any]) -> ServingCost:
    price = price_tokens(
        replace(run.record, serving="deployment", deployment_arn=_NOT_YET_MADE, **given)
    )
    return ServingCost(
        kind="deployment",
        price=str(price).partition(" (")[0] if price else "unknown; give token_price",
        source=price.source if price else f"see {PRICING_PAGE}",
        commitment="none",
        hours=None,
        thousand=_estimate_thousand(records, price),
        request={},
        changes=given,
    )


def _estimate_thousand(records: Sequence[Record], price: TokenPrice | None) -> Estimate:
    """Estimate 1,000 requests like these records."""
    prompts, answers = count_asked(records)
    each = prompts.likely / len(records), answers.likely / len(records)
    amount = f"{each[0]:,.0f} tokens in and {each[1]:,.0f} out each"
    if price is None:
        formula = (
            f"{amount}, at a price we do not know. Read it on {PRICING_PAGE} and set token_price "
            "(US$ per 1,000 tokens in and out) and price_date."
        )
        return Estimate(None, None, None, formula)
    return Estimate(
        price.cost(prompts.low, answers.low) * 1000 / len(records),
        price.cost(prompts.likely, answers.likely) * 1000 / len(records),
        price.cost(prompts.high, answers.high) * 1000 / len(records),
        f"{amount}, at {price}.",
    )
