"""One notebook, executed without a browser by papermill, in a kernel of this very interpreter."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import papermill
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError, strip_color

from haikuft.errors import RunFailedError

logging.getLogger("papermill").addHandler(logging.NullHandler())  # failures are told below

OnCell = Callable[[int], None]  # called as a cell begins, with its position counted from 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a headless run stopped, and why.

    Attributes:
        notebook: The notebook's name, without its ending.
        executed: The executed copy, saved up to the failing cell.
        cell: The number that stands beside the cell, as in `In [7]`; 0 if there is none.
        source: The cell's code.
        error: The error's name and message, in plain text.

    """

    notebook: str
    executed: Path
    cell: int
    source: str
    error: str

    def __str__(self) -> str:
        where = f"cell In [{self.cell}]" if self.cell else "one of its cells"
        code = "\n".join(f"    {line}" for line in self.source.split("\n"))
        return (
            f"Notebook {self.notebook} stopped in {where}:\n\n{code}\n\n{self.error}\n\n"
            f"The notebook as far as it came: {self.executed}"
        )


class NotebookFailedError(RunFailedError):
    """A notebook failed; `failure` says in which cell and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class OwnKernelManager(AsyncKernelManager):
    """Starts kernels with the interpreter that runs this code.

    A kernel is otherwise found by its name, and another environment's `python3`, or one that a
    user has installed, may stand in front of ours and know nothing of this package.
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts a kernel here."""
        # What a kernel logs goes past the notebook to the terminal, into our progress bar.
        return KernelSpec(**get_kernel_dict(extra_arguments=["--log-level=CRITICAL"]))


def execute_notebook(
    source: Path, executed: Path, values: Mapping[str, Any], *, on_cell: OnCell | None = None
) -> None:
    """Execute a notebook with these parameters, in its own folder; keep the executed copy.

    The copy is saved after every cell, so that it is there whatever happens.

    Raises:
        NotebookFailedError: a cell failed, or the kernel died.

    """
    executed.parent.mkdir(parents=True, exist_ok=True)
    began = ""

    def begin_cell(cell: Any, cell_index: int) -> None:
        nonlocal began
        began = cell.source
        if on_cell is not None:
            on_cell(cell_index)

    try:
        papermill.execute_notebook(
            _literal(source),
            _literal(executed),
            dict(values),
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
        failure = Failure(source.stem, executed, error.exec_count or 0, error.source, words)
        raise NotebookFailedError(failure) from error
    except DeadKernelError as error:
        words = "The kernel died while the cell ran; the machine may be out of memory."
        raise NotebookFailedError(Failure(source.stem, executed, 0, began, words)) from error


def _literal(path: Path) -> str:
    """Keep papermill from reading braces in a path as placeholders."""
    return str(path).replace("{", "{{").replace("}", "}}")
