"""Warn of a job that takes longer than expected, and again each time it has taken twice as long.

Jobs of Amazon Nova have stayed InProgress in us-east-1 with their training not begun for 25 hours,
25 hours and 74 hours, until somebody stopped them; none was billed. Source: the incident log in
MAOFILHO/Portfolio-Projects on GitHub, August 2026; one account, so this is evidence, not a rule.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from haikuft.aws.waiting import name_span
from haikuft.base_models import BaseModel, JobTime
from haikuft.customization.readings import RUNNING, CustomizationJob

OTHERWISE = (
    "To stop the job instead, call `customization.stop_job(bedrock, job_arn)` and run notebook 3 "
    "with new_job = True: the data in S3 is kept; on AWS the tokens trained so far are billed."
)


@dataclass(slots=True)
class StallWatch:
    """Warns of a job that takes longer than expected.

    Attributes:
        expected: How long such a job takes; None never warns.
        warn: Is given each warning, a sentence.
        due: After how many seconds the next warning is due, if later than expected; each warning
            doubles it.
    """

    expected: JobTime | None
    warn: Callable[[str], None]
    due: float = 0.0

    def check(self, job: CustomizationJob, now: datetime) -> None:
        """Warn if the job still runs and the next warning is due."""
        if self.expected is None or job.status not in RUNNING:
            return
        elapsed, due = job.elapsed(now), max(self.due, self.expected.seconds)
        if elapsed > due:
            self.warn(describe_stall(job, now, self.expected))
        while due < elapsed:
            due *= 2
        self.due = due


def expect_time(base_model: BaseModel, given_seconds: float = 0.0) -> JobTime | None:
    """Say how long a job takes: as given, else as documented for its model; None for neither."""
    if given_seconds:
        return JobTime(given_seconds, name_span(given_seconds), "as given")
    return base_model.job_time


def describe_stall(job: CustomizationJob, now: datetime, expected: JobTime) -> str:
    """Say that a job takes longer than expected, in which stages it is, and what can be done."""
    stages = ", ".join(f"{stage.name} {stage.status}" for stage in job.stages)
    return (
        f"Customization job {job.name} has been {job.status} for {name_span(job.elapsed(now))}"
        f"{f' ({stages})' if stages else ''}, longer than expected: {expected.of} "
        f"({expected.source}). More data or a queue at AWS takes longer; but jobs have also "
        f"stalled for days, unbilled. The wait continues. {OTHERWISE}"
    )
