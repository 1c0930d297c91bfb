"""Amounts of money in words, without exponents. All money is US dollars, 0 or more."""

from decimal import Decimal


def format_dollars(amount: float) -> str:
    """Write one amount to the cent: 1234.5 -> "US$1,234.50", 0.002 -> "less than US$0.01"."""
    return "less than US$0.01" if 0 < amount < 0.01 else f"US${amount:,.2f}"


def format_price(amount: float, *, digits: int = 10) -> str:
    """Write a unit price with as many decimals as it needs: 3.5e-05 -> "US$0.000035".

    Args:
        amount: US dollars.
        digits: Significant digits to round to, at least as many as the dollars have.
    """
    dollars, _, decimals = f"{Decimal(f'{amount:.{digits}g}'):,f}".partition(".")
    return f"US${dollars}.{decimals:0<2}"


def format_precise(amount: float) -> str:
    """Write an amount to be compared with others: to the cent, below a dollar to two digits."""
    return format_dollars(amount) if amount >= 1 else format_price(amount, digits=2)
