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
        image = figure.locator(f".haikuft-scale img.haikuft-{theme.lower()}")
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


def test_laboratory_when_in_notebook_7_then_sliders_and_curve_are_on_one_screen_and_move(
    lab: Any, walked_to: Callable[[int], Any]
) -> None:
    """As in JupyterLab: one grid, nothing cut off, no scrollbar, labels above narrow fields."""
    walked_to(3)
    lab.page.set_viewport_size({"width": 1280, "height": 900})
    lab.open("04_analyse_metrics", "notebook")
    cell = lab.run_to("forms.stopping_lab(")
    box = cell.locator(".haikuft.jupyter-widgets")
    curve, slider = box.locator("svg[role=img]"), box.get_by_role("slider").first

    assert all(part.is_visible() for part in (curve, slider))
    boxes = [part.bounding_box() for part in (curve, slider)]
    ends = [one["y"] + one["height"] for one in boxes]
    assert max(ends) - min(one["y"] for one in boxes) < 900 - 200
    assert not box.locator("textarea").is_visible()
    before = curve.get_attribute("aria-label")
    for _ in range(30):
        slider.press("PageUp")
    lab.settle()
    assert curve.get_attribute("aria-label") != before
    for width in (1280, 600):
        lab.page.set_viewport_size({"width": width, "height": 900})
        cut = box.evaluate(
            "box => [...box.querySelectorAll('*')].filter(part =>"
            "['auto', 'scroll'].includes(getComputedStyle(part).overflowX) &&"
            "part.scrollWidth > part.clientWidth + 1).map(part => part.outerHTML.slice(0, 300))"
        )
        assert cut == [], width
        lab.shoot(f"04-laboratory-notebook-7-{width}")
    label, field = box.locator("label:visible").first, box.locator("select:visible").first
    assert label.bounding_box()["y"] < field.bounding_box()["y"]
    lab.page.set_viewport_size({"width": 1280, "height": 1000})
