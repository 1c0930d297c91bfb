"""Forms hold values: what nobody touched is as it was given, what cannot be is refused."""

from pathlib import Path
from typing import Any

import pytest

from haikuft import forms
from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO, BaseModel
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import SettingsError
from haikuft.forms.form import Form
from haikuft.runs.record_file import RunRecord, write_record

FIVE: dict[str, Any] = {
    "epoch_count": 5,
    "batch_size": 8,
    "learning_rate_multiplier": 1.0,
    "early_stopping_threshold": 0.001,
    "early_stopping_patience": 2,
}
ALL: list[tuple[Any, dict[str, Any]]] = [
    (forms.target_form, {"target": "aws", "region": "", "base_model_id": ""}),
    (
        forms.access_form,
        {"bucket": "team-data", "role_name": "AdminMade", "permissions_boundary": ""},
    ),
    (
        forms.dataset_form,
        {
            "dataset": "data/my set",
            "raw_format": "",
            "system_prompt": "Two\nlines, with a comma",
            "validation_share": 0.1,
            "test_share": 0.2,
            "seed": 1,
        },
    ),
    (
        forms.serving_form,
        {"serving": "", "model_units": 2, "commitment": "1 month", "throughput_price": 0.0},
    ),
    (
        forms.evaluation_form,
        {
            "max_records": 0,
            "further_model_ids": ["a", "arn:aws:bedrock:b"],
            "task": "",
            "scorers": ["refusals", "accuracy"],
        },
    ),
]


def derived(form: Form) -> dict[str, str]:
    """Read what the form derives from its values."""
    return dict(form.read().derived)


def shown_in(box: Any) -> str:
    """Gather the HTML that stands anywhere in a box of widgets, one part a line."""
    parts = [box.value] if type(box).__name__ == "HTML" else []
    return "\n".join([*parts, *(shown_in(child) for child in getattr(box, "children", ()))])


def dataset(name: str, **changes: Any) -> Form:
    """Make the data set's form."""
    shares = {"validation_share": 0.1, "test_share": 0.2, "seed": 1}
    return forms.dataset_form(
        dataset=name, **({"raw_format": "", "system_prompt": "", **shares} | changes)
    )


def test_dataset_form_when_the_share_is_left_to_fit_then_it_says_so_and_nothing_below_it_is_taken():
    """-1 beside the range is a choice, and -0.5 a mistake."""
    form = dataset("support_tickets", validation_share=-1.0)
    assert form.values["validation_share"] == -1
    assert "-1 (automatic)" in str(form)
    slider = form.sliders["validation_share"]  # at its left end, which is not 0 here
    assert (slider.value, slider.description) == (0, "automatic")
    slider.value = 0.1
    assert (form.values["validation_share"], slider.description) == (0.1, "")
    form.controls["validation_share"].value = -1
    assert (form.values["validation_share"], slider.description) == (-1, "automatic")
    assert "338 training, 78 validation, 104 test; the validation part is adjusted" in repr(form)
    form.controls["validation_share"].value = -0.5
    assert "validation_share = -0.5 is too small; the smallest is 0" in form.read().refusal


def hyperparameters(**changes: Any) -> Form:
    """Make the hyperparameters' form, 300 records before it."""
    return forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=300, **(FIVE | changes))


@pytest.fixture(params=[*ALL, (hyperparameters, FIVE)], ids=lambda pair: pair[0].__name__)
def form_and_parameters(request: pytest.FixtureRequest) -> tuple[Form, dict[str, Any]]:
    """Each form, with the parameters it was made of."""
    build, parameters = request.param
    return build(**parameters), parameters


def test_form_when_untouched_then_the_parameters_come_back_with_their_types(
    form_and_parameters: tuple[Form, dict[str, Any]],
) -> None:
    """So a headless run and a run by hand take one path."""
    form, parameters = form_and_parameters

    assert form.values == parameters
    assert [type(value) for value in form.values.values()] == list(map(type, parameters.values()))


def test_form_when_looked_at_then_every_control_has_a_label(
    form_and_parameters: tuple[Form, dict[str, Any]],
) -> None:
    """A box without a name is a riddle, to a screen reader above all."""
    form, parameters = form_and_parameters

    assert list(form.controls) == list(parameters)
    assert all(control.description for control in form.controls.values())


def test_form_when_read_without_widgets_then_every_label_and_value_is_there(
    form_and_parameters: tuple[Form, dict[str, Any]],
) -> None:
    """An executed notebook, an export and a log keep the table."""
    form, _ = form_and_parameters

    for field in form.fields:
        assert f">{field.label.replace(chr(39), '&#x27;')}</th>" in form._repr_html_()
        assert field.label in repr(form)


def test_form_when_touched_then_the_new_values_are_read_in_the_parameters_types() -> None:
    """Lists are written with commas, texts lose outer blanks."""
    form = forms.evaluation_form(max_records=0, further_model_ids=[], task="", scorers=[])
    form.controls["max_records"].value = 20
    form.controls["further_model_ids"].value = "a , b"
    form.controls["task"].value = "labels"
    form.controls["scorers"].value = "accuracy"  # typed, then one from the list
    form.lists["scorers"].value = "refusals"

    assert form.values == {
        "max_records": 20,
        "further_model_ids": ["a", "b"],
        "task": "labels",
        "scorers": ["accuracy", "refusals"],
    }
    assert type(form.values["max_records"]) is int


def test_form_when_put_back_then_it_counts_as_untouched() -> None:
    """The given list is returned, not what the box would read."""
    form = forms.evaluation_form(max_records=0, further_model_ids=["a,b"], task="", scorers=[])
    form.controls["further_model_ids"].value = "c"
    form.controls["further_model_ids"].value = "a,b"

    assert form.values["further_model_ids"] == ["a,b"]


def test_hyperparameters_when_out_of_range_then_refused_in_our_words_and_shown() -> None:
    """No clamping behind the reader's back, and no traceback."""
    form = hyperparameters()
    form.controls["batch_size"].value = 1
    form.controls["epoch_count"].value = 11

    with pytest.raises(SettingsError, match="batch_size = 1 is out of range") as error:
        form.values  # noqa: B018

    assert "epoch_count = 11 is out of range" in str(error.value)
    for shown in (form._repr_html_(), shown_in(form.box), repr(form)):
        assert "batch_size = 1 is out of range" in shown
    assert form.read().derived == []


def test_hyperparameters_when_given_badly_then_the_form_still_shows_itself() -> None:
    """The refusal waits for whoever reads the values."""
    form = hyperparameters(batch_size=0)

    assert "batch_size = 0 is out of range" in repr(form)


def test_hyperparameters_when_a_name_is_unknown_then_it_is_refused() -> None:
    """A misspelt keyword is not dropped."""
    assert '"epochs" is no hyperparameter' in hyperparameters(epochs=3).read().refusal


def test_hyperparameters_when_labelled_then_unit_and_range_are_there() -> None:
    """As AWS has them."""
    labels = [field.label for field in hyperparameters().fields]

    assert labels[:2] == ["Epoch count (epochs, 1 to 10)", "Batch size (records, 4 to 256)"]


def test_hyperparameters_when_any_number_may_stand_then_a_fraction_can_follow_a_1() -> None:
    """The box that shows 1 must take 0.5."""
    form = hyperparameters(learning_rate_multiplier=1)
    form.controls["learning_rate_multiplier"].value = 0.5

    assert form.values["learning_rate_multiplier"] == 0.5


def test_hyperparameters_when_a_value_moves_then_the_steps_move_too() -> None:
    """What follows from the values stands below them."""
    form = hyperparameters()
    assert ("Steps per epoch", "38") in form.read().derived

    form.controls["batch_size"].value = 32

    assert ("Steps per epoch", "10") in form.read().derived
    assert "Steps per epoch: <b>10</b>" in shown_in(form.box)


def test_hyperparameters_when_the_batch_is_larger_than_the_data_then_it_says_so() -> None:
    """It is allowed, and seldom meant."""
    form = forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=100, **FIVE)
    assert "larger than the data" not in repr(form)

    form.controls["batch_size"].value = 101

    assert "the batch is larger than the data (100 records)" in repr(form)
    assert "⚠ Warning: <b>the batch" in shown_in(form.box)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            forms.serving_form(serving="", model_units=0, commitment="none"),
            "model_units = 0 is too small",
        ),
        (
            forms.serving_form(serving="", model_units=1, commitment="a year"),
            "commitment = 'a year' is not among the choices; take one of \"none\"",
        ),
        (forms.target_form(target="moon", region="", base_model_id=""), "target = 'moon'"),
        (
            forms.dataset_form(
                dataset="x",
                raw_format="",
                system_prompt="",
                validation_share=0.6,
                test_share=-0.1,
                seed=1,
            ),
            "validation_share = 0.6 is too large; the largest is 0.5.\ntest_share = -0.1",
        ),
        (
            forms.evaluation_form(max_records=-1, further_model_ids=[], task="", scorers=[]),
            "max_records = -1 is too small",
        ),
        (
            forms.evaluation_form(
                max_records=0, further_model_ids=[], task="labels", scorers=["rouge_l"]
            ),
            "scorers = ['rouge_l']: rouge_l is no scorer of the task labels",
        ),
        (
            forms.target_form(target="sandbox", region="", base_model_id="haiku"),
            'base_model_id "haiku" is not a model this series can tune',
        ),
    ],
)
def test_form_when_a_value_cannot_be_then_the_refusal_names_it(form: Form, words: str) -> None:
    """All at once, in order."""
    assert words in form.read().refusal
    with pytest.raises(SettingsError):
        form.values  # noqa: B018


def test_form_when_values_hold_html_then_it_is_shown_as_text() -> None:
    """What a reader types is never taken for HTML."""
    form = dataset("<script>")

    assert "<script>" not in form._repr_html_()
    assert "&lt;script&gt;" in form._repr_html_()


def test_target_when_the_model_is_named_by_its_arn_then_it_can_be_chosen() -> None:
    """Whether it is a model we know is for base_models to say."""
    arn = CLAUDE_3_HAIKU.arn()

    assert (
        forms.target_form(target="aws", region="", base_model_id=arn).values["base_model_id"] == arn
    )


def test_slider_when_moved_then_the_box_and_what_follows_move_too() -> None:
    """And the box moves the slider."""
    form = hyperparameters()
    assert list(form.sliders) == list(FIVE)

    form.sliders["batch_size"].value = 64
    assert form.values["batch_size"] == 64
    assert type(form.values["batch_size"]) is int
    assert ("Steps per epoch", "5") in form.read().derived

    form.controls["batch_size"].value = 128
    assert form.sliders["batch_size"].value == 128


def test_box_when_it_holds_a_bad_value_then_the_value_stays_to_be_read() -> None:
    """No clamping: the slider stays where it was, the box keeps what was typed."""
    form = hyperparameters()

    form.controls["batch_size"].value = 2.5

    assert form.controls["batch_size"].value == 2.5
    assert form.sliders["batch_size"].value == 8
    assert "batch_size = 2.5 is not a whole number" in form.read().refusal
    assert 'haikuft-refusal">⚠ batch_size = 2.5' in shown_in(form.box)


def test_slider_when_the_range_is_wide_then_it_is_logarithmic_and_keeps_what_was_typed() -> None:
    """A learning rate is chosen by its magnitude; what is typed is not rounded."""
    form = forms.hyperparameter_form(NOVA_MICRO, training_records=300)
    slider, box = form.sliders["learning_rate"], form.controls["learning_rate"]
    assert (slider.min, slider.max) == (-6, -4)

    box.value = 1.2345e-5
    assert form.values["learning_rate"] == 1.2345e-5

    slider.value = 3.3333e-5
    assert form.values["learning_rate"] == 3.3e-5


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_hyperparameters_when_of_any_model_then_each_has_slider_range_default_and_meaning(
    model: BaseModel,
) -> None:
    """All of it is data of the model."""
    form = forms.hyperparameter_form(model, training_records=300)

    shown = shown_in(form.box).replace("&#x27;", "'")
    assert form.read().refusal == ""
    assert list(form.sliders) == list(model.hyperparameters)
    for allowed in model.hyperparameters.values():
        assert f"{allowed.meaning} AWS's default is {allowed.default:g}." in shown


def test_hyperparameters_when_tokens_and_price_are_known_then_the_cost_moves_with_the_epochs() -> (
    None
):
    """Without a price it is called unknown, never zero."""
    tokens = TokenRange(800_000, 1_000_000, 1_500_000)
    known = {"training_records": 300, "tokens": tokens}
    form = forms.hyperparameter_form(
        CLAUDE_3_HAIKU, **known, training_price=0.001, price_date="2026-11-01", **FIVE
    )
    cost = derived(form)["Cost on AWS"]
    assert cost.startswith("About US$5.00 (between US$4.00 and US$7.50)")

    form.sliders["epoch_count"].value = 2

    assert derived(form)["Cost on AWS"].startswith("About US$2.00 ")
    assert derived(form)["Tokens trained, at most"].startswith("about 2,000,000")
    assert "not known" in derived(form)["Time"]
    assert "training_price" not in form.values


def test_price_when_nobody_knows_it_then_the_form_asks_for_it_in_one_line() -> None:
    """Of training and of throughput; what is written there moves the cost."""
    tokens = TokenRange(800_000, 1_000_000, 1_500_000)
    training = forms.hyperparameter_form(
        CLAUDE_3_HAIKU, training_records=300, tokens=tokens, **FIVE
    )
    serving = forms.serving_form(serving="", model_units=1, commitment="none")
    for form, name, what in (
        (training, "training_price", "Cost on AWS"),
        (serving, "throughput_price", "Cost of throughput on AWS"),
    ):
        assert derived(form)[what].startswith("unknown until you write the price, from http")
        form.controls[name].value = 0.5

        assert "US$" in derived(form)[what]
        assert form.values[name] == 0.5
    assert training.read().refusal == ""


def test_form_when_a_value_changes_that_a_cell_has_read_then_it_says_what_to_run_again() -> None:
    """Until it is put back, or read again; a form that nobody has read yet says nothing."""
    form, words = hyperparameters(), "Changed since it was used below: batch_size."
    form.controls["batch_size"].value = 16
    assert words not in repr(form)
    read = form.values
    form.values.clear()  # the caller's own copy

    form.controls["batch_size"].value = 32
    for shown in (repr(form), form._repr_html_(), shown_in(form.box)):
        assert words in shown
    form.controls["batch_size"].value = read["batch_size"]
    assert words not in shown_in(form.box)
    form.controls["batch_size"].value = 64
    assert form.values["batch_size"] == 64
    assert words not in shown_in(form.box)


def test_forms_when_a_run_has_a_record_then_they_show_its_model_and_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of a reference to a file."""
    monkeypatch.setenv("HAIKUFT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    record = RunRecord("mine", "sandbox", base_model_id=NOVA_MICRO.id, region="us-east-1")
    write_record(tmp_path / "runs" / "mine" / "run.json", record)
    target = forms.target_form(target="sandbox", region="", base_model_id="", run="mine")
    serving = forms.serving_form(serving="", model_units=1, commitment="none", run="mine")

    assert derived(target)["Region"] == "us-east-1, the base model's own"
    assert "Amazon Nova Micro, as this run has it" in repr(target)
    assert "bills its tokens; the first that Amazon Nova Micro allows" in repr(serving)
    assert "tokens of each request" in repr(serving)


def test_dataset_when_it_is_known_then_format_and_sizes_are_shown() -> None:
    """Counted in the file, not guessed."""
    form = dataset("support_tickets")
    assert derived(form)["Format"] == "prompt/completion, recognised in raw.jsonl"
    assert derived(form)["Of 520 records, about"] == "364 training, 52 validation, 104 test"

    assert "json_answers" in dict(form.lists["dataset"].options)
    form.lists["dataset"].value = "json_answers"
    assert form.values["dataset"] == "json_answers"
    form.controls["dataset"].value = "a/path"
    assert (form.lists["dataset"].value, form.values["dataset"]) == ("", "a/path")
    form.controls["dataset"].value = "support_tickets"
    form.sliders["test_share"].value = 0.1

    assert derived(form)["Of 520 records, about"] == "416 training, 52 validation, 52 test"


def test_dataset_when_there_is_none_of_that_name_then_it_warns_and_lists_those_there_are() -> None:
    """It need not be complete while somebody types."""
    form = dataset("support")

    warning = derived(form)["Warning"]
    names = "json_answers, news_summaries, product_questions, support_tickets, tool_calls"
    assert f"In data/ are: {names}." in warning


def test_dataset_when_the_format_is_named_otherwise_then_it_says_so() -> None:
    """What is asked for is done, and said."""
    form = dataset("support_tickets", raw_format="alpaca")

    assert "it is read as Alpaca" in derived(form)["Warning"]


def test_target_when_the_region_does_not_tune_the_model_then_it_warns() -> None:
    """Before anything is made there."""
    form = forms.target_form(target="aws", region="eu-west-1", base_model_id="")

    assert derived(form)["Warning"] == "Claude 3 Haiku is tuned in us-west-2, not in eu-west-1"


def test_throughput_when_units_and_term_change_then_the_cost_does_too() -> None:
    """A commitment is warned of in words."""
    form = forms.serving_form(serving="", model_units=1, commitment="none", throughput_price=20.0)
    assert derived(form)["Cost of throughput on AWS"].startswith("US$20.00 an hour")
    assert "Warning" not in derived(form)

    form.controls["model_units"].value = 2
    form.controls["commitment"].value = "6 months"

    assert derived(form)["Cost of throughput on AWS"].startswith("US$40.00 an hour")
    assert "cannot be ended before its term" in derived(form)["Warning"]
