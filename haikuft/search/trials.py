"""The trials of a search: which hyperparameters, which records in which order. Nothing asks AWS.

Three trials repeat the default configuration with the records in another order. How far their
losses lie apart is the noise that every other difference is compared with.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haikuft.errors import SettingsError
from haikuft.hyperparameters import Hyperparameters, from_aws, suggest_hyperparameters, to_aws
from haikuft.runs.run_record import Run

SEEDS = (1, 2, 3)  # orders of the records, for the default configuration and for each smaller part
SHARES = (0.25, 0.5)  # smaller parts of the training data, for the learning curve
OVER = ("Completed", "Stopped")  # of a trial that needs no other job, unlike Failed

Curve = tuple[tuple[int, float], ...]
"""Pairs of an epoch, counted from 1, and its validation loss."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one customization job of a search tries, and what became of it.

    Attributes:
        label: The trial in words.
        is_default: Whether it has the default configuration, for the noise or the learning curve.
        key: A digest of all that it tries, the content of the run's files included.
        hyperparameters: Our name -> value, for every hyperparameter of the base model.
        share: The part of the training records, above 0, at most 1. A part contains every smaller
            part with the same seed.
        seed: Decides the order of the training records, and so which ones are in a part.
        passes: How often the job reads the whole training file, which AWS bills.
        attempt: Counts the trial's jobs from 1; another one is started after one that failed.
        job_arn: "" for a job that is to be started.
        status: AWS's word, when it was last read; "" for a job that is to be started.
        curve: The validation losses, as far as they were told.
        loss: The validation loss that the completed job reports, in nats per token; of a stopped
            job the lowest that was told; infinite where there is none, or the training diverged.
    """

    label: str
    is_default: bool
    key: str
    hyperparameters: Hyperparameters
    share: float
    seed: int
    passes: float
    attempt: int = 1
    job_arn: str = ""
    status: str = ""
    curve: Curve = ()
    loss: float = math.inf


def build_trials(
    run: Run, choices: Mapping[str, Sequence[str]], *, random: int = 0, parts: bool = False
) -> list[Trial]:
    """Build the trials: the repetitions of the default, the combinations, the smaller parts.

    Args:
        run: Has data; its base model is tuned.
        choices: Hyperparameter -> the values to try, as texts. What is not named has this series'
            suggestion; all of these are the default configuration.
        random: How many combinations are drawn at random; 0 tries all of them.
        parts: Whether the default configuration is trained on smaller parts, too, as far as these
            have the fewest records that the model takes.

    Raises:
        SettingsError: a value cannot be used, or the run has no validation file.
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler  # late: loads slowly

    if not run.record.validation_uri:
        raise SettingsError(
            f'Run "{run.record.run}" has no validation file, whose loss compares trials. Set '
            "validation_share in notebook 2, or take a base model that takes validation data."
        )
    training, validation = (run.data / f"{name}.jsonl" for name in ("train", "validation"))
    content = training.read_bytes() + validation.read_bytes()
    least = run.base_model.limits.min_records / training.read_bytes().count(b"\n")
    grid = ParameterGrid(dict(choices))
    drawn = ParameterSampler(grid.param_grid, min(random, len(grid)), random_state=SEEDS[0])
    wanted: list[tuple[Mapping[str, str], float, int]] = [({}, 1.0, seed) for seed in SEEDS]
    wanted += [(values, 1.0, SEEDS[0]) for values in (drawn if random > 0 else grid)]
    wanted += [({}, part, seed) for part in SHARES if parts and part >= least for seed in SEEDS]
    trials: dict[str, Trial] = {}
    for one in (_build_trial(run, *one, content) for one in wanted):
        trials.setdefault(one.key, one)  # a combination may be the default
    return list(trials.values())


def take_part(lines: Iterable[str], trial: Trial) -> list[str]:
    """Take a trial's part of the lines of the training file, in its order."""
    # By digest, as the data is split: the same on every platform and with every version.
    order = sorted(lines, key=lambda one: hashlib.sha256(f"{trial.seed} {one}".encode()).digest())
    return order[: round(trial.share * len(order))]


def _build_trial(
    run: Run, values: Mapping[str, str], share: float, seed: int, content: bytes
) -> Trial:
    model = run.base_model
    names = {name: one.aws_name for name, one in model.hyperparameters.items()}
    default = suggest_hyperparameters(model)
    texts = to_aws(default, model)
    texts |= {names.get(name, name): value.strip() for name, value in values.items()}
    chosen = from_aws(texts, model)
    what = json.dumps([chosen, share, seed], sort_keys=True).encode()
    varied = ", ".join(f"{name} {value.strip()}" for name, value in values.items()) or "default"
    return Trial(
        f"{varied}; {share:.0%} of the records, order {seed}",
        not values,
        hashlib.sha256(what + content).hexdigest()[:8],
        *(chosen, share, seed, share * chosen["epoch_count"]),
    )
