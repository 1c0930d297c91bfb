"""HTML: tables and curves are escaped, described and load nothing."""

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft import html

HEIGHTS = st.lists(st.floats(0, 1e6), min_size=2, max_size=30)


def test_table_when_built_then_texts_are_escaped_and_numbers_are_marked() -> None:
    """NaN is an empty cell."""
    table = html.build_table([("<b>", 1234), ("x", 0.5), ("y", math.nan)], ("name", "n"))

    assert "<b>" not in table
    assert "&lt;b&gt;" in table
    assert '<td class="number">1,234</td>' in table
    assert '<td class="number">0.500</td>' in table
    assert '<td class="number"></td>' in table


def test_table_when_rows_have_headings_then_they_and_the_caption_are_marked() -> None:
    """A screen reader names each row; no heading row is drawn."""
    table = html.build_table([("a", "b")], caption="<A>", row_headings=True, style="color:red")

    assert '<th scope="row" style="color:red">a</th>' in table
    assert "<b>&lt;A&gt;</b></caption>" in table
    assert "<thead>" not in table


@given(heights=HEIGHTS, more=st.integers(0, 100), from_zero=st.booleans(), end=st.integers(0, 29))
def test_curve_when_drawn_then_it_is_valid_within_its_frame_and_described(
    heights: list[float], more: int, from_zero: bool, end: int
) -> None:
    """Any heights, with and without marks."""
    mark = min(end, len(heights) - 1)

    drawn = html.draw_curve(
        list(enumerate(heights, 1)),
        ("step", "a & b"),
        description='From "a" to <b>',
        last_x=len(heights) + more,
        from_zero=from_zero,
        boxed=(0, "kept"),
        end=(mark, "stops"),
    )

    picture = ElementTree.fromstring(drawn)  # noqa: S314  # our own text
    assert picture.get("aria-label") == 'From "a" to <b>'
    points = re.findall(r"([-\d.]+),([-\d.]+)", drawn)
    assert all(0 <= float(x) <= 640 and 0 <= float(y) <= 300 for x, y in points)
    assert len([part for part in picture if part.tag == "circle"]) == len(heights)


@pytest.mark.parametrize(("sentence", "shown"), [("", ""), ("<x>", "&lt;x&gt;")])
def test_status_when_built_then_it_is_escaped_and_empty_for_nothing(
    sentence: str, shown: str
) -> None:
    """A screen reader announces it."""
    assert html.build_status(sentence) == (f'<div role="status">{shown}</div>' if shown else "")
