"""Figures say what they show: in lines, labels, titles and a sentence, and leave no trace."""

from html import escape
from itertools import combinations, pairwise
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from fakes import build_record, build_replies
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from haikuft.dataset.records import record_id
from haikuft.dataset.tokens import TokenRange
from haikuft.errors import DataError
from haikuft.evaluation import FREE, Scorer, compare
from haikuft.evaluation.statistics.comparison import Evaluation
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
from haikuft.plots.style import BASE, PAPER, TUNED, alt_text
from haikuft.pricing import estimate_training

pytestmark = pytest.mark.usefixtures("headless")

TRAINING = pd.DataFrame(
    {
        "step_number": range(1, 7),
        "epoch_number": [1, 1, 2, 2, 3, 3],
        "loss": [1.0, 0.8, 0.6, 0.5, 0.4, 0.3],
    }
)
VALIDATION = pd.DataFrame(
    {"step_number": [2, 4, 6], "epoch_number": [1, 2, 3], "loss": [0.9, 0.7, 0.8]}
)


@pytest.fixture
def evaluation() -> Evaluation:
    """Compare three models on twelve tickets: 3, 9 and 12 of them right."""
    labels = ["billing", "card"] * 6
    records = [build_record(f"ticket {n}", label) for n, label in enumerate(labels)]

    def answer(right: int) -> dict[str, Reply]:
        return build_replies(records, labels[:right] + ["billing"] * (12 - right))

    by_name = {"base": answer(0), "tuned": answer(6), "larger": answer(12)}
    return compare(records, by_name)


def texts_in(ax: Axes) -> list[str]:
    """List what is written inside the axes."""
    return [text.get_text() for text in ax.texts]


def test_plot_losses_when_there_is_validation_then_it_meets_training_at_each_epochs_end() -> None:
    """Both losses share one axis of steps: blue and solid, dark and dashed, named at their ends."""
    ax = plot_losses(TRAINING, VALIDATION)
    lines = {line.get_label(): line for line in ax.lines}

    assert list(lines["training"].get_ydata()) == TRAINING["loss"].tolist()
    assert list(lines["validation"].get_xdata()) == [2, 4, 6]
    assert list(lines["validation"].get_ydata()) == [0.9, 0.7, 0.8]
    assert (lines["training"].get_color(), lines["training"].get_linestyle()) == (TUNED, "-")
    assert lines["validation"].get_linestyle() == "--"
    assert {"training", "validation", "gap 0.5", "1", "2", "3"} <= set(texts_in(ax))
    assert ax.get_title(loc="left").endswith("?")
    assert ax.get_xlabel().startswith("step")
    assert ax.get_ylabel() == "loss"


@pytest.mark.parametrize("first", [0, 1])
def test_plot_losses_when_some_epochs_have_no_validation_loss_then_the_rest_keeps_its_steps(
    first: int,
) -> None:
    """At the step of the file, in whatever way it counts its epochs."""
    validation = pd.DataFrame(
        {"step_number": [3, 6], "epoch_number": [1 + first, 2 + first], "loss": [0.7, 0.8]}
    )

    ax = plot_losses(TRAINING, validation)

    line = next(line for line in ax.lines if line.get_label() == "validation")
    assert list(line.get_xdata()) == [3, 6]
    assert "lowest after epoch 2 (0.7)" in alt_text(ax)


def test_plot_losses_when_early_stopping_is_simulated_then_it_would_have_stopped() -> None:
    """A rule that the model has not ended nothing."""
    ax = plot_losses(TRAINING, VALIDATION, early_stop=EarlyStop(3, 2, 0.7, simulated=True))

    assert "3\nwould stop" in texts_in(ax)
    assert "early stopping would have stopped after epoch 3" in alt_text(ax)


def test_plot_losses_when_several_rows_share_a_step_then_their_mean_is_drawn() -> None:
    """Some jobs write a row a device."""
    doubled = pd.concat([TRAINING, TRAINING.assign(loss=TRAINING["loss"] + 0.2)])

    line = plot_losses(doubled).lines[0]

    assert list(line.get_ydata()) == pytest.approx([x + 0.1 for x in TRAINING["loss"]])


def test_plot_losses_when_training_stopped_early_then_the_epochs_are_marked_with_a_word() -> None:
    """The lowest and the last."""
    ax = plot_losses(TRAINING, VALIDATION, early_stop=EarlyStop(3, 2, 0.7))

    assert {"2\nlowest", "3\nstopped"} <= set(texts_in(ax))
    assert alt_text(ax) == (
        "Training loss over 6 steps in 3 epochs, from 1 to 0.3; validation loss from 0.9 to 0.8, "
        "lowest after epoch 2 (0.7); the gap between them at the end is 0.5; early stopping ended "
        "the training after epoch 3."
    )


def test_plot_losses_when_the_rule_names_an_epoch_that_was_not_trained_then_it_still_draws() -> (
    None
):
    """A decision about other losses ends in no traceback."""
    ax = plot_losses(TRAINING, None, early_stop=EarlyStop(None, 9, 0.7))

    assert "training" in texts_in(ax)
    assert "validation" not in texts_in(ax)


def test_plot_losses_when_the_loss_burst_then_it_still_draws() -> None:
    """A diverged training is worth a figure."""
    burst = TRAINING.assign(loss=[1.0, 2.0, float("inf"), float("nan"), float("nan"), float("nan")])

    assert plot_losses(burst).get_ylim()[1] == pytest.approx(2.3)


def test_plot_comparison_when_drawn_then_each_model_has_its_score_interval_and_colour(
    evaluation: Evaluation,
) -> None:
    """Base grey, tuned blue, each with a mark of its own, the numbers beside them."""
    ax = plot_comparison(evaluation)
    marks = [line for line in ax.lines if line.get_marker() not in ("None", None)]

    assert [label.get_text() for label in ax.get_yticklabels()] == ["base", "tuned", "larger"]
    assert [float(line.get_xdata()[0]) for line in marks] == [50.0, 75.0, 100.0]
    assert [line.get_color() for line in marks][:2] == [BASE, TUNED]
    assert len({line.get_marker() for line in marks}) == 3
    assert len({line.get_color() for line in marks}) == 3
    assert texts_in(ax) == ["50.0 %", "75.0 %", "100.0 %"]
    assert "12 records" in ax.get_xlabel()
    assert ax.get_title(loc="left") == "Is tuned or larger better than base?"
    assert alt_text(ax).startswith("Right labels on 12 records: base 50.0 % (")


def test_plot_comparison_when_the_score_is_no_share_then_it_is_not_shown_as_per_cent(
    evaluation: Evaluation,
) -> None:
    """A length has its own axis."""
    records = [build_record(str(n), "x") for n in range(10)]
    replies = build_replies(records, ["x" * 250] * 10)
    length = Scorer("length", "mean length", lambda record, text: len(text), is_share=False)

    ax = plot_comparison(compare(records, {"base": replies, "tuned": replies}, scorers=[length]))

    assert texts_in(ax) == ["250", "250"]


def test_plot_confusion_when_drawn_then_counts_stand_in_the_cells(evaluation: Evaluation) -> None:
    """Empty cells stay empty; the sentence names the commonest mistake."""
    ax = plot_confusion(evaluation)

    assert texts_in(ax) == ["6", "3", "3"]
    assert ax.get_title(loc="left") == "Which labels does tuned confuse?"
    assert alt_text(ax) == (
        "Of 12 records tuned labels 9 as the reference does; most often it answers billing "
        "where card is right (3)."
    )


def test_plot_comparison_when_a_free_baseline_stands_beside_then_it_is_dark_and_not_asked_about(
    evaluation: Evaluation,
) -> None:
    """The question is about the models; what is free stands in ink below them."""
    records = [build_record(str(n), "x") for n in range(10)]
    replies = build_replies(records, ["x"] * 10)
    ax = plot_comparison(
        compare(records, {"base": replies, FREE: replies, "tuned": replies}, task="labels")
    )

    assert [label.get_text() for label in ax.get_yticklabels()] == ["base", "tuned", FREE]
    assert ax.get_title(loc="left") == "Is tuned better than base?"


def test_plot_differences_when_drawn_then_marks_stand_at_the_differences_in_points(
    evaluation: Evaluation,
) -> None:
    """Tuned gains 25 points on twelve records, which is no verdict: the mark is hollow."""
    ax = plot_differences(evaluation)
    marks = [line for line in ax.lines if line.get_marker() == "D"]

    assert float(marks[0].get_xdata()[0]) == 25.0
    assert marks[0].get_markerfacecolor() == PAPER
    assert ax.get_yticklabels()[0].get_text() == "right labels, against base"
    assert "12 records" in ax.get_xlabel()
    assert alt_text(ax).startswith(
        "Differences on 12 records: right labels, against base +25.0 points, not distinguishable"
    )


def test_plot_differences_when_a_verdict_fell_then_its_mark_is_full() -> None:
    """Twelve of twelve against none of twelve."""
    records = [
        {"messages": [{"role": "user", "content": str(n)}, {"role": "assistant", "content": "x"}]}
        for n in range(12)
    ]
    base, tuned = (
        {
            record_id(r): Reply("", "m", text, "end_turn", 1, 1, 0.1, "m", None, "", "{}")
            for r in records
        }
        for text in ("?", "x")
    )

    ax = plot_differences(compare(records, {"base": base, "tuned": tuned}, task="labels"))
    first = next(line for line in ax.lines if line.get_marker() == "D")

    assert float(first.get_xdata()[0]) == 100.0
    assert first.get_markerfacecolor() == TUNED


def test_plot_slopes_when_drawn_then_each_label_has_a_line_and_its_name(
    evaluation: Evaluation,
) -> None:
    """Billing stays right, card goes from none to half; each with its count of records."""
    ax = plot_slopes(evaluation)
    ends = sorted((list(line.get_ydata()), line.get_linestyle()) for line in ax.lines)

    assert ends == [([0.0, 50.0], "-"), ([100.0, 100.0], "-")]
    assert sorted(texts_in(ax)) == ["billing (6)", "card (6)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["base", "tuned"]
    assert alt_text(ax) == ("Right labels by label, base to tuned: 1 better, 0 worse, 1 the same.")


def test_plot_lengths_when_some_may_exceed_the_limit_then_they_are_counted() -> None:
    """The high estimate decides; the limit is drawn and named."""
    records = [
        {"messages": [{"role": "user", "content": "x" * n}, {"role": "assistant", "content": ""}]}
        for n in (350, 1750)
    ]

    ax = plot_lengths(records, limit=600)

    assert sum(bar.get_height() for bar in ax.containers[0]) == 2
    assert texts_in(ax) == ["limit 600 "]
    assert alt_text(ax) == (
        "2 records of 92 to 459 likely tokens, median 276; 1 may exceed the limit of 600."
    )


def test_plot_lengths_when_drawn_then_low_and_high_estimates_count_the_same_records() -> None:
    """Three readings of the same records; one sees how far they lie apart."""
    records = [
        {"messages": [{"role": "user", "content": "x" * n}, {"role": "assistant", "content": ""}]}
        for n in (350, 1750, 1750)
    ]

    ax = plot_lengths(records, limit=600)

    low, high = (patch for patch in ax.patches if isinstance(patch, StepPatch))
    assert [sum(line.get_data().values) for line in (low, high)] == [3, 3]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["likely", "low", "high"]


def test_plot_turns_when_drawn_then_a_bar_for_each_number_of_turns() -> None:
    """Short conversations first."""
    turn = {"role": "user", "content": "x"}

    ax = plot_turns([{"messages": [turn] * n} for n in (4, 2, 2)])

    assert [patch.get_height() for patch in ax.patches] == [2, 1]
    assert alt_text(ax) == "3 records: 2 of 2 turns, 1 of 4 turns."


def test_plot_costs_when_the_price_is_known_then_a_range_for_each_number_of_epochs() -> None:
    """The likely figure is the dot, low and high its whiskers."""
    tokens = TokenRange(1_000_000, 2_000_000, 3_000_000)
    estimates = {epochs: estimate_training(tokens, epochs, 0.001) for epochs in (2, 1)}

    ax = plot_costs(estimates, tokens)

    assert list(ax.get_lines()[0].get_ydata()) == [2, 4]
    assert "1 epoch US$1.00 to US$3.00; 2 epochs US$2.00 to US$6.00" in alt_text(ax)


def test_plot_costs_when_the_price_is_not_known_then_what_is_billed_is_drawn() -> None:
    """Tokens are known, dollars are not, and the axis says which it shows."""
    tokens = TokenRange(1_000, 2_000, 3_000)

    ax = plot_costs({2: estimate_training(tokens, 2, 0.0)}, tokens)

    assert list(ax.get_lines()[0].get_ydata()) == [4_000]
    assert ax.get_ylabel().startswith("tokens")
    assert "2 epochs 2,000 to 6,000 tokens" in alt_text(ax)
    with pytest.raises(DataError, match="no estimates"):
        plot_costs({}, tokens)


def test_plot_labels_when_drawn_then_bars_add_up_to_each_labels_count() -> None:
    """The commonest label stands first."""
    ax = plot_labels({"training": ["a", "b", "b"], "test": ["b", "a", "b"]})

    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
    assert [patch.get_width() for patch in ax.patches] == [2, 1, 2, 1]
    assert texts_in(ax) == [" 4", " 2"]
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["training", "test"]
    assert alt_text(ax) == (
        "6 records with 2 labels, from b (4) to a (2), split into training 3, test 3."
    )


def test_plots_when_there_is_nothing_to_draw_then_they_say_so() -> None:
    """An empty figure explains nothing."""
    with pytest.raises(DataError, match="no records"):
        plot_lengths([], limit=10)
    with pytest.raises(DataError, match="no labels"):
        plot_labels({"training": []})


def test_plots_when_drawn_then_no_global_setting_changes() -> None:
    """The reader's own style is hers."""
    before = dict(mpl.rcParams)

    plot_losses(TRAINING, VALIDATION)

    assert dict(mpl.rcParams) == before


def test_plots_when_a_label_holds_dollar_signs_then_it_is_no_formula() -> None:
    """Money is money."""
    ax = plot_labels({"training": ["$5 or $6_x"]})
    ax.figure.canvas.draw()

    assert not ax.get_yticklabels()[0].get_parse_math()


def test_show_figure_when_saved_then_the_file_is_a_png_that_carries_its_sentence(
    tmp_path: Path,
) -> None:
    """So a report made later can tell it to those who cannot see."""
    ax = plot_labels({"training": ["größer", "łódź"]})

    path = show_figure(ax, tmp_path / "figures" / "labels.png").path

    assert path.read_bytes().startswith(b"\x89PNG")
    assert f'alt="{escape(alt_text(ax))}"' in build_figure(path)


def test_figure_when_its_file_has_no_description_then_its_name_is_used(tmp_path: Path) -> None:
    """A figure from elsewhere."""
    Figure().savefig(tmp_path / "plain.png")

    assert 'alt="Plain"' in build_figure(tmp_path / "plain.png")


def test_plot_confusion_when_there_are_77_labels_then_those_confused_most_are_drawn() -> None:
    """The figure says how many there are; every pair is in a table."""
    records = [
        {
            "messages": [
                {"role": "user", "content": f"message {n}"},
                {"role": "assistant", "content": f"label {n % 77}"},
            ]
        }
        for n in range(308)
    ]
    wrong = {f"label {n}": f"label {n + 1}" for n in range(0, 30, 2)}
    texts = [one["messages"][1]["content"] for one in records]
    given = {"base": texts, "tuned": [wrong.get(text, text) for text in texts]}
    replies = {
        name: {
            record_id(one): Reply(
                record_id(one), "m", text, "end_turn", 1, 1, 0, "m", None, "", "{}"
            )
            for one, text in zip(records, said, strict=True)
        }
        for name, said in given.items()
    }

    ax = plot_confusion(compare(records, replies, task="labels"))

    assert len(ax.get_yticks()) == 20
    assert "the 20 of 77 labels confused most" in ax.get_xlabel()
    assert "Of 308 records tuned labels 248 as the reference does" in alt_text(ax)


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("training_end", [0.3, 0.0, 0.79])
def test_plot_losses_when_drawn_then_names_are_inside_the_axes_and_apart(
    training_end: float, logarithmic: bool
) -> None:
    """Also where lines end together, or near the axis; with another run laid over."""
    training = TRAINING.assign(loss=[9.0, *TRAINING["loss"][1:-1], training_end])
    further = {"tuesday": (TRAINING, VALIDATION)}
    ax = plot_losses(training, VALIDATION, further=further, logarithmic=logarithmic)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]

    names = [text for text in ax.texts if text.get_text()[0].isalpha() or "gap" in text.get_text()]
    frame = ax.get_window_extent()
    boxes = sorted((text.get_window_extent() for text in names), key=lambda box: box.y0)
    assert {"training", "validation", "tuesday"} <= {text.get_text() for text in names}
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    assert all(low.y1 <= high.y0 for low, high in pairwise(boxes))
    assert "run tuesday from 1 to 0.3, its validation loss to 0.8" in alt_text(ax)
    assert ax.get_yscale() == ("log" if logarithmic else "linear")


def test_show_figure_when_there_is_one_value_then_it_is_told_in_words_and_no_file_is_made(
    tmp_path: Path,
) -> None:
    """A single step, and conversations of one length."""
    path = tmp_path / "one.png"

    for axes in (plot_losses(TRAINING[:1]), plot_turns([build_record("a", "b")])):
        shown = show_figure(axes, path)

        assert "<img" not in shown._repr_html_()
        assert repr(shown) in shown._repr_html_()
    assert not path.exists()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("groups", [2, 4, 20])
@pytest.mark.parametrize("right", [True, False])
def test_plot_slopes_when_groups_end_at_one_height_then_their_names_are_apart_and_inside(
    groups: int, right: bool
) -> None:
    """All at the top, or without any difference between the models."""
    labels = [f"label {n % groups:02}" for n in range(80)]
    records = [build_record(f"ticket {n}", label) for n, label in enumerate(labels)]
    answers = {"base": ["?"] * 80, "tuned": labels if right else ["?"] * 80}
    by_name = {name: build_replies(records, texts) for name, texts in answers.items()}
    ax = plot_slopes(compare(records, by_name, task="labels"))

    ax.figure.draw_without_rendering()

    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == min(groups, 14)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(ax.bbox.y0 <= box.y0 and box.y1 <= ax.bbox.y1 for box in boxes)
