"""A finished figure: saved as a file, and shown on light and dark pages with its description."""

import base64
import re
import warnings
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, cast
from zlib import crc32

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from haikuft.html import build_block, escape
from haikuft.package_data import read_text
from haikuft.plots.fonts import add_fonts
from haikuft.plots.style import DARK, alt_text, describe

# Letters as shapes need no font; the salt makes the same figure the same file. Fitting letters to
# a PNG's pixels would take longer than drawing them.
_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "haikuft",
    "text.hinting": "no_hinting",
}
_DPI = 160  # of the PNG
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
        light: SVG on white paper; "" where the sentence says it all, and then there is no file.
        other: The same on another scale, which a switch shows; "" without a switch.
        switch: What the switch is called.

    """

    path: Path
    sentence: str
    light: str
    other: str = ""
    switch: str = ""

    def __repr__(self) -> str:
        return self.sentence

    def _repr_html_(self) -> str:
        # Screen readers read the same from the image's own text.
        caption = f'<figcaption aria-hidden="true">{escape(self.sentence)}</figcaption>'
        if not self.light:
            return build_block(f"<p>{escape(self.sentence)}</p>")
        images = f'<div class="haikuft-scale">{self._write_images(self.light)}</div>'
        if self.other:
            name = f"haikuft-{crc32(self.other.encode()):x}"
            images = (
                f'<input type="checkbox" class="haikuft-switch" id="{name}">'
                f'<label for="{name}">{escape(self.switch)}</label>{images}'
                f'<div class="haikuft-other" style="display: none">'
                f"{self._write_images(self.other)}</div>"
            )
        return build_block(f'{_SWITCH}<figure style="margin: 0">{images}{caption}</figure>')

    def _write_images(self, light: str) -> str:
        return "".join(
            f'<img class="haikuft-{theme}" alt="{escape(self.sentence)}" '
            f'style="max-width: 100%; {hidden}" src="{_as_url(drawing)}">'
            for theme, drawing, hidden in (
                ("light", light, ""),
                ("dark", darken(light), "display: none"),
            )
        )


def show_figure(ax: Axes, path: Path, *, switch: tuple[str, Axes] | None = None) -> Picture:
    """Save the axes' figure as a file, close it, and return it for a notebook to show.

    Args:
        ax: The axes, from a function of this package.
        path: The file, a PNG with the figure's sentence inside.
        switch: The name of a switch, and axes that show the same on another scale, which it shows.
    """
    if not ax.get_visible():
        plt.close(cast(Figure, ax.figure))
        return Picture(path, alt_text(ax), "")
    light = _draw(ax, path)
    if switch is None:
        return Picture(path, alt_text(ax), light)
    return Picture(path, alt_text(ax), light, _draw(switch[1]), switch[0])


def _draw(ax: Axes, path: Path | None = None) -> str:
    """Draw the axes' figure as SVG, save it as PNG where a file is named, and close it."""
    figure = cast(Figure, ax.figure)
    drawn = StringIO()
    with mpl.rc_context(cast(Any, _SETTINGS)), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the sentence says so
        figure.set_dpi(_DPI)  # so that no text is measured again for the PNG
        describe(ax, " ".join(filter(None, (alt_text(ax), add_fonts(figure)))))
        figure.set_layout_engine(None)  # the layout stays, and no file computes it again
        drawing = figure.get_tightbbox().padded(0.1)  # inches; a title may be wider than the figure
        box = Bbox.union([figure.bbox_inches, drawing])
        _fix_labels(figure)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(
                path,
                format="png",
                dpi=_DPI,
                bbox_inches=box,
                metadata={"Description": alt_text(ax)},
                pil_kwargs={"compress_level": 3},  # 8 % more bytes, in two thirds of the time
            )
        figure.savefig(drawn, format="svg", bbox_inches=box, metadata={"Date": None})
    plt.close(figure)  # otherwise the notebook would show it again, without its description
    return drawn.getvalue()


def _fix_labels(figure: Figure) -> None:
    """Keep the axes' labels where they are; otherwise each drawing measures all ticks for it."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        where = axis.label.get_transform().transform(axis.label.get_position())
        axis.set_label_coords(*axis.axes.transAxes.inverted().transform(where))


def darken(svg: str) -> str:
    """Give an SVG the colours for dark pages."""
    return _COLOR.sub(lambda found: DARK.get(found[0], found[0]), svg)


def _as_url(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"
