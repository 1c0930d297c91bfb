"""Runs of which something is under way, and a front end that answers a real kernel."""

from collections.abc import Callable
from typing import Any

import pytest

from haikuft import customization, s3
from haikuft.customization.request import build_job_request
from haikuft.runs.run_record import Run


@pytest.fixture
def start_job(set_up: Callable[[Run], Run]) -> Callable[..., tuple[Run, str]]:
    """`start_job(run)` sets the run up and starts a small job; gives the run and the job's ARN."""

    def start(run: Run, **hyperparameters: str) -> tuple[Run, str]:
        run = set_up(run)
        request: dict[str, Any] = build_job_request(
            job_name="haikuft-first-1",
            custom_model_name="haikuft-first-1",
            role_arn=run.record.role_arn,
            base_model_id=run.record.base_model_id,
            training_uri=run.record.training_uri,
            validation_uri=run.record.validation_uri,
            output_uri=s3.join_uri(run.record.bucket, s3.output_prefix("haikuft-first-1")),
            hyperparameters={"epochCount": "1", "batchSize": "4", **hyperparameters},
            tags=run.tags,
        )
        return run, customization.start_job(run.connection.client("bedrock"), request)

    return start
