"""Nothing that is paid starts unasked."""

import pytest

from haikuft.errors import ChargesRefusedError
from haikuft.pricing import check_charges, check_commitment


def test_check_charges_when_not_allowed_then_it_says_what_it_costs_and_how_to_go_on() -> None:
    """The refusal is kind: what, how much, and the one parameter."""
    with pytest.raises(ChargesRefusedError) as refusal:
        check_charges(True, False, doing="creating a job", estimate="About US$6.00.")

    assert str(refusal.value) == (
        "Stopped before creating a job: About US$6.00. Set allow_charges = True to continue."
    )


@pytest.mark.parametrize(("bills", "allowed"), [(False, False), (False, True), (True, True)])
def test_check_charges_when_allowed_or_free_then_it_lets_pass(bills: bool, allowed: bool) -> None:
    """Where nothing bills, nobody is asked."""
    check_charges(bills, allowed, doing="creating a job", estimate="")


def test_check_commitment_when_not_allowed_then_it_names_the_term_and_the_renewal() -> None:
    """A commitment needs its own yes, beside the one for charges."""
    with pytest.raises(ChargesRefusedError, match=r"6 months.*renews.*allow_commitment = True"):
        check_commitment(True, False, commitment="6 months", estimate="US$1 an hour.")


@pytest.mark.parametrize(
    ("bills", "allowed", "commitment"),
    [(True, False, "none"), (True, True, "1 month"), (False, False, "6 months")],
)
def test_check_commitment_when_none_or_allowed_or_free_then_it_lets_pass(
    bills: bool, allowed: bool, commitment: str
) -> None:
    """Nothing to commit to, or nothing to pay."""
    check_commitment(bills, allowed, commitment=commitment, estimate="")
