"""Model customization jobs and the custom models they create: plan, start, wait, find, delete.

Sources: Bedrock API; Bedrock User Guide, "Fine-tune a model" and its troubleshooting.
"""

from haikuft.customization.jobs import (
    check_ended_well,
    find_job,
    get_job,
    start_job,
    stop_job,
    wait_for_job,
)
from haikuft.customization.models import delete_custom_model, find_custom_model
from haikuft.customization.plan import plan_job
from haikuft.customization.readings import FINAL, RUNNING, CustomizationJob, describe_job
from haikuft.customization.request import build_job_request
from haikuft.customization.stalls import expect_time

__all__ = [
    "FINAL",
    "RUNNING",
    "CustomizationJob",
    "build_job_request",
    "check_ended_well",
    "delete_custom_model",
    "describe_job",
    "expect_time",
    "find_custom_model",
    "find_job",
    "get_job",
    "plan_job",
    "start_job",
    "stop_job",
    "wait_for_job",
]
