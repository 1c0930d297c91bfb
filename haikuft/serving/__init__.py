"""Serve a custom model in the ways that its base model allows: estimate, plan, start, wait, delete.

The ways are `base_model.serving`, the one cheaper for a trial first: an on-demand deployment bills
tokens, Provisioned Throughput bills hours. Callers need not ask which one it is.
"""

from haikuft.serving.costs import estimate_costs, price_tokens, tabulate_costs
from haikuft.serving.lifecycle import stop_serving, wait_for_served
from haikuft.serving.limit import build_limit_commands, set_limit
from haikuft.serving.plan import choose_serving, ensure_served, plan_serving
from haikuft.serving.served import name_served

__all__ = [
    "build_limit_commands",
    "choose_serving",
    "ensure_served",
    "estimate_costs",
    "name_served",
    "plan_serving",
    "price_tokens",
    "set_limit",
    "stop_serving",
    "tabulate_costs",
    "wait_for_served",
]
