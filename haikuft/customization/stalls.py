"""A job that takes longer than such jobs do: said once it is past, and again at each doubling.

Jobs of Amazon Nova have stayed InProgress in us-east-1 with their training not begun for 25 hours,
25 hours and 74 hours, until they were stopped by hand; none was billed. Source: the incident log in
MAOFILHO/Portfolio-Projects on GitHub, August 2026; one account, so evidence and no rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from haikuft.base_models import BaseModel, JobTime
from haikuft.customization.readings import RUNNING, CustomizationJob
from haikuft.waiting import name_span

OTHERWISE = (
    "To give it up instead, call `customization.stop_job(bedrock, job_arn)` and run notebook 3 "
    "with new_job = True: the data in S3 is kept, and the tokens trained so far are billed."
)


@dataclass(slots=True)
class StallWatch:
    """Warns of a job that is past its time.

    Attributes:
        expected: How long such a job takes; None never warns.
        warn: Is given the sentence.
        past: After how many seconds the next warning is due; each doubles it.
    """

    expected: JobTime | None
    warn: Callable[[str], None]
    past: float = field(init=False)

    def __post_init__(self) -> None:
        self.past = self.expected.seconds if self.expected else float("inf")

    def look(self, job: CustomizationJob, now: datetime) -> None:
        """Warn if the job still runs and is past its time."""
        elapsed = job.elapsed(now)
        if self.expected is None or job.status not in RUNNING or elapsed <= self.past:
            return
        while self.past < elapsed:
            self.past *= 2
        self.warn(describe_stall(job, now, self.expected))


def expect_time(base_model: BaseModel, given_seconds: float = 0.0) -> JobTime | None:
    """Say how long a job takes: as given, else as documented for its model; None for neither."""
    if given_seconds:
        return JobTime(given_seconds, name_span(given_seconds), "as given")
    return base_model.job_time


def describe_stall(job: CustomizationJob, now: datetime, expected: JobTime) -> str:
    """Say that a job is past its time, where it stands, and what can be done."""
    stages = ", ".join(f"{stage.name} {stage.status}" for stage in job.stages)
    return (
        f"Customization job {job.name} has been {job.status} for {name_span(job.elapsed(now))}"
        f"{f' ({stages})' if stages else ''}, longer than expected: {expected.of} "
        f"({expected.source}). More data or a queue at AWS takes longer; but jobs have also "
        f"stalled for days, unbilled. The wait goes on. {OTHERWISE}"
    )
