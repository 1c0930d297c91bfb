"""Estimated costs of each way of serving that a base model allows. All money is US dollars.

Prices are the given ones, else those in the run's record, else the price table's. A price in none
of them stays unknown, and the message says which parameter gives it. Notebook 5 shows the costs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from haikuft.base_models import Serving
from haikuft.dataset.records import Record
from haikuft.pricing import estimate_requests, show_range, take_price
from haikuft.pricing.amounts import format_dollars
from haikuft.pricing.estimates import Estimate, ThroughputCost, estimate_throughput
from haikuft.pricing.table import TokenPrice, find_token_price, parse_token_price
from haikuft.runs.record_file import RunRecord
from haikuft.runs.run_record import Run
from haikuft.tables import Table, build_table

_NAMES = {"deployment": "deployment", "provisioned_throughput": "Provisioned Throughput"}
_UNKNOWN = "unknown"  # the beginning of a price that nobody has given
_NOT_YET_MADE = ":custom-model-deployment/"  # in place of the ARN of a deployment to come


@dataclass(frozen=True, slots=True, repr=False)
class ServingCost:
    """What one way of serving costs.

    Attributes:
        kind: "deployment" or "provisioned_throughput".
        price: The price in words with its date and source, or that it is unknown.
        changes: The prices, for the run's record.
        commitment: "none", or the term that must be paid.
        hours: What it costs while it exists, used or not; None where it costs nothing unused.
        thousand: What 1,000 requests like the test records cost; None where they cost nothing
            beyond the hours.
        request: Arguments of the start: model units and commitment, where it has any.
    """

    kind: Serving
    price: str
    changes: Mapping[str, Any]
    commitment: str = "none"
    hours: ThroughputCost | None = None
    thousand: Estimate | None = None
    request: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        if self.hours is not None:
            return str(self.hours)
        return f"For 1,000 requests like the test records: {self.thousand} Unused it costs nothing."


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
        run: Its record holds the prices given earlier.
        records: Typical requests, such as the test records; at least one.
        model_units: Units of Provisioned Throughput.
        commitment: "none", "1 month" or "6 months", of Provisioned Throughput.
        throughput_price: US dollars per model unit and hour; 0 for the record's or the table's.
        token_price: US dollars per 1,000 input and output tokens of a deployment, such as
            "0.0003 0.0025"; "" for the record's or the table's.
        price_date: The day of the given prices.

    Raises:
        SettingsError: an argument is out of its range.
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
    """Find the token price of a run's tuned model as it is served; None when it is not known."""
    if record.serving == "deployment" and record.token_price:
        source = f"as given, as of {record.price_date}" if record.price_date else "as given"
        return parse_token_price(record.token_price, source=source)
    return find_token_price(record.served_arn, record.base_model_id)


def tabulate_costs(costs: Mapping[Serving, ServingCost]) -> Table:
    """Make a table of the ways, the one cheaper for a trial first; a line without any price."""
    if all(cost.price.startswith(_UNKNOWN) for cost in costs.values()):
        return build_table(
            [(f"{_NAMES[cost.kind]}: price {cost.price}",) for cost in costs.values()]
        )
    rows = []
    for cost in costs.values():
        asked, unused = "no more than the hours", format_dollars(0)
        if cost.thousand is not None:
            low, likely, high = show_range(cost.thousand)
            asked = likely if low == high else f"{likely} ({low} to {high})"
        if cost.hours is not None:
            hour = cost.hours.hour
            unused = _UNKNOWN if hour is None else format_dollars(hour * 24)
        rows.append((_NAMES[cost.kind], cost.price, asked, unused))
    return build_table(rows, "serving", "price", "1,000 requests", "a day unused")


def _cost_throughput(
    run: Run, model_units: int, commitment: str, given: Mapping[str, Any]
) -> ServingCost:
    term = "no commitment" if commitment == "none" else commitment
    price = take_price(
        "throughput",
        run.base_model.id,
        given["price_per_unit_hour"],
        given["price_date"],
        unit=f"per model unit and hour, {term}",
    )
    amount = price.amount or 0.0
    request = {"model_units": model_units, "commitment": commitment}
    known = {"price_per_unit_hour": amount, "price_date": price.as_of} if amount else {}
    return ServingCost(
        kind="provisioned_throughput",
        price=str(price) if amount else f"{_UNKNOWN}; give throughput_price",
        commitment=commitment,
        hours=estimate_throughput(model_units, amount, commitment, as_of=price.as_of),
        request=request,
        changes={**request, **given, **known},
    )


def _cost_deployment(run: Run, records: Sequence[Record], given: Mapping[str, Any]) -> ServingCost:
    price = price_tokens(
        replace(run.record, serving="deployment", deployment_arn=_NOT_YET_MADE, **given)
    )
    prices = {"the deployment": price}
    return ServingCost(
        kind="deployment",
        price=str(price) if price else f"{_UNKNOWN}; give token_price",
        changes=given,
        thousand=estimate_requests(records, prices, requests=1000, setting="token_price"),
    )
