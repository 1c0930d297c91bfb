"""Cost estimates with their formula, before anything is paid. All money is US dollars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haikuft.dataset.records import Record, prompt_of, reference_of
from haikuft.dataset.tokens import TokenRange, add_tokens, estimate_tokens, estimate_total_tokens
from haikuft.errors import SettingsError
from haikuft.pricing.amounts import format_dollars, format_precise, format_price
from haikuft.pricing.consent import months_of
from haikuft.pricing.table import PRICING_PAGE, TokenPrice
from haikuft.tables import Card

HOURS_PER_MONTH = 730  # AWS's own convention for monthly figures: 365 days × 24 hours / 12


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """A range of costs.

    Attributes:
        low: US dollars at the low token estimate; None when the price is unknown, as are the next.
        likely: US dollars at the likely token estimate.
        high: US dollars at the high token estimate; plan with this one.
        formula: How the figures were computed, in words.
    """

    low: float | None
    likely: float | None
    high: float | None
    formula: str

    def __repr__(self) -> str:
        if self.likely is None:
            return f"Cost unknown: {self.formula}"
        low, likely, high = show_range(self)
        between = "" if low == high else f" (between {low} and {high})"
        return f"About {likely}{between}: {self.formula}"


@dataclass(frozen=True, slots=True, repr=False)
class ThroughputCost:
    """What Provisioned Throughput costs while it exists, used or not.

    Attributes:
        hour: US dollars an hour for all model units; None when the price is unknown.
        months: Length of the commitment, 0 for none. It cannot be deleted before its term ends, so
            the whole term is owed from the start.
        formula: How the figures were computed, in words.
    """

    hour: float | None
    months: int
    formula: str

    def __repr__(self) -> str:
        if self.hour is None:
            return f"Cost unknown: {self.formula}"
        hour, day, month, term = (
            format_dollars(self.hour * hours)
            for hours in (1, 24, HOURS_PER_MONTH, HOURS_PER_MONTH * self.months)
        )
        owed = f" {term} is owed from the start." if self.months else ""
        return f"{hour} an hour, {day} a day, {month} a month: {self.formula}{owed}"


def estimate_training(
    tokens: TokenRange, epochs: float, price_per_1000_tokens: float, *, as_of: str = ""
) -> Estimate:
    """Estimate a customization job: every epoch processes, and bills, the whole training set.

    One public account was billed 1.7 times what four characters a token promised, for an unknown
    reason, so the sentence asks to allow for twice the figures. A stopped job pays for the tokens
    it has processed.

    Args:
        tokens: Tokens of the training file, read once.
        epochs: Passes over the training file, of all jobs together.
        price_per_1000_tokens: US dollars; 0 when it is not known.
        as_of: The date of that price.
    """
    _check_not_negative("epochs", epochs)
    _check_not_negative("price_per_1000_tokens", price_per_1000_tokens)
    passes = f"{epochs:g} epoch{'' if epochs == 1 else 's'}"
    amount = f"{tokens.likely:,} tokens ({tokens.low:,} to {tokens.high:,}) × {passes}"
    if not price_per_1000_tokens:
        unknown = _ask_for("training_price", "US$ per 1,000 tokens")
        return Estimate(None, None, None, f"{amount} are billed on AWS, {unknown}")
    low, likely, high = (count * epochs * price_per_1000_tokens / 1000 for count in tokens)
    formula = (
        f"{amount} × {format_price(price_per_1000_tokens)} per 1,000 tokens{_dated(as_of)}. Allow "
        "for twice that: tokens billed have been 1.7 times those estimated."
    )
    return Estimate(low, likely, high, formula)


def estimate_requests(
    records: Sequence[Record],
    prices: Mapping[str, TokenPrice | None],
    *,
    requests: int = 0,
    setting: str = "token_prices",
) -> Estimate:
    """Estimate requests with the records' prompts to each of some models.

    The references stand for the replies; a model whose replies are longer costs more.

    Args:
        records: Their prompts are sent; at least one.
        prices: Model's name -> its price, as from `read_token_prices`; None when it is not known.
        requests: Number of requests like these to each model; 0 for one a record.
        setting: The parameter that a missing price belongs in.
    """
    requests = requests or len(records)
    asking = [{**one, "messages": prompt_of(one)[1]} for one in records]
    prompts = estimate_total_tokens(asking)
    replies = add_tokens(estimate_tokens(reference_of(one)) for one in records)
    read, written = prompts.likely / len(records), replies.likely / len(records)
    asked = f"{requests:,} requests of about {read:,.0f} tokens in and {written:,.0f} out each"
    if missing := [name for name, price in prices.items() if price is None]:
        unknown = _ask_for(setting, "US$ per 1,000 tokens in and out")
        return Estimate(None, None, None, f"{asked}, to {', '.join(missing)}, {unknown}")
    known = {name: price for name, price in prices.items() if price is not None}
    low, likely, high = (
        sum(price.cost(*tokens) for price in known.values()) * requests / len(records)
        for tokens in zip(prompts, replies, strict=True)
    )
    told = "; ".join(f"to {name} at {price}" for name, price in known.items())
    return Estimate(low, likely, high, f"{asked}, {told}.")


def estimate_throughput(
    model_units: int, price_per_unit_hour: float, commitment: str = "none", *, as_of: str = ""
) -> ThroughputCost:
    """Estimate Provisioned Throughput by hour, day and month.

    Args:
        model_units: Number of model units, at least 1.
        price_per_unit_hour: US dollars; 0 when it is not known.
        commitment: "none", "1 month" or "6 months".
        as_of: The date of that price.

    Raises:
        SettingsError: an argument is out of its range.
    """
    months = months_of(commitment)
    if model_units < 1:
        raise SettingsError(f"model_units: {model_units} is too few. Buy at least 1.")
    _check_not_negative("price_per_unit_hour", price_per_unit_hour)
    units = f"{model_units} model unit{'' if model_units == 1 else 's'}"
    if not price_per_unit_hour:
        unknown = _ask_for("throughput_price", "US$ per unit and hour")
        return ThroughputCost(None, months, f"{units} will bill every hour, used or not, {unknown}")
    term = f"commitment of {commitment}" if months else "no commitment"
    price = format_price(price_per_unit_hour)
    formula = f"{units} × {price} an hour, {term}{_dated(as_of)}."
    return ThroughputCost(model_units * price_per_unit_hour, months, formula)


def show_range(estimate: Estimate) -> tuple[str, str, str]:
    """Write low, likely and high for a table; "unknown" where the price is."""
    low, likely, high = (
        "unknown" if amount is None else format_precise(amount)
        for amount in (estimate.low, estimate.likely, estimate.high)
    )
    return low, likely, high


def show_cost(cost: Estimate | ThroughputCost) -> Card:
    """Make a card of a cost: the amount, and how it was computed."""
    amount, _, formula = str(cost).partition(": ")
    return Card("unclear" if "unknown" in amount else "note", "Cost on AWS", amount, formula)


def _ask_for(setting: str, unit: str) -> str:
    return f"at a price we do not know. Read it on {PRICING_PAGE} and set {setting} ({unit})."


def _dated(as_of: str) -> str:
    return f" (price as of {as_of})" if as_of else " (a price without a date)"


def _check_not_negative(name: str, value: float) -> None:
    if not value >= 0:  # written so that nan is refused too
        raise SettingsError(f"{name}: {value} is below zero. Give a number of 0 or more.")
