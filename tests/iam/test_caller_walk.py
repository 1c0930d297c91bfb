"""The policy that notebook 1 prints for the caller: enough for the whole series, and no more."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.errors import HaikuftError
from haikuft.sandbox.access.policy_evaluation import evaluate

SHOWN_AT = {  # statement -> the step that fails without it
    "ReadFoundationModels": "preflight",
    "ReadQuotas": "preflight",
    "SetUpBucket": "make_bucket",
    "SetUpRole": "make_role",
    "UseObjects": "upload",
    "UseKeyThroughS3": "upload",
    "PassRole": "start_job",
    "CreateCustomization": "start_job",
    "MarkAsOurs": "start_job",
    "GiveKeyToBedrock": "start_job",
    "FollowCustomization": "stop_job",
    "CreateDeployment": "deploy",
    "UseDeployments": "deploy",
    "CreateThroughput": "provision",
    "UseThroughput": "provision",
    "AskModels": "ask",
    "ListOwn": "look_around",
    "UseCustomModels": "look_around",
}
# The preflight reads AWS's default where an account has no value of its own; the sandbox's has one.
NOT_SHOWN = {"servicequotas:GetAWSDefaultServiceQuota"}


def without_statement(policy: dict[str, Any], sid: str) -> dict[str, Any]:
    """Take one statement out."""
    return policy | {"Statement": [one for one in policy["Statement"] if one["Sid"] != sid]}


def without_each_action(policy: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (Sid, action, the policy without it) for each action of each statement."""
    for number, statement in enumerate(policy["Statement"]):
        for action in statement["Action"]:
            changed = copy.deepcopy(policy)
            changed["Statement"][number]["Action"].remove(action)
            yield statement["Sid"], action, changed


@pytest.mark.parametrize(
    "walk", [CLAUDE_3_HAIKU, NOVA_MICRO], ids=lambda model: model.name, indirect=True
)
def test_caller_policy_when_a_user_has_it_then_walks_all_steps_and_needs_all_of_it(
    walk: Any,
) -> None:
    """Every step goes through; without any one statement a named step fails and says why.

    The steps' own requests are kept, and held once more against the policy without each action.
    """
    policy = walk.caller_policy
    statements = {one["Sid"]: one for one in policy["Statement"]}
    steps = {name for name, _ in walk.steps()}
    assert {sid for sid, shown_at in SHOWN_AT.items() if shown_at in steps} == set(statements)
    for name, step in walk.steps():
        walk.step = f"{name}, in vain"
        for sid in [sid for sid, shown_at in SHOWN_AT.items() if shown_at == name]:
            walk.allow(without_statement(policy, sid))
            with pytest.raises(HaikuftError, match="policy that notebook 1 prints") as caught:
                step()
            missing = str(caught.value).partition("not authorized to perform: ")[2].split()[0]
            assert missing in statements[sid]["Action"], (sid, str(caught.value))
            assert f"no identity-based policy allows the {missing} action" in str(caught.value)
        walk.allow(policy)
        walk.step = name
        step()
    asked = [
        (caller, permission)
        for at, caller, permission in walk.permissions
        if not at.endswith("in vain")
    ]

    def refused(changed: dict[str, Any]) -> set[str]:
        return {
            permission.action
            for caller, permission in asked
            if evaluate(
                [changed],
                action=permission.action,
                resource=permission.resource,
                context={**caller.context, **permission.context},
            )
            != "Allow"
        }

    assert refused(policy) == set()
    for sid, action, changed in without_each_action(policy):
        expected = set() if action in NOT_SHOWN else {action}
        assert refused(changed) == expected, (sid, action)
