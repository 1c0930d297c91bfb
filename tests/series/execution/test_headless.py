"""One notebook, executed by papermill in a kernel of this interpreter."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import nbformat
import pytest

from haikuft.errors import RunFailedError
from haikuft.series.execution.headless import execute_notebook
from haikuft.series.execution.kernel_template import _STAGES
from haikuft.series.execution.kernels import KernelTemplate, sharing_imports


@pytest.fixture(params=["alone", "forked"], autouse=True)
def _kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test twice: with a kernel of its own, and with one that shares imports."""
    with sharing_imports() if request.param == "forked" else nullcontext():
        yield


def printed(path: Path) -> list[str]:
    """Read what the cells of an executed notebook printed."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        output.text.strip()
        for cell in cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    ]


def test_execute_notebook_when_another_kernel_stands_in_front_then_ours_runs_it(
    write_notebook: Callable[..., Path],
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A `python3` that somebody installed knows nothing of this package."""
    foreign = tmp_path / "jupyter" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "foreign", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("HAIKUFT_SANDBOX_STATE", "/some/state")
    source = write_notebook(
        "01_a",
        'name: str = ""  # text',
        [
            "import sys\nprint(sys.executable)",
            "import os\nprint(os.getcwd())",
            "print(os.environ['HAIKUFT_SANDBOX_STATE'])",
            "print(repr((run, name)))",
        ],
    )
    executed = project / "runs" / "first" / "notebooks" / "01_a.ipynb"
    positions: list[int] = []

    execute_notebook(source, executed, {"run": "007", "name": 'a"ü\\n'}, on_cell=positions.append)

    assert printed(executed) == [
        sys.executable,
        str(project / "notebooks"),
        "/some/state",
        repr(("007", 'a"ü\\n')),
    ]
    assert positions == [0, 1, 2, 3, 4, 5]  # the parameters, those given, and the four


def test_execute_notebook_when_a_cell_fails_then_source_and_error_are_told(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """One sees what failed without opening the notebook, and the notebook is kept."""
    source = write_notebook(
        "02_b",
        "",
        [
            "print('before')",
            "from haikuft.errors import DataError\nraise DataError('line 3: fix it')",
        ],
    )

    with pytest.raises(RunFailedError) as caught:
        execute_notebook(source, project / "out" / "02_b.ipynb", {})

    executed = project / "out" / "02_b.ipynb"
    for words in (
        "Notebook 02_b stopped in cell In [3]",
        "    raise DataError('line 3: fix it')",
        "\nDataError: line 3: fix it\n",
        f"as far as it came: {executed}",
    ):
        assert words in str(caught.value)
    assert printed(executed) == ["before"]


def test_execute_notebook_when_the_kernel_dies_then_the_cell_is_told(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """Out of memory, for one."""
    source = write_notebook("02_b", "", ["import os", "os.kill(os.getpid(), 9)"])

    with pytest.raises(RunFailedError, match="kernel died") as caught:
        execute_notebook(source, project / "out.ipynb", {})

    assert "    os.kill(os.getpid(), 9)\n" in str(caught.value)


def test_execute_notebook_when_one_notebook_changes_something_then_the_next_does_not_see_it(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """Kernels share imports and nothing else; each has its own random numbers, too."""
    changing = [
        "import json, os, random\nprint(hasattr(json, 'ours'), os.environ.get('OURS'))",
        "json.ours, os.environ['OURS'] = 1, '1'",
        "print(random.random())",
        "print(os.getppid())",
    ]
    source, (first, second) = write_notebook("01_a", "", changing), (project / "1", project / "2")
    for executed in (first, second):
        execute_notebook(source, executed.with_suffix(".ipynb"), {})

    one, two = (printed(path.with_suffix(".ipynb")) for path in (first, second))
    assert one[0] == two[0] == "False None"
    assert one[1] != two[1]
    assert one[2] == two[2]  # what they were forked from, or this process
    assert (one[2] == str(os.getpid())) is (KernelTemplate.current is None)


def test_stages_when_named_then_each_is_there_to_import() -> None:
    """A name that has gone would only cost time, and nobody would see it."""
    assert [name for name in chain(*_STAGES) if find_spec(name) is None] == []


def test_execute_notebook_when_a_cell_leaves_a_file_open_then_all_of_it_is_written(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """As at the end of any program."""
    source = write_notebook("01_a", "", ["file = open('left.txt', 'w')\nfile.write('all')"])

    execute_notebook(source, project / "1.ipynb", {})

    assert (project / "notebooks" / "left.txt").read_text() == "all"


def test_execute_notebook_when_what_makes_kernels_has_ended_then_a_kernel_starts_all_the_same(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """It takes longer."""
    if KernelTemplate.current is not None:
        KernelTemplate.current.close()
    execute_notebook(write_notebook("01_a", "", ["print(1)"]), project / "1.ipynb", {})

    assert printed(project / "1.ipynb") == ["1"]


def test_execute_notebook_when_a_cell_ends_the_program_then_it_has_failed(
    write_notebook: Callable[..., Path], project: Path
) -> None:
    """`raise SystemExit` without a status is not an error of papermill's; what follows is left."""
    source = write_notebook("02_b", "", ["print('before')", "raise SystemExit", "print('after')"])

    with pytest.raises(RunFailedError, match=r"02_b stopped in cell In \[3\]") as caught:
        execute_notebook(source, project / "out.ipynb", {})

    assert "    raise SystemExit\n" in str(caught.value)
    assert "the cells after it did not run" in str(caught.value)
    assert "before" in printed(project / "out.ipynb")
    assert "after" not in printed(project / "out.ipynb")
