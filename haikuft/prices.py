"""Prices with their dates: what Bedrock's fine-tuning, storage, throughput and tokens cost.

Every figure is second-hand: AWS's pricing page fills its numbers in inside the browser, so no
stored copy of it holds any. Read the page before you spend, and pass what you read, with its date,
to the estimates of `haikuft.pricing`. All money is US dollars.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
_NOVA_2_LITE = "amazon.nova-2-lite-v1:0:256k"
_LLAMA_3_3_70B = "meta.llama3-3-70b-instruct-v1:0:128k"

_PORTFOLIO = "cost notes read from AWS's Price List, MAOFILHO/Portfolio-Projects on GitHub"
_TABLES = "several public price tables"
_NOT_FOUND = "no stored copy of AWS's pricing page holds a number"


@dataclass(frozen=True, slots=True)
class Price:
    """One dated price.

    Attributes:
        item: "training", "storage", "input", "output" or "throughput".
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
    Price("throughput", _NOVA_2_LITE, 60.50, PER_HOUR, "2026-08-02", _PORTFOLIO),
    Price("throughput", _NOVA_2_LITE, 55.00, PER_HOUR_1_MONTH, "2026-08-02", _PORTFOLIO),
    Price("input", _NOVA_MICRO, 0.035, PER_MILLION, "2026", _TABLES),
    Price("output", _NOVA_MICRO, 0.14, PER_MILLION, "2026", _TABLES),
    Price("input", _NOVA_2_LITE, 0.33, PER_MILLION, "2026-08-02", _PORTFOLIO),
    Price("output", _NOVA_2_LITE, 2.75, PER_MILLION, "2026-08-02", _PORTFOLIO),
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


def find_token_price(model_id: str) -> TokenPrice | None:
    """Look up what asking a model costs by the token; None where the table does not know.

    A model behind Provisioned Throughput bills by the hour, and its tokens cost nothing more.

    Args:
        model_id: A model's id, with or without context suffix, its ARN, or a throughput's ARN.
    """
    if ":provisioned-model/" in model_id:
        return TokenPrice(0.0, 0.0, "Provisioned Throughput bills by the hour")
    name = model_id.rpartition("foundation-model/")[2]
    for price in PRICES:
        if price.base_model_id and name in (
            price.base_model_id,
            price.base_model_id.rpartition(":")[0],
        ):
            read, written = (get_price(item, price.base_model_id) for item in ("input", "output"))
            if read.amount is None or written.amount is None:
                return None
            source = f"{read.source}, as of {read.as_of}"
            return TokenPrice(read.amount / 1000, written.amount / 1000, source)
    return None


def read_token_prices(
    given: Iterable[str], models: Mapping[str, str]
) -> dict[str, TokenPrice | None]:
    """Find the price of each model: the given one, else the table's, else None.

    Example: `read_token_prices(["base 0.00025 0.00125"], {"base": model_id})`.

    Args:
        given: Each "name input output", in US dollars per 1,000 tokens.
        models: Name -> what is asked.

    Raises:
        SettingsError: one that cannot be read, or is of no model here.
    """
    prices = {name: find_token_price(model_id) for name, model_id in models.items()}
    for text in given:
        try:
            name, *figures = text.rsplit(maxsplit=2)
            read, written = map(float, figures)
        except ValueError:
            name, read, written = text, -1.0, -1.0
        if not (0 <= read < float("inf") and 0 <= written < float("inf")):
            raise SettingsError(
                f'token_prices: "{text}" cannot be read. Write "name input output", US dollars per '
                '1,000 tokens, such as "base 0.00025 0.00125".'
            )
        if name not in prices:
            raise SettingsError(
                f'token_prices: "{name}" is not asked. The models are {", ".join(prices)}.'
            )
        prices[name] = TokenPrice(read, written, "as given")
    return prices
