"""The button that writes a form's choices down: as a command line and as YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from haikuft import run_record
from haikuft.forms.fields import Value
from haikuft.forms.words import build_command, build_papermill_command, build_yaml
from haikuft.pages import write_whole

FOLDER = "choices"  # in the run's folder


@dataclass(frozen=True, slots=True)
class Saving:
    """Where a form's choices go.

    Attributes:
        run: The run's name; "" for the default one.
        notebook: The notebook's name, such as "03_fine_tune".
        given: Parameters that the form does not ask for and the notebook needs, such as target.

    """

    run: str
    notebook: str
    given: Mapping[str, Value] = field(default_factory=dict)


def plan_saving(run: str | None, notebook: str, target: str = "") -> Saving | None:
    """Say where choices go; nowhere for a form that knows no run."""
    given: dict[str, Value] = {"target": target} if target else {}
    return None if run is None else Saving(run, notebook, given)


def save_choices(saving: Saving, values: Mapping[str, Value]) -> str:
    """Write the choices into the run's folder; give what was written, and how to use it.

    Raises:
        SettingsError: the run's name cannot be one.
        RecordError: the project's folder is not found.

    """
    everything = {**saving.given, **values}
    run = run_record.choose_run(saving.run, str(everything.get("target", "")))
    folder = run_record.record_path(run).parent / FOLDER
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
