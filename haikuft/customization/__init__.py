"""Model customization jobs and the custom models they make: build, start, get, wait, delete.

Sources: Bedrock API; Bedrock User Guide, "Fine-tune a model" and its troubleshooting.
"""

from haikuft.customization.failures import explain_failure
from haikuft.customization.jobs import (
    check_ended_well,
    find_job,
    get_job,
    start_job,
    stop_job,
    wait_for_job,
)
from haikuft.customization.models import (
    CustomModel,
    delete_custom_model,
    find_custom_model,
    get_custom_model,
)
from haikuft.customization.plan import JobPlan, plan_job
from haikuft.customization.readings import FINAL, RUNNING, CustomizationJob, Stage, describe_job
from haikuft.customization.request import build_job_request
from haikuft.customization.stalls import expect_time

__all__ = [
    "FINAL",
    "RUNNING",
    "CustomModel",
    "CustomizationJob",
    "JobPlan",
    "Stage",
    "build_job_request",
    "check_ended_well",
    "delete_custom_model",
    "describe_job",
    "expect_time",
    "explain_failure",
    "find_custom_model",
    "find_job",
    "get_custom_model",
    "get_job",
    "plan_job",
    "start_job",
    "stop_job",
    "wait_for_job",
]
