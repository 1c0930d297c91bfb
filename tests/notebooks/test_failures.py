"""The workshop's ten failures, executed without a browser: each is met, fixed, and put back."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from haikuft import sandbox
from haikuft.base_models import NOVA_MICRO
from haikuft.errors import RunFailedError
from haikuft.series.execution.headless import execute_notebook

RUN = "failures"
MET = {  # number of the failure -> the error that is shown, and words of its message
    1: ("JobFailedError", "not allowed s3:GetObject"),
    2: ("SettingsError", "The provided model identifier is invalid"),
    3: ("JobFailedError", "must conform to JSONL format"),
    4: ("JobFailedError", '"User:", which is reserved'),
    5: ("AccessError", "does not currently have any no commitment model units"),
    6: ("HaikuftError", "ThrottlingException"),
    7: ("WaitTimeoutError", "continues. It was waited for as long as allowed"),
    8: ("", "it diverged"),
    9: ("", "overfitting"),
    10: ("ConflictError", "is still in use"),
}
Holdings = Callable[..., dict[str, list[str]]]


def execute(project: Any, **values: Any) -> Path:
    """Execute the notebook in the project's copy and give the executed copy."""
    executed = project.root / "runs" / RUN / "notebooks" / "failures.ipynb"
    source = project.root / "notebooks" / "workshop" / "failures.ipynb"
    execute_notebook(source, executed, values)
    return executed


def read_outputs(path: Path) -> Mapping[int, str]:
    """Give what the cells of each failure have shown as text, by its number."""
    texts: dict[int, str] = {}
    number = 0
    for cell in nbformat.read(path, 4).cells:
        if heading := re.match(r"## (\d+) · ", cell.source):
            number = int(heading[1])
        for output in cell.get("outputs", []):
            shown = output.get("text") or output.get("data", {}).get("text/plain", "")
            texts[number] = f"{texts.get(number, '')}\n{shown}"
    return texts


def test_failures_when_the_target_is_aws_then_the_first_cell_refuses(project: Any) -> None:
    """Nothing is made, and no account is asked."""
    with pytest.raises(RunFailedError, match='with target = "sandbox" only'):
        execute(project, target="aws")
    assert not (project.root / "runs" / RUN / "run.json").exists()


def test_failures_when_executed_then_each_is_met_and_fixed_and_nothing_is_left(
    project: Any, holdings: Holdings
) -> None:
    """Jobs tell what has happened; settings are as before, and nothing bills."""
    before = sandbox.configure(project.endpoint, model_units_quota=3, idle_seconds=1800)

    shown = read_outputs(execute(project))

    assert set(shown) - {0} == set(MET)
    for number, (error, words) in MET.items():
        assert error in shown[number]
        assert words in shown[number]
    bedrock = project.client("bedrock", NOVA_MICRO.region)
    listed = bedrock.list_model_customization_jobs(sortOrder="Ascending")
    jobs = [
        bedrock.get_model_customization_job(jobIdentifier=one["jobArn"])
        for one in listed["modelCustomizationJobSummaries"]
    ]
    failed = [job["failureMessage"] for job in jobs if job["status"] == "Failed"]
    for number, message in zip((1, 3, 4), failed, strict=True):
        assert MET[number][1] in message
    assert Counter(job["status"] for job in jobs) == {"Failed": 3, "Stopped": 1, "Completed": 9}
    assert jobs[-1]["status"] == "Completed"
    assert "10 replies to 10 questions" in shown[6]
    for number in (8, 9):
        assert shown[number].rstrip().endswith("More epochs may help.'")
    left = holdings(NOVA_MICRO.region)
    assert len(left.pop("jobs")) == len(jobs)
    assert left == {name: [] for name in left}
    assert sandbox.read_settings(project.endpoint) == before
    assert not (project.root / "runs" / RUN / "sandbox_settings.json").exists()
