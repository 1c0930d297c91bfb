"""What the notebook of failures rests on: errors that are shown, and settings that are put back."""

from collections.abc import Callable
from typing import Any

import pytest

from haikuft import sandbox
from haikuft.errors import DataError, SettingsError
from haikuft.runs.run_record import Run
from haikuft.workshop import failures

NewRun = Callable[..., Run]


def read_quota(run: Run) -> int:
    """Read the sandbox's quota of model units."""
    return sandbox.read_settings(run.connection.endpoint).model_units_quota


@pytest.fixture
def run(new_run: NewRun) -> Run:
    """Give a run with kept settings, on a sandbox whose quota has been changed since to 0."""
    run = new_run(stage_seconds=3, model_units_quota=2)
    failures.keep_settings(run)
    sandbox.configure(run.connection.endpoint, model_units_quota=0)
    return run


def test_target_when_it_is_aws_then_is_refused_in_a_sentence() -> None:
    """Nobody causes failures in a real account."""
    failures.check_target("sandbox")
    with pytest.raises(SettingsError, match="sandbox"):
        failures.check_target("aws")


def test_settings_when_kept_then_the_sandbox_is_quick_and_all_come_back(run: Run) -> None:
    """The file is gone then, so a second call changes nothing."""
    assert sandbox.read_settings(run.connection.endpoint).stage_seconds == 0
    failures.restore_settings(run)
    assert sandbox.read_settings(run.connection.endpoint).stage_seconds == 3
    assert read_quota(run) == 2
    sandbox.configure(run.connection.endpoint, model_units_quota=1)
    failures.restore_settings(run)
    assert read_quota(run) == 1


def test_settings_when_a_notebook_was_killed_then_its_next_start_puts_them_back(run: Run) -> None:
    """What is kept is never the changed setting."""
    failures.keep_settings(run)
    assert read_quota(run) == 2
    failures.restore_settings(run)
    assert sandbox.read_settings(run.connection.endpoint).stage_seconds == 3


def test_expect_when_the_block_fails_then_shows_the_error_and_continues(
    run: Run, capsys: Any
) -> None:
    """The settings stay changed, for the fix comes in another cell."""
    with failures.expect(run):
        raise DataError("line 2 is not JSON")
    assert capsys.readouterr().out.split() == ["DataError", "line", "2", "is", "not", "JSON"]
    assert read_quota(run) == 0


def test_expect_when_the_block_does_not_fail_then_says_so_and_puts_the_settings_back(
    run: Run,
) -> None:
    """A lesson that shows nothing is an error."""
    with pytest.raises(SettingsError, match="was to fail"), failures.expect(run):
        pass
    assert read_quota(run) == 2


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_expect_when_another_error_comes_then_puts_the_settings_back_and_raises_it(
    run: Run, error: type[BaseException]
) -> None:
    """An interrupted notebook leaves no throttled sandbox behind."""
    with pytest.raises(error), failures.expect(run):
        raise error
    assert read_quota(run) == 2
