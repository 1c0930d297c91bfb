"""The series as one walk: which notebooks, with which parameters, one after the other."""

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from haikuft.errors import NotFoundError, SettingsError
from haikuft.series.parameters import Parameter, Value, parse_value, read_parameters

# The notebooks that a run must know by number: what they begin or end may cost money.
PROVISION, EVALUATE, CLEAN_UP = 5, 6, 7


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of the series.

    Attributes:
        number: Its place in the series, from the two digits its name begins with.
        path: Where it lies.
        parameters: What it takes; name -> parameter.

    """

    number: int
    path: Path
    parameters: Mapping[str, Parameter]

    @property
    def name(self) -> str:
        """The file's name without its ending, such as 03_fine_tune."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Step:
    """A notebook to be executed, with the parameters it is given.

    Attributes:
        notebook: Which one.
        values: Parameter's name -> value; what is left out keeps the notebook's default.

    """

    notebook: Notebook
    values: Mapping[str, Value]

    def value_of(self, name: str) -> Value:
        """Say what the notebook will see under this name; empty if it has no such parameter."""
        if name in self.values:
            return self.values[name]
        parameter = self.notebook.parameters.get(name)
        return parameter.default if parameter else ""


@dataclass(frozen=True, slots=True)
class Request:
    """What a run was asked for.

    Attributes:
        given: Parameter's name -> text from the command line, or from a file of choices. Each goes
            to every chosen notebook that has such a parameter.
        whole: Names among them that hold for the whole series, as those of a file do: no chosen
            notebook need have them.
        first: Number of the first notebook; 0 for the beginning.
        last: Number of the last notebook; 0 for the end.
        clean_up: True ends with the clean-up, deleting; False deletes nothing; None leaves it to
            the target: the sandbox is cleaned up, AWS is not.
        keep_serving: True leaves throughput on AWS as it is when the run ends.
        state: The sandbox's state directory, if one was named.
        program: What to call to continue, such as `haikuft`.
    """

    given: Mapping[str, str]
    whole: Collection[str] = ()
    first: int = 0
    last: int = 0
    clean_up: bool | None = None
    keep_serving: bool = False
    state: str = ""
    program: str = "haikuft"


def find_notebooks(root: Path) -> list[Notebook]:
    """Find the notebooks of the series in the project's folder, in order.

    Raises:
        NotFoundError: there are none.

    """
    paths = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise NotFoundError(
            f"{root / 'notebooks'} holds no notebook whose name begins with two digits. "
            "Go to the project's folder, or set HAIKUFT_HOME to it."
        )
    return [Notebook(int(path.name[:2]), path, read_parameters(path)) for path in paths]


def plan(notebooks: Sequence[Notebook], request: Request) -> list[Step]:
    """Choose the notebooks and give each the parameters that it has.

    Raises:
        SettingsError: names every parameter that no chosen notebook has or that cannot be read.

    """
    given, first, last, clean_up = request.given, request.first, request.last, request.clean_up
    target = given.get("target") or _default(notebooks, "target")
    deletes = target != "aws" if clean_up is None else clean_up
    chosen = _choose(notebooks, first, last)
    cleaner = [notebook for notebook in notebooks if notebook.number == CLEAN_UP]
    if clean_up and chosen[-1:] != cleaner:
        chosen += cleaner
    if not deletes and CLEAN_UP not in (first, last):
        chosen = [notebook for notebook in chosen if notebook.number != CLEAN_UP]
    if not chosen:
        raise SettingsError(
            "With --no-clean-up nothing is left to run. Leave it out, or ask for "
            f"a list by --to {CLEAN_UP}."
        )
    faults = [
        fault
        for name in given
        if (fault := _misplaced(name, notebooks if name in request.whole else chosen, notebooks))
    ]
    steps = []
    for notebook in chosen:
        values: dict[str, Value] = {}
        if notebook.number == CLEAN_UP and deletes:
            values["delete"] = True
        for name, text in given.items():
            if name in notebook.parameters:
                try:
                    values[name] = parse_value(text, notebook.parameters[name].annotation)
                except SettingsError as error:
                    faults.append(f"{name} in {notebook.name} {error}.")
        steps.append(Step(notebook, values))
    if faults:
        raise SettingsError(" ".join(dict.fromkeys(faults)))
    return steps


def execute(steps: Sequence[Step], folder: Path) -> Iterator[Step]:
    """Execute one notebook after the other, and yield each step once it is done.

    Kernels start in the notebook's own folder, as they do in JupyterLab. What surrounds this
    process, HAIKUFT_HOME and HAIKUFT_SANDBOX_STATE among it, surrounds them too.

    Args:
        steps: What to do, from `plan`.
        folder: Where the executed notebooks go.

    Raises:
        RunFailedError: a notebook failed; those before it are done.

    """
    from haikuft.series.execution.kernels import sharing_imports

    with sharing_imports():
        from haikuft.series.execution import headless  # late: papermill takes long to load
        from haikuft.series.execution.progress import Progress

        names = [step.notebook.name for step in steps]
        progress = Progress(names, [_count_cells(step) for step in steps])
        with progress.clock():
            for index, step in enumerate(steps):
                with progress.notebook(index):
                    headless.execute_notebook(
                        step.notebook.path,
                        folder / step.notebook.path.name,
                        step.values,
                        on_cell=partial(progress.cell, index),
                    )
                yield step


def _choose(notebooks: Sequence[Notebook], first: int, last: int) -> list[Notebook]:
    numbers = [notebook.number for notebook in notebooks]
    for flag, number in (("--from", first), ("--to", last)):
        if number and number not in numbers:
            raise SettingsError(
                f"{flag} {number}: there is no such notebook; they go from {numbers[0]} to "
                f"{numbers[-1]}."
            )
    first, last = first or numbers[0], last or numbers[-1]
    if first > last:
        raise SettingsError(f"--from {first} --to {last}: the first comes after the last.")
    return [notebook for notebook in notebooks if first <= notebook.number <= last]


def _misplaced(name: str, chosen: Sequence[Notebook], notebooks: Sequence[Notebook]) -> str:
    """Say why a parameter reaches no notebook; empty when it does."""
    if any(name in notebook.parameters for notebook in chosen):
        return ""
    owners = [notebook.name for notebook in notebooks if name in notebook.parameters]
    if owners:
        return f'"{name}" belongs to {", ".join(owners)}, which is not among the chosen notebooks.'
    known = dict.fromkeys(name for notebook in notebooks for name in notebook.parameters)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f'Did you mean "{close[0]}"?' if close else f"Known are {', '.join(known)}."
    return f'No notebook has a parameter "{name}". {hint}'


def _default(notebooks: Sequence[Notebook], name: str) -> Value:
    return next((n.parameters[name].default for n in notebooks if name in n.parameters), "")


def _count_cells(step: Step) -> int:
    cells = json.loads(step.notebook.path.read_text(encoding="utf-8"))["cells"]
    return len(cells) + bool(step.values)  # papermill adds a cell for the values
