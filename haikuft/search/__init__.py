"""Many customization jobs that differ in hyperparameters or in their data, and what they show."""

from haikuft.search.findings import choose_best, describe_findings
from haikuft.search.planning import plan_search
from haikuft.search.running import find_trials, run_trials
from haikuft.search.trials import build_trials

__all__ = [
    "build_trials",
    "choose_best",
    "describe_findings",
    "find_trials",
    "plan_search",
    "run_trials",
]
