"""Notebook 4 in JupyterLab: the figure fits the page's theme, and is told to who cannot see it."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from haikuft.plots.style import DARK, PAPER


@pytest.fixture(scope="module")
def cell(lab: Any) -> Any:
    """Give a function that runs notebook 4 up to its figure."""

    def run() -> Any:
        lab.open("04_analyse_metrics")
        return lab.run_to('scale = ("Logarithmic')

    return run


def test_figure_when_the_theme_changes_then_the_drawing_for_it_shows(
    lab: Any, walked_to: Callable[[int], Any], cell: Callable[[], Any]
) -> None:
    """Light on white, dark on JupyterLab's dark page, each with the sentence in its place."""
    project = walked_to(3)
    figure = cell().locator("figure")

    for theme, paper in (("Light", PAPER), ("Dark", DARK[PAPER])):
        lab.wear(theme)
        image = figure.locator(f"img.haikuft-{theme.lower()}")
        image.wait_for(state="visible")
        assert figure.locator("img:visible").count() == 1
        assert (image.get_attribute("alt") or "").startswith("Training loss over ")
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        page = lab.page.locator(".jp-Notebook").first.evaluate(
            "page => getComputedStyle(page).backgroundColor"
        )
        red, green, blue = map(int, re.findall(r"\d+", page)[:3])
        assert f"#{red:02x}{green:02x}{blue:02x}" == paper
        lab.shoot(f"04-figure-{theme.lower()}")
    lab.wear("Light")
    assert (project.directory / "figures" / "losses.png").exists()
