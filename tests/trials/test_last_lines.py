"""How the trials read last lines: what is left out, made up or summed up wrongly is found."""

from dataclasses import dataclass

import pytest
from last_lines import Thing, find_untruths

ARN = "arn:aws:bedrock:us-west-2:123456789012"
THROUGHPUT = Thing("throughput", "haikuft-a", f"{ARN}:provisioned-model/x1", "InService", True, "")
MODEL = Thing("model", "haikuft-a-1", f"{ARN}:custom-model/y1", "Active", True, "")
LISTED = "Billing now:\n  Provisioned Throughput haikuft-a: by the hour\n"
TO_END = "To end it: haikuft clean-up --run a"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said on its standard output."""

    out: str
    status: int = 0

    @property
    def text(self) -> str:
        """All of it."""
        return self.out


def untruths(out: str, *things: Thing, others: tuple[Thing, ...] = (), **more: bool) -> list[str]:
    """Hold last lines against what is there."""
    held = {thing.arn: thing for thing in (*things, *others)}
    return find_untruths(
        Said(out), held, {thing.arn: thing for thing in others}, more.get("unreadable", False)
    )


@pytest.mark.parametrize(
    ("out", "things"),
    [
        ("Billing now: nothing of this run.", ()),
        (LISTED + TO_END, (THROUGHPUT,)),
        (f"{LISTED}  custom model y1: storage\n{TO_END}", (THROUGHPUT, MODEL)),
        (f"{LISTED}  not known: custom model (denied)\n{TO_END}", (THROUGHPUT, MODEL)),
        (f"Billing now: not known, and something may bill.\n{TO_END}", (THROUGHPUT, MODEL)),
    ],
)
def test_untruths_when_all_is_said_then_none(out: str, things: tuple[Thing, ...]) -> None:
    """Listed by name or id, or said to be not known."""
    assert untruths(out, *things) == []


@pytest.mark.parametrize(
    ("out", "things", "word"),
    [
        ("Done.", (THROUGHPUT,), "no word"),
        ("Billing now: nothing of this run.", (THROUGHPUT,), "leaves out throughput haikuft-a"),
        (LISTED + TO_END, (THROUGHPUT, MODEL), "leaves out model haikuft-a-1"),
        (LISTED, (THROUGHPUT,), "no command"),
        (LISTED + TO_END, (), "which is not there"),
        (
            f"{LISTED}  In all less than US$0.01 an hour, and 1 of unknown price.\n{TO_END}",
            (THROUGHPUT,),
            "sums up",
        ),
        (
            f"Made, and deleted again:\n  throughput haikuft-a\n{LISTED}{TO_END}",
            (THROUGHPUT,),
            "is deleted, which is there",
        ),
    ],
)
def test_untruths_when_something_is_not_so_then_it_is_named(
    out: str, things: tuple[Thing, ...], word: str
) -> None:
    """Each kind of untruth."""
    assert any(word in found for found in untruths(out, *things))


def test_untruths_when_another_s_thing_is_listed_as_ours_then_it_is_named() -> None:
    """It bills, and not this run."""
    (found,) = untruths(LISTED + TO_END, others=(THROUGHPUT,))
    assert "another's" in found


def test_untruths_when_nothing_is_said_to_bill_and_not_all_may_be_read_then_it_is_named() -> None:
    """Nobody can know it."""
    (found,) = untruths("Billing now: nothing of this run.", unreadable=True)
    assert "may not read all" in found
