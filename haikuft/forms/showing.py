"""What all widgets share: the one grid of forms, a button, and a copy as plain HTML and text.

A widget needs its running kernel and a front end that supports it. So whatever is shown as a widget
is shown again as plain HTML and plain text, in an output of its own. A CSS rule hides that copy
where the widget is on the same page. An export, a saved notebook opened later and a front end
without widgets show the copy, with a hint on how to get the widget.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from haikuft.html import AS_WRITTEN
from haikuft.package_data import read_text

# JupyterLab's colours, which follow its theme; elsewhere the page's own.
STYLE = read_text(__package__, "forms.css")

# ipywidgets gives a slider's handle no accessible name; this copies the tooltip. It runs for a few
# seconds, because the widgets are built after the page.
_NAME_SLIDERS = read_text(__package__, "name_sliders.js")


_NO_WIDGETS = read_text(__package__, "no_widgets.html")

show: Any = display  # IPython gives it no types


def build_grid(rows: Iterable[Sequence[Any]]) -> Any:
    """Arrange controls in the one grid of all forms, whose style sheet must be on the page.

    Args:
        rows: Each begins with a labelled control; what follows stands beside or below it.
    """
    boxes, layout = [], widgets.Layout(display="grid")
    for parts in rows:
        box = widgets.Box(parts, layout=layout)
        box.add_class("haikuft-field")
        boxes.append(box)
    grid = widgets.VBox(boxes)
    grid.add_class("haikuft-fields")
    return grid


def build_button(label: str, tooltip: str, act: Callable[[], None], *, icon: str = "") -> Any:
    """Make a button as wide as its label, which acts at once."""
    look = {"width": "auto", "align_self": "flex-start"}
    button = widgets.Button(description=label, tooltip=tooltip, icon=icon, layout=look)
    button.on_click(lambda _: act())
    return button


def build_text(name: str, html: str) -> str:
    """Wrap the text of a widget: hidden where a live one of this name stands on the same page.

    An exported page (its body is the notebook) always shows the text: its widgets do not work.
    """
    alive = f"body:not(.jp-Notebook):has(.{name}.jupyter-widgets)"
    return (
        f"<style>{STYLE}{alive} .{name}-text {{ display: none; }}"
        f"body.jp-Notebook .{name}-text .haikuft-hint {{ display: none; }}</style>"
        f'<div class="haikuft haikuft-text {name}-text {AS_WRITTEN}">{html}'
        f'<p class="haikuft-hint">{_NO_WIDGETS}</p></div>'
        f"<script>{_NAME_SLIDERS}</script>"
    )
