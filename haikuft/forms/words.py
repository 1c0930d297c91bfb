"""Text that forms share: how choices are written for a terminal, and what to do without widgets."""

import re
import shlex
from collections.abc import Mapping

from haikuft.forms.fields import Value

NO_WIDGETS = (
    "Boxes and sliders stand here when the cell has been run in JupyterLab, Notebook 7 or VS Code. "
    "If you see only this text, run the cell again, for they end with their kernel. If that does "
    "not help, the front end lacks widgets: <code>pip install ipywidgets</code> into the "
    "environment of JupyterLab itself and reload the page, or take VS Code's Jupyter extension. "
    "Nothing needs them: the parameters cell above takes the same values."
)


_NEGATIVE = re.compile(r"-\d+|-\d*\.\d+", re.ASCII)  # what the command line takes for a number


def write_word(value: Value) -> str:
    """Write a value as the command line takes it, e.g. ["a", "b"] -> '["a", "b"]'."""
    return repr(value) if isinstance(value, list) else str(value)


def build_command(notebook: int, run: str, values: Mapping[str, Value]) -> str:
    """Write the command that runs one notebook of the series with these values.

    "" where a value cannot be said on a command line: what begins with a hyphen reads as an option.

    Example: `haikuft run --run first --from 3 --to 3 -p epoch_count 5`.
    """
    words = ["haikuft", "run", "--run", run, "--from", str(notebook), "--to", str(notebook)]
    for name, value in values.items():
        word = write_word(value)
        if word.startswith("-") and not _NEGATIVE.fullmatch(word):
            return ""
        words += ["-p", name, word]
    return shlex.join(words)


def build_papermill_command(notebook: str, run: str, values_file: str) -> str:
    """Write the papermill command that runs a notebook with the values of a YAML file.

    Both paths start at the project's folder.
    """
    executed = f"runs/{run}/{notebook}.ipynb"
    return shlex.join(
        [
            *("papermill", f"notebooks/{notebook}.ipynb", executed),
            *("--cwd", "notebooks", "-k", "python3", "-f", values_file),
        ]
    )


def build_yaml(values: Mapping[str, Value]) -> str:
    """Write the values as YAML, in order, as papermill's `-f` reads them."""
    import yaml

    # What is not printable is only safe as an escape, and then all beyond ASCII becomes one.
    texts = "".join("".join(v) if isinstance(v, list) else str(v) for v in values.values())
    plain = texts.replace("\n", "").isprintable()
    return str(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=plain))
