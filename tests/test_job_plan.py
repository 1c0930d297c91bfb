"""Which job notebook 3 resumes: the one of the record, or a new one."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fakes import SOON

from haikuft import customization
from haikuft.customization.jobs import wait_for_job
from haikuft.customization.models import delete_custom_model
from haikuft.customization.plan import JobPlan, plan_job
from haikuft.errors import ConflictError, JobFailedError, SettingsError
from haikuft.runs.run_record import Run

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]
ASKED = {"epochCount": "1", "batchSize": "8"}


def plan(run: Run, asked: dict[str, str] = ASKED, *, new_job: bool = False) -> JobPlan:
    """Plan as notebook 3 does."""
    return plan_job(run.connection.client("bedrock"), run, asked, new_job=new_job)


def start(run: Run) -> Run:
    """Start the planned job and write it down."""
    planned = plan(run)
    arn = customization.start_job(run.connection.client("bedrock"), planned.request)
    return replace(run, record=replace(run.record, **{**planned.changes, "job_arn": arn}))


def finish(run: Run) -> Run:
    """Wait for the job and write its model down."""
    job = wait_for_job(run.connection.client("bedrock"), run.record.job_arn, SOON)
    return replace(run, record=replace(run.record, custom_model_arn=job.custom_model_arn or ""))


def test_plan_job_when_the_run_has_none_plans_a_new_one(new_run: NewRun, set_up: SetUp) -> None:
    """Names carry run, owner and attempt; the record must know them before the job starts."""
    planned = plan(set_up(new_run()))
    assert planned.found is None
    assert planned.request["jobName"] == "haikuft-first-012345-1"
    assert planned.changes["job_name"] == planned.request["jobName"]
    assert planned.request["hyperParameters"] == ASKED
    assert "AWS knows none of this run" in planned.sentence
    assert planned.changes["job_attempt"] == 1


def test_plan_job_when_one_runs_resumes_it(new_run: NewRun, set_up: SetUp) -> None:
    """Also when the kernel died before the ARN was written down: the name is enough."""
    run = start(set_up(new_run(stage_seconds=30)))
    assert plan(run).found is not None
    only_named = replace(run, record=replace(run.record, job_arn=""))
    found = plan(only_named).found
    assert found is not None
    assert found.arn == run.record.job_arn


def test_plan_job_when_one_has_completed_resumes_it(new_run: NewRun, set_up: SetUp) -> None:
    """Nothing is started, and nothing in the record changes."""
    planned = plan(finish(start(set_up(new_run()))))
    assert planned.found is not None
    assert planned.changes["job_arn"] == planned.found.arn
    assert "nothing is started" in planned.sentence


def test_plan_job_when_other_hyperparameters_are_asked_stops(
    new_run: NewRun, set_up: SetUp
) -> None:
    """A second job costs money, so it takes a word more."""
    run = finish(start(set_up(new_run())))
    with pytest.raises(SettingsError, match=r"epochCount 1 \(asked: 3\).*new_job = True"):
        plan(run, {**ASKED, "epochCount": "3"})
    assert plan(run, {**ASKED, "epochCount": "3"}, new_job=True).found is None


def test_plan_job_when_the_model_is_gone_plans_a_new_one(new_run: NewRun, set_up: SetUp) -> None:
    """After a clean-up the job is still listed, and of no more use."""
    run = finish(start(set_up(new_run())))
    delete_custom_model(run.connection.client("bedrock"), run.record.custom_model_arn)
    planned = plan(run)
    assert planned.found is None
    assert "is gone" in planned.sentence


def test_plan_job_when_the_job_was_stopped_plans_a_new_one(new_run: NewRun, set_up: SetUp) -> None:
    """A stopped job leaves no model."""
    run = start(set_up(new_run(stage_seconds=0.2)))
    bedrock = run.connection.client("bedrock")
    customization.stop_job(bedrock, run.record.job_arn)
    with pytest.raises(JobFailedError):
        wait_for_job(bedrock, run.record.job_arn, SOON)
    assert "is Stopped" in plan(run).sentence


def test_start_job_when_its_name_is_taken_is_a_conflict_that_says_what_to_do(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Bedrock refuses it as a matter of validation; for us it is a name that somebody has."""
    run = set_up(new_run())
    request = plan(run).request
    bedrock = run.connection.client("bedrock")
    wait_for_job(bedrock, customization.start_job(bedrock, request), SOON)
    again = {**request, "clientRequestToken": "another"}
    with pytest.raises(ConflictError, match="run notebook 3 again"):
        customization.start_job(bedrock, again)


def test_plan_job_when_the_record_is_lost_then_the_job_is_found_by_the_owner_id(
    new_run: NewRun, set_up: SetUp
) -> None:
    """While it runs, and when it has made a model."""
    run = set_up(new_run())
    job = finish(start(run)).record
    found = plan(run).found
    assert found is not None
    assert (found.arn, found.custom_model_arn) == (job.job_arn, job.custom_model_arn)


def test_plan_job_when_two_plan_before_either_starts_then_one_job_is_started(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The same request carries the same token; another one meets the same name."""
    run = set_up(new_run(stage_seconds=30))
    bedrock = run.connection.client("bedrock")
    plans = [plan(run), plan(run), plan(run, {**ASKED, "epochCount": "2"})]
    arns = {customization.start_job(bedrock, one.request) for one in plans[:2]}
    assert len(arns) == 1
    with pytest.raises(ConflictError, match="finds it"):
        customization.start_job(bedrock, plans[2].request)
    assert len(bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1


def test_plan_job_when_a_new_one_is_asked_for_while_one_runs_then_refuses(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Two at once would be paid for twice."""
    run = start(set_up(new_run(stage_seconds=30)))
    with pytest.raises(ConflictError, match="so no other is started"):
        plan(run, new_job=True)


def test_plan_job_when_the_answer_was_lost_then_the_same_attempt_is_asked_for_again(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The number rises only after AWS has shown a job of that number, and it has ended."""
    run = set_up(new_run())
    first = plan(run)
    unanswered = replace(run, record=replace(run.record, **first.changes))
    assert plan(unanswered).request == first.request
    ended = finish(start(unanswered))
    again = plan(ended, new_job=True)
    assert again.changes["job_attempt"] == 2
    assert again.request["clientRequestToken"] != first.request["clientRequestToken"]
