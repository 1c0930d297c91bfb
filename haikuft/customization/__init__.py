"""Model customization jobs and the custom models they create: plan, start, wait, find, delete.

Sources: Bedrock API; Bedrock User Guide, "Fine-tune a model" and its troubleshooting.
"""

from haikuft.customization.jobs import get_job, start_job, stop_job
from haikuft.customization.plan import plan_job
from haikuft.customization.stalls import expect_time

__all__ = ["expect_time", "get_job", "plan_job", "start_job", "stop_job"]
