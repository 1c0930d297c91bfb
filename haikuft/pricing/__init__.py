"""What fine-tuning, storage, serving and tokens cost, and the consent that a paid call needs.

The prices are in `prices.csv`, each with its date and source. Notebooks 2, 3, 5 and 6 use them.
"""

from haikuft.pricing.consent import check_charges, check_commitment
from haikuft.pricing.estimates import estimate_requests, estimate_training, show_cost, show_range
from haikuft.pricing.table import read_token_prices, show_prices, take_price

__all__ = [
    "check_charges",
    "check_commitment",
    "estimate_requests",
    "estimate_training",
    "read_token_prices",
    "show_cost",
    "show_prices",
    "show_range",
    "take_price",
]
