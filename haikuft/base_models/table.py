"""What the base models allow, and how the choice changes the notebooks, as Markdown.

`haikuft models` prints it, and the README holds it as of the day the documents were read; a test
compares the two.
"""

from collections.abc import Iterator
from datetime import date

from haikuft.base_models import BASE_MODELS, BaseModel, lifecycle_state

_STATES = {
    "active": "can be tuned",
    "legacy": "Legacy: no new job",
    "extended": "Legacy: no new job",
    "ended": "has ended: the sandbox alone",
}
_SERVINGS = {
    "deployment": "on-demand deployment (by the token)",
    "provisioned_throughput": "Provisioned Throughput (by the hour)",
}


def describe_models(today: date) -> str:
    """Describe all base models: a table of what each allows, and a list of what it changes."""
    headings = ("model", "`base_model_id`", "Region", "on AWS", "records", "served by")
    lines = [_row(headings), _row(["---"] * len(headings))]
    lines += [_row(_cells(model, today)) for model in BASE_MODELS.values()]
    lines += [""] + [f"- **{m.name}**: {'; '.join(_changes(m))}." for m in BASE_MODELS.values()]
    return "\n".join(lines)


def _row(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(model: BaseModel, today: date) -> tuple[str, ...]:
    limits = model.limits
    return (
        model.name,
        f"`{model.id}`",
        ", ".join(model.regions),
        f"{_STATES[lifecycle_state(model, today)]} (as of {model.lifecycle.as_of})",
        f"{limits.min_records} to {limits.max_total_records:,}",
        ", ".join(_SERVINGS[kind] for kind in model.serving),
    )


def _changes(model: BaseModel) -> Iterator[str]:
    """Say notebook by notebook what is this model's own."""
    form = f"`{model.record_format}`"
    if model.takes_validation:
        yield f"02 writes training, validation and test files as {form}"
    else:
        yield f"02 writes training and test files as {form}, for it takes no validation data"
    names = ", ".join(f"`{allowed.aws_name}`" for allowed in model.hyperparameters.values())
    yield f"03 asks for {names}"
    if model.stops_early:
        yield "04 replays the job's own early stopping"
    elif model.takes_validation:
        yield "04 simulates early stopping, which the model has not, on the validation curve"
    else:
        yield "04 shows the training curve alone and says what cannot be known"
    yield f"05 serves by {_SERVINGS[model.serving[0]]}"
    yield f"06 asks the untuned model as `{model.inference_id}`"
