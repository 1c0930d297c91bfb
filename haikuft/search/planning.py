"""What a search costs and how long it takes, before its first job, and its ceilings."""

import math
from collections.abc import Sequence
from itertools import accumulate

from haikuft.aws.waiting import name_span
from haikuft.base_models import JobTime
from haikuft.customization import expect_time
from haikuft.dataset import estimate_total_tokens, read_records
from haikuft.dataset.problems import count
from haikuft.errors import SettingsError
from haikuft.pricing.estimates import Estimate, estimate_training
from haikuft.pricing.table import Price, take_price
from haikuft.runs.run_record import Run
from haikuft.search.trials import Trial

AT_ONCE = 2  # jobs that AWS ran at once (hashicorp/terraform-provider-aws#37990); the sandbox too
SANDBOX_TIME = JobTime(2.5, "338 short records, 5 epochs, stage_seconds=0.5", "two idle cores")


def plan_search(
    run: Run, trials: Sequence[Trial], price: Price, *, max_jobs: int, max_dollars: float
) -> tuple[list[Trial], str]:
    """Plan which jobs are started within both ceilings; return them, and the plan in a sentence.

    Args:
        run: Has data.
        trials: From `find_trials`. Those that have a job stay; of the others those before the first
            that is beyond a ceiling.
        price: Of training.
        max_jobs: The most jobs, those that have failed among them.
        max_dollars: The most US dollars for them, by the high estimate.

    Raises:
        SettingsError: the target bills, and no price is known.
    """
    if price.amount is None and run.connection.bills:
        raise SettingsError(f"max_dollars = {max_dollars} needs a price: set training_price.")
    tokens = estimate_total_tokens(read_records(run.data / "train.jsonl"))

    def estimate(passes: float) -> Estimate:
        return estimate_training(tokens, passes, price.amount or 0.0, as_of=price.as_of)

    jobs = accumulate(one.attempt for one in trials)
    passes = accumulate(one.attempt * one.passes for one in trials)
    kept = [
        one
        for one, number, total in zip(trials, jobs, passes, strict=True)
        if one.status or (number <= max_jobs and (estimate(total).high or 0.0) <= max_dollars)
    ]
    new = [one for one in kept if not one.status]
    expected = SANDBOX_TIME if run.connection.tells_progress else expect_time(run.base_model)
    time = "How long they take is not known: no source says it of this base model."
    if expected is not None:
        span = name_span(math.ceil(len(new) / AT_ONCE) * expected.seconds)
        time = f"About {span}, {AT_ONCE} at once; each: {expected.of} ({expected.source})."
    sentence = (
        f"Trials: {len(trials)}; with a job already: {len(kept) - len(new)}; beyond the "
        f"ceilings of {count(max_jobs, 'job')} and US${max_dollars:,.2f} for the whole search: "
        f"{len(trials) - len(kept)}; jobs to be started: {len(new)}."
    )
    if new:
        sentence += (
            f" {estimate(sum(one.passes for one in new))} {time} On AWS, each custom model that "
            f"they leave bills {take_price('storage')} until it is deleted."
        )
    return kept, sentence
