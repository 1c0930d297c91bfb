"""The figure of a search's trials."""

import matplotlib.pyplot as plt
import pytest

from haikuft.plots import plot_trials
from haikuft.plots.style import BASE, FAINT, TUNED, alt_text
from haikuft.search.trials import Trial


@pytest.fixture(autouse=True)
def _headless() -> None:
    plt.switch_backend("agg")


def build(label: str, *losses: float, share: float = 1.0, status: str = "Completed") -> Trial:
    """Build a trial with these validation losses, epoch by epoch."""
    curve = tuple(enumerate(losses, 1))
    loss = min(losses, default=float("inf"))
    return Trial(label, False, "", {}, share, 1, 1.0, status=status, curve=curve, loss=loss)


def test_plot_trials_when_drawn_then_curves_lie_over_one_another_and_losses_in_order() -> None:
    """The best in blue, parts of the data light, stopped trials crossed; failed ones not at all."""
    trials = [
        build("a", 1.0, 0.8),
        build("b", 1.1, 0.7),
        build("c", 1.3, 0.9, share=0.5),
        build("d", 1.5, status="Stopped"),
        build("e", status="Failed"),
    ]

    ax = plot_trials(trials)

    order = ax.figure.axes[1]
    assert [label.get_text() for label in order.get_yticklabels()] == ["d", "c", "a", "b"]
    assert [line.get_color() for line in ax.lines] == [BASE, FAINT, BASE, TUNED]
    assert list(ax.lines[3].get_ydata()) == [1.1, 0.7]
    assert [line.get_marker() for line in order.lines] == ["x", "o", "o", "o"]
    assert "4 trials" in alt_text(ax)
    plt.close(ax.figure)
