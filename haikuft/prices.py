"""Prices with their dates: what Bedrock's fine-tuning, storage, throughput and tokens cost.

Every figure is second-hand: AWS's pricing page fills its numbers in inside the browser, so no
stored copy of it holds any. Read the page before you spend, and pass what you read, with its date,
to the estimates of `haikuft.pricing`. All money is US dollars.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from haikuft.base_models import BASE_MODELS
from haikuft.errors import SettingsError
from haikuft.tables import Table, build_table

PRICING_PAGE = "https://aws.amazon.com/bedrock/pricing/"

PER_1000 = "per 1,000 tokens"
PER_MILLION = "per million tokens"
PER_HOUR = "per model unit and hour, no commitment"
PER_HOUR_1_MONTH = "per model unit and hour, 1 month"
PER_MODEL_MONTH = "per custom model and month"

_HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
_NOVA_MICRO = "amazon.nova-micro-v1:0:128k"
_NOVA_LITE = "amazon.nova-lite-v1:0:300k"
_NOVA_PRO = "amazon.nova-pro-v1:0:300k"
_NOVA_2_LITE = "amazon.nova-2-lite-v1:0:256k"
_LLAMA_3_3_70B = "meta.llama3-3-70b-instruct-v1:0:128k"

_PORTFOLIO = "cost notes read from AWS's Price List, MAOFILHO/Portfolio-Projects on GitHub"
_TABLES = "several public price tables"
_NOT_FOUND = "no stored copy of AWS's pricing page holds a number"
# AWS's machine-learning blog, "Customize Amazon Nova models with Amazon Bedrock fine-tuning".
_SAME_RATE = f"the base model's, as AWS's blog says; {_TABLES}"
_BLOG = "a public blog, without a date"


@dataclass(frozen=True, slots=True)
class Price:
    """One dated price.

    Attributes:
        item: "training", "storage", "throughput", "input" and "output" of the base model asked on
            demand, or "custom input" and "custom output" of a custom model deployed on demand.
        base_model_id: The model it is for; "" when it holds for every custom model.
        amount: US dollars; None when no source with a date was found.
        unit: What one amount buys.
        as_of: The day or month the source speaks of.
        source: Where the figure was read.
    """

    item: str
    base_model_id: str
    amount: float | None
    unit: str
    as_of: str
    source: str

    def __str__(self) -> str:
        """Amount, unit, date and source in one line."""
        amount = "unknown" if self.amount is None else f"US${self.amount:,.10g}"
        return f"{amount} {self.unit} (as of {self.as_of}; {self.source})"


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model's tokens cost when it is asked.

    Attributes:
        input: US dollars per 1,000 tokens read.
        output: US dollars per 1,000 tokens written.
        source: Where the figures come from, with their date.
    """

    input: float
    output: float
    source: str

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars for so many tokens, e.g. 1,000 and 500 at 0.25 and 1.25 -> 0.875."""
        return (input_tokens * self.input + output_tokens * self.output) / 1000

    def __str__(self) -> str:
        """Both figures, their unit and their source in one line."""
        figures = f"US${self.input:.10g} in and US${self.output:.10g} out {PER_1000}"
        return f"{figures} ({self.source})"


# The default model first; the others are there for scale.
PRICES: tuple[Price, ...] = (
    Price("training", _HAIKU, None, PER_1000, "2026-10-07", _NOT_FOUND),
    Price("throughput", _HAIKU, None, PER_HOUR, "2026-10-07", _NOT_FOUND),
    Price("input", _HAIKU, 0.25, PER_MILLION, "before 2026-06-10, extended access", _TABLES),
    Price("output", _HAIKU, 1.25, PER_MILLION, "before 2026-06-10, extended access", _TABLES),
    Price("storage", "", 1.95, PER_MODEL_MONTH, "2026-08-02", _PORTFOLIO),
    Price("training", _NOVA_MICRO, 0.001, PER_1000, "2026-08", _PORTFOLIO),
    Price("training", _NOVA_2_LITE, 0.00378, PER_1000, "2026-08-02", _PORTFOLIO),
    Price("training", _LLAMA_3_3_70B, 0.0033, PER_1000, "2026-08", _PORTFOLIO),
    Price("training", _NOVA_LITE, None, PER_1000, "2026-11-21", _NOT_FOUND),
    Price("training", _NOVA_PRO, None, PER_1000, "2026-11-21", _NOT_FOUND),
    Price("throughput", _NOVA_LITE, 108.15, PER_HOUR, "not said", _BLOG),
    Price("throughput", _NOVA_2_LITE, 60.50, PER_HOUR, "2026-08-02", _PORTFOLIO),
    Price("throughput", _NOVA_2_LITE, 55.00, PER_HOUR_1_MONTH, "2026-08-02", _PORTFOLIO),
    Price("input", _NOVA_MICRO, 0.035, PER_MILLION, "2026", _TABLES),
    Price("output", _NOVA_MICRO, 0.14, PER_MILLION, "2026", _TABLES),
    Price("input", _NOVA_LITE, 0.06, PER_MILLION, "2026", _TABLES),
    Price("output", _NOVA_LITE, 0.24, PER_MILLION, "2026", _TABLES),
    Price("input", _NOVA_PRO, 0.80, PER_MILLION, "2026", _TABLES),
    Price("output", _NOVA_PRO, 3.20, PER_MILLION, "2026", _TABLES),
    Price("input", _NOVA_2_LITE, 0.33, PER_MILLION, "2026-08-02", _PORTFOLIO),
    Price("output", _NOVA_2_LITE, 2.75, PER_MILLION, "2026-08-02", _PORTFOLIO),
    Price("custom input", _NOVA_MICRO, 0.035, PER_MILLION, "2026", _SAME_RATE),
    Price("custom output", _NOVA_MICRO, 0.14, PER_MILLION, "2026", _SAME_RATE),
    Price("custom input", _NOVA_LITE, 0.06, PER_MILLION, "2026", _SAME_RATE),
    Price("custom output", _NOVA_LITE, 0.24, PER_MILLION, "2026", _SAME_RATE),
    Price("custom input", _NOVA_PRO, 0.80, PER_MILLION, "2026", _SAME_RATE),
    Price("custom output", _NOVA_PRO, 3.20, PER_MILLION, "2026", _SAME_RATE),
    Price("custom input", _NOVA_2_LITE, 0.30, PER_MILLION, "2026-08-02", _PORTFOLIO),
    Price("custom output", _NOVA_2_LITE, 2.50, PER_MILLION, "2026-08-02", _PORTFOLIO),
)


def list_prices(base_model_id: str = "") -> list[Price]:
    """Prices of one base model and of every custom model; of all base models when it is "".

    `show_prices` makes a table of them.
    """
    return [p for p in PRICES if not base_model_id or p.base_model_id in (base_model_id, "")]


def show_prices(item: str = "") -> Table:
    """Show the table, or one item's part of it."""
    rows = [
        (
            price.item,
            price.base_model_id or "every custom model",
            "unknown" if price.amount is None else f"{price.amount:,.10g}",
            price.unit,
            price.as_of,
            price.source,
        )
        for price in PRICES
        if item in ("", price.item)
    ]
    return build_table(rows, "item", "model", "US$", "unit", "as of", "source")


def get_price(item: str, base_model_id: str = "") -> Price:
    """Look up one price; where the table knows none, the amount is None and says so.

    Raises:
        SettingsError: the table has no such item.
    """
    items = sorted({price.item for price in PRICES})
    if item not in items:
        raise SettingsError(f'item: "{item}" is not in the price table. Use one of {items}.')
    for price in PRICES:  # the figure without commitment stands first
        if price.item == item and price.base_model_id in (base_model_id, ""):
            return price
    units = {"training": PER_1000, "throughput": PER_HOUR}
    return Price(item, base_model_id, None, units.get(item, PER_MILLION), "never", _NOT_FOUND)


def take_price(
    item: str, base_model_id: str, given: float = 0.0, as_of: str = "", *, unit: str = ""
) -> Price:
    """Take the price that was given, else the table's; where it knows none, the amount is None.

    Args:
        item: As in the table.
        base_model_id: The model it is for.
        given: US dollars, in the table's unit of that item; 0 takes the table's.
        as_of: The day of the given price; "" where nobody said.
        unit: The unit wanted, such as `PER_HOUR_1_MONTH`; "" for the item's first.

    Raises:
        SettingsError: the table has no such item, or a price below zero.
    """
    known = get_price(item, base_model_id)
    if unit and unit != known.unit:
        fitting = [p for p in PRICES if (p.item, p.base_model_id) == (item, base_model_id)]
        none = Price(item, base_model_id, None, unit, "never", _NOT_FOUND)
        known = next((price for price in fitting if price.unit == unit), none)
    if not given >= 0:  # written so that nan is refused too
        raise SettingsError(f"The price for {item}, {given}, is below zero. Give 0 or more.")
    if not given:
        return known
    return Price(item, base_model_id, given, known.unit, as_of or "not said", "as given")


def find_token_price(model_id: str, base_model_id: str = "") -> TokenPrice | None:
    """Look up what asking a model costs by the token; None where the table does not know.

    A model behind Provisioned Throughput bills by the hour, and its tokens cost nothing more.

    Args:
        model_id: What is asked: a base model's id, with or without context suffix, its inference
            profile or ARN, a deployment's ARN, or a throughput's.
        base_model_id: The base model of the custom model that a deployment serves, whose price it
            has; "" where it is not known.
    """
    if ":provisioned-model/" in model_id:
        return TokenPrice(0.0, 0.0, "Provisioned Throughput bills by the hour")
    if ":custom-model-deployment/" in model_id:
        return _token_price("custom input", "custom output", base_model_id)
    name = model_id.rpartition("foundation-model/")[2]
    for known in dict.fromkeys(price.base_model_id for price in PRICES if price.base_model_id):
        base = BASE_MODELS.get(known)
        asked_by = (known, known.rpartition(":")[0], base.inference_id if base else "")
        if name in asked_by:
            return _token_price("input", "output", known)
    return None


def read_token_prices(
    given: Iterable[str],
    models: Mapping[str, str],
    known: Mapping[str, TokenPrice | None] | None = None,
) -> dict[str, TokenPrice | None]:
    """Find the price of each model: the given one, else the known, else the table's, else None.

    Example: `read_token_prices(["base 0.00025 0.00125"], {"base": model_id})`.

    Args:
        given: Each "name input output", in US dollars per 1,000 tokens.
        models: Name -> what is asked.
        known: Name -> a price known otherwise, as `serving.price_tokens` tells the tuned model's.

    Raises:
        SettingsError: one that cannot be read, or is of no model here.
    """
    prices = {name: find_token_price(asked) for name, asked in models.items()} | dict(known or {})
    for text in given:
        name, *figures = text.rsplit(maxsplit=2) or [""]
        price = _parse(" ".join(figures), "as given")
        if price is None:
            raise SettingsError(
                f'token_prices: "{text}" cannot be read. Write "name input output", US dollars per '
                '1,000 tokens, such as "base 0.00025 0.00125".'
            )
        if name not in prices:
            raise SettingsError(
                f'token_prices: "{name}" is not asked. The models are {", ".join(prices)}.'
            )
        prices[name] = price
    return prices


def parse_token_price(text: str, *, source: str = "as given") -> TokenPrice:
    """Read "input output", US dollars per 1,000 tokens, such as "0.00025 0.00125".

    Raises:
        SettingsError: anything else.
    """
    price = _parse(text, source)
    if price is None:
        raise SettingsError(
            f'token_price: "{text}" cannot be read. Write "input output", US dollars per 1,000 '
            'tokens, such as "0.00025 0.00125".'
        )
    return price


def _parse(text: str, source: str) -> TokenPrice | None:
    try:
        read, written = map(float, text.split())
    except ValueError:
        return None
    sound = 0 <= read < float("inf") and 0 <= written < float("inf")
    return TokenPrice(read, written, source) if sound else None


def _token_price(read_item: str, written_item: str, base_model_id: str) -> TokenPrice | None:
    read, written = (get_price(item, base_model_id) for item in (read_item, written_item))
    if read.amount is None or written.amount is None:
        return None
    source = f"{read.source}, as of {read.as_of}"
    return TokenPrice(read.amount / 1000, written.amount / 1000, source)
