"""Ownership and money, the slow ring: all trials that the quick ring leaves out."""

from pathlib import Path

import pytest
from trials import TRIALS, Trial, carry_out


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where prepared states are made, each at its first use."""
    return tmp_path_factory.mktemp("states")


@pytest.mark.parametrize(
    "trial", [trial for trial in TRIALS if not trial.quick], ids=lambda trial: trial.name
)
def test_trial_when_carried_out_then_nothing_is_wrong(
    trial: Trial, states: Path, tmp_path: Path
) -> None:
    """Nothing bought twice, nothing of others touched, the last lines true."""
    assert carry_out(trial, states, tmp_path / "trial").wrong == []
