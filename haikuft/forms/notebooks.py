"""The form of each notebook that has choices."""

from collections.abc import Mapping
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel, Range
from haikuft.forms.fields import Field
from haikuft.forms.form import Facts, Form
from haikuft.hyperparameters import (
    build_hyperparameters,
    count_steps,
    suggest_hyperparameters,
)


def target_form(*, target: str, region: str, base_model_id: str) -> Form:
    """Ask where the run happens and which model it tunes."""
    models = {"": "what the run's record says"}
    models |= {model.id: f"{model.name} ({model.id})" for model in BASE_MODELS.values()}
    if base_model_id:
        # An ARN and an inference id are good names too; whether they are is not ours to judge.
        models.setdefault(base_model_id, base_model_id)
    targets = {"sandbox": "the sandbox on this machine", "aws": "AWS"}
    return Form(
        "Where, and which model",
        [
            Field("target", "Target", target, choices=targets),
            Field("region", "AWS Region (empty: the base model's own)", region),
            Field("base_model_id", "Base model", base_model_id, choices=models),
        ],
    )


def dataset_form(
    *, dataset: str, system_prompt: str, validation_share: float, test_share: float, seed: int
) -> Form:
    """Ask for the raw examples and how they are split."""
    return Form(
        "Raw examples and their split",
        [
            Field("dataset", "Data set (folder in data/, or a path)", dataset),
            Field("system_prompt", "System prompt (empty: the data set's own)", system_prompt),
            Field(
                "validation_share",
                "Validation (share of the records, 0 to 0.5)",
                validation_share,
                minimum=0.0,
                maximum=0.5,
            ),
            Field(
                "test_share",
                "Test (share of the records, 0 to 0.5)",
                test_share,
                minimum=0.0,
                maximum=0.5,
            ),
            Field("seed", "Seed of the split (whole number)", seed),
        ],
        derive=lambda values: [
            ("Left for training", f"{1 - values['validation_share'] - values['test_share']:.0%}")
        ],
    )


def hyperparameter_form(base_model: BaseModel, *, training_records: int, **given: float) -> Form:
    """Ask for the model's hyperparameters in AWS's ranges; shows the steps that follow.

    What is not given, or -1, begins at this series' suggestion for a few hundred records.

    Example: `hyperparameter_form(CLAUDE_3_HAIKU, training_records=300, epoch_count=5)`.
    """
    values = suggest_hyperparameters(base_model, **given)
    fields = [
        Field(
            name,
            _range_label(name, allowed),
            _as_kind(allowed, values.pop(name)),
            help=f"{allowed.meaning} AWS's default is {allowed.default:g}.",
        )
        for name, allowed in base_model.hyperparameters.items()
    ]
    return Form(
        f"Hyperparameters of {base_model.name}",
        fields,
        # A name that is no hyperparameter of this model is refused along with bad values.
        check=lambda chosen: build_hyperparameters(base_model, **chosen, **values),
        derive=lambda chosen: _step_facts(training_records, chosen),
    )


def serving_form(*, serving: str, model_units: int, commitment: str) -> Form:
    """Ask how the model is served, and how much throughput is bought for how long, if any."""
    ways = {
        "": "the first that the model allows, cheaper for a trial",
        "deployment": "on-demand deployment, bills its tokens",
        "provisioned_throughput": "Provisioned Throughput, bills its hours",
    }
    terms = {
        "none": "none: ends when deleted",
        "1 month": "1 month, cannot be ended early",
        "6 months": "6 months, cannot be ended early",
    }
    return Form(
        "How the model is served",
        [
            Field("serving", "Serving", serving, choices=ways),
            Field("model_units", "Model units of throughput (1 or more)", model_units, minimum=1),
            Field("commitment", "Commitment of throughput", commitment, choices=terms),
        ],
    )


def evaluation_form(*, max_records: int, further_model_ids: list[str], task: str) -> Form:
    """Ask which models get which questions, and how the replies are judged."""
    tasks = {
        "": "recognised from the references",
        "labels": "labels",
        "structured": "structured output (JSON)",
        "text": "text",
    }
    return Form(
        "Evaluation",
        [
            Field("max_records", "Test records to ask (0: all)", max_records, minimum=0),
            Field(
                "further_model_ids",
                "Further models (ids or ARNs, comma between)",
                further_model_ids,
            ),
            Field("task", "Task", task, choices=tasks),
        ],
    )


def _as_kind(allowed: Range, value: float) -> float:
    # A whole number where any number may stand: the box must take fractions too.
    return float(value) if allowed.kind == "float" and type(value) is int else value


def _range_label(name: str, allowed: Range) -> str:
    words = name.replace("_", " ").capitalize()
    return f"{words} ({allowed.unit}, {allowed.minimum:g} to {allowed.maximum:g})"


def _step_facts(training_records: int, chosen: Mapping[str, Any]) -> Facts:
    epochs = int(chosen["epoch_count"])
    if "batch_size" not in chosen:
        return [
            ("Records seen in all", f"{training_records * epochs:,}"),
            ("Batch size", "chosen by the service"),
        ]
    steps = count_steps(training_records, int(chosen["batch_size"]))
    facts = [
        ("Steps per epoch", f"{steps:,}"),
        ("Steps in all, unless it stops early", f"{steps * epochs:,}"),
    ]
    if chosen["batch_size"] > training_records:
        facts.append(("Note", f"the batch is larger than the data ({training_records:,} records)"))
    return facts
