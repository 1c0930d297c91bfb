"""Runs of which something is under way, and a front end that answers a real kernel."""

from collections.abc import Callable

import pytest

from haikuft import customization
from haikuft.customization.plan import build_job_request
from haikuft.runs.run_record import Run


@pytest.fixture
def start_job(set_up: Callable[[Run], Run]) -> Callable[..., tuple[Run, str]]:
    """`start_job(run)` sets the run up and starts a small job; gives the run and the job's ARN."""

    def start(run: Run, **hyperparameters: str) -> tuple[Run, str]:
        run = set_up(run)
        asked = {"epochCount": "1", "batchSize": "4", **hyperparameters}
        request = build_job_request(run, "haikuft-first-1", asked)
        return run, customization.start_job(run.connection.client("bedrock"), request)

    return start
