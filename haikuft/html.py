"""HTML that loads nothing from the network: tables, small curves, and whole pages.

Everything is escaped here; callers give plain text.
"""

import base64
import math
import re
from collections.abc import Iterable, Sequence
from html import escape as escape_markup
from pathlib import Path

from haikuft.package_data import read_text

# The browser blocks whatever a page would load; what stands in the page itself works.
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "font-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
_PAGE_STYLE = read_text(__package__, "page.css")
# For pages with a style sheet of their own, such as JupyterLab's, which aligns cells to the right.
INLINE_STYLE = "text-align:left; vertical-align:top; white-space:pre-wrap; padding:.2em .6em"

# Text between dollars is not mathematics: JupyterLab 4 leaves out what has the first class, the
# pages of nbconvert 7 what has the second.
AS_WRITTEN = "mathjax_ignore tex2jax_ignore"
# Control characters but tab and line break, overrides of a text's direction, and halves of
# surrogate pairs.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|\r(?!\n)"
)

# Of a curve, in CSS pixels, with room for the numbers and words around its axes.
_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _FLOOR = 70, 20, 44, 254
_INK = "var(--jp-ui-font-color1, currentColor)"
_FAINT = "var(--jp-border-color1, #999999)"
_MARK = "var(--jp-brand-color1, #1f5fa8)"
_DASHES = ' stroke-dasharray="7 4"'


def escape(text: str) -> str:
    """Escape a text for HTML; what no page can show becomes a visible escape."""
    return escape_markup(visible(text))


def visible(text: str) -> str:
    r"""Replace control characters, such as those of a terminal's colours, by escapes: "\x1b"."""
    if text.isprintable():  # as most cells are; line breaks and spaces other than " " are not
        return text
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def build_block(html: str) -> str:
    """Put HTML into a block in which a notebook's page typesets no mathematics."""
    return f'<div class="{AS_WRITTEN}">{html}</div>'


def build_page(title: str, sections: Iterable[str]) -> str:
    """Put sections of HTML under a title into one page, which can be mailed and read offline."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"{POLICY}\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_PAGE_STYLE}</style>\n</head>\n"
        f'<body class="{AS_WRITTEN}">\n'
        f"<h1>{escape(title)}</h1>\n" + "\n".join(sections) + "\n</body>\n</html>\n"
    )


def build_fold(title: str, html: str) -> str:
    """Put HTML below a title that shows it on a click."""
    return f"<details><summary>{escape(title)}</summary>{html}</details>"


def build_status(sentence: str) -> str:
    """Build a line that screen readers announce; "" for no sentence."""
    return f'<div role="status">{escape(sentence)}</div>' if sentence else ""


def format_number(number: float) -> str:
    """Write a number: whole ones in full, others to three decimal places, NaN as ""."""
    if number != number:  # only NaN is unlike itself
        return ""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.3f}"


def build_table(
    rows: Iterable[Sequence[object]],
    headings: Sequence[str] = (),
    *,
    caption: str = "",
    row_headings: bool = False,
    style: str = "",
) -> str:
    """Build a table of texts and numbers, in a box that scrolls sideways where it is too wide.

    Args:
        rows: As many cells as there are headings. Numbers get `class="number"`; of a pair of texts
            the second stands below the first, in small type.
        headings: One a column; where all are empty there is no heading row.
        caption: A title above the table.
        row_headings: The first cell of each row is its heading.
        style: Inline CSS of each cell, such as `INLINE_STYLE`.
    """
    look = f' style="{style}"' if style else ""

    def build_cell(value: object, at: int) -> str:
        if isinstance(value, int | float):
            return f'<td class="number"{look}>{format_number(value)}</td>'
        text = escape(str(value))
        if isinstance(value, tuple):
            text = f"{escape(value[0])}<small style='display:block'>{escape(value[1])}</small>"
        if row_headings and at == 0:
            return f'<th scope="row"{look}>{text}</th>'
        return f"<td{look}><div>{text}</div></td>"

    head = "".join(f'<th scope="col"{look}>{escape(name)}</th>' for name in headings)
    body = "".join(
        f"<tr>{''.join(build_cell(value, at) for at, value in enumerate(row))}</tr>" for row in rows
    )
    title = f"<caption{look}><b>{escape(caption)}</b></caption>" if caption else ""
    head = f"<thead><tr>{head}</tr></thead>" if any(headings) else ""
    table = f"<table>{title}{head}<tbody>{body}</tbody></table>"
    return f'<div class="{AS_WRITTEN}" style="overflow-x:auto;line-height:normal">{table}</div>'


def build_figure(path: Path) -> str:
    """Put a PNG file into a page, described by the text that `plots.show_figure` keeps in it."""
    from PIL import Image  # loaded here, for most uses of this module need no image

    name = path.stem.replace("_", " ").capitalize()
    with Image.open(path) as image:
        description = str(image.info.get("Description", "")) or name
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<figure><img alt="{escape(description)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
    )


def draw_curve(
    points: Sequence[tuple[float, float]],
    labels: tuple[str, str],
    *,
    description: str,
    last_x: int = 0,
    from_zero: bool = False,
    boxed: tuple[int, str] | None = None,
    end: tuple[int, str] | None = None,
    dashed: Sequence[tuple[float, float]] = (),
    names: tuple[str, str] = ("", ""),
) -> str:
    """Draw a curve as SVG in the colours of the page, light or dark.

    Args:
        points: x, a whole number from 1, and y, finite; two or more, by rising x.
        labels: Of the x axis and the y axis.
        description: A sentence for readers who cannot see the curve.
        last_x: Where the x axis ends; 0 for the last point.
        from_zero: The y axis begins at 0, not below the lowest point.
        boxed: Index of a point, and a word above a box around it. With it, every point gets a dot.
        end: Index of a point, and a word at a vertical line through it. What comes after is pale.
        dashed: Points of a second curve with a dot and a thin vertical line each, such as losses at
            the ends of epochs.
        names: Of both curves, shown where there are two.
    """
    heights = [y for _, y in (*points, *dashed)]
    margin = (max(heights) - (0.0 if from_zero else min(heights))) * 0.08 or 0.5
    low, high = 0.0 if from_zero else min(heights) - margin, max(heights) + margin
    last_x = last_x or int(points[-1][0])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (_WIDTH - _LEFT - _RIGHT) * (x - 1) / max(1, last_x - 1),
            _TOP + (_FLOOR - _TOP) * (high - y) / (high - low),
        )

    x_ticks = [x for x in _list_ticks(1, last_x, 10) if x == round(x)]
    parts = [
        f'<path d="M{_LEFT} {_TOP}V{_FLOOR}H{_WIDTH - _RIGHT}" fill="none" stroke="{_INK}"/>',
        _write(_LEFT, 14, labels[1]),
        _write((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, labels[0]),
        *(
            _write(_LEFT - 8, place(1, y)[1] + 4, f"{y:.6g}", "end")
            for y in _list_ticks(low, high, 5)
        ),
        *(_write(place(x, low)[0], _FLOOR + 18, f"{x:.0f}") for x in x_ticks),
    ]
    places = [place(*point) for point in points]
    last = len(points) if end is None else end[0] + 1
    ink = _MARK if dashed else _INK
    for x, y in (place(*point) for point in dashed):
        parts.append(f'<path d="M{x:.1f} {_TOP}V{_FLOOR}" stroke="{_FAINT}"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_INK}"/>')
    parts.append(_draw_line(places[:last], ink))
    if dashed:
        parts.append(_draw_line([place(*point) for point in dashed], _INK, _DASHES))
    for at, name in enumerate(names if dashed else ()):
        left, right, height = _WIDTH - 150, _WIDTH - 122, 10 + 17 * at
        line = [(left, height), (right, height)]
        parts.append(_draw_line(line, _INK if at else ink, _DASHES if at else ""))
        parts.append(_write(right + 6, height + 4, name, "start"))
    if last < len(points):
        parts.append(_draw_line(places[last - 1 :], _FAINT, ' stroke-dasharray="3 4"'))
    if boxed is not None:
        for at, (x, y) in enumerate(places):
            fill, ink = (_INK, _INK) if at < last else ("none", _FAINT)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{ink}"/>')
        x, y = places[boxed[0]]
        parts.append(
            f'<rect x="{x - 8:.1f}" y="{y - 8:.1f}" width="16" height="16" fill="none" '
            f'stroke="{_MARK}" stroke-width="2.5"/>{_write(x, y - 14, boxed[1])}'
        )
    if end is not None:
        x = places[end[0]][0]
        anchor = "end" if x > _WIDTH / 2 else "start"
        parts.append(
            f'<path d="M{x:.1f} {_TOP - 8}V{_FLOOR}" stroke="{_MARK}" stroke-width="2"/>'
            f"{_write(x, _TOP - 14, end[1], anchor)}"
        )
    return (
        f'<svg role="img" aria-label="{escape(description)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'style="width:100%;max-width:{_WIDTH}px;height:auto;font:15px sans-serif">'
        f"<title>{escape(description)}</title>{''.join(parts)}</svg>"
    )


def _list_ticks(low: float, high: float, most: int) -> list[float]:
    """List round numbers within a range, at most so many, a step of 1, 2 or 5 tens apart."""
    wide = (high - low) / most or 1.0
    power = 10.0 ** math.floor(math.log10(wide))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wide)
    return [step * at for at in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _draw_line(places: Sequence[tuple[float, float]], ink: str, dashes: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke-width="1.8" stroke="{ink}"{dashes}/>'


def _write(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'
    )
