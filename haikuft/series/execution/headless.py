"""One notebook, executed without a browser by papermill, in a kernel of this very interpreter."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError, strip_color

from haikuft.errors import RunFailedError
from haikuft.series.execution.kernels import OwnKernelManager

logging.getLogger("papermill").addHandler(logging.NullHandler())  # failures are told below

OnCell = Callable[[int], None]  # called as a cell begins, with its position counted from 0
_SAVE_SECONDS = 5.0  # between two savings of the executed copy


class _Engine(NBClientEngine):  # type: ignore[misc]
    """papermill's own, which would save the whole copy twice a cell: half of a run's time."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute the cells and save the copy seldom; papermill writes it once more at the end."""
        save, saved = nb_man.save, time.monotonic()

        def save_seldom(**named: Any) -> None:
            nonlocal saved
            if time.monotonic() - saved >= _SAVE_SECONDS:
                save(**named)
                saved = time.monotonic()

        nb_man.save = save_seldom
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        except BaseException:
            nb_man.save = save
            raise
        nb_man.save = lambda **_: None  # `execute_notebook` writes the copy when all is told


papermill_engines.register("haikuft", _Engine)


def execute_notebook(
    source: Path, executed: Path, values: Mapping[str, Any], *, on_cell: OnCell | None = None
) -> None:
    """Execute a notebook with these parameters, in its own folder; keep the executed copy.

    The copy is saved every five seconds as cells begin and end, and at the end whatever happens.

    Raises:
        RunFailedError: a cell failed or ended the notebook, or the kernel died. The message
            names the cell.

    """
    executed.parent.mkdir(parents=True, exist_ok=True)
    began = ""

    def begin_cell(cell: Any, cell_index: int) -> None:
        nonlocal began
        began = cell.source
        if on_cell is not None:
            on_cell(cell_index)

    try:
        document = papermill.execute_notebook(
            _literal(source),
            _literal(executed),
            dict(values),
            engine_name="haikuft",
            kernel_name="python3",
            language="python",
            cwd=str(source.parent),
            progress_bar=False,
            # The rest goes to nbclient.
            kernel_manager_class=OwnKernelManager,
            on_cell_start=begin_cell,
        )
    except PapermillExecutionError as error:
        words = f"{error.ename}: {strip_color(error.evalue)}".rstrip(": ")
        where = f"cell In [{error.exec_count}]" if error.exec_count else "one of its cells"
        message = _describe_failure(source, executed, where, error.source, words)
        raise RunFailedError(message) from error
    except DeadKernelError as error:
        words = "The kernel died while the cell ran; the machine may be out of memory."
        message = _describe_failure(source, executed, "one of its cells", began, words)
        raise RunFailedError(message) from error
    _check_cells(document.cells, source, executed)


def _check_cells(cells: Sequence[Any], source: Path, executed: Path) -> None:
    """Refuse a notebook that ended early: papermill takes `raise SystemExit` for an end."""
    for cell in cells:
        if cell.cell_type == "code" and cell.metadata.papermill.status != "completed":
            where = f"cell In [{cell.execution_count}]"
            words = "SystemExit: the cell ended the notebook, and the cells after it did not run."
            raise RunFailedError(_describe_failure(source, executed, where, cell.source, words))


def _describe_failure(source: Path, executed: Path, where: str, code: str, words: str) -> str:
    """Say in which cell a notebook stopped and why, and where its copy up to there is."""
    lines = "\n".join(f"    {line}" for line in code.split("\n"))
    return (
        f"Notebook {source.stem} stopped in {where}:\n\n{lines}\n\n{words}\n\n"
        f"The notebook as far as it came: {executed}"
    )


def _literal(path: Path) -> str:
    """Keep papermill from reading braces in a path as placeholders."""
    return str(path).replace("{", "{{").replace("}", "}}")
