"""The price and the time of a search, and its ceilings, before any job."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from haikuft.dataset import estimate_total_tokens, read_records
from haikuft.errors import SettingsError
from haikuft.pricing import estimate_training, take_price
from haikuft.pricing.table import Price
from haikuft.runs.run_record import Run
from haikuft.search.planning import plan_search
from haikuft.search.trials import Trial, build_trials

NewRun = Callable[..., Run]
SetUp = Callable[[Run], Run]
CHOICES = {"epoch_count": ["1", "2"]}  # five trials: 15 + 3 passes


def price(run: Run, amount: float) -> Price:
    """Give a price per 1,000 tokens."""
    return take_price("training", run.base_model.id, amount, "2026-11-29")


def plan(
    run: Run, trials: list[Trial], *, amount: float = 1.0, jobs: int = 99, dollars: float = 1e9
) -> tuple[list[Trial], str]:
    """Plan them."""
    return plan_search(run, trials, price(run, amount), max_jobs=jobs, max_dollars=dollars)


def test_plan_when_nothing_is_begun_then_all_jobs_have_one_price_and_one_time(
    new_run: NewRun, set_up: SetUp
) -> None:
    """In one sentence, with the formula."""
    run = set_up(new_run())
    trials = build_trials(run, CHOICES)

    kept, sentence = plan(run, trials)

    assert kept == trials
    assert "jobs to be started: 5" in sentence
    assert "× 18 epochs × US$1.00 per 1,000 tokens" in sentence
    assert "About 8 seconds, 2 at once" in sentence
    assert "US$1.95 per custom model and month" in sentence


def test_plan_when_a_ceiling_is_set_then_trials_beyond_it_are_left_out(
    new_run: NewRun, set_up: SetUp
) -> None:
    """The last ones first; jobs that failed count, and a job that there is stays."""
    run = set_up(new_run())
    trials = build_trials(run, CHOICES)
    assert plan(run, trials, jobs=4)[0] == trials[:4]
    again = [replace(trials[0], attempt=3), *trials[1:]]
    assert plan(run, again, jobs=4)[0] == again[:2]
    going = [*trials[:4], replace(trials[4], status="InProgress")]
    assert plan(run, going, jobs=2)[0] == [*going[:2], going[4]]


def test_plan_when_jobs_exist_already_then_the_ceilings_are_not_said_to_hold_them(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Three of five were finished under an earlier ceiling; one job is no plural."""
    run = set_up(new_run())
    trials = build_trials(run, CHOICES)
    over = [replace(one, status="Completed") for one in trials[:3]]

    assert plan(run, [*over, *trials[3:]], jobs=1, dollars=50)[1] == (
        "Trials: 5; with a job already: 3; beyond the ceilings of 1 job and US$50.00 for the whole "
        "search: 2; jobs to be started: 0."
    )


def test_plan_when_the_ceiling_is_in_dollars_then_the_high_estimate_counts(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Costs follow the passes: 5, 5, 5, 1 and 2."""
    run = set_up(new_run())
    trials = build_trials(run, CHOICES)
    tokens = estimate_total_tokens(read_records(run.data / "train.jsonl"))
    high = estimate_training(tokens, 16, 1.0).high or 0.0

    assert plan(run, trials, dollars=high)[0] == trials[:4]
    assert plan(run, trials, dollars=0.99 * high)[0] == trials[:3]
    assert plan(run, trials, dollars=0)[0] == []


def test_plan_when_all_is_over_then_it_speaks_of_no_price(new_run: NewRun, set_up: SetUp) -> None:
    """Nothing is to be paid."""
    run = set_up(new_run())
    over = [replace(one, status="Completed") for one in build_trials(run, CHOICES)]
    assert plan(run, over)[1].endswith("jobs to be started: 0.")


def test_plan_when_the_target_bills_and_no_price_is_known_then_a_ceiling_cannot_hold(
    new_run: NewRun, set_up: SetUp
) -> None:
    """On the sandbox it can: nothing is billed."""
    run = set_up(new_run())
    trials = build_trials(run, CHOICES)
    assert "Cost unknown" in plan(run, trials, amount=0)[1]
    bills = replace(run, connection=replace(run.connection, bills=True))

    with pytest.raises(SettingsError, match="set training_price"):
        plan(bills, trials, amount=0)


def test_plan_when_on_aws_and_no_source_says_how_long_then_it_says_so(
    new_run: NewRun, set_up: SetUp
) -> None:
    """Nothing is known of Claude's jobs."""
    run = set_up(new_run())
    on_aws = replace(run, connection=replace(run.connection, target="aws"))
    assert "How long they take is not known" in plan(on_aws, build_trials(run, CHOICES))[1]
