"""How every notebook of the series is built; read from the files, nothing is run."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from papermill.inspection import inspect_notebook

from haikuft.series.parameters import read_parameters

FOLDER = Path(__file__).parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [
    "01_setup_iam",
    "02_prepare_data",
    "03_fine_tune",
    "04_analyse_metrics",
    "05_provision",
    "06_evaluate",
    "07_clean_up",
]
BOX = ["You will learn", "You need", "Time", "Cost", "Leaves behind"]
ANNOTATIONS = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
CEILING = 15  # lines of a code cell
MOST_PARAMETERS = 20  # lines of the parameters cell, which is a list


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook in turn."""
    return Path(request.param)


@pytest.fixture
def notebook(path: Path) -> Any:
    """Read the notebook."""
    return nbformat.read(path, as_version=4)


@pytest.fixture
def code(notebook: Any) -> list[str]:
    """Give the sources of its code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture
def prose(notebook: Any) -> list[str]:
    """Give the sources of its other cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def parameters_cell(notebook: Any) -> str:
    """Give the source of the one tagged cell."""
    (source,) = [
        cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    ]
    return str(source)


def test_series_when_listed_then_it_has_its_seven_notebooks() -> None:
    """Their names are those of the design."""
    assert [path.stem for path in PATHS] == NAMES


def test_notebook_when_opened_then_title_sentence_and_box_stand_on_top(
    path: Path, prose: list[str]
) -> None:
    """A reader knows within a minute whether this is the right page."""
    title, sentence, *_ = [part for part in prose[0].split("\n") if part]

    assert re.match(rf"# {int(path.stem[:2])} · \S", title)
    assert sentence.startswith("At the end of this notebook")
    assert re.findall(r"^\| (\w[\w ]+) \|", prose[0], flags=re.MULTILINE) == BOX


def test_parameters_when_read_by_papermill_then_none_is_lost(path: Path, notebook: Any) -> None:
    """What Python assigns, papermill finds, each with its type and a comment."""
    assigned = ast.parse(parameters_cell(notebook)).body
    assert all(isinstance(line, ast.AnnAssign) for line in assigned)

    found = inspect_notebook(path)

    assert list(found) == [ast.unparse(line.target) for line in assigned]  # type: ignore[attr-defined]
    for parameter, line in zip(found.values(), assigned, strict=True):
        assert parameter["inferred_type_name"] == ast.unparse(line.annotation)  # type: ignore[attr-defined]
        assert parameter["inferred_type_name"] in ANNOTATIONS
        assert len(parameter["help"]) > 5, parameter["name"]


def test_parameters_when_read_then_defaults_are_literals_of_their_type(path: Path) -> None:
    """The annotation says the truth; derived values wait for the settings."""
    for parameter in read_parameters(path).values():
        assert type(parameter.default) is ANNOTATIONS[parameter.annotation], parameter.name


def test_parameters_when_compared_then_the_first_four_are_the_same_everywhere(path: Path) -> None:
    """One walk is told once where it goes."""
    first_four = list(read_parameters(path).values())[:4]

    assert [(p.name, p.default) for p in first_four] == [
        ("run", ""),
        ("target", "sandbox"),
        ("region", ""),
        ("base_model_id", ""),
    ]


def test_parameters_when_charges_could_arise_then_the_default_refuses_them(path: Path) -> None:
    """Nothing that costs or deletes happens by running all cells."""
    for name, parameter in read_parameters(path).items():
        if name.startswith("allow_") or name in ("delete", "new_job"):
            assert parameter.default is False, name


def test_code_when_parsed_then_it_is_plain_python(code: list[str]) -> None:
    """No magics, no shell; a definition belongs in a module."""
    for source in code:
        for node in ast.walk(ast.parse(source)):
            assert not isinstance(node, DEFINITIONS), source
        assert "get_ipython" not in source


def test_code_when_counted_then_no_cell_is_past_the_ceiling(notebook: Any) -> None:
    """A cell to scroll is a cell to split."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            is_list = "parameters" in cell.metadata.get("tags", [])
            assert len(cell.source.splitlines()) <= (MOST_PARAMETERS if is_list else CEILING), (
                cell.source
            )


@pytest.mark.parametrize("smell", ["filterwarnings", "time.sleep", "YOUR_", "ResponseMetadata"])
def test_code_when_searched_then_no_smell_is_found(code: list[str], smell: str) -> None:
    """House rules, section by section."""
    assert not [source for source in code if smell in source]


def test_prose_when_read_along_then_code_never_goes_on_for_long_without_it(notebook: Any) -> None:
    """Prose promises, a cell acts, the next thing proves it."""
    kinds = "".join(cell.cell_type[0] for cell in notebook.cells)

    assert "ccccc" not in kinds


def test_notebook_when_committed_then_it_holds_no_outputs_and_no_counts(notebook: Any) -> None:
    """Outputs carry account numbers; executed copies come from a run."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
        assert set(cell.metadata) <= {"tags"}


def test_notebook_when_committed_then_its_kernel_is_plain(notebook: Any) -> None:
    """Nobody's environment and no version of Python is named."""
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_notebook_when_committed_then_no_account_number_is_in_it(path: Path) -> None:
    """Twelve digits in a row are somebody's."""
    assert not re.search(r"(?<!\d)\d{12}(?!\d)", path.read_text(encoding="utf-8"))


def test_notebook_when_it_ends_then_it_leads_on_or_says_it_is_the_end_before_the_exercises(
    path: Path, prose: list[str]
) -> None:
    """Nobody is left standing."""
    *sections, exercises = [source for source in prose if source.startswith("## ")]
    assert exercises.startswith("## Exercises")
    number = int(path.stem[:2])

    if number == len(NAMES):
        assert sections[-1].startswith("## The end")
    else:
        assert sections[-1].startswith("## Next")
        assert f"({NAMES[number]}.ipynb)" in sections[-1]


def test_notebook_when_it_links_to_another_then_that_one_exists(prose: list[str]) -> None:
    """Names change; links must follow."""
    for source in prose:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", source):
            assert (FOLDER / target).exists(), target
