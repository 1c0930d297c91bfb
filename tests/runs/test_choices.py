"""Choices written down in one file, which is read back as it was."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haikuft import forms
from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.errors import SettingsError
from haikuft.runs.choices import build_yaml, read_texts
from haikuft.series.parameters import parse_value

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
VALUES = st.one_of(
    TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
NAMES = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own."""
    monkeypatch.setenv("HAIKUFT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@given(st.dictionaries(NAMES, VALUES | st.lists(TEXT)))
def test_yaml_when_read_back_then_every_value_is_as_it_was(values: dict[str, object]) -> None:
    """Also 1e-05 and the text 007, which careless YAML turns into something else."""
    read = yaml.safe_load(build_yaml(values))  # type: ignore[arg-type]

    assert read == values
    assert [type(value) for value in read.values()] == [type(value) for value in values.values()]


@given(st.dictionaries(NAMES, VALUES | st.lists(TEXT), max_size=5))
def test_file_when_read_for_the_command_line_then_every_value_is_as_it_was(
    values: dict[str, object],
) -> None:
    """As the parameters' annotations read the texts, the text 007 and 1e-05 included."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "choices.yaml")
        path.write_text(build_yaml(values), "utf-8")  # type: ignore[arg-type]
        texts = read_texts(path)

    kinds = {name: type(value).__name__ for name, value in values.items()}
    kinds = {name: "list[str]" if kind == "list" else kind for name, kind in kinds.items()}
    assert {name: parse_value(text, kinds[name]) for name, text in texts.items()} == values


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a\n- b\n", "write each parameter as a line"), ("a: {b: 1}", "give it one value"),
     ("a: [", "cannot be read as YAML")],
)  # fmt: skip
def test_file_when_it_holds_something_else_then_it_says_so(
    project: Path, text: str, words: str
) -> None:
    """With the file's name, and without a traceback."""
    path = project / "x.yaml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=f"x.yaml.*{words}"):
        read_texts(path)


def test_button_when_pressed_in_two_forms_then_one_file_of_the_run_holds_both(
    project: Path,
) -> None:
    """And below each form stands how to use it from a terminal."""
    form = forms.hyperparameter_form(
        CLAUDE_3_HAIKU, training_records=300, run="tuesday", target="aws"
    )
    serving = forms.serving_form(
        serving="", model_units=2, commitment="none", run="tuesday", target="aws"
    )
    form.controls["batch_size"].value = 16

    form.button.click()
    serving.button.click()

    held = yaml.safe_load((project / "runs" / "tuesday" / "choices.yaml").read_text())
    chosen = {"run": "tuesday", "target": "aws"}
    assert held == {**chosen, **form.values, **serving.values}
    assert "haikuft run -f runs/tuesday/choices.yaml --from 3 --to 3" in repr(form)
    assert "batch_size: 16" in form.box.children[-1].value


def test_button_when_a_value_cannot_be_then_nothing_is_written(project: Path) -> None:
    """And the reason stands there."""
    form = forms.hyperparameter_form(NOVA_MICRO, training_records=300, run="first")
    form.controls["epoch_count"].value = 99

    form.button.click()

    assert not (project / "runs").exists()
    assert "Nothing was saved" in form.box.children[-1].value
    assert "epoch_count = 99 is out of range" in form.box.children[-1].value


def test_button_when_the_run_has_a_bad_name_then_it_says_so(project: Path) -> None:
    """No traceback in the margin of a notebook."""
    form = forms.target_form(target="sandbox", region="", base_model_id="", run="../x")

    form.button.click()

    assert "take 1 to 32 lower-case letters" in form.box.children[-1].value
    assert list(project.iterdir()) == []


def test_choices_when_a_value_moves_on_then_what_was_written_is_no_longer_shown(
    project: Path,
) -> None:
    """What stands there is what is chosen."""
    form = forms.serving_form(serving="", model_units=1, commitment="none", run="first")
    form.button.click()
    assert "model_units: 1" in repr(form)

    form.controls["model_units"].value = 2

    assert "model_units: 1" not in repr(form)
    assert form.box.children[-1].value == ""


def test_form_when_it_knows_no_run_then_it_has_no_button() -> None:
    """There is no folder to write into."""
    form = forms.serving_form(serving="", model_units=1, commitment="none")

    assert form.button not in form.box.children
