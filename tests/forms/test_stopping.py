"""The early-stopping laboratory: what is drawn, said and tabled is what the rule decides."""

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft import forms
from haikuft.errors import SettingsError
from haikuft.forms.form import Form
from haikuft.forms.stopping import DECISION, describe_stop, draw_stop, list_epochs, parse_losses
from haikuft.hyperparameters import WORKED_EXAMPLE, decide_early_stop


def sentence(lab: Form) -> str:
    """Read the decision that the laboratory shows."""
    return dict(lab.read().derived)[DECISION]


LOSSES = st.dictionaries(st.integers(0, 99), st.floats(0, 100), min_size=2, max_size=40).map(
    lambda losses: dict(sorted(losses.items()))
)


@given(LOSSES, st.floats(0, 1), st.integers(1, 12))
def test_table_when_read_then_it_tells_what_the_rule_decides(
    losses: dict[int, float], threshold: float, patience: int
) -> None:
    """Kept and stopped stand once each, and as many epochs stagnate in a row as patience allows."""
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)

    rows = list_epochs(losses, threshold=threshold, patience=patience)

    words = {int(row[0]): row[3] for row in rows}
    assert list(words) == list(losses)
    assert [n for n, said in words.items() if "kept" in said] == [stop.best_epoch]
    stopped = [n for n, said in words.items() if "training stops" in said]
    assert stopped == ([] if stop.stopped_epoch is None else [stop.stopped_epoch])
    if stopped:
        assert f"stagnates, {patience} in a row" in words[stopped[0]]


@given(LOSSES, st.floats(0, 1), st.integers(1, 12))
def test_picture_when_drawn_then_it_is_sound_and_says_in_words_what_it_shows(
    losses: dict[int, float], threshold: float, patience: int
) -> None:
    """Whoever cannot see it hears the same."""
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)

    picture = ElementTree.fromstring(draw_stop(losses, stop))  # noqa: S314  # our own text

    assert picture.get("role") == "img"
    assert picture.get("aria-label") == describe_stop(losses, stop)
    circles = [part for part in picture if part.tag == "circle"]
    assert len(circles) == len(losses)
    assert all(math.isfinite(float(part.get("cy", ""))) for part in circles)


@pytest.mark.parametrize(
    ("threshold", "patience", "words"),
    [
        (0.0, 2, "Training stops after epoch 7 of 7; epoch 5 is kept, with a loss of 0.64."),
        (
            0.05,
            1,
            "Training stops after epoch 4 of 7; epoch 4 is kept, with a loss of 0.66. It misses "
            "epoch 5, whose loss is 0.64.",
        ),
        (0.0, 3, "Training runs all 7 epochs; epoch 5 is kept, with a loss of 0.64."),
    ],
)
def test_sentence_when_of_the_worked_example_then_it_is_that_of_the_guide(
    threshold: float, patience: int, words: str
) -> None:
    """Stop, kept epoch and what was missed."""
    losses = dict(enumerate(WORKED_EXAMPLE, start=1))
    stop = decide_early_stop(losses, threshold=threshold, patience=patience)

    assert describe_stop(losses, stop) == words


@pytest.mark.parametrize(
    "text",
    [
        "0.9 0.8 .75",
        "0.9, 0.8; 0.75\n",
        "0.9\n0.8\n\n0.75",
    ],
)
def test_losses_when_written_any_plain_way_then_they_are_read(text: str) -> None:
    """Words in a row, or lines."""
    assert parse_losses(text) == [0.9, 0.8, 0.75]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.9 high", '"high" is not a loss'),
        ("0.9 nan", '"nan" is not a loss'),
        ("0.9 -1", '"-1" is not a loss'),
        ("0.9", "1 given; write from 2 to 100"),
        ("", "0 given"),
        ("1 " * 101, "101 given"),
    ],
)
def test_losses_when_they_cannot_be_then_the_refusal_says_why(text: str, words: str) -> None:
    """What, and how to fix it."""
    with pytest.raises(SettingsError) as error:
        parse_losses(text)

    assert words in str(error.value)


def test_lab_when_a_slider_moves_then_stop_and_kept_epoch_move_with_it() -> None:
    """In the picture, in the sentence and in the table."""
    lab = forms.stopping_lab(threshold=0.0, patience=2)
    assert sentence(lab).startswith("Training stops after epoch 7 of 7; epoch 5 is kept")

    lab.sliders["threshold"].value = 0.05
    lab.sliders["patience"].value = 1

    assert sentence(lab).startswith("Training stops after epoch 4 of 7; epoch 4 is kept")
    shown = lab._message.value
    assert f'aria-label="{sentence(lab)}"' in shown
    assert "not trained" in shown
    assert sentence(lab) in repr(lab)
    assert sentence(lab) in lab._repr_html_()


def test_lab_when_this_run_has_losses_then_it_begins_with_them() -> None:
    """And with the job's own rule."""
    lab = forms.stopping_lab({2: 0.9, 4: 0.7, 6: 0.8}, threshold=0.002, patience=1)

    assert sentence(lab).startswith("Training stops after epoch 6 of 6; epoch 4 is kept")
    assert lab.values["curve"] == "this run's losses"
    assert (lab.values["threshold"], lab.values["patience"]) == (0.002, 1)


def test_lab_when_own_numbers_are_chosen_then_their_box_appears_and_they_are_shown() -> None:
    """What is not chosen takes no room."""
    lab = forms.stopping_lab()
    assert lab.rows["losses"].layout.display == "none"

    lab.controls["curve"].value = "your own numbers"
    lab.controls["losses"].value = "3 2 1"

    assert lab.rows["losses"].layout.display == "grid"
    assert sentence(lab) == "Training runs all 3 epochs; epoch 3 is kept, with a loss of 1."


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("losses", "3 two", '"two" is not a loss'),
        ("patience", 0, "patience = 0 is too small"),
        ("patience", 1.5, "patience = 1.5 is not a whole number"),
        ("threshold", -1, "threshold = -1.0 is too small"),
    ],
)
def test_lab_when_a_value_cannot_be_then_it_says_so_in_place_of_the_picture(
    name: str, value: object, words: str
) -> None:
    """No traceback, and no clamping."""
    lab = forms.stopping_lab()
    lab.controls["curve"].value = "your own numbers"

    lab.controls[name].value = value

    assert words in lab.read().refusal
    assert 'role="alert"' in lab._message.value


def test_lab_when_the_training_diverged_then_it_says_so() -> None:
    """A loss that is no number cannot be drawn."""
    lab = forms.stopping_lab({1: 0.9, 2: math.nan})

    assert "the training diverged" in lab.read().refusal


def test_lab_when_looked_at_then_every_control_has_a_label() -> None:
    """And each slider the name that is given to its handle."""
    lab = forms.stopping_lab()

    assert all(control.description for control in lab.controls.values())
    assert lab.sliders["patience"].tooltip == "Patience (epochs, 1 to 10), slider"
