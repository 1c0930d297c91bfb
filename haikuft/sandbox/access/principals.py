"""Callers, permissions, and the decision whether a caller has a permission.

Within one account a request is allowed when an identity-based policy of the caller or a policy on
the resource allows it, no policy denies it, and the permissions boundary and the session policy,
if there are any, allow it. A KMS key's policy and a role's trust policy must allow it in any case:
either for the caller, or for the account's root, which leaves it to the caller's own policies.
Source: AWS IAM User Guide, "Policy evaluation logic" and "Access denied error messages"; AWS KMS
Developer Guide, "Default key policy".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from haikuft.sandbox.access.policy_evaluation import Decision, evaluate

Policy = Mapping[str, Any]
ResourceKind = Literal["bucket", "key", "role"]
ANY = "*"  # the resource of an action that has none

_UNLIMITED = Decision(True, False)


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission that a request requires.

    Attributes:
        action: IAM's name, such as "s3:ListBucket".
        resource: ARN acted on; ANY where IAM knows no resource for the action.
        context: Condition keys that come with the request, beside those of the caller.
    """

    action: str
    resource: str = ANY
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal that makes a request, with the policies that apply to it.

    Attributes:
        arn: As AWS names the caller in messages; of a session, not of its role.
        names: ARNs by which policies on resources may name the caller.
        account_id: The account it belongs to.
        own: The caller's own policies, those of groups included.
        boundary: The permissions boundary; None without one.
        session: The session policy; None without one.
        context: Condition keys that describe the caller.
        administrator: Is allowed everything that no policy on a resource denies.
    """

    arn: str
    names: tuple[str, ...]
    account_id: str
    own: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] | None = None
    session: tuple[Policy, ...] | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    administrator: bool = False


class AccessDenied(Exception):  # noqa: N818 - AWS's own word
    """The caller lacks a permission; `str()` is AWS's message."""

    def __init__(self, arn: str, permission: Permission, reason: str) -> None:
        super().__init__(arn, permission, reason)
        self.arn = arn
        self.action = permission.action
        self.resource = permission.resource
        self.reason = reason

    def __str__(self) -> str:
        return self.describe()

    def describe(self, *, quote: str = "") -> str:
        """Return AWS's message; S3 puts the resource in quotation marks."""
        where = f" on resource: {quote}{self.resource}{quote}" if self.resource != ANY else ""
        return f"User: {self.arn} is not authorized to perform: {self.action}{where} {self.reason}"


def authorize(
    caller: Caller,
    permission: Permission,
    *,
    on_resource: Sequence[Policy] = (),
    kind: ResourceKind = "bucket",
) -> None:
    """Decide whether a caller has a permission.

    Args:
        caller: The caller.
        permission: The permission that is required.
        on_resource: The policies on the resource.
        kind: What the resource is; the policy of a key or a role must allow the request itself.

    Raises:
        AccessDenied: naming the caller, the action, the resource and the reason.
        PolicyError: one of the policies cannot be evaluated.
    """
    context = {**caller.context, **permission.context}

    def judge(policies: Iterable[Policy]) -> Decision:
        return evaluate(
            policies, action=permission.action, resource=permission.resource, context=context
        )

    def judge_resource(principal: str) -> Decision:
        resource = None if kind == "role" else permission.resource  # a trust policy names none
        return evaluate(
            on_resource,
            action=permission.action,
            resource=resource,
            context=context,
            principal=principal,
        )

    def deny(reason: str) -> AccessDenied:
        return AccessDenied(caller.arn, permission, reason)

    granted = combine(*(judge_resource(name) for name in caller.names))
    own = _UNLIMITED if caller.administrator else judge(caller.own)
    limits = {
        "permissions boundary": caller.boundary,
        "session policy": caller.session,
    }
    bounds = {name: judge(policies) for name, policies in limits.items() if policies is not None}
    decisions = {
        "a resource-based policy": granted,
        "an identity-based policy": own,
        **{f"a {name}": decision for name, decision in bounds.items()},
    }
    for name, decision in decisions.items():
        if decision.explicit_deny:
            raise deny(f"with an explicit deny in {name}")
    if not granted.allowed:
        root = f"arn:aws:iam::{caller.account_id}:root"
        if kind != "bucket" and not judge_resource(root).allowed:
            raise deny(f"because no resource-based policy allows the {permission.action} action")
        if not own.allowed:
            raise deny(f"because no identity-based policy allows the {permission.action} action")
    for name, decision in bounds.items():
        if not decision.allowed:
            raise deny(f"because no {name} allows the {permission.action} action")


def combine(*decisions: Decision) -> Decision:
    """Join decisions within one account: any Deny denies, else any Allow allows."""
    return next(
        (decision for decision in decisions if decision.explicit_deny),
        next((decision for decision in decisions if decision.allowed), Decision(False, False)),
    )
