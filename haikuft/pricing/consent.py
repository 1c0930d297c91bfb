"""Consent: nothing that costs money starts unless the notebook's parameters allow it."""

from haikuft.errors import ChargesRefusedError, SettingsError

COMMITMENT_MONTHS = {"none": 0, "1 month": 1, "6 months": 6}


def check_charges(bills: bool, allow_charges: bool, *, doing: str, estimate: str) -> None:
    """Stop before a paid call unless it was allowed, or the target bills nothing.

    Args:
        bills: Whether the target sends a bill: `connection.bills`.
        allow_charges: The notebook's parameter.
        doing: The action, as in "creating Provisioned Throughput".
        estimate: One sentence with the cost, such as `str()` of an `Estimate`.

    Raises:
        ChargesRefusedError: the target bills and charges were not allowed.
    """
    if bills and not allow_charges:
        raise ChargesRefusedError(
            f"Stopped before {doing}: {estimate.rstrip('. ')}. "
            "Set allow_charges = True to continue."
        )


def check_commitment(
    bills: bool, allow_commitment: bool, *, commitment: str, estimate: str
) -> None:
    """Stop before a commitment unless it was allowed, or the target bills nothing.

    Raises:
        ChargesRefusedError: the target bills and the commitment was not allowed.
        SettingsError: a commitment that AWS does not sell.
    """
    if months_of(commitment) and bills and not allow_commitment:
        raise ChargesRefusedError(
            f"Stopped before a commitment of {commitment}: it cannot be deleted before its term "
            f"ends, and it renews automatically. {estimate.rstrip('. ')}. "
            'Set allow_commitment = True to continue, or commitment = "none".'
        )


def months_of(commitment: str) -> int:
    """Return the length of a commitment in months.

    Raises:
        SettingsError: a commitment that AWS does not sell.
    """
    if commitment not in COMMITMENT_MONTHS:
        known = ", ".join(f'"{name}"' for name in COMMITMENT_MONTHS)
        raise SettingsError(f'commitment: "{commitment}" is not sold. Use one of {known}.')
    return COMMITMENT_MONTHS[commitment]
