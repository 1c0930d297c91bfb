"""Forms hold values: what nobody touched is as it was given, what cannot be is refused."""

from typing import Any

import pytest

from haikuft import forms
from haikuft.base_models import CLAUDE_3_HAIKU
from haikuft.errors import SettingsError

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
        forms.dataset_form,
        {
            "dataset": "data/my set",
            "system_prompt": "Two\nlines, with a comma",
            "validation_share": 0.1,
            "test_share": 0.2,
            "seed": 1,
        },
    ),
    (forms.serving_form, {"serving": "", "model_units": 2, "commitment": "1 month"}),
    (
        forms.evaluation_form,
        {"max_records": 0, "further_model_ids": ["a", "arn:aws:bedrock:b"], "task": ""},
    ),
]


def hyperparameters(**changes: Any) -> forms.Form:
    """Make the hyperparameters' form, 300 records before it."""
    return forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=300, **(FIVE | changes))


@pytest.fixture(params=[*ALL, (hyperparameters, FIVE)], ids=lambda pair: pair[0].__name__)
def form_and_parameters(request: pytest.FixtureRequest) -> tuple[forms.Form, dict[str, Any]]:
    """Each form, with the parameters it was made of."""
    build, parameters = request.param
    return build(**parameters), parameters


def test_form_when_untouched_then_the_parameters_come_back_with_their_types(
    form_and_parameters: tuple[forms.Form, dict[str, Any]],
) -> None:
    """So a headless run and a run by hand take one path."""
    form, parameters = form_and_parameters

    assert form.values == parameters
    assert [type(value) for value in form.values.values()] == list(map(type, parameters.values()))


def test_form_when_looked_at_then_every_control_has_a_label(
    form_and_parameters: tuple[forms.Form, dict[str, Any]],
) -> None:
    """A box without a name is a riddle, to a screen reader above all."""
    form, parameters = form_and_parameters

    assert list(form.controls) == list(parameters)
    assert all(control.description for control in form.controls.values())


def test_form_when_displayed_then_it_can_be_read_without_widgets(
    form_and_parameters: tuple[forms.Form, dict[str, Any]],
) -> None:
    """An executed notebook and an export keep the table."""
    form, _ = form_and_parameters

    bundle = form._repr_mimebundle_()

    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == form.box.model_id
    for field in form.fields:
        assert f">{field.label.replace(chr(39), '&#x27;')}</th>" in bundle["text/html"]
        assert field.label in bundle["text/plain"]


def test_form_when_touched_then_the_new_values_are_read_in_the_parameters_types() -> None:
    """Lists are written with commas, texts lose outer blanks."""
    form = forms.evaluation_form(max_records=0, further_model_ids=[], task="")
    form.controls["max_records"].value = 20
    form.controls["further_model_ids"].value = "a , b"
    form.controls["task"].value = "labels"

    assert form.values == {"max_records": 20, "further_model_ids": ["a", "b"], "task": "labels"}


def test_form_when_put_back_then_it_counts_as_untouched() -> None:
    """The given list is returned, not what the box would read."""
    form = forms.evaluation_form(max_records=0, further_model_ids=["a,b"], task="")
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
    for shown in (form._repr_html_(), form.box.children[-1].value, repr(form)):
        assert "batch_size = 1 is out of range" in shown
    assert form.facts == []


def test_hyperparameters_when_given_badly_then_the_form_still_shows_itself() -> None:
    """The refusal waits for whoever reads the values."""
    form = hyperparameters(batch_size=0)

    assert "batch_size = 0 is out of range" in repr(form)


def test_hyperparameters_when_a_name_is_unknown_then_it_is_refused() -> None:
    """A misspelt keyword is not dropped."""
    assert '"epochs" is no hyperparameter' in hyperparameters(epochs=3).refusal


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
    assert ("Steps per epoch", "38") in form.facts

    form.controls["batch_size"].value = 32

    assert ("Steps per epoch", "10") in form.facts
    assert "Steps per epoch: <b>10</b>" in form.box.children[-1].value


def test_hyperparameters_when_the_batch_is_larger_than_the_data_then_it_says_so() -> None:
    """It is allowed, and seldom meant."""
    form = forms.hyperparameter_form(CLAUDE_3_HAIKU, training_records=100, **FIVE)
    assert "larger than the data" not in repr(form)

    form.controls["batch_size"].value = 101

    assert "the batch is larger than the data (100 records)" in repr(form)


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
        (
            forms.serving_form(serving="endpoint", model_units=1, commitment="none"),
            "serving = 'endpoint' is not among the choices",
        ),
        (forms.target_form(target="moon", region="", base_model_id=""), "target = 'moon'"),
        (
            forms.dataset_form(
                dataset="x", system_prompt="", validation_share=0.6, test_share=-0.1, seed=1
            ),
            "validation_share = 0.6 is too large; the largest is 0.5.\ntest_share = -0.1",
        ),
        (
            forms.evaluation_form(max_records=-1, further_model_ids=[], task=""),
            "max_records = -1 is too small",
        ),
    ],
)
def test_form_when_a_value_cannot_be_then_the_refusal_names_it(
    form: forms.Form, words: str
) -> None:
    """All at once, in order."""
    assert words in form.refusal
    with pytest.raises(SettingsError):
        form.values  # noqa: B018


def test_form_when_values_hold_html_then_it_is_shown_as_text() -> None:
    """What a reader types is never taken for HTML."""
    form = forms.dataset_form(
        dataset="<script>", system_prompt="", validation_share=0.1, test_share=0.2, seed=1
    )

    assert "<script>" not in form._repr_html_()
    assert "&lt;script&gt;" in form._repr_html_()


def test_target_when_the_model_is_named_by_its_arn_then_it_can_be_chosen() -> None:
    """Whether it is a model we know is for base_models to say."""
    arn = CLAUDE_3_HAIKU.arn()

    assert (
        forms.target_form(target="aws", region="", base_model_id=arn).values["base_model_id"] == arn
    )
