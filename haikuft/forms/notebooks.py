"""The forms of notebooks 1, 2, 3, 5 and 6; `stopping` has that of notebook 4."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel, Range, get_base_model
from haikuft.dataset.formats import FORMATS, TABLES
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import HaikuftError
from haikuft.forms import derived_values
from haikuft.forms.fields import Field, Value, build_fields, get_choices
from haikuft.forms.form import Form
from haikuft.forms.rendering import Derived
from haikuft.hyperparameters import build_hyperparameters, suggest_hyperparameters
from haikuft.iam.roles import check_boundary, check_role_name
from haikuft.pricing import take_price
from haikuft.runs.choices import FILE_NAME, save_choices
from haikuft.runs.folders import choose_run, find_root, record_path
from haikuft.runs.record_file import RunRecord, read_record

_WIDE = 50.0  # a range of fractions whose ends differ by this factor gets a logarithmic slider


def target_form(*, target: str, region: str, base_model_id: str, run: str | None = None) -> Form:
    """Make the form of target, Region and base model.

    In every form, a run's name adds the button that saves the choices in the run's folder.
    """
    record = _find_record(run, target)
    known = get_base_model(record.base_model_id if record else "")
    models = {"": f"{known.name}, {'as this run has it' if record else 'the one of a new run'}"}
    models |= {model.id: f"{model.name} ({model.id})" for model in BASE_MODELS.values()}
    if base_model_id:
        # An ARN or an inference id is accepted, too; `get_base_model` checks it.
        models.setdefault(base_model_id, base_model_id)
    regions = dict.fromkeys(place for model in BASE_MODELS.values() for place in model.regions)
    return Form(
        "Where, and which model",
        build_fields(
            {"target": target, "region": region, "base_model_id": base_model_id},
            region={"suggestions": tuple(regions)},
            base_model_id={"choices": models},
        ),
        check=lambda values: get_base_model(values["base_model_id"]),
        derive=lambda values: derived_values.derive_target(values, record),
        save=_save_to(run, 1),
    )


def access_form(**names: Value) -> Form:
    """Make the form of what an organisation prescribes: bucket, role_name, permissions_boundary."""

    def check(values: dict[str, Any]) -> None:
        if values["role_name"]:
            check_role_name(values["role_name"])
        check_boundary(values["permissions_boundary"])

    return Form("What your organisation prescribes", build_fields(names), check=check)


def dataset_form(*, run: str | None = None, target: str = "sandbox", **values: Value) -> Form:
    """Make the form of raw examples and their split; shows the format and the sizes.

    Args:
        run: The run's name, for the button that saves the choices; None leaves it out.
        target: The run's target, saved with the choices.
        values: dataset, raw_format, system_prompt, validation_share, test_share and seed.
    """
    count_examples = cache(derived_values.count_examples)

    def derive(values: dict[str, Any]) -> Derived:
        found, records = count_examples(values["dataset"], values["raw_format"])
        return [*found, *derived_values.derive_split(values, records)]

    return Form(
        "Raw examples and their split",
        build_fields(
            values,
            dataset={"suggestions": _list_datasets()},
            raw_format={"choices": {"": "recognised by itself", **FORMATS, **TABLES}},
        ),
        derive=derive,
        save=_save_to(run, 2, target),
    )


def hyperparameter_form(
    base_model: BaseModel,
    *,
    training_records: int,
    tokens: TokenRange | None = None,
    training_price: float = 0.0,
    price_date: str = "",
    run: str | None = None,
    target: str = "sandbox",
    **given: float,
) -> Form:
    """Make the form of hyperparameters in AWS's ranges; shows steps, tokens and cost.

    What is not given, or -1, begins at this series' suggestion for a few hundred records.

    Example: `hyperparameter_form(CLAUDE_3_HAIKU, training_records=300, epoch_count=5)`.

    Args:
        base_model: Whose hyperparameters.
        training_records: Records in the training file.
        tokens: Its tokens, read once; None leaves tokens and cost out.
        training_price: US dollars per 1,000 tokens trained; 0 when it is not known: with tokens,
            the form then asks for it, and its value is among the form's.
        price_date: The day you read that price.
        run: The run's name, for the button that saves the choices; None leaves it out.
        target: The run's target, saved with the choices.
        given: Hyperparameters by our names.
    """
    values = suggest_hyperparameters(base_model, **given)
    fields = [
        _range_field(name, allowed, values.pop(name))
        for name, allowed in base_model.hyperparameters.items()
    ]
    if tokens is not None and not training_price:
        fields += build_fields({"training_price": training_price})

    def check(chosen: dict[str, Any]) -> None:
        # A name that is no hyperparameter of this model is refused along with bad values.
        tuned = {name: value for name, value in chosen.items() if name != "training_price"}
        build_hyperparameters(base_model, **tuned, **values)

    return Form(
        f"Hyperparameters of {base_model.name}",
        fields,
        check=check,
        derive=lambda chosen: derived_values.derive_training(
            base_model,
            chosen,
            records=training_records,
            tokens=tokens,
            price=chosen.get("training_price", training_price),
            price_date=price_date,
        ),
        save=_save_to(run, 3, target),
    )


def serving_form(
    *,
    throughput_price: float = 0.0,
    price_date: str = "",
    run: str | None = None,
    target: str = "sandbox",
    **values: Value,
) -> Form:
    """Make the form of serving: deployment or throughput, its units and its commitment.

    Where the price table has no price of throughput for the run's model, the form asks for it, and
    its value is among the form's.

    Args:
        throughput_price: US dollars per model unit and hour; 0 when it is not given.
        price_date: The day of that price.
        run: The run's name, which also tells the base model; None leaves the button out.
        target: The run's target, saved with the choices.
        values: serving, model_units and commitment.
    """
    record = _find_record(run, target)
    model = get_base_model(record.base_model_id) if record else None
    known = take_price("throughput", model.id).amount if model else None
    if throughput_price or known is None:
        values["throughput_price"] = float(throughput_price)
    choices = get_choices("serving")
    if model is not None:
        choices[""] = f"{choices[model.serving[0]]}; the first that {model.name} allows"

    def derive(chosen: dict[str, Any]) -> Derived:
        way = chosen["serving"] or (model.serving[0] if model else "")
        price = chosen.get("throughput_price", known or 0.0)
        return derived_values.derive_serving({**chosen, "serving": way}, price, price_date)

    return Form(
        "How the model is served",
        build_fields(values, serving={"choices": choices}),
        derive=derive,
        save=_save_to(run, 5, target),
    )


def evaluation_form(*, run: str | None = None, target: str = "sandbox", **values: Value) -> Form:
    """Make the form of models, records and scorers.

    Args:
        run: The run's name, for the button that saves the choices; None leaves it out.
        target: The run's target, saved with the choices.
        values: max_records, further_model_ids, task and scorers.
    """
    from haikuft.evaluation.scorers.scorer import choose_scorers  # late: it loads pandas

    return Form(
        "Evaluation",
        build_fields(
            values,
            scorers={"suggestions": tuple(scorer.name for scorer in choose_scorers([]))},
        ),
        check=lambda values: choose_scorers(values["scorers"], values["task"]),
        derive=derived_values.derive_comparison,
        save=_save_to(run, 6, target),
    )


def _save_to(
    run: str | None, notebook: int, target: str = ""
) -> Callable[[Mapping[str, Value]], str] | None:
    """Make what saves a form's values beside those of the run's other forms; None without a run.

    Args:
        run: The run's name; "" for the default one.
        notebook: The notebook's number.
        target: Saved with the values of a form that does not ask for it; "" where it does.

    Returns:
        A function that saves them and says where, and how to use them.
    """
    if run is None:
        return None

    def save(values: Mapping[str, Value]) -> str:
        known = {"target": target} if target else {}
        name, text = save_choices(run, {**known, **values})
        file = f"runs/{name}/{FILE_NAME}"
        return (
            f"# {file}\n{text}\n# From a terminal, the whole series with these choices:\n"
            f"haikuft run -f {file}\n# This notebook alone:\n"
            f"haikuft run -f {file} --from {notebook} --to {notebook}"
        )

    return save


def _find_record(run: str | None, target: str) -> RunRecord | None:
    """Read the record of the run that a form is for; None where there is none yet."""
    try:
        return None if run is None else read_record(record_path(choose_run(run, target)))
    except HaikuftError:
        return None


def _list_datasets() -> tuple[str, ...]:
    """Name the folders in data/, as far as the project's folder can be found."""
    try:
        return tuple(sorted(folder.name for folder in (find_root() / "data").glob("*/")))
    except HaikuftError:
        return ()


def _range_field(name: str, allowed: Range, value: float) -> Field:
    """Make the field of a hyperparameter; the form's check refuses bad values."""
    words = name.replace("_", " ").capitalize()
    spread = allowed.maximum / allowed.minimum if allowed.minimum > 0 else 0.0
    wide = allowed.kind == "float" and spread >= _WIDE
    return Field(
        name,
        f"{words} ({allowed.unit}, {allowed.minimum:g} to {allowed.maximum:g})",
        # A float even for a whole number, so that the box takes fractions.
        float(value) if allowed.kind == "float" and type(value) is int else value,
        minimum=allowed.minimum,
        maximum=allowed.maximum,
        slider="logarithmic" if wide else "linear",
        help=f"{allowed.meaning} AWS's default is {allowed.default:g}.",
    )
