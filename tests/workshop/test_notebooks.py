"""How the workshop's notebooks are built; read from the files, nothing is run."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from haikuft.series.parameters import read_parameters

FOLDER = Path(__file__).parents[2] / "notebooks" / "workshop"
CEILING, MOST_PARAMETERS = 15, 20  # lines of a code cell, and of the parameters cell


@pytest.fixture(params=sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook in turn."""
    return Path(request.param)


@pytest.fixture
def notebook(path: Path) -> Any:
    """Read the notebook."""
    return nbformat.read(path, as_version=4)


def test_parameters_when_read_then_the_run_is_the_notebook_s_own_and_on_the_sandbox(
    path: Path,
) -> None:
    """It never touches a run of the series, and costs nothing unless it is told."""
    parameters = read_parameters(path)
    assert list(parameters)[:4] == ["run", "target", "region", "base_model_id"]
    assert parameters["run"].default == path.stem
    assert parameters["target"].default == "sandbox"
    assert not any(one.default for name, one in parameters.items() if name.startswith("allow_"))


def test_code_when_read_then_cells_are_short_and_define_nothing(notebook: Any) -> None:
    """Notebooks tell, modules do."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            most = MOST_PARAMETERS if "parameters" in cell.metadata.get("tags", []) else CEILING
            assert len(cell.source.splitlines()) <= most, cell.source
            nodes = list(ast.walk(ast.parse(cell.source)))
            assert not [one for one in nodes if isinstance(one, ast.FunctionDef | ast.ClassDef)]


def test_notebook_when_committed_then_holds_no_outputs_and_names_nobody_s_kernel(
    notebook: Any,
) -> None:
    """Executed copies come from a run."""
    assert not [
        cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")
    ]
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_notebook_when_it_links_then_the_file_exists(path: Path, notebook: Any) -> None:
    """Also from the copies in a run's folder, where the series lies one folder up."""
    for cell in notebook.cells:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", cell.source):
            assert (path.parent / link).exists(), link


def test_failures_when_read_then_there_are_ten_and_each_has_what_it_says_and_a_fix() -> None:
    """A reader knows what to do with each message."""
    cells = nbformat.read(FOLDER / "failures.ipynb", 4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    _, *parts = re.split(r"^## \d+ · ", text, flags=re.MULTILINE)
    assert len(parts) == 10
    assert all(part.count("**What it says.**") == part.count("**The fix:**") == 1 for part in parts)
