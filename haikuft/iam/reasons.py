"""What a policy says, in plain sentences."""

from collections.abc import Mapping
from typing import Any

from haikuft.iam import caller, evaluation, policies


def explain_policy(policy: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what a policy does: one (Sid, sentence) for each statement, in order."""
    reasons = policies.REASONS | caller.REASONS | evaluation.REASONS
    return [
        (str(one.get("Sid", "")), reasons.get(str(one.get("Sid", "")), _read_aloud(one)))
        for one in policy["Statement"]
    ]


def _read_aloud(statement: Mapping[str, Any]) -> str:
    def words(name: str) -> str:
        value = statement.get(name, "*")
        return value if isinstance(value, str) else ", ".join(value)

    return f"{statement['Effect']}s {words('Action')} on {words('Resource')}."
