"""What is said of the trials: the best, what mattered beside the noise, more data."""

import math

import pytest

from haikuft.errors import NotFoundError
from haikuft.search.findings import choose_best, describe_findings
from haikuft.search.trials import Trial


def build(
    loss: float,
    epochs: float = 5,
    rate: float = 0.5,
    *,
    share: float = 1.0,
    seed: int = 1,
    status: str = "Completed",
) -> Trial:
    """Build a trial that has ended; epochs 5 and rate 0.5 are the default."""
    varied = "default" if (epochs, rate) == (5, 0.5) else f"epochs {epochs}, rate {rate}"
    values = {"epochs": epochs, "rate": rate}
    return Trial(
        varied, varied == "default", "", values, share, seed, 1.0, status=status, loss=loss
    )


NOISE = [build(0.80), build(0.81, seed=2), build(0.82, seed=3)]  # standard deviation 0.01


def test_best_when_chosen_then_it_has_the_lowest_loss_of_those_on_all_records() -> None:
    """A stopped trial leaves no model."""
    best = build(0.79, epochs=2)
    others = [build(0.1, share=0.5), build(0.2, rate=2, status="Stopped"), build(math.inf, rate=3)]
    assert choose_best([*NOISE, *others, best]) == best


def test_best_when_no_job_has_completed_then_says_so() -> None:
    """With the jobs, so that one can look at them; or that a ceiling left none."""
    with pytest.raises(NotFoundError, match=r"No trial on all records has completed.*Failed"):
        choose_best([build(math.inf, status="Failed")])
    with pytest.raises(NotFoundError, match="none was started"):
        choose_best([])


def test_findings_when_a_difference_is_larger_than_the_noise_then_it_mattered() -> None:
    """Rate by 0.2; epochs by 0.001, which chance explains."""
    grid = [build(0.801, epochs=2), build(1.0, rate=2), build(1.001, epochs=2, rate=2)]

    sentences = describe_findings([*NOISE, *grid])

    assert sentences[0] == "The lowest validation loss is 0.800: default."
    assert "0.800, 0.810, 0.820" in sentences[1]
    # t(0.975, 2) × 0.01 × sqrt(1/2 + 1/2) = 0.043
    assert sentences[2:] == [
        "epochs: 5 is better than 2 by 0.001, no more than chance explains (0.043).",
        "rate: 0.5 is better than 2 by 0.200, more than chance explains (0.043).",
    ]


def test_findings_when_a_combination_is_missing_then_the_others_mislead_nobody() -> None:
    """The bad rate was tried with five epochs alone, which does not make them bad."""
    grid = [
        build(0.801, epochs=2),
        build(1.0, rate=2),
        build(9.0, epochs=2, rate=2, status="Stopped"),
    ]

    sentences = describe_findings([*NOISE, *grid])

    assert "compared no further: epochs 2, rate 2" in sentences[2]
    assert "5 is better than 2 by 0.001" in sentences[3]
    assert "0.5 is better than 2 by 0.200" in sentences[4]


def test_findings_when_one_order_is_left_then_it_is_no_plural_and_nothing_is_compared() -> None:
    """The repetitions have failed, so that the noise is not known."""
    lost = [build(math.inf, seed=seed, status="Failed") for seed in (2, 3)]
    sentences = describe_findings([NOISE[0], *lost])
    assert sentences[1] == "Noise: the default with its records in 1 order has 0.800."
    assert len(sentences) == 3


def test_findings_when_two_values_always_came_together_then_neither_is_blamed() -> None:
    """Nothing can tell them apart."""
    assert len(describe_findings([*NOISE, build(1.0, epochs=2, rate=2)])) == 2


@pytest.mark.parametrize(("half", "verdict"), [(0.9, "more"), (0.815, "no more")])
def test_findings_when_there_is_a_learning_curve_then_it_says_whether_more_data_would_help(
    half: float, verdict: str
) -> None:
    """From the last doubling of the data, beside the noise of all parts."""
    parts = [
        build(loss + step, share=share, seed=seed)
        for share, loss in ((0.25, 1.2), (0.5, half))
        for seed, step in enumerate((-0.01, 0, 0.01), 1)
    ]

    last = describe_findings([*parts, *NOISE])[-1]

    assert last.startswith("Would more data help? Part of the data: 1 is better than 0.5 by 0.")
    assert f", {verdict} than chance explains (0.020)." in last


def test_findings_when_there_is_one_repetition_then_nothing_is_said_to_matter() -> None:
    """One has no noise."""
    assert len(describe_findings([NOISE[0], build(1.0, rate=2)])) == 2
