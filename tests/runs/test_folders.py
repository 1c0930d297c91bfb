"""Where runs lie and how they are called."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from haikuft.errors import RecordError, SettingsError
from haikuft.runs.folders import check_run_name, choose_run, find_root


@pytest.fixture
def project(go_to_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """Make an empty project and go there."""
    return go_to_project(tmp_path / "project")


def test_find_root_when_in_a_notebook_folder_then_goes_upwards(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The root and notebooks/ lead to the same project."""
    monkeypatch.chdir(project / "notebooks")
    assert find_root() == project


def test_find_root_when_outside_then_takes_haikuft_home(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HAIKUFT_HOME helps where the working directory does not."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecordError, match="HAIKUFT_HOME is not set"):
        find_root()
    monkeypatch.setenv("HAIKUFT_HOME", str(tmp_path / "missing"))
    with pytest.raises(RecordError, match="which is no folder"):
        find_root()
    monkeypatch.setenv("HAIKUFT_HOME", str(project))
    assert find_root() == project


@pytest.mark.parametrize("name", ["first", "007", "a", "tickets-2", "a" * 32])
def test_check_run_name_when_fit_then_returns_it(name: str) -> None:
    """Digits alone are fine, and stay a string."""
    assert check_run_name(name) == name


@pytest.mark.parametrize("name", ["", "First", "a_b", "-a", "a-", "a--b", "a b", "a" * 33, "../a"])
def test_check_run_name_when_unfit_then_says_what_fits(name: str) -> None:
    """The name becomes part of a bucket's name, so it has a bucket's alphabet."""
    with pytest.raises(SettingsError, match="lower-case letters and digits"):
        check_run_name(name)


def test_choose_run_when_none_is_named_then_on_aws_it_is_one_s_own(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's name, reduced to what a run's name takes, and four random characters."""
    monkeypatch.setattr("getpass.getuser", lambda: "Ann_Marie.O'Neill@corp")
    assert choose_run("tuesday", "aws") == "tuesday"
    assert choose_run("", "sandbox") == choose_run() == "first"
    with pytest.raises(SettingsError, match="No run was begun on AWS"):
        choose_run("", "aws")
    made = {choose_run("", "aws", new=True) for _ in range(20)}
    assert len(made) > 1
    for name in made:
        assert re.fullmatch("ann-marie-o-[a-z0-9]{4}", name)
        assert check_run_name(name) == name


def test_choose_run_when_the_user_has_no_name_then_says_user(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in some containers."""

    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert choose_run("", "aws", new=True).startswith("user-")
