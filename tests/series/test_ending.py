"""The lines at the end of a run."""

import json
import os
from collections.abc import Callable
from pathlib import Path

from haikuft.inventory.deletion import READ_BACK_FILE
from haikuft.runs.record_file import RunRecord
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


def test_summary_when_deleted_then_only_what_was_read_back_as_gone_is_called_deleted(
    tmp_path: Path,
) -> None:
    """An older list says nothing of this run."""
    record = RunRecord("a", "sandbox", bucket="our-bucket", job_name="our-job")
    done = [Step(Notebook(7, Path(), {}), {"delete": True})]
    rows = [
        {"kind": "S3 bucket", "name": "our-bucket", "arn": "", "status": "gone"},
        {"kind": "customization job", "name": "j", "arn": "", "status": "Done"},
    ]
    path = tmp_path / READ_BACK_FILE
    path.write_text(json.dumps(rows))

    fresh = summary_lines(tmp_path, record, done, seconds=75.0)
    os.utime(path, (0, 0))
    stale = summary_lines(tmp_path, record, done, seconds=75.0)

    assert fresh[1:3] == ["Made, and deleted again:", "  S3 bucket our-bucket"]
    assert fresh[3:5] == ["Made, and still there:", "  customization job j: Done"]
    assert stale[1] == "Made; whether it is gone was not read back:"
