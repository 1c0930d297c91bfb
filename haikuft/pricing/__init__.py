"""What fine-tuning, storage, serving and tokens cost, and the consent that a paid call needs.

The prices are in `prices.csv`, each with its date and source. Notebooks 2, 3, 5 and 6 use them.
"""

from haikuft.pricing.amounts import format_dollars, format_precise
from haikuft.pricing.consent import check_charges, check_commitment
from haikuft.pricing.estimates import (
    HOURS_PER_MONTH,
    Estimate,
    ThroughputCost,
    estimate_requests,
    estimate_throughput,
    estimate_training,
    show_range,
)
from haikuft.pricing.table import (
    THROUGHPUT_TOKENS,
    Price,
    TokenPrice,
    find_token_price,
    get_price,
    parse_token_price,
    read_token_prices,
    show_prices,
    take_price,
)

__all__ = [
    "HOURS_PER_MONTH",
    "THROUGHPUT_TOKENS",
    "Estimate",
    "Price",
    "ThroughputCost",
    "TokenPrice",
    "check_charges",
    "check_commitment",
    "estimate_requests",
    "estimate_throughput",
    "estimate_training",
    "find_token_price",
    "format_dollars",
    "format_precise",
    "get_price",
    "parse_token_price",
    "read_token_prices",
    "show_prices",
    "show_range",
    "take_price",
]
