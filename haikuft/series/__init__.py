"""The series run headless, as `haikuft run` does it: plan, execute, tell what came of it."""

from haikuft.series.headless import Failure, NotebookFailedError, execute_notebook
from haikuft.series.parameters import Parameter, parse_value, read_parameters
from haikuft.series.planning import (
    CLEAN_UP,
    EVALUATE,
    PROVISION,
    Notebook,
    Step,
    execute,
    find_notebooks,
    plan,
)

__all__ = [
    "CLEAN_UP",
    "EVALUATE",
    "PROVISION",
    "Failure",
    "Notebook",
    "NotebookFailedError",
    "Parameter",
    "Step",
    "execute",
    "execute_notebook",
    "find_notebooks",
    "parse_value",
    "plan",
    "read_parameters",
]
