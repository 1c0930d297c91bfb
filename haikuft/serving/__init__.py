"""Serve a custom model in the ways that its base model allows: estimate, plan, start, wait, delete.

The ways are `base_model.serving`, the one cheaper for a trial first: an on-demand deployment bills
tokens, Provisioned Throughput bills hours. Callers need not ask which one it is.
"""

from haikuft.lazy_names import offer_names

__all__, __getattr__, __dir__ = offer_names(
    __name__,
    {
        "costs": "estimate_costs price_tokens tabulate_costs",
        "lifecycle": "stop_serving wait_for_served",
        "limit": "build_limit_commands set_limit",
        "plan": "choose_serving ensure_served plan_serving",
        "served": "name_served",
    },
)
