"""The forms of notebooks 1, 2, 3 and 5; `evaluation` has that of notebook 6."""

from pathlib import Path
from typing import Any

from haikuft.base_models import BASE_MODELS, BaseModel, Range, get_base_model
from haikuft.dataset.formats import FORMATS, TABLES
from haikuft.dataset.tokens import TokenRange
from haikuft.forms import facts
from haikuft.forms.fields import Field
from haikuft.forms.form import Form
from haikuft.forms.rendering import Facts
from haikuft.forms.saving import plan_saving
from haikuft.hyperparameters import build_hyperparameters, suggest_hyperparameters
from haikuft.run_record import find_root

_WIDE = 50.0  # from here on, highest to lowest, a range of fractions wants a logarithmic slider


def target_form(*, target: str, region: str, base_model_id: str, run: str | None = None) -> Form:
    """Ask where the run happens and which model it tunes.

    Here as below, a run's name adds the button that writes the choices into the run's folder.
    """
    models = {"": "what the run's record says"}
    models |= {model.id: f"{model.name} ({model.id})" for model in BASE_MODELS.values()}
    if base_model_id:
        # An ARN and an inference id are good names too; whether they are is not ours to judge.
        models.setdefault(base_model_id, base_model_id)
    targets = {"sandbox": "the sandbox on this machine", "aws": "AWS"}
    regions = dict.fromkeys(place for model in BASE_MODELS.values() for place in model.regions)
    return Form(
        "Where, and which model",
        [
            Field(
                "target",
                "Target",
                target,
                choices=targets,
                help="The sandbox needs no account and bills nothing; AWS is the real thing.",
            ),
            Field(
                "region",
                "AWS Region (empty: the base model's own)",
                region,
                suggestions=tuple(regions),
                help="Everything the run makes is made there; a model is tuned in few Regions.",
            ),
            Field(
                "base_model_id",
                "Base model",
                base_model_id,
                choices=models,
                help="The model that is tuned. A new run takes Claude 3 Haiku if you name none.",
            ),
        ],
        check=lambda values: get_base_model(values["base_model_id"]),
        derive=facts.tell_place,
        saving=plan_saving(run, "01_setup_iam"),
    )


def dataset_form(
    *,
    dataset: str,
    raw_format: str,
    system_prompt: str,
    validation_share: float,
    test_share: float,
    seed: int,
    run: str | None = None,
    target: str = "sandbox",
) -> Form:
    """Ask for the raw examples and how they are split; shows format and sizes that follow."""
    look = facts.build_counter(find_root)

    def derive(values: dict[str, Any]) -> Facts:
        found, records = look(values["dataset"], values["raw_format"])
        return [*found, *facts.tell_split(values, records)]

    return Form(
        "Raw examples and their split",
        [
            Field(
                "dataset",
                "Data set (folder in data/, or a path)",
                dataset,
                suggestions=_list_datasets(),
                help="Raw examples, in a file of their own or in a folder with a system prompt.",
            ),
            Field(
                "raw_format",
                "Format of the raw examples",
                raw_format,
                choices={"": "recognised by itself", **FORMATS, **TABLES},
                help="Name it only where it is not recognised.",
            ),
            Field(
                "system_prompt",
                "System prompt (empty: the data set's own)",
                system_prompt,
                help="The instruction that stands before every record.",
            ),
            _share_field("validation", validation_share, "Looked at after every epoch."),
            _share_field("test", test_share, "Kept for notebook 6; the training never sees it."),
            Field(
                "seed",
                "Seed of the split (whole number)",
                seed,
                help="Another seed, another split; the same seed, the same files everywhere.",
            ),
        ],
        derive=derive,
        saving=plan_saving(run, "02_prepare_data", target),
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
    """Ask for the model's hyperparameters in AWS's ranges; shows steps, tokens and cost.

    What is not given, or -1, begins at this series' suggestion for a few hundred records.

    Example: `hyperparameter_form(CLAUDE_3_HAIKU, training_records=300, epoch_count=5)`.

    Args:
        base_model: Whose hyperparameters.
        training_records: Records in the training file.
        tokens: Its tokens, read once; None leaves tokens and cost out.
        training_price: US dollars per 1,000 tokens trained; 0 when it is not known.
        price_date: The day you read that price.
        run: The run's name, for the button that writes the choices down; None leaves it out.
        target: The run's target, written down with the choices.
        given: Hyperparameters by our names.
    """
    values = suggest_hyperparameters(base_model, **given)
    fields = [
        _range_field(name, allowed, values.pop(name))
        for name, allowed in base_model.hyperparameters.items()
    ]
    return Form(
        f"Hyperparameters of {base_model.name}",
        fields,
        # A name that is no hyperparameter of this model is refused along with bad values.
        check=lambda chosen: build_hyperparameters(base_model, **chosen, **values),
        derive=lambda chosen: facts.tell_training(
            base_model,
            chosen,
            records=training_records,
            tokens=tokens,
            price=training_price,
            price_date=price_date,
        ),
        saving=plan_saving(run, "03_fine_tune", target),
    )


def serving_form(
    *,
    serving: str,
    model_units: int,
    commitment: str,
    throughput_price: float = 0.0,
    price_date: str = "",
    run: str | None = None,
    target: str = "sandbox",
) -> Form:
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
            Field(
                "serving",
                "Serving",
                serving,
                choices=ways,
                help="Which ways there are depends on the base model.",
            ),
            Field(
                "model_units",
                "Model units of throughput (1 or more)",
                model_units,
                minimum=1,
                help="Capacity. Each serves so many tokens a minute, and each is billed.",
            ),
            Field(
                "commitment",
                "Commitment of throughput",
                commitment,
                choices=terms,
                help="The longer, the cheaper by the hour, and the more is owed from the start.",
            ),
        ],
        derive=lambda values: facts.tell_serving(
            values, price=throughput_price, price_date=price_date
        ),
        saving=plan_saving(run, "05_provision", target),
    )


def _list_datasets() -> tuple[str, ...]:
    """Name the folders in data/, as far as the project's folder can be found."""
    here = Path.cwd()
    roots = [root for root in (here, *here.parents) if (root / "data").is_dir()]
    return tuple(sorted(f.name for f in (roots[0] / "data").glob("*/"))) if roots else ()


def _share_field(part: str, share: float, meaning: str) -> Field:
    return Field(
        f"{part}_share",
        f"{part.capitalize()} (share of the records, 0 to 0.5)",
        share,
        minimum=0.0,
        maximum=0.5,
        slider="linear",
        help=meaning,
    )


def _range_field(name: str, allowed: Range, value: float) -> Field:
    """Make the field of a hyperparameter; the refusal of a bad value is left to its module."""
    words = name.replace("_", " ").capitalize()
    spread = allowed.maximum / allowed.minimum if allowed.minimum > 0 else 0.0
    wide = allowed.kind == "float" and spread >= _WIDE
    return Field(
        name,
        f"{words} ({allowed.unit}, {allowed.minimum:g} to {allowed.maximum:g})",
        # A whole number where any number may stand: the box must take fractions too.
        float(value) if allowed.kind == "float" and type(value) is int else value,
        minimum=allowed.minimum,
        maximum=allowed.maximum,
        slider="logarithmic" if wide else "linear",
        help=f"{allowed.meaning} AWS's default is {allowed.default:g}.",
    )
