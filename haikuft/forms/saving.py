"""Save a form's values in the run's folder: as YAML, and as the commands that use it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from haikuft.files import write_whole
from haikuft.forms.fields import Value
from haikuft.runs import folders

FOLDER = "choices"  # in the run's folder
_NEGATIVE = re.compile(r"-\d+|-\d*\.\d+", re.ASCII)  # a number to the command line


@dataclass(frozen=True, slots=True)
class Saving:
    """Where a form's values are saved.

    Attributes:
        run: The run's name; "" for the default one; None saves nothing.
        notebook: The notebook's name, such as "03_fine_tune".
        target: Saved with the values of a form that does not ask for it; "" where it does.

    """

    run: str | None
    notebook: str
    target: str = ""


def save_choices(saving: Saving, values: Mapping[str, Value]) -> str:
    """Save the values in the run's folder; return what was saved, and how to use it.

    Raises:
        SettingsError: the run's name cannot be one.
        RecordError: the project's folder is not found.

    """
    everything = {"target": saving.target, **values} if saving.target else dict(values)
    run = folders.choose_run(saving.run or "", str(everything.get("target", "")))
    folder = folders.record_path(run).parent / FOLDER
    path = folder / f"{saving.notebook}.yaml"
    text = build_yaml({"run": run, **everything})
    write_whole(path, text)
    shown = f"runs/{run}/{FOLDER}/{path.name}"
    command = build_command(int(saving.notebook[:2]), run, everything)
    blocks = [f"# {shown}\n{text}"]
    if command:
        blocks.append(f"# The same notebook with these choices, from a terminal:\n{command}\n")
    papermill = build_papermill_command(saving.notebook, run, shown)
    blocks.append(f"# By papermill, from the project's folder:\n{papermill}")
    return "\n".join(blocks)


def build_command(notebook: int, run: str, values: Mapping[str, Value]) -> str:
    """Write the command that runs one notebook of the series with these values.

    "" where a value begins with a hyphen, which the command line would read as an option.

    Example: `haikuft run --run first --from 3 --to 3 -p epoch_count 5`.
    """
    words = ["haikuft", "run", "--run", run, "--from", str(notebook), "--to", str(notebook)]
    for name, value in values.items():
        word = _to_argument(value)
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


def _to_argument(value: Value) -> str:
    """Write a value as the command line takes it, e.g. ["a", "b"] as '["a", "b"]'."""
    return repr(value) if isinstance(value, list) else str(value)
