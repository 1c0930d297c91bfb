"""Ownership and money, the quick ring: one trial of each kind; tests/slow has the others."""

import pytest
from carrying_out import Result, Trial, carry_out_all
from trials import TRIALS

Results = dict[str, Result]

QUICK = [trial for trial in TRIALS if trial.quick]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Carry out the trials of the tests that were chosen; name -> what came of it."""
    tests = [item for item in request.session.items if item.path == request.path]
    chosen = [test.callspec.params["trial"] for test in tests if hasattr(test, "callspec")]
    return carry_out_all(chosen, tmp_path_factory.mktemp("trials"))


@pytest.mark.parametrize("trial", QUICK, ids=lambda trial: trial.name)
def test_trial_when_carried_out_then_nothing_is_wrong(trial: Trial, results: Results) -> None:
    """Nothing bought twice, nothing of others touched, the last lines true."""
    assert results[trial.name].wrong == []


def test_quick_ring_when_looked_at_then_has_one_trial_of_each_kind() -> None:
    """A kind that is added needs a trial here, too."""
    assert sorted(trial.kind for trial in QUICK) == sorted({trial.kind for trial in TRIALS})
