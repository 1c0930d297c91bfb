"""Ownership and money, the slow ring: all trials that the quick ring leaves out."""

import pytest
from carrying_out import Result, Trial, carry_out_all
from trials import TRIALS

Results = dict[str, Result]


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Carry out the trials of the tests that were chosen; name -> what came of it."""
    tests = [item for item in request.session.items if item.path == request.path]
    chosen = [test.callspec.params["trial"] for test in tests if hasattr(test, "callspec")]
    return carry_out_all(chosen, tmp_path_factory.mktemp("trials"))


@pytest.mark.parametrize(
    "trial", [trial for trial in TRIALS if not trial.quick], ids=lambda trial: trial.name
)
def test_trial_when_carried_out_then_nothing_is_wrong(trial: Trial, results: Results) -> None:
    """Nothing bought twice, nothing of others touched, the last lines true."""
    assert results[trial.name].wrong == []
