"""The page on base models: printed by code, held by the README, and nowhere out of step."""

from datetime import date
from pathlib import Path

import pytest

from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, BaseModel
from haikuft.base_models.table import describe_models
from haikuft.cli import main

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- models: printed by haikuft models -->\n", "\n<!-- models: end -->"


def test_readme_when_compared_then_holds_what_the_code_prints() -> None:
    """As of the day on which the documents were read; `haikuft models` prints it anew."""
    held = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert held == describe_models(CLAUDE_3_HAIKU.lifecycle.as_of)


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_page_when_read_then_tells_of_every_model(model: BaseModel) -> None:
    """Its id, where it is tuned, and each hyperparameter by AWS's name."""
    page = describe_models(date(2026, 11, 21))
    assert f"`{model.id}`" in page
    assert all(f"`{one.aws_name}`" in page for one in model.hyperparameters.values())


def test_page_when_a_model_has_ended_then_says_so() -> None:
    """By its dates: before them it could be tuned."""
    (before,) = (x for x in describe_models(date(2026, 3, 9)).splitlines() if "| `anthropic" in x)
    (after,) = (x for x in describe_models(date(2026, 9, 10)).splitlines() if "| `anthropic" in x)
    assert "can be tuned" in before
    assert "has ended" in after


def test_models_when_asked_for_then_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """On the command line, as of today."""
    assert main(["models"]) == 0
    assert "amazon.nova-micro-v1:0:128k" in capsys.readouterr().out
