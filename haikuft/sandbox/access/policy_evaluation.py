"""Whether IAM policies allow a caller an action: a statement, the policies of a kind, all kinds.

`evaluate` decides for policies of one kind by Effect, Principal, Action, Resource and Condition. An
element or operator that it does not know is an error, never a match: a policy must not allow
anything here by accident.

`authorize` combines the kinds. Within one account a request is allowed when an identity-based
policy of the caller or a policy on the resource allows it, no policy denies it, and the permissions
boundary and the session policy, if there are any, allow it. A KMS key's policy and a role's trust
policy must allow it in any case: either for the caller, or for the account's root, which leaves it
to the caller's own policies.

Sources: AWS IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements" and "Access
denied error messages"; AWS KMS Developer Guide, "Default key policy".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

Context = Mapping[str, str | Sequence[str]]

_NEGATED = ("Principal", "Action", "Resource")  # elements that exist as Not… as well
_ELEMENTS = {"Sid", "Effect", "Condition", *_NEGATED, *(f"Not{name}" for name in _NEGATED)}
_PRINCIPALS = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})
_ACCOUNT = re.compile(r"(?:arn:[^:]+:iam::)?(\d{12})(?::root)?")


class PolicyError(ValueError):
    """A policy that cannot be evaluated: malformed, or with an element that is unknown here."""


Decision = Literal["Allow", "Deny"] | None
"""The Effect of policies for one action on one resource; None when no statement matches."""


def evaluate(
    policies: Iterable[Mapping[str, Any]],
    *,
    action: str,
    resource: str | None,
    context: Context,
    principal: str | None = None,
) -> Decision:
    """Evaluate policies of one kind for one action: a role's own, or those on a resource.

    A Deny that matches overrides every Allow.

    Args:
        policies: Policy documents.
        action: Such as "s3:GetObject".
        resource: ARN acted on; None for a trust policy, which has no Resource.
        context: Condition keys as AWS would fill them; names match in any case.
        principal: Who acts, for policies on a resource: a role's or user's ARN, or a service
            such as "bedrock.amazonaws.com". None for policies of the actor's own.

    An Allow for a whole account ("…:root") on a resource leaves the decision to the actor's own
    policies, as AWS does within an account, and so does not allow by itself; a Deny denies.
    Raises PolicyError naming the statement and what in it is not known.
    """
    folded = {key.lower(): value for key, value in context.items()}
    decision: Decision = None
    for statement in _statements(policies):
        try:
            _check_elements(statement, on_resource=principal is not None)
            matches = (
                _matches_principal(statement, principal)
                and _matches_action(statement, action)
                and _matches_resource(statement, resource, folded)
                and _matches_conditions(statement, folded)
            )
        except PolicyError as error:
            where = f"Statement {statement['Sid']!r}" if "Sid" in statement else "A statement"
            raise PolicyError(f"{where}: {error}") from error
        if matches and statement["Effect"] == "Deny":
            return "Deny"
        if matches:
            decision = "Allow"
    return decision


def _statements(policies: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for policy in policies:
        if not isinstance(policy, Mapping) or "Statement" not in policy:
            raise PolicyError("A policy is a JSON object with a Statement.")
        found = policy["Statement"]
        for statement in found if isinstance(found, list) else [found]:
            if not isinstance(statement, Mapping):
                raise PolicyError("A statement of a policy is a JSON object.")
            yield statement


def _check_elements(statement: Mapping[str, Any], *, on_resource: bool) -> None:
    unknown = sorted(set(statement) - _ELEMENTS)
    if unknown:
        raise PolicyError(f"elements that are not known: {', '.join(unknown)}.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise PolicyError(f"Effect is Allow or Deny, not {statement.get('Effect')!r}.")
    if ("Action" in statement) == ("NotAction" in statement):
        raise PolicyError("it needs either Action or NotAction.")
    if "Resource" in statement and "NotResource" in statement:
        raise PolicyError("it has both Resource and NotResource.")
    principals = {"Principal", "NotPrincipal"} & set(statement)
    if on_resource and len(principals) != 1:
        raise PolicyError("in a resource's policy it needs either Principal or NotPrincipal.")
    if not on_resource and principals:
        raise PolicyError("it names a principal, which only a resource's policy does.")


def _matches_principal(statement: Mapping[str, Any], principal: str | None) -> bool:
    if principal is None:
        return True
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], principal, True)
    return _names(statement["Principal"], principal, statement["Effect"] == "Deny")


def _names(element: Any, principal: str, account_counts: bool) -> bool:
    """Whether a Principal element names this principal; a whole account only if that counts."""
    if element == "*":
        return True
    if not isinstance(element, Mapping) or not set(element) <= _PRINCIPALS:
        raise PolicyError(f"Principal {element!r} is not known.")
    kind = "AWS" if principal.startswith("arn:") else "Service"
    for name in _texts(element.get(kind, [])):
        if name == principal or (kind == "AWS" and name == "*"):
            return True
        account = _ACCOUNT.fullmatch(name)
        counts = account_counts or principal.endswith(":root")
        if counts and account and account[1] == principal.split(":")[4]:
            return True
    return False


def _matches_action(statement: Mapping[str, Any], action: str) -> bool:
    negated = "NotAction" in statement
    patterns = _texts(statement["NotAction" if negated else "Action"])
    return negated != any(_like(pattern.lower(), action.lower()) for pattern in patterns)


def _matches_resource(statement: Mapping[str, Any], resource: str | None, context: Context) -> bool:
    negated = "NotResource" in statement
    element = statement.get("NotResource" if negated else "Resource")
    if resource is None:
        if element is not None:
            raise PolicyError("it names a Resource, which a trust policy does not.")
        return True
    if element is None:
        raise PolicyError("it needs either Resource or NotResource.")
    return negated != any(_like(text, resource, context) for text in _texts(element))


def _matches_conditions(statement: Mapping[str, Any], context: Context) -> bool:
    block = statement.get("Condition", {})
    if not isinstance(block, Mapping) or not all(
        isinstance(keys, Mapping) for keys in block.values()
    ):
        raise PolicyError("Condition is operator to key to values.")
    outcomes = [
        _holds(operator, _texts(wanted), context.get(key.lower()), context)
        for operator, keys in block.items()
        for key, wanted in keys.items()
    ]
    return all(outcomes)


def _holds(
    operator: str,
    wanted: list[str],
    found: str | Sequence[str] | None,
    context: Context,
) -> bool:
    """Whether one condition holds; `found` is None when the request lacks the key."""
    quantifier, _, plain = operator.rpartition(":")
    base = plain.removesuffix("IfExists")
    values = [] if found is None else [found] if isinstance(found, str) else list(found)
    if base == "Null" and plain == "Null" and not quantifier:
        return any(_truth(text) == (found is None) for text in wanted)
    negated = base.startswith(("StringNot", "ArnNot"))
    test = _TESTS.get(base.replace("Not", "", 1) if negated else base)
    if test is None or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise PolicyError(f"the condition operator {operator} is not known.")
    if found is None and plain != base:
        return True
    hits = [negated != any(test(text, value, context) for text in wanted) for value in values]
    if quantifier == "ForAnyValue":
        return any(hits)
    if quantifier == "ForAllValues" or hits:
        return all(hits)
    return negated  # without the key only a negated operator holds


def _like(pattern: str, text: str, context: Context | None = None) -> bool:
    """Match with * and ?; ${key} stands for the request's own value, ${*} for a plain star."""
    filled = _fill(pattern, context or {}, quote=True) if "${" in pattern else pattern
    return _compile(filled).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compile(pattern: str) -> re.Pattern[str]:
    wildcards = {"*": ".*", "?": ".", **{f"${{{one}}}": re.escape(one) for one in "*?$"}}
    parts = re.split(r"(\$\{[*?$]\}|\*|\?)", pattern)
    return re.compile("".join(wildcards.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _like_arn(pattern: str, text: str, context: Context) -> bool:
    """Match two ARNs part by part, so that a star does not match a colon."""
    wanted, found = pattern.split(":", 5), text.split(":", 5)
    return len(wanted) == len(found) == 6 and all(
        _like(a, b, context) for a, b in zip(wanted, found, strict=True)
    )


def _fill(text: str, context: Context, *, quote: bool = False) -> str:
    """Replace each ${key} by the request's value, whose *, ? and $ `quote` makes plain letters.

    A key that the request lacks stays.
    """

    def value_of(found: re.Match[str]) -> str:
        value = context.get(found[1].lower())
        if not isinstance(value, str):
            return found[0]
        return re.sub(r"[*?$]", r"${\g<0>}", value) if quote else value

    return re.sub(r"\$\{([^}]*)\}", value_of, text)


def _texts(element: Any) -> list[str]:
    """Take a value or a list of values as texts; JSON's true and false are texts for AWS."""
    values = element if isinstance(element, list) else [element]
    if not all(isinstance(value, (str, bool, int)) for value in values):
        raise PolicyError(f"{element!r} is not a text or a list of texts.")
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise PolicyError(f"{text!r} is neither true nor false.")
    return text.lower() == "true"


# Operator -> whether the policy's text matches the request's; "Not" after its first word negates.
_TESTS: dict[str, Callable[[str, str, Context], bool]] = {
    "StringEquals": lambda wanted, found, context: _fill(wanted, context) == found,
    "StringEqualsIgnoreCase": lambda wanted, found, context: (
        _fill(wanted, context).lower() == found.lower()
    ),
    "StringLike": _like,
    "ArnEquals": _like_arn,  # AWS: the same as ArnLike
    "ArnLike": _like_arn,
    "Bool": lambda wanted, found, context: _truth(wanted) == (found.lower() == "true"),
}


Policy = Mapping[str, Any]
ResourceKind = Literal["bucket", "key", "role"]
ANY = "*"  # the resource of an action that has none


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
    judge = partial(
        evaluate, action=permission.action, resource=permission.resource, context=context
    )
    named = None if kind == "role" else permission.resource  # a trust policy names none
    judge_resource = partial(judge, on_resource, resource=named)
    limits = {"permissions boundary": caller.boundary, "session policy": caller.session}
    bounds = {name: judge(policies) for name, policies in limits.items() if policies is not None}
    by_name = {judge_resource(principal=name) for name in caller.names}
    granted = "Deny" if "Deny" in by_name else "Allow" if "Allow" in by_name else None
    own = "Allow" if caller.administrator else judge(caller.own)
    decisions = {"resource-based policy": granted, "identity-based policy": own, **bounds}
    for name, decision in decisions.items():
        if decision == "Deny":
            article = "an" if name.startswith("i") else "a"
            raise AccessDenied(caller.arn, permission, f"with an explicit deny in {article} {name}")
    lacking = [name for name, decision in bounds.items() if decision is None]
    if granted is None and own is None:
        lacking.insert(0, "identity-based policy")
    root = f"arn:aws:iam::{caller.account_id}:root"
    if granted is None and kind != "bucket" and judge_resource(principal=root) is None:
        lacking.insert(0, "resource-based policy")
    if lacking:
        reason = f"because no {lacking[0]} allows the {permission.action} action"
        raise AccessDenied(caller.arn, permission, reason)
