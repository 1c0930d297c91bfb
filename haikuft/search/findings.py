"""What the trials of a search show: the best one, what mattered beside the noise, more data.

Losses are fitted as a sum of one effect for each value that was tried (least squares), so that
trials which are missing from a grid mislead less. Effects are compared by Student's t at 95 %; its
variance is that of the trials which differ in the order of their records alone.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, variance

from haikuft.dataset.problems import count
from haikuft.errors import NotFoundError
from haikuft.search.trials import SEEDS, Trial


def choose_best(trials: Sequence[Trial]) -> Trial:
    """Choose the trial with the lowest validation loss, of those on all records with a model.

    Raises:
        NotFoundError: there is none.
    """
    whole = [one for one in trials if one.share == 1 and one.status == "Completed"]
    if not whole:
        told = ", ".join(f"{one.job_arn} is {one.status}" for one in trials) or "none was started"
        raise NotFoundError(f"No trial on all records has completed, so none is the best: {told}.")
    return min(whole, key=lambda one: one.loss)


def describe_findings(trials: Sequence[Trial]) -> list[str]:
    """Describe what mattered, by how much against the noise, and whether more data would help.

    Args:
        trials: From `run_trials`, the repetitions of the default configuration among them.
    """
    best = choose_best(trials)
    known = [one for one in trials if one.status == "Completed" and math.isfinite(one.loss)]
    parts: dict[float, list[float]] = {1.0: []}
    for one in known:
        if one.is_default:
            parts.setdefault(one.share, []).append(one.loss)
    told = ", ".join(f"{loss:.3f}" for loss in parts[1.0])
    sentences = [
        f"The lowest validation loss is {best.loss:.3f}: {best.label}.",
        f"Noise: the default with its records in {count(len(parts[1.0]), 'order')} has {told}.",
    ]
    if lost := [one.label for one in trials if one not in known]:
        sentences.append(
            f"Stopped, failed or diverged, and compared no further: {' | '.join(lost)}."
        )
    if min(map(len, parts.values())) < 2:
        return sentences
    tried = [one for one in known if one.share == 1 and one.seed == SEEDS[0]]
    rows = [(one.hyperparameters, one.loss) for one in tried]
    sentences += _compare(rows, [parts[1.0]])
    name = "Would more data help? Part of the data"
    last = [({name: share}, loss) for share in sorted(parts)[-2:] for loss in parts[share]]
    return sentences + _compare(last, list(parts.values()))


def _compare(
    rows: Sequence[tuple[Mapping[str, float], float]], repeated: Sequence[Sequence[float]]
) -> list[str]:
    """Compare the values with the lowest and the highest loss of each name, where that can be.

    Args:
        rows: What was tried, name -> value, and the loss.
        repeated: Groups of losses, in each of which only the order of the records differs.
    """
    import numpy as np
    from scipy.stats import t  # late: loads slowly

    effects = [(name, one) for name in rows[0][0] for one in sorted({row[name] for row, _ in rows})]
    # (rows, effects): 1 where the row has the effect's value.
    design = np.array([[row[name] == one for name, one in effects] for row, _ in rows], float)
    inverse = np.linalg.pinv(design.T @ design)  # (effects, effects)
    sizes = inverse @ design.T @ [loss for _, loss in rows]  # (effects,)
    freedom = sum(len(losses) - 1 for losses in repeated)
    sentences = []
    for name in rows[0][0]:
        order = sorted((sizes[at], at) for at, (other, _) in enumerate(effects) if other == name)
        low, high = order[0][1], order[-1][1]
        contrast = np.eye(len(effects))[high] - np.eye(len(effects))[low]  # (effects,)
        if low == high or not np.allclose(contrast @ inverse @ design.T @ design, contrast):
            continue  # one value only, or two that cannot be told apart from other values
        spread = fmean(map(variance, repeated)) * contrast @ inverse @ contrast
        gap, chance = contrast @ sizes, t.ppf(0.975, freedom) * math.sqrt(spread)
        sentences.append(
            f"{name}: {effects[low][1]:g} is better than {effects[high][1]:g} by {gap:.3f}, "
            f"{'more' if gap > chance else 'no more'} than chance explains ({chance:.3f})."
        )
    return sentences
