"""What a watched job shows, from readings that are values."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.customization.readings import CustomizationJob, Stage
from haikuft.live.job_view import JobView, Progress, draw_losses, expect_training

BEGAN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STAGES = (
    Stage("validation", "Completed", BEGAN, BEGAN + timedelta(seconds=30)),
    Stage("data processing", "Completed", BEGAN, BEGAN + timedelta(seconds=60)),
    Stage("training", "InProgress", BEGAN + timedelta(seconds=60), BEGAN + timedelta(seconds=60)),
)
HALF = Progress(steps=20, epoch=0, curve=((1, 4.0), (5, 2.0), (10, 1.5)))


def view(
    progress: Progress | None = None, *, seconds: float = 120, tells: bool = True, **job: Any
) -> JobView:
    """Look at a job that trains, so many seconds after it began."""
    reading = {"status": "InProgress", "stages": STAGES, **job}
    made = CustomizationJob("arn:j", "j", custom_model_name="m", role_arn="r",
                            training_uri="t", output_uri="o", created=BEGAN, **reading)  # fmt: skip
    return JobView(made, progress, BEGAN + timedelta(seconds=seconds), tells)


def test_view_when_the_training_tells_its_steps_then_the_time_follows_from_them() -> None:
    """Half of the steps in a minute: about two minutes in all."""
    assert expect_training(view(HALF)) == 120
    assert "about 0:02:00, or less" in str(view(HALF))


@pytest.mark.parametrize(
    "shown",
    [
        view(None),
        view(None, tells=False),
        view(HALF, stages=()),
        JobView(None, HALF, BEGAN, True),
    ],
)
def test_view_when_there_is_no_basis_then_no_time_is_expected(shown: JobView) -> None:
    """Not known is said, not guessed."""
    assert expect_training(shown) is None


def test_view_when_looked_at_then_text_and_html_say_the_same() -> None:
    """Status, stage, time, steps, loss; not known where it is not."""
    words = ["InProgress · training · 0:02:00", "validation", "0:00:30", "Completed"]
    words += ["Step 10 of 20 (fewer if it stops early), epoch 1, training loss 1.500."]
    for word in words:
        assert word in str(view(HALF))
        assert word in view(HALF).to_html()
    assert "not known" in str(view(None))


def test_view_when_on_aws_then_it_says_that_aws_tells_no_losses() -> None:
    """Nothing is made up."""
    shown = view(None, tells=False)

    assert "AWS reports neither losses nor progress before the job ends" in str(shown)
    assert "<svg" not in shown.to_html()


def test_view_when_the_target_tells_losses_and_none_came_yet_then_it_promises_them() -> None:
    """Until the training is under way; not after the end."""
    assert "when the training has started" in str(view(None))
    assert "when the training" not in str(view(None, status="Completed"))


def test_view_when_nothing_was_read_yet_then_it_says_so() -> None:
    """Before the first answer."""
    empty = JobView(None, None, BEGAN, True)
    assert "No reading" in str(empty)
    assert "No reading" in empty.to_html()


def test_view_when_names_hold_html_then_it_is_text() -> None:
    """AWS's words are never markup."""
    assert "<script>" not in view(None, status="<script>").to_html()


def test_curve_when_drawn_then_it_takes_the_pages_colour_and_says_what_it_shows() -> None:
    """Light theme, dark theme, and no sight at all."""
    svg = draw_losses(HALF)

    assert "currentColor" in svg
    assert "#" not in svg
    assert 'aria-label="Training loss from 4.000 at step 1 to 1.500 at step 10 of 20"' in svg


def test_view_when_validation_losses_came_then_bar_curve_and_sentence_show_how_far_it_is() -> None:
    """A part of the bar for each stage, a dot and a line for each epoch, the last loss in words."""
    shown = view(replace(HALF, validations=((5, 2.5), (10, 2.25))))
    page = shown.to_html()

    bars = re.findall(r'aria-label="([a-z ]+)" aria-valuenow="(\d+)"', page)
    assert bars == [("validation", "100"), ("data processing", "100"), ("training", "50")]
    assert page.count("<circle") == 2
    assert "validation loss after each epoch: 2.500, 2.250" in page
    assert "training loss 1.500, validation loss 2.250." in str(shown)


def test_curve_when_there_are_fewer_than_two_points_then_there_is_none() -> None:
    """A point is no curve."""
    assert draw_losses(None) == ""
    assert draw_losses(Progress(20, 0, ((1, 4.0),))) == ""


@given(
    losses=st.lists(st.floats(0, 1e6), min_size=2, max_size=30),
    more=st.integers(0, 100),
)
def test_curve_when_of_any_losses_then_it_stays_within_its_frame(
    losses: list[float], more: int
) -> None:
    """Zero losses and huge ones included."""
    curve = tuple(enumerate(losses, 1))
    progress = Progress(len(losses) + more, 0, curve)

    points = re.findall(r"([-\d.]+),([-\d.]+)", draw_losses(progress).partition("points=")[2])

    assert len(points) == len(losses)
    assert all(0 <= float(x) <= 640 and 0 <= float(y) <= 300 for x, y in points)


def test_progress_when_the_target_tells_nothing_then_there_is_none() -> None:
    """AWS's answer, and the sandbox's before the training."""
    assert Progress.from_answer({}) is None
