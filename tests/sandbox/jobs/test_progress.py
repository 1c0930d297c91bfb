"""The progress of a training, at the sandbox's own path."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import SandboxError
from haikuft.runs.run_record import Run
from haikuft.sandbox import read_progress
from haikuft.sandbox.jobs.customization_runner import read_progress as read_file

CURVES = {"curve": [[1, 2.0], [3, 1.5]], "validations": [[1, 1.75]]}
NOW = {"step": 3, "steps": 9, "epoch": 1, "training_loss": 1.5, **CURVES}


def write(state: Path, job_id: str, text: str) -> Path:
    """Write progress as a job's child does; its directory's name ends at random."""
    directory = state / "models" / f".job-{job_id}-x1y2"
    directory.mkdir(parents=True)
    (directory / "progress.json").write_text(text, encoding="utf-8")
    return directory


def test_progress_when_a_job_trains_then_anyone_who_knows_its_id_can_read_it(
    local_sandbox: Callable[..., Any],
) -> None:
    """As the child wrote it."""
    local = local_sandbox()
    write(local.application.state, "abc123", json.dumps(NOW))
    write(local.application.state, "abc1234", json.dumps({**NOW, "step": 4}))

    assert read_progress(local.url, "abc123") == NOW


@pytest.mark.parametrize("job_id", ["abc123", "unknown"])
def test_progress_when_nothing_trains_then_it_is_empty(
    local_sandbox: Callable[..., Any], job_id: str
) -> None:
    """Before the training, after the job's end, and for a job that never was."""
    local = local_sandbox()
    (local.application.state / "models" / ".job-abc123-x").mkdir(parents=True)

    assert read_progress(local.url, job_id) == {}


@pytest.mark.parametrize("job_id", ["..%2F..", "*", "../../etc", "A"])
def test_progress_when_the_id_could_lead_elsewhere_then_there_is_no_such_address(
    local_sandbox: Callable[..., Any], job_id: str
) -> None:
    """An id is small letters and digits, and no path."""
    with pytest.raises(SandboxError, match="has no GET"):
        read_progress(local_sandbox().url, job_id)


def test_progress_when_the_job_ends_while_it_is_read_then_it_is_empty(tmp_path: Path) -> None:
    """Its directory goes with it; a link that leads nowhere is just that moment."""
    write(tmp_path, "abc", "{}").joinpath("progress.json").unlink()
    (tmp_path / "models" / ".job-abc-x1y2" / "progress.json").symlink_to(tmp_path / "gone")

    assert read_file(tmp_path / "models", "abc") == {}


def test_connection_when_asked_for_progress_then_aws_tells_none(
    new_run: Callable[..., Run],
) -> None:
    """Only the sandbox has such an address, and nothing is asked of AWS for it."""
    connection = new_run().connection
    job = "arn:aws:bedrock:us-west-2:123456789012:model-customization-job/base.model/abc"

    assert (connection.tells_progress, connection.read_progress(job)) == (True, {})
    aws = replace(connection, target="aws", endpoint="http://127.0.0.1:9")
    assert (aws.tells_progress, aws.read_progress(job)) == (False, {})
