"""The series on a sandbox that answers as AWS does now: Claude 3 Haiku is past its end of life."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import nbformat

import haikuft.sandbox
from haikuft.base_models import list_tunable

Holdings = Callable[[], dict[str, list[str]]]


def test_run_when_lifecycle_is_today_stops_in_notebook_1_and_names_what_can_be_tuned(
    project: Any, holdings: Holdings, capsys: Any
) -> None:
    """The preflight stops before anything is made, says why, and names every model left."""
    haikuft.sandbox.configure(project.endpoint, lifecycle="today")
    assert project.run("--run", "today") == 1
    told = capsys.readouterr().err
    assert "The preflight stops here." in told
    assert "Claude 3 Haiku reached its end of life on Amazon Bedrock on 2026-09-10" in told
    for model in list_tunable(datetime.now(UTC).date()):
        assert f"{model.name}, base_model_id {model.id}, in {model.region}" in told
    assert holdings() == {name: [] for name in holdings()}
    (executed,) = (project.root / "runs" / "today" / "notebooks").glob("*.ipynb")
    shown = nbformat.writes(nbformat.read(executed, as_version=4))
    assert "Amazon Nova Micro, base_model_id amazon.nova-micro-v1:0:128k" in shown
