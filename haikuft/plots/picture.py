"""A finished figure: saved as a file, and shown on light and dark pages with its description."""

import base64
import re
import warnings
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from haikuft.html import build_block, escape
from haikuft.package_data import read_text
from haikuft.plots.fonts import add_fonts, lay_out
from haikuft.plots.style import DARK, alt_text, describe

# Letters as shapes need no font; the salt makes the same figure the same file.
_SVG: dict[str, Any] = {"svg.fonttype": "path", "svg.hashsalt": "haikuft"}
_COLOR = re.compile(r"#[0-9a-f]{6}\b")

# JupyterLab and Notebook 7 mark the page's body with their theme, VS Code does so by a class. The
# dark drawing hides itself, so that a page that takes this style sheet away shows the light one.
_SWITCH = f"<style>\n{read_text(__package__, 'themes.css')}</style>"


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A figure for a notebook's page, which shows the drawing that fits the page's theme.

    Attributes:
        path: The file it is kept in, a PNG.
        sentence: What it shows, for those who cannot see it; stands below it for everybody.
        light: SVG on white paper.
        dark: The same SVG in the colours for dark pages.

    """

    path: Path
    sentence: str
    light: str
    dark: str

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        images = "".join(
            f'<img class="haikuft-{theme}" alt="{escape(self.sentence)}" '
            f'style="max-width: 100%; {hidden}" src="{_as_url(drawing)}">'
            for theme, drawing, hidden in (
                ("light", self.light, ""),
                ("dark", self.dark, "display: none"),
            )
        )
        # Screen readers read the same from the image's own text.
        caption = f'<figcaption aria-hidden="true">{escape(self.sentence)}</figcaption>'
        return build_block(f'{_SWITCH}<figure style="margin: 0">{images}{caption}</figure>')


def show_figure(ax: Axes, path: Path) -> Picture:
    """Save the axes' figure as a file, close it, and return it for a notebook to show.

    The file is a PNG with the figure's sentence inside.
    """
    figure = cast(Figure, ax.figure)
    drawn = StringIO()
    with mpl.rc_context(cast(Any, _SVG)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the sentence says so
        describe(ax, " ".join(filter(None, (alt_text(ax), add_fonts(figure)))))
        lay_out(figure)  # once more, for tick labels may have changed with the first layout
        figure.set_layout_engine(None)  # the layout stays, and no file computes it again
        box = figure.get_tightbbox().padded(0.1)  # inches; "tight" would draw once more to know
        path.parent.mkdir(parents=True, exist_ok=True)
        description = {"Description": alt_text(ax)}
        figure.savefig(path, format="png", dpi=160, bbox_inches=box, metadata=description)
        figure.savefig(drawn, format="svg", bbox_inches=box, metadata={"Date": None})
    plt.close(figure)  # otherwise the notebook would show it again, without its description
    light = drawn.getvalue()
    dark = _COLOR.sub(lambda found: DARK.get(found[0], found[0]), light)
    return Picture(path, alt_text(ax), light, dark)


def _as_url(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"
