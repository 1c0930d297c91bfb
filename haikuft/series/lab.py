"""JupyterLab on the notebooks: the right kernel behind them, opened where the run stands."""

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlencode

import nbformat
from traitlets.config import Config

from haikuft import __version__
from haikuft.errors import SettingsError
from haikuft.evaluation.report.files import JSON_FILE
from haikuft.files import write_whole
from haikuft.metrics.assessment import ASSESSMENT_FILE
from haikuft.runs.folders import FIRST, check_run_name, choose_run, find_root
from haikuft.runs.record_file import FILE_NAME, read_record
from haikuft.series.export import let_jupyter_export
from haikuft.series.planning import Notebook, find_notebooks

_PORT = 8888  # where JupyterLab begins to look for a free one
_IDLE_SECONDS = 20 * 60  # after which an idle kernel is ended; its notebook starts it anew
_SET_BY_US = "Set by haikuft lab for this run; this cell wins over the one above."
_QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


def open_lab(run: str = "", *, port: int = 0, browser: bool = True) -> int:
    """Serve JupyterLab until Ctrl-C, say where to begin, and return the exit status.

    Args:
        run: Work on notebooks that name this run, in its folder; "" for the run "first", or the
            one begun on AWS where there is no such.
        port: Which port of this machine; 0 for a free one.
        browser: Whether to open the page as well.

    Raises:
        SettingsError: JupyterLab is missing, the port is taken, or no run can have that name.

    """
    try:
        import jupyterlab  # noqa: F401  # the rest of it takes long to load
    except ImportError as error:
        raise SettingsError(
            "JupyterLab is missing from the Python that runs haikuft. Install it there: "
            f"{sys.executable} -m pip install jupyterlab"
        ) from error
    root = find_root()
    if port:
        _check_port(port)
    notebooks = find_notebooks(root)
    run = run or _choose_begun(root)
    paths = prepare_notebooks(root, notebooks, run)
    number = find_next(root / "runs" / run)
    begin = dict(zip((one.number for one in notebooks), paths, strict=True)).get(number, paths[0])
    with own_kernel() as folder:
        config = let_jupyter_export(folder)
        _serve(root, begin, config, port=port, browser=browser)
    return 0


def find_next(directory: Path) -> int:
    """Tell the number of the notebook with which a run continues, from what is in its folder."""
    if not (directory / FILE_NAME).exists():
        return 1
    record = read_record(directory / FILE_NAME)
    done = (
        record.role_arn,
        record.training_uri,
        record.custom_model_arn,
        (directory / ASSESSMENT_FILE).exists(),
        record.served_arn,
        (directory / JSON_FILE).exists(),
    )
    return next((number for number, one in enumerate(done, 1) if not one), len(done) + 1)


def _choose_begun(root: Path) -> str:
    """Choose the run "first", or the one begun on AWS where there is no such."""
    on_aws = choose_run(target="aws", new=True)  # makes a name up where none was begun
    runs = root / "runs"
    return on_aws if (runs / on_aws).exists() and not (runs / FIRST).exists() else FIRST


def prepare_notebooks(root: Path, notebooks: list[Notebook], run: str) -> list[Path]:
    """Copy the series into a run's folder, each copy naming the run; keep copies that are there.

    Notebooks in folders beside the series, such as the workshop's, have runs of their own and are
    copied as they are. Returned are the copies of the series.

    Raises:
        SettingsError: no run can have that name, or another version of haikuft made the copies.
    """
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    folder = root / "runs" / check_run_name(run) / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    others = sorted((root / "notebooks").glob("[!.]*/*.ipynb"))
    sources = [*(notebook.path for notebook in notebooks), *others]
    copies = [folder / source.relative_to(root / "notebooks") for source in sources]
    values = {"run": run}
    if (folder.parent / FILE_NAME).exists():
        values["target"] = read_record(folder.parent / FILE_NAME).target
    for copy in copies:
        if copy.exists():
            _check_version(copy)
    kernel = {"kernel_name": "python3", "language": "python"}
    for source, copy in zip(sources, copies, strict=True):
        if not copy.exists():
            document = load_notebook_node(str(source))
            if source not in others:
                document = parameterize_notebook(document, values, comment=_SET_BY_US, **kernel)
            document.metadata["haikuft"] = {"version": __version__}
            copy.parent.mkdir(exist_ok=True)
            nbformat.write(document, copy)  # type: ignore[no-untyped-call]
    return copies[: len(notebooks)]


def _check_version(copy: Path) -> None:
    """Refuse a copy whose cells call another version's helpers; it keeps what was written in it."""
    try:
        metadata = json.loads(copy.read_text(encoding="utf-8"))["metadata"]
        version = metadata.get("haikuft", {}).get("version", "0.1.0")
    except (ValueError, KeyError, AttributeError, TypeError):
        version = "not known"
    if version != __version__:
        raise SettingsError(
            f"{copy} was copied by another version of haikuft ({version}; this is {__version__}), "
            f"and its cells may not run with this one. Move the folder {copy.parent} aside, with "
            "what you wrote in it, and run this command again: it copies the notebooks anew, and "
            "the run continues where it was."
        )


@contextmanager
def own_kernel() -> Iterator[Path]:
    """Let the kernel `python3` be this very Python; yields the first folder on Jupyter's paths.

    Another environment's `python3`, or one that a user has installed, may otherwise stand in
    front of ours and know nothing of this package. JupyterLab does not ask whether to show its
    news, and a kernel does not warn of its transport, which stays on this machine.
    """
    from ipykernel.kernelspec import write_kernel_spec

    names = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
    before = {name: os.environ[name] for name in names if name in os.environ}
    with TemporaryDirectory(prefix="haikuft-kernel-") as folder:
        kernel = Path(folder, "kernels", "python3")
        write_kernel_spec(kernel, extra_arguments=["--log-level=ERROR"])
        write_whole(Path(folder, "labconfig", "page_config.json"), json.dumps(_QUIET))
        for name in names:
            os.environ[name] = os.pathsep.join([folder, *filter(None, [before.get(name)])])
        try:
            yield Path(folder)
        finally:
            for name in names:
                del os.environ[name]
            os.environ.update(before)


def _check_port(port: int) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(
            f"--port {port}: this port cannot be had ({error}). Name another one, or leave "
            "--port out for a free one."
        ) from error


def _serve(root: Path, begin: Path, config: Config, *, port: int, browser: bool) -> None:
    from jupyterlab.labapp import LabApp

    place = f"lab/tree/{quote(begin.relative_to(root).as_posix())}"
    settings = {
        "ServerApp.root_dir": root,
        "ServerApp.port": port or _PORT,
        "ServerApp.port_retries": 0 if port else 50,
        "ServerApp.open_browser": browser,
        "ServerApp.allow_root": True,  # as in a container; it listens to this machine alone
        "Application.log_level": "ERROR",
        "MappingKernelManager.cull_idle_timeout": _IDLE_SECONDS,
        "MappingKernelManager.cull_connected": True,  # of seven open notebooks one is worked on
        "LabApp.default_url": f"/{place}",
        "LabApp.news_url": None,  # nothing here asks the network for anything
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    arguments = [f"--{name}={value}" for name, value in settings.items()]
    server = LabApp.initialize_server(arguments, config=config)
    identity = server.identity_provider
    identity.token_generated = False  # Jupyter need not say it again
    key = f"?{urlencode({'token': identity.token})}" if identity.token else ""
    words = (
        f"Begin with {begin.relative_to(root)}:\n  {server.connection_url}{place}{key}\n"
        "Ctrl-C ends JupyterLab and its kernels; the sandbox and all that was made stay."
    )
    server.io_loop.add_callback(partial(print, words, flush=True))  # once it listens
    # Without a terminal Jupyter leaves Ctrl-C to Python, which raises it wherever it just is.
    before = signal.signal(signal.SIGINT, lambda *_: server.stop(from_signal=True))
    try:
        server.start()
    finally:
        signal.signal(signal.SIGINT, before)
