"""The choices of a run in one YAML file for the whole series, which `haikuft run -f` reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haikuft.errors import SettingsError
from haikuft.files import write_whole
from haikuft.runs.folders import choose_run, record_path

FILE_NAME = "choices.yaml"  # in the run's folder

Value = str | int | float | bool | list[str]


def save_choices(run: str, values: Mapping[str, Value]) -> tuple[str, str]:
    """Save values beside those that the file of the run holds; return the run's name and the text.

    Args:
        run: The run's name; "" for the default one.
        values: Parameter's name -> value.

    Raises:
        SettingsError: the run's name cannot be one, or the file holds something else.
        RecordError: the project's folder is not found.
    """
    run = choose_run(run, str(values.get("target", "")))
    path = record_path(run).with_name(FILE_NAME)
    held = _load(path, "SafeLoader") if path.exists() else {}
    text = build_yaml({**held, "run": run, **values})
    write_whole(path, text)
    return run, text


def read_texts(path: Path) -> dict[str, str]:
    """Read parameter's name -> its value as `-p` takes it on the command line.

    Raises:
        SettingsError: the file cannot be read, or a value in it is none of a parameter.
    """
    texts = {}
    for name, value in _load(path, "BaseLoader").items():  # this one leaves texts as written
        if isinstance(value, dict):
            raise SettingsError(f"{path}: {name} holds names and values; give it one value.")
        texts[name] = repr([*map(str, value)]) if isinstance(value, list) else str(value)
    return texts


def _load(path: Path, loader: str) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.load(path.read_text("utf-8"), getattr(yaml, loader)) or {}  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise SettingsError(f"{path} cannot be read as YAML: {reason}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: write each parameter as a line, such as epoch_count: 5.")
    return {str(name): value for name, value in values.items()}


def build_yaml(values: Mapping[str, Value]) -> str:
    """Write the values as YAML, in order, as `haikuft run -f` and papermill's `-f` read them."""
    import yaml

    # What is not printable is only safe as an escape, and then all beyond ASCII becomes one.
    texts = "".join("".join(v) if isinstance(v, list) else str(v) for v in values.values())
    plain = texts.replace("\n", "").isprintable()
    return str(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=plain))
