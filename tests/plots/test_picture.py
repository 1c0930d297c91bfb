"""Figures in a notebook's page: light and dark, read without seeing, and in grey print."""

import re
from collections.abc import Callable, Sequence
from html import escape, unescape
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from fakes import build_record, build_replies
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from haikuft.dataset.tokens import TokenRange
from haikuft.evaluation import compare
from haikuft.html import build_figure
from haikuft.hyperparameters import EarlyStop
from haikuft.inference.replies import Reply
from haikuft.plots import (
    plot_comparison,
    plot_confusion,
    plot_costs,
    plot_differences,
    plot_labels,
    plot_lengths,
    plot_losses,
    plot_slopes,
    plot_turns,
    show_figure,
)
from haikuft.plots.picture import Picture, darken
from haikuft.plots.style import BASE, DARK, FAINT, INK, OTHERS, PAPER, SHADES, TUNED
from haikuft.pricing import estimate_training

pytestmark = pytest.mark.usefixtures("headless")

# JupyterLab's pages, from its themes' --jp-layout-color0.
LIGHT_PAGE, DARK_PAGE = "#ffffff", "#111111"
TEXT, GRAPHICS = 4.5, 3.0  # least contrasts of WCAG 2.2, criteria 1.4.3 and 1.4.11
# How a colour looks to an eye that lacks one kind of cone: Machado, Oliveira and Fernandes 2009,
# severity 1.0, on linear RGB.
EYES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
Light = tuple[float, float, float]  # red, green and blue, 0 to 1, as light and not as a file has it


def linear(color: str) -> Light:
    """Give the light of a colour."""
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)
    )
    return red, green, blue


def luminance(light: Light) -> float:
    """Give how bright that light is, 0 to 1."""
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, 1 to 21, as WCAG defines it."""
    low, high = sorted(luminance(linear(color)) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def lightness(light: Light) -> float:
    """Give CIE L*, 0 to 100: how light it is in grey print."""
    bright = luminance(light)
    return 116 * bright ** (1 / 3) - 16 if bright > 0.008856 else 903.3 * bright


def lab(light: Light) -> tuple[float, float, float]:
    """Give CIE L*a*b*, in which distances are those that an eye sees."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        (sum(a * b for a, b in zip(row, light, strict=True)) / w) ** (1 / 3)
        for row, w in zip(rows, white, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def blend(color: str, opacity: float, page: str) -> str:
    """Give the colour that shows where one lies half transparent on a page."""
    mixed = (
        opacity * a + (1 - opacity) * b for a, b in zip(to_rgb(color), to_rgb(page), strict=True)
    )
    return "#" + "".join(f"{round(255 * part):02x}" for part in mixed)


def see(color: str, eye: str) -> Light:
    """Give the light that such an eye takes from a colour."""
    light = linear(color)
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, light, strict=True)))) for row in EYES[eye]
    )
    return red, green, blue


def on_dark(color: str) -> str:
    """Give what a colour becomes on a dark page."""
    return DARK[color]


def on_light(color: str) -> str:
    """Give what a colour is on a light page: itself."""
    return color


BOTH = pytest.mark.parametrize(
    ("themed", "page"), [(on_light, LIGHT_PAGE), (on_dark, DARK_PAGE)], ids=["light", "dark"]
)
Themed = Callable[[str], str]


def draw_losses() -> Axes:
    """Draw two losses and an early stop."""
    steps = {"step_number": [1, 2, 3], "epoch_number": [1, 2, 3], "loss": [1.0, 0.5, 0.7]}
    table = pd.DataFrame(steps)
    return plot_losses(table, table, early_stop=EarlyStop(3, 2, 0.5))


def draw_all() -> Sequence[Axes]:
    """Draw each figure of the series once."""
    labels, wrong = ["billing", "card"] * 6, ["card", "billing"] * 6
    records = [build_record(f"ticket {n} {'x' * n * 30}", label) for n, label in enumerate(labels)]

    def answer(right: int) -> dict[str, Reply]:
        return build_replies(records, labels[:right] + wrong[right:])

    found = compare(records, {"base": answer(2), "tuned": answer(12), "larger": answer(7)})
    tokens = TokenRange(1_000, 2_000, 3_000)
    return (
        draw_losses(),
        plot_comparison(found),
        plot_confusion(found),
        plot_differences(found),
        plot_slopes(found),
        plot_labels({"training": ["a", "b"], "validation": ["a"], "test": ["b"]}),
        plot_lengths(records, limit=200),
        plot_turns(records),
        plot_costs({2: estimate_training(tokens, 2, 0.001)}, tokens),
    )


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    """Show one figure."""
    return show_figure(draw_losses(), tmp_path / "figures" / "losses.png")


@BOTH
def test_ink_when_it_writes_on_a_page_then_it_is_well_read(themed: Themed, page: str) -> None:
    """Letters need 4.5, on the page and on the deepest cell of a confusion matrix."""
    assert themed(PAPER) == page
    assert contrast(themed(INK), page) >= TEXT
    assert contrast(themed(INK), blend(themed(TUNED), 0.5, page)) >= TEXT


@BOTH
@pytest.mark.parametrize("color", [BASE, TUNED, *OTHERS])
def test_lines_and_marks_when_on_a_page_then_they_stand_out(
    themed: Themed, page: str, color: str
) -> None:
    """What carries meaning needs 3."""
    assert contrast(themed(color), page) >= GRAPHICS


@BOTH
def test_ink_lines_when_over_bars_then_they_stand_out(themed: Themed, page: str) -> None:
    """The low and the high estimate cross the bars of the likely one; edges are of ink as well."""
    assert contrast(themed(INK), themed(SHADES[1])) >= GRAPHICS
    assert contrast(themed(INK), themed(FAINT)) >= GRAPHICS


@BOTH
@pytest.mark.parametrize("colors", [(INK, TUNED, BASE, FAINT), SHADES])
def test_colours_when_printed_in_grey_then_their_order_is_kept(
    themed: Themed, page: str, colors: Sequence[str]
) -> None:
    """From ink towards the page, each at least ten steps of L* from the next."""
    distances = [
        abs(lightness(linear(themed(color))) - lightness(linear(page))) for color in colors
    ]

    assert all(nearer - further <= -10 for further, nearer in pairwise(distances))


@BOTH
@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("pair", [(BASE, TUNED), (TUNED, OTHERS[0]), (INK, TUNED)])
def test_colours_when_seen_without_a_kind_of_cone_then_pairs_differ(
    themed: Themed, page: str, eye: str, pair: tuple[str, str]
) -> None:
    """Base and tuned, gained and lost, training and validation: 15 of CIE's steps and more."""
    one, other = (lab(see(themed(color), eye)) for color in pair)

    assert sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5 >= 15


def test_figures_when_drawn_then_every_colour_is_one_of_the_styles(tmp_path: Path) -> None:
    """So that none is left behind when a figure turns dark."""
    for number, axes in enumerate(draw_all()):
        shown = show_figure(axes, tmp_path / f"{number}.png")

        painted = set(re.findall(r"(?:fill|stroke): ?([^;\"]+)", shown.light)) - {"none"}
        assert painted <= set(DARK), shown.sentence
        turned = set(re.findall(r"(?:fill|stroke): ?([^;\"]+)", darken(shown.light))) - {"none"}
        assert turned == {DARK[color] for color in painted}


def test_show_figure_when_shown_then_the_file_is_kept_and_the_figure_closed(
    picture: Picture,
) -> None:
    """Once on the page, once in runs/<run>/figures."""
    assert f'alt="{escape(picture.sentence)}"' in build_figure(picture.path)
    assert plt.get_fignums() == []


def test_show_figure_when_a_title_is_wider_than_the_figure_then_the_page_grows(
    picture: Picture, tmp_path: Path
) -> None:
    """Else it is as large as asked for, at 160 dots an inch."""
    ax = draw_losses()
    ax.set_title("W" * 80)
    wide = show_figure(ax, tmp_path / "wide.png")

    (height, width, _), (_, wider, _) = (plt.imread(one.path).shape for one in (picture, wide))
    assert (width, height) == (7.2 * 160, 3.4 * 160)
    assert wider > 80 * 0.1 * 160


def test_show_figure_when_shown_then_its_sentence_stands_in_for_it(picture: Picture) -> None:
    """In plain text, for who hears the page, and below it for everybody."""
    html = picture._repr_html_()
    alts = [unescape(alt) for alt in re.findall(r'<img [^>]*alt="([^"]*)"', html)]

    assert repr(picture) == picture.sentence
    assert picture.sentence.startswith("Training loss over 3 steps")
    assert alts == [picture.sentence] * 2
    assert picture.sentence in html.partition("<figcaption")[2]


def test_show_figure_when_the_style_sheet_is_taken_away_then_the_light_one_shows(
    picture: Picture,
) -> None:
    """Where a notebook is not trusted it is dropped; each drawing hides or shows by itself."""
    light, dark = re.findall(r"<img [^>]*>", picture._repr_html_())

    assert "haikuft-light" in light
    assert "display: none" not in light
    assert "haikuft-dark" in dark
    assert "display: none" in dark


def test_show_figure_when_drawn_again_then_it_is_the_same(tmp_path: Path, picture: Picture) -> None:
    """A notebook executed twice differs in nothing."""
    again = show_figure(draw_losses(), tmp_path / "figures" / "losses.png")

    assert again == picture
