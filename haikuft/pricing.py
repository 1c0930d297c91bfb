"""Estimates with their formula, and the guards before a paid call. All money is US dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from haikuft.dataset.records import Record, reference_of
from haikuft.dataset.tokens import (
    TokenRange,
    add_tokens,
    estimate_record_tokens,
    estimate_tokens,
)
from haikuft.errors import ChargesRefusedError, SettingsError
from haikuft.prices import (
    PER_1000,
    PER_MILLION,
    PRICES,
    PRICING_PAGE,
    Price,
    TokenPrice,
    find_token_price,
    get_price,
    list_prices,
    read_token_prices,
    show_prices,
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
    "estimate_asking",
    "estimate_replies",
    "estimate_throughput",
    "estimate_training",
    "find_token_price",
    "format_dollars",
    "get_price",
    "list_prices",
    "read_token_prices",
    "show_prices",
    "show_range",
]

HOURS_PER_MONTH = 730  # AWS's own convention for monthly figures: 365 days × 24 hours / 12
COMMITMENT_MONTHS = {"none": 0, "1 month": 1, "6 months": 6}


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

    Plan with the high figure: one public account was billed 1.7 times what four characters a token
    promised. A stopped job pays for the tokens it has processed.

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
    formula = f"{amount} × US${price_per_1000_tokens:.10g} {PER_1000}{_dated(as_of)}."
    return Estimate(
        tokens.low * per_token, tokens.likely * per_token, tokens.high * per_token, formula
    )


def estimate_replies(
    input_tokens: TokenRange,
    output_tokens: TokenRange,
    *,
    input_price: float | None,
    output_price: float | None,
    as_of: str = "",
) -> Estimate:
    """Estimate on-demand replies, which bill by the token. Prices are US dollars per million.

    Replies of a tuned model behind Provisioned Throughput cost nothing beyond its hours.
    """
    amount = f"{input_tokens.likely:,} tokens in and {output_tokens.likely:,} out"
    if input_price is None or output_price is None:
        formula = f"{amount} will be billed, at a price we do not know. Read it on {PRICING_PAGE}."
        return Estimate(None, None, None, formula)
    _check_not_negative("input_price", input_price)
    _check_not_negative("output_price", output_price)
    low = input_tokens.low * input_price + output_tokens.low * output_price
    likely = input_tokens.likely * input_price + output_tokens.likely * output_price
    high = input_tokens.high * input_price + output_tokens.high * output_price
    prices = f"US${input_price:.10g} and US${output_price:.10g} {PER_MILLION}"
    return Estimate(low / 1e6, likely / 1e6, high / 1e6, f"{amount} × {prices}{_dated(as_of)}.")


def estimate_asking(records: Sequence[Record], base_model_id: str) -> Estimate:
    """Estimate asking the base model every record's prompt, at the table's on-demand price.

    The references stand for the replies; a model that talks longer costs more.
    """
    answers = add_tokens(estimate_tokens(reference_of(record)) for record in records)
    whole = add_tokens(estimate_record_tokens(record) for record in records)
    prompts = TokenRange(
        whole.low - answers.low, whole.likely - answers.likely, whole.high - answers.high
    )
    price = get_price("input", base_model_id)
    return estimate_replies(
        prompts,
        answers,
        input_price=price.amount,
        output_price=get_price("output", base_model_id).amount,
        as_of=price.as_of,
    )


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
    months = _months_of(commitment)
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


def check_charges(bills: bool, allow_charges: bool, *, doing: str, estimate: str) -> None:
    """Stop before a paid call unless it was allowed, or the target bills nothing.

    Args:
        bills: Whether the target sends a bill: `connection.bills`.
        allow_charges: What the notebook's parameter says.
        doing: The deed, as in "creating Provisioned Throughput".
        estimate: One sentence with the cost: `str()` of an estimate above.

    Raises:
        ChargesRefusedError: the target bills and charges were not allowed.
    """
    if bills and not allow_charges:
        raise ChargesRefusedError(
            f"Stopped before {doing}: {estimate.rstrip('. ')}. Set allow_charges = True to go on."
        )


def check_commitment(
    bills: bool, allow_commitment: bool, *, commitment: str, estimate: str
) -> None:
    """Stop before a commitment unless it was allowed beside the charges, or nothing is billed.

    Raises:
        ChargesRefusedError: the target bills and the commitment was not allowed.
        SettingsError: a commitment that AWS does not sell.
    """
    if _months_of(commitment) and bills and not allow_commitment:
        raise ChargesRefusedError(
            f"Stopped before a commitment of {commitment}: it cannot be deleted before its term "
            f"ends, and renews by itself. {estimate.rstrip('. ')}. "
            'Set allow_commitment = True to go on, or commitment = "none".'
        )


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


def _months_of(commitment: str) -> int:
    if commitment not in COMMITMENT_MONTHS:
        known = ", ".join(f'"{name}"' for name in COMMITMENT_MONTHS)
        raise SettingsError(f'commitment: "{commitment}" is not sold. Use one of {known}.')
    return COMMITMENT_MONTHS[commitment]


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0:  # written so that nan is refused too
        raise SettingsError(f"{name}: {value} is below zero. Give a number of 0 or more.")
