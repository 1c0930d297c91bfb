"""The workshop's notebook on searches, run headless, and `haikuft search` after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from haikuft import cli
from haikuft.series.execution.headless import execute_notebook

WORKSHOP = Path(__file__).parents[2] / "notebooks" / "workshop"
SMALL = {
    "epoch_count": ["1", "2"],
    "learning_rate_multiplier": [],
    "learning_curve": False,
    "early_stop": False,
    "poll_seconds": 0.05,
}


def test_search_when_run_headless_then_the_best_model_is_kept_and_cells_run_twice(
    project: Any, holdings: Callable[..., dict[str, list[str]]], tmp_path: Path
) -> None:
    """Two combinations beside the repetitions; the test file is not uploaded."""
    notebook = project.root / "notebooks" / "workshop" / "search.ipynb"
    execute_notebook(notebook, tmp_path / "first.ipynb", SMALL)

    held = holdings()
    assert (len(held["jobs"]), len(held["models"])) == (5, 5)
    assert not [key for key in held["objects"] if "test" in key]
    record = project.record("search")
    assert record.job_arn in held["jobs"]
    assert record.custom_model_arn in held["models"]
    assert (project.root / "runs" / "search" / "figures" / "trials.png").exists()

    execute_notebook(notebook, tmp_path / "second.ipynb", SMALL)
    assert holdings()["jobs"] == held["jobs"]
    assert project.record("search") == record


def test_search_when_called_in_a_shell_then_finished_trials_are_found_and_others_run(
    project: Any, holdings: Callable[..., dict[str, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    """One more value is one more job; without charges allowed, AWS would see none."""
    words = ["search", "-p", "epoch_count", "1,2,3", "--max-jobs", "6"]
    assert cli.main(words) == 0

    told = capsys.readouterr().out
    assert "jobs to be started: 1" in told
    assert "The lowest validation loss is" in told
    assert "epoch_count: " in told
    assert len(holdings()["jobs"]) == 6


def test_search_when_a_run_was_not_begun_then_one_sentence_says_what_to_do(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback."""
    assert cli.main(["search", "--run", "nobody"]) == 1
    assert "Notebook 01_setup_iam begins a run" in capsys.readouterr().err


def test_clean_up_when_called_then_nothing_of_the_search_is_left(
    project: Any, holdings: Callable[..., dict[str, list[str]]]
) -> None:
    """Jobs stay listed for good."""
    assert cli.main(["clean-up", "--run", "search"]) == 0
    assert {kind for kind, found in holdings().items() if found} == {"jobs"}


@pytest.mark.parametrize("path", sorted(WORKSHOP.glob("search.ipynb")), ids=lambda path: path.stem)
def test_notebook_when_committed_then_cells_are_short_and_without_outputs(path: Path) -> None:
    """As those of the series."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            most = 20 if cell.metadata.get("tags") else 15
            assert len(cell.source.splitlines()) <= most, cell.source
