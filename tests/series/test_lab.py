"""`haikuft lab`: where it begins, which kernel stands behind it, and how it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest
from ipykernel.kernelspec import write_kernel_spec
from jupyter_client.kernelspec import KernelSpecManager
from jupyterlab_server.config import get_page_config

from haikuft import __version__
from haikuft.cli import main
from haikuft.errors import SettingsError
from haikuft.metrics.assessment import ASSESSMENT_FILE
from haikuft.runs import folders
from haikuft.runs.record_file import RunRecord, write_record
from haikuft.series import lab
from haikuft.series.lab import find_next, open_lab, own_kernel, prepare_notebooks
from haikuft.series.planning import find_notebooks

WriteNotebook = Callable[..., Path]
COMMON = '# Parameters\nrun: str = "first"  # name of the run\n'


@pytest.fixture
def series(project: Path, write_notebook: WriteNotebook) -> Path:
    """Write a series of two notebooks; gives the project's folder."""
    write_notebook("01_one", COMMON, ["run"])
    write_notebook("02_two", COMMON, ["run"])
    return project


@contextmanager
def run_lab(root: Path, home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `haikuft lab` as a program, with nothing of the user's around it."""
    folders = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    around = {f"JUPYTER_{name}": str(home / name.lower()) for name in folders}
    around |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home / "lab")}
    script = "import sys; from haikuft.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, "lab", "--no-browser", *arguments],
        cwd=root,
        env={**os.environ, **around},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read(url: str) -> Any:
    """Fetch from the server, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.parametrize(
    ("done", "number"),
    [
        ({}, 1),
        ({"role_arn": "r"}, 2),
        ({"role_arn": "r", "training_uri": "t"}, 3),
        ({"role_arn": "r", "training_uri": "t", "custom_model_arn": "c"}, 4),
    ],
)
def test_next_notebook_when_a_run_has_come_so_far_then_it_is_the_one_after(
    tmp_path: Path, done: dict[str, str], number: int
) -> None:
    """By what its record holds."""
    assert find_next(tmp_path) == 1

    write_record(tmp_path / "run.json", replace(RunRecord("first", "sandbox"), **done))

    assert find_next(tmp_path) == number


def test_next_notebook_when_files_say_how_far_then_they_count(tmp_path: Path) -> None:
    """Analysed, served, evaluated; then only the cleaning up is left."""
    record = RunRecord(
        "first", "sandbox", role_arn="r", training_uri="t", custom_model_arn="c", throughput_arn="p"
    )
    write_record(tmp_path / "run.json", replace(record, throughput_arn=""))
    (tmp_path / ASSESSMENT_FILE).touch()
    assert find_next(tmp_path) == 5

    write_record(tmp_path / "run.json", record)
    assert find_next(tmp_path) == 6

    (tmp_path / "evaluation.json").touch()
    assert find_next(tmp_path) == 7


def test_next_notebook_when_a_deployment_serves_the_model_then_evaluation_is_next(
    tmp_path: Path,
) -> None:
    """Throughput is not the only way in which a model is served."""
    record = RunRecord("first", "sandbox", role_arn="r", training_uri="t", custom_model_arn="c")
    served = replace(record, serving="deployment", deployment_arn="d")
    write_record(tmp_path / "run.json", served)
    (tmp_path / ASSESSMENT_FILE).touch()

    assert find_next(tmp_path) == 6


def test_notebooks_of_a_run_when_prepared_then_they_name_it_and_ours_stay_as_they_were(
    series: Path,
) -> None:
    """As papermill does it: a cell below the parameters."""
    before = {path: path.read_bytes() for path in (series / "notebooks").iterdir()}

    copies = prepare_notebooks(series, find_notebooks(series), "tuesday")

    assert [path.relative_to(series / "runs" / "tuesday" / "lab").name for path in copies] == [
        "01_one.ipynb",
        "02_two.ipynb",
    ]
    for copy in copies:
        cells = nbformat.read(copy, as_version=4).cells
        (named,) = [
            cell for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])
        ]
        assert named.source.startswith("# Set by haikuft lab for this run; this cell wins")
        assert 'run = "tuesday"' in named.source
    assert {path: path.read_bytes() for path in (series / "notebooks").iterdir()} == before


def test_notebooks_of_a_run_when_prepared_then_those_beside_the_series_keep_their_own_run(
    series: Path, write_notebook: WriteNotebook
) -> None:
    """The workshop's notebooks are copied as they are."""
    beside = series / "notebooks" / "workshop" / "search.ipynb"
    beside.parent.mkdir()
    write_notebook("03_three", COMMON, ["run"]).rename(beside)

    copies = prepare_notebooks(series, find_notebooks(series), "tuesday")

    copy = series / "runs" / "tuesday" / "lab" / "workshop" / "search.ipynb"
    cells = [nbformat.read(path, as_version=4).cells for path in (copy, beside)]
    assert [cell.source for cell in cells[0]] == [cell.source for cell in cells[1]]
    assert copy not in copies


def test_notebooks_of_a_run_when_prepared_again_then_what_was_written_in_them_stays(
    series: Path,
) -> None:
    """They are the reader's by then."""
    first, _ = prepare_notebooks(series, find_notebooks(series), "tuesday")
    document = nbformat.read(first, as_version=4)
    document.cells[0].source = "mine"
    nbformat.write(document, first)

    prepare_notebooks(series, find_notebooks(series), "tuesday")

    assert nbformat.read(first, as_version=4).cells[0].source == "mine"


@pytest.mark.parametrize(
    ("metadata", "version"),
    [({}, "0.1.0"), ({"haikuft": {"version": "0.3.0"}}, "0.3.0")],
    ids=["made by 0.1.0, which wrote no version", "made by a later version"],
)
def test_notebooks_of_a_run_when_another_version_made_them_then_they_are_refused_and_kept(
    series: Path,
    capsys: pytest.CaptureFixture[str],
    metadata: dict[str, Any],
    version: str,
) -> None:
    """One sentence says what to do; what was written in the copies stays."""
    missing, first = prepare_notebooks(series, find_notebooks(series), "tuesday")
    document = nbformat.read(first, as_version=4)
    document.metadata = metadata
    nbformat.write(document, first)
    before = first.read_bytes()
    missing.unlink()

    assert main(["lab", "--run", "tuesday", "--no-browser"]) == 2

    told = capsys.readouterr().err
    assert f"another version of haikuft ({version}; this is {__version__})" in told
    assert f"Move the folder {first.parent} aside" in told
    assert first.read_bytes() == before
    assert not missing.exists()  # no folder holds notebooks of two versions

    first.parent.rename(first.parent.with_name("lab-before"))
    assert len(prepare_notebooks(series, find_notebooks(series), "tuesday")) == 2


def test_notebooks_of_a_run_when_one_is_no_notebook_then_it_is_refused_and_kept(
    series: Path,
) -> None:
    """Whatever it is, it is the reader's."""
    first, _ = prepare_notebooks(series, find_notebooks(series), "tuesday")
    first.write_text("mine", encoding="utf-8")

    with pytest.raises(SettingsError, match="Move the folder"):
        prepare_notebooks(series, find_notebooks(series), "tuesday")
    assert first.read_text(encoding="utf-8") == "mine"


def test_kernel_when_the_machine_has_another_python3_then_ours_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's own `python3`, or another environment's, stands behind; then all is as before."""
    write_kernel_spec(tmp_path / "kernels" / "python3", {"argv": ["/elsewhere/python"]})
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    with own_kernel():
        found = KernelSpecManager().get_kernel_spec("python3")
        assert found.argv[0] == sys.executable
        disabled = get_page_config([])["disabledExtensions"]
        assert "@jupyterlab/apputils-extension:announcements" in disabled

    assert os.environ["JUPYTER_PATH"] == str(tmp_path)
    assert KernelSpecManager().get_kernel_spec("python3").argv[0] == "/elsewhere/python"


def test_lab_when_served_then_it_says_where_to_begin_with_our_python_and_ctrl_c_ends_it(
    series: Path, tmp_path: Path
) -> None:
    """One address, with its key; a user's `python3` in front changes nothing; status 0."""
    write_kernel_spec(tmp_path / "data_dir" / "kernels" / "python3", {"argv": ["/elsewhere"]})

    with run_lab(series, tmp_path) as process:
        starting, *told = [process.stdout.readline() for _ in range(4)]  # type: ignore[union-attr]
        found = re.fullmatch(r"  (http://\S+?/)lab/tree/(\S+)\?token=(\w+)\n", told[1])
        assert found, (told, process.poll())
        specs = json.loads(read(f"{found[1]}api/kernelspecs?token={found[3]}"))
        exported = read(f"{found[1]}nbconvert/html/{found[2]}?token={found[3]}")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert starting == "JupyterLab is starting.\n"  # at once, for the rest takes seconds
    assert told[0] == "Begin with runs/first/lab/01_one.ipynb:\n"
    assert found[2] == "runs/first/lab/01_one.ipynb"
    assert "Ctrl-C" in told[2]
    assert specs["default"] == "python3"
    assert specs["kernelspecs"]["python3"]["spec"]["argv"][0] == sys.executable
    assert "default-src 'none'" in exported
    assert re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', exported) == []
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("begun", "chosen"),
    [
        ([], "first"),
        (["ann-x7f3"], "ann-x7f3"),
        (["ann-x7f3", "first"], "first"),
        (["other", "first"], "first"),
    ],
)
def test_lab_when_no_run_is_named_then_it_works_on_a_copy_and_ours_stay_as_they_were(
    series: Path, monkeypatch: pytest.MonkeyPatch, begun: list[str], chosen: str
) -> None:
    """The run `first`, or the one begun on AWS; nothing that git knows is ever changed."""
    monkeypatch.setattr(folders, "_user", lambda: "ann")
    served: list[Path] = []
    monkeypatch.setattr(lab, "_serve", lambda root, begin, config, **_: served.append(begin))
    for name in begun:
        target = "aws" if name.startswith("ann-") else "sandbox"
        write_record(series / "runs" / name / "run.json", RunRecord(name, target))

    open_lab(browser=False)

    assert served == [series / "runs" / chosen / "lab" / "01_one.ipynb"]
    code = served[0].read_text("utf-8")
    assert f'run = \\"{chosen}\\"' in code
    assert ('target = \\"aws\\"' in code) == (chosen == "ann-x7f3")


def test_lab_when_the_port_is_taken_then_it_says_so_in_one_line(
    series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says which port to take."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status = main(["lab", "--no-browser", "--port", str(port)])

    told = capsys.readouterr().err
    assert status == 2
    assert told.startswith(f"haikuft: --port {port}: this port cannot be had (")
    assert "leave --port out" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("port", [-1, 70_000])
def test_lab_when_there_is_no_such_port_then_it_says_so(series: Path, port: int) -> None:
    """Ports end at 65535."""
    with pytest.raises(SettingsError, match=f"--port {port}"):
        open_lab(port=port, browser=False)


def test_lab_when_jupyterlab_is_missing_then_it_says_how_to_install_it(
    series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into the very Python that would need it."""
    monkeypatch.setitem(sys.modules, "jupyterlab", None)

    with pytest.raises(SettingsError, match=r"JupyterLab is missing .* -m pip install jupyterlab"):
        open_lab(browser=False)


def test_lab_when_no_run_can_have_that_name_then_nothing_is_made(series: Path) -> None:
    """Names of runs become names of buckets."""
    with pytest.raises(SettingsError):
        open_lab("Not A Name", browser=False)

    assert not (series / "runs").exists()
