"""Serving a custom model in whichever way its base model allows: weighed, started, waited for.

The ways are `base_model.serving`, the one cheaper for a trial first: an on-demand deployment bills
tokens, Provisioned Throughput hours. Whoever uses this module need not ask which it is.
"""

from haikuft.serving.acting import (
    Served,
    find_served,
    kind_of,
    name_served,
    stop_serving,
    wait_for_served,
)
from haikuft.serving.costs import ServingCost, estimate_costs, price_tokens, tabulate_costs
from haikuft.serving.limit import build_limit_commands, set_limit
from haikuft.serving.plan import (
    NOUNS,
    ServingPlan,
    choose_serving,
    ensure_served,
    plan_serving,
)

__all__ = [
    "NOUNS",
    "Served",
    "ServingCost",
    "ServingPlan",
    "build_limit_commands",
    "choose_serving",
    "ensure_served",
    "estimate_costs",
    "find_served",
    "kind_of",
    "name_served",
    "plan_serving",
    "price_tokens",
    "set_limit",
    "stop_serving",
    "tabulate_costs",
    "wait_for_served",
]
