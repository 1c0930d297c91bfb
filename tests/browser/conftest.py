"""A real browser before a real JupyterLab, started by `haikuft lab` on a sandbox of its own.

One server, one Chromium and one project serve all tests here. Without Chromium or Playwright they
are skipped with a word; where HAIKUFT_BROWSER=required is set, as .ci/run does, they fail instead.
HAIKUFT_SCREENSHOTS names a folder in which what the tests saw is kept, a folder a run.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from project_copy import copy_project

import haikuft.sandbox
from haikuft import cli
from haikuft.runs.record_file import FILE_NAME, RunRecord, read_record

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
RUN = "first"
SLOW = 60_000  # milliseconds a cell may take before a test gives up
KeepScreenshot = Callable[..., None]


def give_up(reason: str) -> Any:
    """Skip, or fail where the browser is required."""
    if os.environ.get("HAIKUFT_BROWSER") == "required":
        pytest.fail(f"HAIKUFT_BROWSER=required, and {reason}")
    pytest.skip(f"{reason}; so nothing is shown in a real browser")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        give_up("Playwright is not installed (pip install -e '.[test]')")
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        give_up("Chromium is not on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            # Chromium's own sandbox needs rights that a container has not.
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def keep_screenshot() -> KeepScreenshot:
    """`keep_screenshot(part, name)` keeps a screenshot, where a folder is named for them."""
    named = os.environ.get("HAIKUFT_SCREENSHOTS")
    if not named:
        return lambda part, name, **options: None
    folder = Path(named) / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    folder.mkdir(parents=True)
    return lambda part, name, **options: part.screenshot(path=folder / f"{name}.png", **options)


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder with one run, 1 and 2 of which are done before anybody looks."""

    root: Path

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return self.root / "runs" / RUN

    @property
    def record(self) -> RunRecord:
        """The run's record."""
        return read_record(self.directory / FILE_NAME)

    def walk(self, first: int, last: int) -> None:
        """Execute notebooks without a browser."""
        arguments = ["run", "--run", RUN, "--from", str(first), "--to", str(last)]
        assert cli.main([*arguments, "--no-clean-up"] if last < 7 else arguments) == 0


@pytest.fixture(scope="package")
def project(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Copy what a walk reads, start a sandbox in which one sees a job's stages, do 1 and 2."""
    home = tmp_path_factory.mktemp("browser")
    root = copy_project(home / "project")
    state = home / "sandbox"
    here = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIKUFT_SANDBOX_STATE", str(state))
        patch.setenv("HAIKUFT_HOME", str(root))
        for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
            patch.setenv(f"JUPYTER_{name}", str(home / name.lower()))
        for name in ("SETTINGS_DIR", "WORKSPACES_DIR"):
            patch.setenv(f"JUPYTERLAB_{name}", str(home / name.lower()))
        patch.setenv("IPYTHONDIR", str(home / "ipython"))
        os.chdir(root)
        haikuft.sandbox.start(state, settings={"stage_seconds": 1})
        project = Project(root)
        project.walk(1, 2)
        yield project
        os.chdir(here)
        haikuft.sandbox.stop(state)


@contextmanager
def served(root: Path) -> Iterator[tuple[str, str]]:
    """Run `haikuft lab`; gives its address and its key, and ends it as Ctrl-C does."""
    script = "import sys; from haikuft.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", script, "lab", "--no-browser"],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(4)]
        found = re.fullmatch(r"  (http://\S+?/)lab/tree/\S+\?token=(\w+)\n", told[2])
        assert found, told
        yield found[1], found[2]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


class Lab:
    """JupyterLab in a browser's page, worked as a person does: by what is written on it."""

    def __init__(self, page: Any, address: str, key: str, keep: KeepScreenshot) -> None:
        self.page = page
        self._address = address
        self._key = key
        self._keep = keep

    def open(self, name: str, front_end: str = "lab") -> None:
        """Open a notebook in JupyterLab or in Notebook 7, with nothing else on the page."""
        at = f"doc/workspaces/{name}/tree" if front_end == "lab" else "notebooks"
        place = f"{self._address}{at}/runs/{RUN}/lab/{name}.ipynb"
        self.page.goto(f"{place}?token={self._key}&reset")
        self.page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
        # A cell that is run before its kernel is there is passed over without a word.
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                const kernel = panel?.sessionContext?.session?.kernel;
                return panel?.context?.isReady && panel.sessionContext.isReady &&
                    kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
            }""",
            timeout=SLOW,
        )

    def cell(self, code: str) -> Any:
        """Find the code cell that holds this text, and go there."""
        return self._find(code)[1]

    def _find(self, code: str) -> tuple[int, Any]:
        (at,) = self.page.wait_for_function(
            """code => {
                const notebook = window.jupyterapp.shell.currentWidget?.content;
                const at = notebook.widgets.findIndex(
                    cell => cell.model.type === 'code' &&
                        cell.model.sharedModel.getSource().includes(code));
                if (at < 0) return false;
                notebook.activeCellIndex = at;
                return notebook.scrollToItem(at, 'start').then(() => [at]);
            }""",
            arg=code,
        ).json_value()
        return at, self.page.locator(f'.jp-Cell[data-windowed-list-index="{at}"]')

    def run_to(self, code: str) -> Any:
        """Run all above the cell that holds this text, then the cell; gives it once it ran."""
        return self.run_on("", code)

    def run_on(self, first: str, last: str) -> Any:
        """Run the cells from one that holds a text to one that holds another; gives that one."""
        begin, _ = self._find(first) if first else (0, None)
        end, cell = self._find(last)
        self.page.evaluate(
            """async ([begin, end]) => {
                const notebook = window.jupyterapp.shell.currentWidget.content;
                for (let at = begin; at <= end; at++) {
                    if (notebook.widgets[at].model.type !== 'code') continue;
                    notebook.deselectAll();
                    notebook.activeCellIndex = at;
                    await window.jupyterapp.commands.execute('notebook:run-cell');
                    if (notebook.widgets[at].model.executionCount === null)
                        throw new Error('cell ' + at + ' was not run');
                }
                await notebook.scrollToItem(end, 'start');
            }""",
            [begin, end],
        )
        self.settle()
        return cell

    def write(self, old: str, new: str) -> None:
        """Write something else into the code cell that holds a text."""
        self.cell(old)
        self.page.evaluate(
            """([old, new_]) => {
                const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
                const source = cell.model.sharedModel;
                source.setSource(source.getSource().replace(old, new_));
            }""",
            [old, new],
        )

    def run_cell(self, code: str, *, wait: bool = True) -> Any:
        """Run the cell that holds this text; gives it, once it ran unless told otherwise."""
        cell = self.cell(code)
        self._command("notebook:run-cell", wait=wait)
        if wait:
            self.settle()
        return cell

    def settle(self) -> None:
        """Wait until nothing runs; fail on a cell that failed."""
        self.page.wait_for_function(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const waits = panel.content.widgets.some(
                    cell => cell.model.type === 'code' && cell.model.executionState === 'running');
                return !waits && panel.sessionContext.session?.kernel?.status === 'idle';
            }""",
            timeout=SLOW,
        )
        errors = self.page.locator('[data-mime-type="application/vnd.jupyter.stderr"]:visible')
        told = [text for text in errors.all_inner_texts() if "Traceback" in text]
        assert not told, told

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Look again until a condition outside the page holds; fail after `SLOW`."""
        for _ in range(SLOW // 100):
            if holds():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("What was waited for has not come.")

    def save(self) -> None:
        """Save the notebook, widgets and all."""
        self._command("docmanager:save")

    def _command(self, name: str, *, wait: bool = True) -> None:
        self.page.evaluate(
            """async ({name, wait}) => {
                const done = window.jupyterapp.commands.execute(name);
                if (wait) await done;
            }""",
            {"name": name, "wait": wait},
        )

    def wear(self, theme: str) -> None:
        """Change to a theme, `Light` or `Dark`."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
            f"JupyterLab {theme}",
        )
        wanted = str(theme == "Light").lower()
        self.page.locator(f'body[data-jp-theme-light="{wanted}"]').wait_for(state="attached")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def shoot(self, name: str, part: Any = None) -> None:
        """Keep a screenshot of the page, or of a part of it."""
        self._keep(part or self.page, name)


@pytest.fixture(scope="package")
def lab(chromium: Any, project: Project, keep_screenshot: KeepScreenshot) -> Iterator[Lab]:
    """Open JupyterLab in a page; at the end its kernels and server are gone."""
    config = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_lab_config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    exposed = {"expose_app_in_browser": True}
    apps = {"LabApp": exposed, "JupyterNotebookApp": exposed}
    config.write_text(json.dumps(apps), encoding="utf-8")
    with served(project.root) as (address, key):
        context = chromium.new_context(viewport={"width": 1280, "height": 1000})
        context.set_default_timeout(SLOW / 3)
        yield Lab(context.new_page(), address, key, keep_screenshot)
        context.close()


@pytest.fixture(scope="package")
def walked_to(project: Project) -> Callable[[int], Project]:
    """`walked_to(4)` does what is not done yet, without a browser, up to this notebook."""

    def walk(last: int) -> Project:
        from haikuft.series.lab import find_next

        if (first := find_next(project.directory)) <= last:
            project.walk(min(first, 5), last)  # what serves may have been ended by hand
        return project

    return walk
