"""Estimates with their formula, before anything is paid. All money is US dollars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haikuft.charges import COMMITMENT_MONTHS, check_charges, check_commitment, months_of
from haikuft.dataset.records import Record, reference_of
from haikuft.dataset.tokens import (
    TokenRange,
    add_tokens,
    estimate_record_tokens,
    estimate_tokens,
)
from haikuft.errors import SettingsError
from haikuft.prices import (
    PER_1000,
    PRICES,
    PRICING_PAGE,
    Price,
    TokenPrice,
    find_token_price,
    get_price,
    list_prices,
    parse_token_price,
    read_token_prices,
    show_prices,
    take_price,
)

__all__ = [
    "COMMITMENT_MONTHS",
    "HOURS_PER_MONTH",
    "PRICES",
    "PRICING_PAGE",
    "Estimate",
    "Price",
    "ThroughputCost",
    "TokenPrice",
    "check_charges",
    "check_commitment",
    "count_asked",
    "estimate_asking",
    "estimate_throughput",
    "estimate_training",
    "find_token_price",
    "format_dollars",
    "get_price",
    "list_prices",
    "parse_token_price",
    "read_token_prices",
    "show_prices",
    "show_range",
    "take_price",
]

HOURS_PER_MONTH = 730  # AWS's own convention for monthly figures: 365 days × 24 hours / 12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A cost before it is spent, as a range.

    Attributes:
        low: US dollars at the low token estimate; None when the price is unknown, as are the next.
        likely: US dollars at the likely token estimate.
        high: US dollars at the high token estimate; plan with this one.
        formula: How the figures came about, readable aloud.
    """

    low: float | None
    likely: float | None
    high: float | None
    formula: str

    def __str__(self) -> str:
        """One sentence with the range and the formula."""
        if self.low is None or self.likely is None or self.high is None:
            return f"Cost unknown: {self.formula}"
        low, likely, high = (format_dollars(x) for x in (self.low, self.likely, self.high))
        return f"About {likely} (between {low} and {high}): {self.formula}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the sentence in a notebook; as plain text, because MathJax reads dollar signs."""
        printer.text(str(self))


@dataclass(frozen=True, slots=True)
class ThroughputCost:
    """What Provisioned Throughput costs while it exists, used or not.

    Attributes:
        hour: US dollars an hour for all model units; None when the price is unknown, as are the
            next three.
        day: 24 hours of it.
        month: 730 hours of it.
        committed: What is owed from the first hour on, because a commitment cannot be deleted
            before its term ends; 0.0 without commitment.
        formula: How the figures came about, readable aloud.
    """

    hour: float | None
    day: float | None
    month: float | None
    committed: float | None
    formula: str

    def __str__(self) -> str:
        """One sentence with hour, day and month, and the commitment if there is one."""
        if self.hour is None or self.day is None or self.month is None:
            return f"Cost unknown: {self.formula}"
        hour, day, month = (format_dollars(x) for x in (self.hour, self.day, self.month))
        owed = (
            f" {format_dollars(self.committed)} is owed from the start." if self.committed else ""
        )
        return f"{hour} an hour, {day} a day, {month} a month: {self.formula}{owed}"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the sentence in a notebook; as plain text, because MathJax reads dollar signs."""
        printer.text(str(self))


def estimate_training(
    tokens: TokenRange, epochs: int, price_per_1000_tokens: float, *, as_of: str = ""
) -> Estimate:
    """Estimate a customization job: every epoch processes, and bills, the whole training set.

    One public account was billed 1.7 times what four characters a token promised, why is not
    known, so the sentence asks to allow for twice the figures. A stopped job pays for the tokens it
    has processed.

    Args:
        tokens: Tokens of the training file, read once.
        epochs: Passes over it.
        price_per_1000_tokens: US dollars; 0 when you do not know it.
        as_of: When you read that price.
    """
    _check_not_negative("epochs", epochs)
    _check_not_negative("price_per_1000_tokens", price_per_1000_tokens)
    amount = f"{tokens.likely:,} tokens ({tokens.low:,} to {tokens.high:,}) × {epochs} epochs"
    if not price_per_1000_tokens:
        formula = (
            f"{amount} will be billed, at a price we do not know. Read it on {PRICING_PAGE} "
            "and set training_price (US$ per 1,000 tokens) and price_date."
        )
        return Estimate(None, None, None, formula)
    per_token = epochs * price_per_1000_tokens / 1000
    formula = (
        f"{amount} × US${price_per_1000_tokens:.10g} {PER_1000}{_dated(as_of)}. Allow for twice "
        "that: tokens billed have been 1.7 times those estimated."
    )
    return Estimate(
        tokens.low * per_token, tokens.likely * per_token, tokens.high * per_token, formula
    )


def count_asked(records: Sequence[Record]) -> tuple[TokenRange, TokenRange]:
    """Estimate the tokens of asking every record's prompt: those read, and those written.

    The references stand for the replies; a model that talks longer writes more.
    """
    answers = add_tokens(estimate_tokens(reference_of(record)) for record in records)
    whole = add_tokens(estimate_record_tokens(record) for record in records)
    prompts = TokenRange(
        whole.low - answers.low, whole.likely - answers.likely, whole.high - answers.high
    )
    return prompts, answers


def estimate_asking(records: Sequence[Record], prices: Mapping[str, TokenPrice | None]) -> Estimate:
    """Estimate asking each of some models every record's prompt, as `count_asked` counts it.

    Args:
        records: What will be asked.
        prices: Model's name -> its price, as from `read_token_prices`; None where not known.
    """
    prompts, answers = count_asked(records)
    asked = f"{prompts.likely:,} tokens in and {answers.likely:,} out for each model"
    unknown = [name for name, price in prices.items() if price is None]
    if unknown:
        formula = (
            f"{asked}, at a price we do not know for {', '.join(unknown)}. Read it on "
            f"{PRICING_PAGE} and give it in token_prices."
        )
        return Estimate(None, None, None, formula)
    known = {name: price for name, price in prices.items() if price is not None}
    low, likely, high = (
        sum(price.cost(read, written) for price in known.values())
        for read, written in zip(
            (prompts.low, prompts.likely, prompts.high),
            (answers.low, answers.likely, answers.high),
            strict=True,
        )
    )
    told = "; ".join(f"{name} at {price}" for name, price in known.items())
    return Estimate(low, likely, high, f"{asked}, {told}.")


def estimate_throughput(
    model_units: int,
    price_per_unit_hour: float,
    commitment: str = "none",
    *,
    as_of: str = "",
) -> ThroughputCost:
    """Estimate Provisioned Throughput by hour, day and month.

    Args:
        model_units: Units bought, at least 1.
        price_per_unit_hour: US dollars; 0 when you do not know it.
        commitment: "none", "1 month" or "6 months".
        as_of: When you read that price.

    Raises:
        SettingsError: an argument is out of its range.
    """
    months = months_of(commitment)
    if model_units < 1:
        raise SettingsError(f"model_units: {model_units} is too few. Buy at least 1.")
    _check_not_negative("price_per_unit_hour", price_per_unit_hour)
    units = f"{model_units} model unit{'' if model_units == 1 else 's'}"
    if not price_per_unit_hour:
        formula = (
            f"{units} will bill every hour, used or not, at a price we do not know. Read it on "
            f"{PRICING_PAGE} and set throughput_price (US$ per unit and hour) and price_date."
        )
        return ThroughputCost(None, None, None, None if months else 0.0, formula)
    hour = model_units * price_per_unit_hour
    term = "no commitment" if not months else f"commitment of {commitment}"
    formula = f"{units} × US${price_per_unit_hour:.10g} an hour, {term}{_dated(as_of)}."
    month = hour * HOURS_PER_MONTH
    return ThroughputCost(hour, hour * 24, month, month * months, formula)


def format_dollars(amount: float) -> str:
    """Write an amount with cents."""
    return "less than US$0.01" if 0 < amount < 0.01 else f"US${amount:,.2f}"


def show_range(estimate: Estimate) -> tuple[str, str, str]:
    """Write low, likely and high for a table; "unknown" where the price is."""
    low, likely, high = (
        "unknown" if amount is None else format_dollars(amount)
        for amount in (estimate.low, estimate.likely, estimate.high)
    )
    return low, likely, high


def _dated(as_of: str) -> str:
    return f" (price as of {as_of})" if as_of else " (a price without a date)"


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0:  # written so that nan is refused too
        raise SettingsError(f"{name}: {value} is below zero. Give a number of 0 or more.")
