"""A project as small as can be: three notebooks of a few cells, in a folder of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from haikuft.dataset.records import record_id
from haikuft.evaluation import compare, write_evaluation
from haikuft.inference.replies import Reply

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
LABELS = ("refund", "delivery")
COMMON = """# Parameters
run: str = "first"  # name of the run
target: str = "sandbox"  # where it runs
"""

WriteNotebook = Callable[[str, str, Sequence[str]], Path]


@pytest.fixture
def project(go_to_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """Make an empty project and go there; its name holds what papermill would trip over."""
    return go_to_project(tmp_path / "a {project} of ours")


@pytest.fixture
def write_notebook(project: Path) -> WriteNotebook:
    """Write a notebook into the project: name, own parameters, cells."""

    def write(name: str, parameters: str, cells: Sequence[str]) -> Path:
        tagged = new_code_cell(COMMON + parameters, metadata={"tags": ["parameters"]})
        notebook = new_notebook(cells=[tagged, *map(new_code_cell, cells)], metadata=METADATA)
        path = project / "notebooks" / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


@pytest.fixture
def three_notebooks(write_notebook: WriteNotebook) -> None:
    """Write a first notebook, one that fails on the seed 13, one that cleans up."""
    write_notebook("01_begin", 'bucket: str = ""  # a name', ["bucket"])
    write_notebook(
        "03_middle",
        "seed: int = 1  # a number\nshare: float = 0.5  # part\nids: list[str] = []  # some",
        ["1 + 1", "if seed == 13:\n    raise ValueError('unlucky')"],
    )
    write_notebook("07_clean_up", "delete: bool = False  # True deletes", ["delete"])


@pytest.fixture
def evaluate() -> Callable[[Path], None]:
    """Write an evaluation of 40 records: the base is right on half of them, the tuned on all."""
    return _evaluate


def _evaluate(directory: Path) -> None:
    records = [
        {
            "messages": [
                {"role": "user", "content": f"<b>ticket</b> {number}"},
                {"role": "assistant", "content": LABELS[number % 2]},
            ]
        }
        for number in range(40)
    ]
    replies = {
        "base": {record_id(r): _reply(record_id(r), "refund") for r in records},
        "tuned": {record_id(r): _reply(record_id(r), LABELS[n % 2]) for n, r in enumerate(records)},
    }
    write_evaluation(directory, compare(records, replies))


def _reply(identity: str, text: str) -> Reply:
    return Reply(identity, "id", text, "end_turn", 9, 2, 0.1, "sandbox-stand-in", None, "", "{}")
