"""Ownership and money, the quick ring: one trial of each kind; tests/slow has the others."""

from pathlib import Path

import pytest
from trials import TRIALS, Trial, carry_out

QUICK = [trial for trial in TRIALS if trial.quick]


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where prepared states are made, each at its first use."""
    return tmp_path_factory.mktemp("states")


@pytest.mark.parametrize("trial", QUICK, ids=lambda trial: trial.name)
def test_trial_when_carried_out_then_nothing_is_wrong(
    trial: Trial, states: Path, tmp_path: Path
) -> None:
    """Nothing bought twice, nothing of others touched, the last lines true."""
    assert carry_out(trial, states, tmp_path / "trial").wrong == []


def test_quick_ring_when_looked_at_then_has_one_trial_of_each_kind() -> None:
    """A kind that is added needs a trial here, too."""
    assert sorted(trial.kind for trial in QUICK) == sorted({trial.kind for trial in TRIALS})
