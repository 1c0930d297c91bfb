"""One trial of ownership and money: how it is carried out with real processes, and judged.

It begins with a prepared state, does something, and must end so: nothing bought twice, nothing of
others touched, the last lines true.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from acts_paid import Act
from bench import Bench
from calls import PAID_CALLS
from last_lines import Thing
from states import open_state, prepare


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial.

    Attributes:
        name: What is done, in words.
        kind: Its kind; the quick ring has one of each.
        begins: The prepared state.
        act: What is done.
        job: How many jobs are bought, all in all.
        throughput: How many throughputs.
        deployment: How many deployments.
        at_most: Whether fewer are right, too.
        quick: Whether it belongs to the quick ring.
    """

    name: str
    kind: str
    begins: str
    act: Act
    job: int = 0
    throughput: int = 0
    deployment: int = 0
    at_most: bool = False
    quick: bool = False


@dataclass(slots=True)
class Result:
    """What came of a trial; each list of faults is empty where it is as it must be."""

    bought: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    bought_wrong: list[str] = field(default_factory=list)
    touched: list[str] = field(default_factory=list)
    untruths: list[str] = field(default_factory=list)
    told: int = 0

    @property
    def wrong(self) -> list[str]:
        """Name everything that is not as it must be."""
        return [*self.bought_wrong, *self.touched, *self.untruths, *self.faults]


def carry_out_all(
    trials: Sequence[Trial],
    folder: Path,
    *,
    at_once: int = 2,
    tell: Callable[[Trial, Result], None] = lambda *_: None,
) -> dict[str, Result]:
    """Carry trials out, some at once, for they wait much; name -> what came of it.

    Args:
        trials: Which.
        folder: Where states and trials have their folders.
        at_once: How many at a time.
        tell: Is called with each as it has ended.
    """
    states = folder / "states"
    for state in dict.fromkeys(trial.begins for trial in trials):
        prepare(states, state)

    def work(number: int, trial: Trial) -> Result:
        place = folder / f"trial-{number}"
        result = carry_out(trial, states, place)
        shutil.rmtree(place)
        tell(trial, result)
        return result

    with ThreadPoolExecutor(at_once) as pool:
        results = pool.map(work, range(len(trials)), trials)
        return {trial.name: result for trial, result in zip(trials, results, strict=True)}


def carry_out(trial: Trial, states: Path, folder: Path) -> Result:
    """Carry a trial out in a folder that is not there yet, and judge it."""
    with open_state(states, trial.begins, folder) as bench:
        began = bench.held()
        result = Result()
        try:
            trial.act(bench)
        except Exception as error:  # a trial that breaks off is a fault of its own, not an end
            bench.faults.append(f"broke off: {type(error).__name__}: {error}")
        held = bench.held()
        result.bought = {kind: len(_bought(bench, kind)) for kind in PAID_CALLS}
        result.bought_wrong = _judge_bought(trial, bench, result.bought, began, held)
        result.touched = _judge_touched(bench.others, held)
        result.untruths = list(dict.fromkeys(bench.untruths))
        result.faults = bench.faults
        result.told = bench.told
    return result


def _bought(bench: Bench, kind: str) -> set[object]:
    """Read which ARNs the sandbox gave out for paid calls; a call repeated gives the same."""
    call, name = PAID_CALLS[kind]
    return {answer[name] for answer in bench.proxy.accepted(call)}


def _judge_bought(
    trial: Trial,
    bench: Bench,
    bought: Mapping[str, int],
    began: Mapping[str, Thing],
    held: Mapping[str, Thing],
) -> list[str]:
    faults = []
    for kind, number in bought.items():
        wanted = getattr(trial, kind)
        if number > wanted or (number < wanted and not trial.at_most):
            faults.append(f"bought {number} {kind}(s) instead of {wanted}")
        new = [
            thing
            for arn, thing in held.items()
            if thing.kind == kind and arn not in began and arn not in bench.others
        ]
        if len(new) > wanted:
            faults.append(f"the account lists {len(new)} new {kind}(s) instead of {wanted}")
    return faults


def _judge_touched(others: Mapping[str, Thing], held: Mapping[str, Thing]) -> list[str]:
    return [
        f"{'changed' if arn in held else 'deleted'} another's {thing.kind} {thing.name}"
        for arn, thing in others.items()
        if arn not in held or held[arn].shown != thing.shown
    ]
