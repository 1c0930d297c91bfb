"""Permissions: the policies of caller, resource, boundary and session, combined."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.sandbox.access.policy_evaluation import (
    ANY,
    AccessDenied,
    Caller,
    Permission,
    PolicyError,
    authorize,
)

ACCOUNT = "123456789012"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
READ = Permission("s3:GetObject", "arn:aws:s3:::data/a")


def policy(effect: str = "Allow", action: str = "*", **changes: Any) -> dict[str, Any]:
    """Write a policy of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": "*", **changes}
    return {"Version": "2012-10-17", "Statement": [statement]}


def on_resource(principal: str = ANN, effect: str = "Allow", **changes: Any) -> dict[str, Any]:
    """Write the same for a resource."""
    return policy(effect, Principal={"AWS": principal}, **changes)


def ann(*own: dict[str, Any], **changes: Any) -> Caller:
    """Make a user with these policies."""
    return Caller(ANN, (ANN,), ACCOUNT, own=own, **changes)


def refusal(caller: Caller, permission: Permission = READ, **options: Any) -> str:
    """Say why a caller is refused; "" for one who is not."""
    try:
        authorize(caller, permission, **options)
    except AccessDenied as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("caller", "resource", "reason"),
    [
        (ann(policy()), (), ""),
        (ann(), (on_resource(),), ""),
        (ann(), (), "because no identity-based policy allows the s3:GetObject action"),
        (ann(), (on_resource(ROOT),), "because no identity-based policy allows the s3:GetObj"),
        (ann(policy(), policy("Deny")), (), "with an explicit deny in an identity-based policy"),
        (
            ann(policy()),
            (on_resource(effect="Deny"),),
            "with an explicit deny in a resource-based policy",
        ),
        (ann(policy(), boundary=(policy(),)), (), ""),
        (
            ann(policy(), boundary=(policy(action="iam:*"),)),
            (),
            "because no permissions boundary allows the s3:GetObject action",
        ),
        (
            ann(policy(), boundary=(policy("Deny"),)),
            (),
            "with an explicit deny in a permissions boundary",
        ),
        (
            ann(policy(), session=(policy(action="iam:*"),)),
            (),
            "because no session policy allows the s3:GetObject action",
        ),
        (ann(policy(), session=()), (), "because no session policy allows"),
        (ann(administrator=True), (), ""),
        (
            ann(administrator=True),
            (on_resource(effect="Deny"),),
            "with an explicit deny in a resource-based policy",
        ),
    ],
)
def test_authorize_when_policies_meet_then_aws_s_order_decides(
    caller: Caller, resource: tuple[Any, ...], reason: str
) -> None:
    """Any Deny denies; then an Allow is needed; then each limit must let it through."""
    found = refusal(caller, on_resource=resource)
    assert bool(found) == bool(reason)
    assert reason in found


@pytest.mark.parametrize(
    ("own", "key_policy", "reason"),
    [
        ((policy(),), on_resource(ROOT), ""),
        ((), on_resource(ROOT), "because no identity-based policy allows the kms:Decrypt action"),
        ((), on_resource(ANN), ""),
        ((policy(),), on_resource(f"{ANN}2"), "because no resource-based policy allows the kms"),
        ((policy(),), on_resource(ACCOUNT), ""),
    ],
)
def test_authorize_when_it_is_a_key_then_its_policy_decides_first(
    own: tuple[Any, ...], key_policy: Any, reason: str
) -> None:
    """Without the account in the key's policy, the caller's own policy does not suffice."""
    permission = Permission("kms:Decrypt", f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1")
    found = refusal(ann(*own), permission, on_resource=(key_policy,), kind="key")
    assert bool(found) == bool(reason)
    assert reason in found


def test_authorize_when_it_is_a_role_then_its_trust_policy_decides() -> None:
    """A trust policy names no resource; conditions of the request count."""
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ROOT},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "x"}},
    }
    trust = ({"Version": "2012-10-17", "Statement": [statement]},)
    permission = Permission("sts:AssumeRole", role, {"sts:ExternalId": "x"})
    assert refusal(ann(policy()), permission, on_resource=trust, kind="role") == ""
    assert "identity-based" in refusal(ann(), permission, on_resource=trust, kind="role")
    other = Permission("sts:AssumeRole", role, {"sts:ExternalId": "y"})
    assert "resource-based" in refusal(ann(policy()), other, on_resource=trust, kind="role")


def test_access_denied_when_read_then_says_it_in_aws_s_words() -> None:
    """Who, what, on what and why; no "on resource" for an action that has none."""
    assert refusal(ann()) == (
        f"User: {ANN} is not authorized to perform: s3:GetObject on resource: "
        "arn:aws:s3:::data/a because no identity-based policy allows the s3:GetObject action"
    )
    assert refusal(ann(), Permission("bedrock:ListFoundationModels", ANY)) == (
        f"User: {ANN} is not authorized to perform: bedrock:ListFoundationModels "
        "because no identity-based policy allows the bedrock:ListFoundationModels action"
    )
    error = AccessDenied(ANN, READ, "because")
    assert error.describe(quote='"').endswith('on resource: "arn:aws:s3:::data/a" because')


def test_authorize_when_a_session_asks_then_its_own_name_and_its_role_s_count() -> None:
    """Policies on resources may name the role or one session of it."""
    role, session = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"
    caller = Caller(session, (session, role), ACCOUNT)
    for name in (role, session):
        assert refusal(caller, on_resource=(on_resource(name),)) == ""
        assert "explicit deny" in refusal(
            caller, on_resource=(on_resource(role), on_resource(name, effect="Deny"))
        )


def test_authorize_when_a_policy_cannot_be_judged_then_raises() -> None:
    """Nothing passes by accident."""
    strange = policy(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    with pytest.raises(PolicyError, match="IpAddress is not known"):
        authorize(ann(strange), READ)


ACTIONS = st.sampled_from(["*", "s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "iam:*"])
RESOURCES = st.sampled_from(["*", "arn:aws:s3:::data/*", "arn:aws:s3:::data/a", "arn:aws:s3:::b"])
STATEMENTS = st.lists(
    st.builds(
        lambda effect, action, resource: {
            "Effect": effect,
            "Action": action,
            "Resource": resource,
        },
        st.sampled_from(["Allow", "Allow", "Deny"]),
        ACTIONS,
        RESOURCES,
    ),
    max_size=5,
)


@given(STATEMENTS, STATEMENTS, st.none() | STATEMENTS)
def test_authorize_when_statements_are_any_then_more_never_lets_in_what_a_deny_forbids(
    own: list[Any], further: list[Any], boundary: list[Any] | None
) -> None:
    """A Deny added never lets in; an Allow added never shuts out; a boundary only takes away."""

    def allowed(statements: list[Any], limit: list[Any] | None) -> bool:
        bound = None if limit is None else ({"Statement": limit},)
        return not refusal(ann({"Statement": statements}, boundary=bound))

    denies = [one for one in further if one["Effect"] == "Deny"]
    allows = [one for one in further if one["Effect"] == "Allow"]
    assert allowed(own, None) >= allowed(own, boundary)
    assert allowed(own, boundary) >= allowed([*own, *denies], boundary)
    assert allowed([*own, *allows], boundary) >= allowed(own, boundary)
    assert allowed(own, boundary) == allowed(list(reversed(own)), boundary)
