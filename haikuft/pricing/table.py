"""The price table, and the prices that a notebook is given in place of the table's.

Every figure is second-hand: AWS's pricing page loads its numbers in the browser, so no stored copy
of the page contains them. Read the page before you spend, and pass what you read, with its date,
to the estimates. All money is US dollars.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from haikuft.base_models import find_base_model
from haikuft.errors import SettingsError
from haikuft.package_data import read_csv
from haikuft.pricing.amounts import format_price
from haikuft.tables import Table, build_table

PRICING_PAGE = "https://aws.amazon.com/bedrock/pricing/"


@dataclass(frozen=True, slots=True)
class Price:
    """One price with its date and source.

    Attributes:
        item: "training", "storage", "throughput", "input" and "output" of a base model on demand,
            or "custom input" and "custom output" of a custom model deployed on demand.
        base_model_id: The model it is for; "" when it holds for every custom model.
        amount: US dollars; None when no source with a date was found.
        unit: What one amount buys.
        as_of: The day or month the source speaks of; "" when it names none.
        source: Where the figure was read.
    """

    item: str
    base_model_id: str
    amount: float | None
    unit: str
    as_of: str
    source: str

    def __str__(self) -> str:
        """Amount or "unknown", unit, date and source in one line."""
        amount = "unknown" if self.amount is None else format_price(self.amount)
        dated = f"as of {self.as_of}; " if self.as_of else ""
        return f"{amount} {self.unit} ({dated}{self.source})"


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """The price of the tokens of one model.

    Attributes:
        input: US dollars per 1,000 input tokens.
        output: US dollars per 1,000 output tokens.
        source: Where the figures come from, with their date.
    """

    input: float
    output: float
    source: str

    def cost(self, input_tokens: float, output_tokens: float) -> float:
        """US dollars for these tokens, e.g. 1,000 and 500 at 0.25 and 1.25 -> 0.875."""
        return (input_tokens * self.input + output_tokens * self.output) / 1000

    def __str__(self) -> str:
        """Both figures per million tokens, as AWS lists them, and their source in one line."""
        read, written = format_price(1000 * self.input), format_price(1000 * self.output)
        return f"{read} in and {written} out per 1,000,000 tokens ({self.source})"


# The tokens of a model behind Provisioned Throughput cost nothing beside its hours.
THROUGHPUT_TOKENS = TokenPrice(0.0, 0.0, "Provisioned Throughput bills by the hour")


@cache
def load_prices() -> tuple[Price, ...]:
    """Read the table: the default base model first, the others for scale."""
    rows: Iterable[dict[str, Any]] = read_csv(__package__, "prices.csv")
    return tuple(
        Price(**row | {"amount": float(row["amount"]) if row["amount"] else None}) for row in rows
    )


def show_prices(item: str = "") -> Table:
    """Show the price table, or the rows of one item; without those whose price is not known."""
    rows = [
        (
            price.item,
            price.base_model_id or "every custom model",
            format_price(price.amount),
            price.unit,
            price.as_of.replace("-", "\N{NON-BREAKING HYPHEN}") or "not said",
            price.source,
        )
        for price in load_prices()
        if item in ("", price.item) and price.amount is not None
    ]
    return build_table(rows, "item", "model", "price", "unit", "as of", "source")


def take_price(
    item: str, base_model_id: str = "", given: float = 0.0, as_of: str = "", *, unit: str = ""
) -> Price:
    """Take the given price, else the table's; where the table has none, the amount is None.

    Args:
        item: As in the table.
        base_model_id: The model it is for.
        given: US dollars, in the table's unit of that item; 0 takes the table's price.
        as_of: The day of the given price; "" when it is not known.
        unit: As in the table; "" for the item's first, which for throughput is without commitment.

    Raises:
        SettingsError: the table has no such item, or a price below zero.
    """
    rows = [price for price in load_prices() if price.item == item]
    if not rows:
        items = sorted({price.item for price in load_prices()})
        raise SettingsError(f'item: "{item}" is not in the price table. Use one of {items}.')
    if not given >= 0:  # written so that nan is refused too
        raise SettingsError(f"The price for {item}, {given}, is below zero. Give 0 or more.")
    models = (base_model_id, "")
    known = [row for row in rows if row.base_model_id in models and unit in (row.unit, "")]
    bought = unit or (known or rows)[0].unit
    if given:
        return Price(item, base_model_id, given, bought, as_of, "as given")
    unknown = Price(item, base_model_id, None, bought, "", "no source with a date was found")
    return known[0] if known else unknown


def find_token_price(model_id: str, base_model_id: str = "") -> TokenPrice | None:
    """Look up the token price of a model; None where the table has none.

    Args:
        model_id: A base model's id, with or without context suffix, its inference profile or ARN,
            or the ARN of a deployment or of Provisioned Throughput.
        base_model_id: The base model of the custom model that a deployment serves, which sets its
            price; "" when it is not known.
    """
    if ":provisioned-model/" in model_id:
        return THROUGHPUT_TOKENS
    if ":custom-model-deployment/" in model_id:
        return _get_token_price("custom ", base_model_id)
    base = find_base_model(model_id)
    return _get_token_price("", base.id) if base else None


def read_token_prices(
    given: Iterable[str],
    models: Mapping[str, str],
    known: Mapping[str, TokenPrice | None] | None = None,
) -> dict[str, TokenPrice | None]:
    """Find the token price of each model: the given one, else the known, else the table's.

    Example: `read_token_prices(["base 0.00025 0.00125"], {"base": model_id})`.

    Args:
        given: Each "name input output", in US dollars per 1,000 tokens.
        models: Name -> the id or ARN that requests go to.
        known: Name -> a price from elsewhere, such as the tuned model's, from
            `serving.price_tokens`.

    Returns:
        Name -> its price; None where there is none.

    Raises:
        SettingsError: one that cannot be read, or for a model that is not asked or bills by the
            hour.
    """
    prices = {name: find_token_price(id_) for name, id_ in models.items()} | dict(known or {})
    for text in given:
        name, _, figures = text.strip().partition(" ")
        if name not in prices:
            raise SettingsError(
                f'token_prices: "{name}" in "{text}" is no model here. Write "name input output"; '
                f"the names are {', '.join(prices)}."
            )
        if prices[name] == THROUGHPUT_TOKENS:
            raise SettingsError(
                f"token_prices: {name} has no token price; {THROUGHPUT_TOKENS.source}."
            )
        prices[name] = parse_token_price(figures, setting=f"token_prices, {name}")
    return prices


def parse_token_price(
    text: str, *, source: str = "as given", setting: str = "token_price"
) -> TokenPrice:
    """Read "input output", US dollars per 1,000 tokens, such as "0.00025 0.00125".

    Args:
        text: The two figures.
        source: Where they come from, with their date.
        setting: The parameter that an error message names.

    Raises:
        SettingsError: anything else.
    """
    try:
        figures = [float(figure) for figure in text.split()]
    except ValueError:
        figures = []
    if len(figures) == 2 and all(0 <= figure < float("inf") for figure in figures):
        return TokenPrice(figures[0], figures[1], source)
    raise SettingsError(
        f'{setting}: "{text}" cannot be read. Write "input output", US dollars per 1,000 tokens, '
        'such as "0.00025 0.00125".'
    )


def _get_token_price(prefix: str, base_model_id: str) -> TokenPrice | None:
    read, written = (take_price(f"{prefix}{item}", base_model_id) for item in ("input", "output"))
    if read.amount is None or written.amount is None:
        return None
    source = f"{read.source}, read {read.as_of}"
    return TokenPrice(read.amount / 1000, written.amount / 1000, source)
