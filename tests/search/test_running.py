"""A search on the sandbox: its jobs at AWS, its results on disk, what a second start does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from fakes import SOON

import haikuft.sandbox
from haikuft import customization
from haikuft.errors import AccessError, ConflictError
from haikuft.files import JsonLinesFile
from haikuft.inventory.deletion import delete_resources
from haikuft.runs.run_record import Run
from haikuft.sandbox.bedrock import quotas
from haikuft.search.running import find_trials, is_hopeless, run_trials
from haikuft.search.trials import Trial, build_trials

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]
CHOICES = {"epoch_count": ["1"]}


def search(run: Run, first: int = 4, **options: Any) -> list[Trial]:
    """Find and run the first of four trials; the last has another number of epochs."""
    trials = find_trials(run, build_trials(run, CHOICES)[:first])
    return run_trials(run, trials, waiting=SOON, **options)


def list_jobs(run: Run) -> list[Any]:
    """List the account's customization jobs, the newest first."""
    answer = run.connection.client("bedrock").list_model_customization_jobs()
    return list(answer["modelCustomizationJobSummaries"])


def test_search_when_run_then_each_trial_is_a_job_of_the_run_and_a_second_start_finds_it(
    new_run: NewRun, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the quota holds fewer unfinished jobs than there are trials; the file may be lost."""
    monkeypatch.setattr(quotas, "SCHEDULED_JOBS", 2)
    run, told = set_up(new_run()), list[str]()

    ended = search(run, tell=told.append, early_stop=False)

    jobs = {one["jobArn"]: one for one in list_jobs(run)}
    assert {one.job_arn for one in ended} == jobs.keys()
    assert [line[:17] for line in told] == [f"{number} of 4: Completed" for number in (1, 2, 3, 4)]
    for one in ended:
        assert jobs[one.job_arn]["jobName"] == f"haikuft-first-012345-s{one.key}-1"
        assert len(one.curve) <= one.hyperparameters["epoch_count"]
        assert one.loss == pytest.approx(min(loss for _, loss in one.curve), rel=1e-4)
    path = run.directory / "search" / "trials.jsonl"
    assert len(path.read_text().splitlines()) == 4

    assert {one.key: one for one in search(run)} == {one.key: one for one in ended}
    path.unlink()
    assert {one.key: one.loss for one in search(run)} == {one.key: one.loss for one in ended}
    assert len(list_jobs(run)) == 4


def test_search_when_it_was_interrupted_then_running_jobs_are_found(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The jobs continue without the search."""
    run = set_up(new_run(stick_stage="validation"))

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    trials = find_trials(run, build_trials(run, {})[:2])
    with pytest.raises(KeyboardInterrupt):
        run_trials(run, trials, waiting=replace(SOON, sleep=interrupt))
    assert [one["status"] for one in list_jobs(run)] == ["InProgress"] * 2

    haikuft.sandbox.configure(run.connection.endpoint, stick_stage="")
    assert {one.status for one in search(run, 2)} == {"Completed"}
    assert len(list_jobs(run)) == 2


def test_search_when_jobs_have_failed_then_the_next_start_starts_others(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The names end in the number of the attempt."""
    run = set_up(new_run(fail_stage="validation"))
    told: list[str] = []
    assert {one.status for one in search(run, 1, tell=told.append)} == {"Failed"}
    assert told[0].endswith("order 1. The job was made to fail.")

    haikuft.sandbox.configure(run.connection.endpoint, fail_stage="")
    ended = search(run, 1)

    assert {(one.status, one.attempt) for one in ended} == {("Completed", 2)}
    assert {one["jobName"][-2:] for one in list_jobs(run)} == {"-1", "-2"}


def test_search_when_the_target_tells_a_bad_loss_then_the_job_is_stopped(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Beside three trials that were better; a stopped trial is not started again."""
    run = set_up(new_run(stick_stage="training"))
    *others, bad = find_trials(run, build_trials(run, CHOICES))
    better = [
        replace(one, status="Completed", job_arn=f"arn:{one.seed}", curve=((1, 0.01),), loss=0.01)
        for one in others
    ]

    *_, stopped = run_trials(run, [*better, bad], waiting=SOON)

    assert (stopped.status, len(stopped.curve)) == ("Stopped", 1)
    assert stopped.loss == stopped.curve[0][1]
    assert [one["status"] for one in list_jobs(run)] == ["Stopped"]
    (found,) = find_trials(run, [bad])
    assert found == stopped


def test_search_when_another_is_at_work_then_nothing_is_started(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Two would pay for the same trials, were it not for the names."""
    run = set_up(new_run())
    with (
        JsonLinesFile(run.directory / "search" / "trials.jsonl", conflict="taken"),
        pytest.raises(ConflictError, match="another search of this run is at work"),
    ):
        search(run)
    assert list_jobs(run) == []


def test_search_when_the_quota_leaves_no_room_at_all_then_says_so(
    new_run: NewRun, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting would be for jobs of others, or for ever."""
    monkeypatch.setattr(quotas, "SCHEDULED_JOBS", 0)
    with pytest.raises(AccessError, match="limited to 0 scheduled customization jobs"):
        search(set_up(new_run()))


def test_notebook_3_when_the_run_has_a_search_then_its_jobs_are_not_resumed(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Unless the record names one, because its model was kept."""
    run = set_up(new_run())
    (one,) = search(run, 1)
    bedrock = run.connection.client("bedrock")

    planned = customization.plan_job(bedrock, run, {"epochCount": "5"})
    assert (planned.found, planned.request["jobName"]) == (None, "haikuft-first-012345-1")

    name = customization.get_job(bedrock, one.job_arn).name
    kept = replace(run, record=replace(run.record, job_name=name, job_arn=one.job_arn))
    found = customization.plan_job(bedrock, kept, {"epochCount": "5"}).found
    assert found is not None
    assert found.arn == one.job_arn


def test_clean_up_when_the_run_has_a_search_then_its_models_and_files_go(
    new_run: NewRun, set_up: SetUp
) -> None:
    """They carry the run's tags, as all else of the run."""
    run = set_up(new_run())
    search(run, 1)
    assert len(run.connection.client("bedrock").list_custom_models()["modelSummaries"]) == 1

    left = delete_resources(run, SOON)

    assert {one.kind for one in left if one.status != "gone"} == {"customization job"}
    assert run.connection.client("bedrock").list_custom_models()["modelSummaries"] == []


def build(*losses: float, share: float = 1.0) -> Trial:
    """Build a trial that has ended with these losses."""
    return Trial(
        "", False, "", {}, share, 1, 1.0, status="Completed", curve=tuple(enumerate(losses, 1))
    )


@pytest.mark.parametrize(
    ("losses", "hopeless"),
    [
        ([], False),
        ([0.9], False),
        ([1.1], True),
        ([1.1, 0.8], True),
        ([1.1, 0.65], False),
        ([float("nan")], True),
    ],
)
def test_hopeless_when_the_lowest_loss_is_above_the_median_at_that_epoch(
    losses: list[float], hopeless: bool
) -> None:
    """The medians of the others' lowest losses are 1.0 and 0.7."""
    ended = [build(0.9, 0.6), build(1.0, 0.7), build(1.2, 1.0)]
    assert is_hopeless(tuple(enumerate(losses, 1)), ended) is hopeless


def test_hopeless_when_there_is_little_to_compare_with_then_never() -> None:
    """Two trials have no median worth the name, and a part of the data learns less."""
    few = [build(0.1), build(0.1), build(0.1, share=0.5)]
    assert not is_hopeless(((1, 9.0),), few)
