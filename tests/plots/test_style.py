"""What figures share: a logarithmic axis that is read at a glance."""

import matplotlib.pyplot as plt
import pytest

from haikuft.plots.style import number_log_axis

pytestmark = pytest.mark.usefixtures("headless")


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (24, 38, ["24", "26", "28", "30", "32", "34", "36", "38"]),
        (18, 240, ["20", "50", "100", "200"]),
        (0.28, 2.4, ["0.5", "1", "2"]),
        (20, 40_000, ["30", "100", "300", "1,000", "3,000", "10,000", "30,000"]),
        (1e-4, 30, ["0.0001", "0.001", "0.01", "0.1", "1", "10"]),
    ],
)
def test_number_log_axis_when_drawn_then_plain_numbers_stand_on_it(
    low: float, high: float, numbers: list[str]
) -> None:
    """However short or long it is; none is written as a power of ten, as in "3 × 10¹"."""
    figure, ax = plt.subplots(figsize=(7.2, 3.4))
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    number_log_axis(ax.xaxis)
    figure.draw_without_rendering()

    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    assert [label.get_text() for tick, label in ticks if low <= tick <= high] == numbers
    assert len(ax.get_xticks(minor=True)) == 0
    plt.close(figure)
