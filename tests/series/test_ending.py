"""The lines at the end of a run."""

from collections.abc import Callable
from pathlib import Path

from haikuft.series.ending import summary_lines
from haikuft.series.planning import Notebook, Step


def write_summary(directory: Path, notebooks: tuple[int, ...]) -> list[str]:
    """Give the last lines of a run in which these notebooks were executed."""
    done = [Step(Notebook(number, Path(), {}), {}) for number in notebooks]
    return summary_lines(directory, None, done, seconds=75.0)


def test_summary_when_evaluated_then_base_and_tuned_stand_with_count_and_interval(
    tmp_path: Path, evaluate: Callable[[Path], None]
) -> None:
    """A score without its count says nothing."""
    evaluate(tmp_path)

    text = "\n".join(write_summary(tmp_path, (5, 6)))

    assert f'Done: 2 notebooks of run "{tmp_path.name}" in 1 min 15 s.' in text
    assert "Scores on 40 test records:" in text
    assert "  base: " in text
    assert " 0.500 (95 % interval 0." in text
    assert "  tuned: " in text
    assert " 1.000 (95 % interval 0.912 to 1.000)" in text
    assert "uned is better than base on 40 records" in text


def test_summary_when_not_evaluated_this_time_then_older_scores_are_not_shown(
    tmp_path: Path, evaluate: Callable[[Path], None]
) -> None:
    """They belong to an earlier model."""
    evaluate(tmp_path)

    assert "Scores" not in "\n".join(write_summary(tmp_path, (1, 2, 3)))


def test_summary_when_called_then_the_report_is_written(tmp_path: Path) -> None:
    """Whatever there is to report."""
    lines = write_summary(tmp_path, (1,))

    assert lines[-1] == f"Report     {tmp_path / 'report.html'}"
    assert (tmp_path / "report.html").exists()
