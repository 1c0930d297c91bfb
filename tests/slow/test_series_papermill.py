"""The series by the plain `papermill` command, one process a notebook, on Nova 2 Lite."""

import json
import subprocess
import sys
from pathlib import Path

from notebooks.conftest import holdings, project  # noqa: F401 - fixtures

from haikuft.base_models import NOVA_2_LITE

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
RUN = "plain"


def test_series_when_run_by_papermill_alone_then_goes_from_1_to_7_and_leaves_nothing(
    project,  # noqa: F811
    holdings,  # noqa: F811
):
    """No command of ours is in between; each notebook finds what the one before it has made.

    The model takes no validation data: two files, and a training curve alone.
    """
    quick = {"epoch_count": "1", "max_records": "8", "delete": "True"}
    taken = {"03": ["epoch_count"], "06": ["max_records"], "07": ["delete"]}
    for notebook in NOTEBOOKS:
        executed = project.root / f"{notebook.stem}.executed.ipynb"
        words = [sys.executable, "-m", "papermill", f"notebooks/{notebook.name}", str(executed)]
        words += ["-p", "base_model_id", NOVA_2_LITE.id]
        words += ["--cwd", "notebooks", "-k", "python3", "--no-progress-bar", "-p", "run", RUN]
        for name in taken.get(notebook.stem[:2], []):
            words += ["-p", name, quick[name]]
        done = subprocess.run(words, cwd=project.root, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    folder, record = project.root / "runs" / RUN, project.record(RUN)
    assert record.custom_model_name == record.job_name
    assert (record.validation_uri, record.validation_records) == ("", 0)
    assert json.loads((folder / "assessment.json").read_text())["verdict"] == "unknown"
    assert not list((folder / "metrics").glob("validation*"))
    assert json.loads((folder / "evaluation.json").read_text())["n"] == 8
    left = holdings(NOVA_2_LITE.region)
    assert left.pop("jobs") == [record.job_arn]
    assert left == {name: [] for name in left}
