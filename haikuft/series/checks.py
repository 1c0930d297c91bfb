"""Check the values that a run was given, and its data, before anything is made."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel, get_base_model
from haikuft.dataset.convert.converter import read_raw
from haikuft.dataset.read.sources import find_dataset
from haikuft.dataset.splitting import check_split, split_records
from haikuft.errors import SettingsError
from haikuft.evaluation.scorers.scorer import choose_scorers
from haikuft.forms.fields import find_faults
from haikuft.hyperparameters import build_hyperparameters, suggest_hyperparameters
from haikuft.iam.roles import check_boundary, check_role_name
from haikuft.series.planning import Step
from haikuft.serving.plan import choose_serving

_TUNED = {name for model in BASE_MODELS.values() for name in model.hyperparameters}


def check_steps(steps: Sequence[Step], *, root: Path, base_model_id: str = "") -> None:
    """Check each notebook's values as it would itself, then read and split the raw examples.

    Args:
        steps: The notebooks to be executed.
        root: The project's folder.
        base_model_id: What the run's record says, if there is one.

    Raises:
        SettingsError: names every value that cannot be used.
        DataError: the data set is missing, cannot be read or does not suit a job.
    """
    base_model = get_base_model(str(steps[0].value_of("base_model_id")) or base_model_id)
    faults: list[str] = []
    for step in steps:
        faults += find_faults(step.values)
        for needed, check in _CHECKS.items():
            if needed in step.notebook.parameters:
                try:
                    check(step, base_model)
                except SettingsError as error:
                    faults += str(error).split("\n")
    if faults:
        raise SettingsError("Nothing was made. " + " ".join(dict.fromkeys(faults)))
    for step in steps:
        if "raw_format" in step.notebook.parameters:
            _check_data(step.value_of, root, base_model)


def _check_hyperparameters(step: Step, base_model: BaseModel) -> None:
    given: Any = {n: step.value_of(n) for n in step.notebook.parameters if n in _TUNED}
    build_hyperparameters(base_model, **suggest_hyperparameters(base_model, **given))


def _check_role(step: Step, _: BaseModel) -> None:
    if name := str(step.value_of("role_name")):
        check_role_name(name)
    check_boundary(str(step.value_of("permissions_boundary")))


def _check_scorers(step: Step, _: BaseModel) -> None:
    scorers: Any = step.value_of("scorers")
    choose_scorers(scorers, str(step.value_of("task")))


# Which parameter a notebook must have -> how the values beside it are checked.
_CHECKS: dict[str, Callable[[Step, BaseModel], object]] = {
    "permissions_boundary": _check_role,
    "new_job": _check_hyperparameters,
    "serving": lambda step, model: choose_serving(model, str(step.value_of("serving"))),
    "scorers": _check_scorers,
}


def _check_data(value_of: Callable[[str], Any], root: Path, base_model: BaseModel) -> None:
    """Do what notebook 2 does before it writes a file."""
    source = find_dataset(value_of("dataset"), system_prompt=value_of("system_prompt"), root=root)
    columns = ("prompt_column", "completion_column", "sheet", "separator")
    records = read_raw(
        source.raw,
        system_prompt=source.system_prompt,
        base_model=base_model,
        format_name=value_of("raw_format"),
        **{name: value_of(name) for name in columns},
    )
    shares = {name: value_of(name) for name in ("validation_share", "test_share", "seed")}
    check_split(split_records(records, **shares, base_model=base_model), base_model)
