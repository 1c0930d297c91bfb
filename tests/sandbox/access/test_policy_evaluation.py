"""What the policy evaluator allows, denies and refuses to judge."""

from typing import Any

import pytest

from haikuft.sandbox.access.policy_evaluation import Decision, PolicyError, evaluate

OBJECT = "arn:aws:s3:::bucket/training/train.jsonl"
ROLE = "arn:aws:iam::123456789012:role/AmazonBedrock-haikuft-first"
BEDROCK = "bedrock.amazonaws.com"


def policy(**elements: Any) -> dict[str, Any]:
    """Write a policy of one statement that allows reading objects, with some elements changed."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | elements
    chosen = {name: value for name, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [chosen]}


def ask(*policies: dict[str, Any], **changes: Any) -> Decision:
    """Ask whether the object may be read."""
    asked: dict[str, Any] = {"action": "s3:GetObject", "resource": OBJECT, "context": {}}
    return evaluate(policies, **(asked | changes))


def test_evaluate_when_nothing_matches_then_denies_without_explicit_deny() -> None:
    """Without an Allow the answer is no, but another policy may still say yes."""
    assert ask(policy(Action="s3:PutObject")) is None


def test_evaluate_when_a_deny_matches_then_it_beats_an_earlier_allow() -> None:
    """An explicit Deny wins wherever it stands."""
    decision = ask(policy(), policy(Effect="Deny", Sid="NoReading"))
    assert decision == "Deny"


@pytest.mark.parametrize(
    ("element", "value", "allowed"),
    [
        ("Action", "s3:*", True),
        ("Action", "S3:getobject", True),
        ("Action", ["s3:PutObject", "s3:Get?bject"], True),
        ("Action", "s3:GetObjectVersion", False),
        ("Resource", "arn:aws:s3:::bucket/training/*", True),
        ("Resource", "arn:aws:s3:::bucket/Training/*", False),
        ("Resource", "arn:aws:s3:::bucket", False),
        ("Resource", ["arn:aws:s3:::other/*", "arn:aws:s3:::bucket/*"], True),
        ("Resource", "arn:aws:s3:::${aws:PrincipalAccount}/*", False),
    ],
)
def test_evaluate_when_element_has_wildcards_then_matches_as_aws_does(
    element: str, value: Any, allowed: bool
) -> None:
    """Actions match in any case, resources in theirs; * and ? stand for text."""
    assert (ask(policy(**{element: value})) == "Allow") is allowed


def test_evaluate_when_resource_holds_a_variable_then_the_context_fills_it() -> None:
    """${key} stands for the request's own value, literally."""
    own = policy(Resource="arn:aws:s3:::${aws:PrincipalAccount}/*")
    context = {"AWS:principalaccount": "bucket"}
    assert ask(own, context=context) == "Allow"
    assert ask(own, context={"aws:PrincipalAccount": "*"}) != "Allow"
    plain = policy(Resource="arn:aws:s3:::b${*}cket/*")
    assert (ask(plain), ask(plain, resource="arn:aws:s3:::b*cket/a")) == (None, "Allow")


def test_evaluate_when_elements_are_negated_then_the_rest_matches() -> None:
    """NotAction and NotResource match whatever they do not name."""
    assert ask(policy(Action=None, NotAction="s3:Get*")) != "Allow"
    assert ask(policy(Action=None, NotAction="s3:Put*")) == "Allow"
    assert ask(policy(Resource=None, NotResource="arn:aws:s3:::bucket/*")) != "Allow"
    assert ask(policy(Resource=None, NotResource="arn:aws:s3:::other/*")) == "Allow"


@pytest.mark.parametrize(
    ("principal", "asker", "allowed"),
    [
        ("*", ROLE, True),
        ({"AWS": "*"}, ROLE, True),
        ({"AWS": [ROLE]}, ROLE, True),
        ({"AWS": ROLE + "x"}, ROLE, False),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ROLE, False),
        ({"Service": BEDROCK}, BEDROCK, True),
        ({"Service": ["ec2.amazonaws.com"]}, BEDROCK, False),
        ({"AWS": BEDROCK}, BEDROCK, False),
        ({"Federated": "accounts.google.com"}, ROLE, False),
    ],
)
def test_evaluate_when_policy_is_a_resources_then_its_principal_decides(
    principal: Any, asker: str, allowed: bool
) -> None:
    """A whole account named in an Allow leaves the decision to the role's own policies."""
    assert (ask(policy(Principal=principal), principal=asker) == "Allow") is allowed


def test_evaluate_when_a_deny_names_the_account_then_its_roles_are_denied() -> None:
    """A Deny for a whole account reaches everyone in it."""
    denied = policy(Effect="Deny", Principal={"AWS": "123456789012"})
    assert ask(denied, principal=ROLE) == "Deny"
    spared = policy(Effect="Deny", Principal=None, NotPrincipal={"AWS": ROLE})
    assert ask(spared, principal=ROLE) != "Deny"
    assert ask(spared, principal=ROLE + "x") == "Deny"


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("StringEquals", ["a", "b"], "b", True),
        ("StringEquals", "a*", "ab", False),
        ("StringEquals", "a", None, False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringNotEqualsIgnoreCase", "A", "a", False),
        ("StringLike", "training/*", "training/x", True),
        ("StringNotLike", "training/*", "training/x", False),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", "b", False),
        ("ArnLike", "arn:aws:bedrock:*:1:job/*", "arn:aws:bedrock:us-west-2:1:job/a/b", True),
        (
            "ArnEquals",
            "arn:aws:bedrock:us-west-2:1:job/*",
            "arn:aws:bedrock:us-west-2:1:job/a",
            True,
        ),
        ("ArnEquals", "arn:aws:bedrock:*:job/*", "arn:aws:bedrock:us-west-2:1:job/a", False),
        ("ArnNotLike", "arn:aws:bedrock:*:1:job/*", "arn:aws:bedrock:us-west-2:1:job/a", False),
        ("ArnNotEquals", "arn:aws:s3:::a", "arn:aws:s3:::b", True),
        ("Bool", "false", "true", False),
        ("Bool", True, "true", True),
        ("Bool", "true", None, False),
        ("BoolIfExists", "false", None, True),
        ("Null", "true", None, True),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("ForAnyValue:StringEquals", "a", ["a", "b"], True),
        ("ForAnyValue:StringEquals", "a", None, False),
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
        ("ForAllValues:StringLike", "a*", None, True),
    ],
)
def test_evaluate_when_statement_has_a_condition_then_the_context_decides(
    operator: str, wanted: Any, found: Any, holds: bool
) -> None:
    """Every known operator, with the key there and with the key missing."""
    condition = {operator: {"aws:Key": wanted}}
    context = {} if found is None else {"aws:key": found}
    assert (ask(policy(Condition=condition), context=context) == "Allow") is holds


def test_evaluate_when_conditions_are_several_then_all_must_hold() -> None:
    """Operators and keys are joined by and, values of one key by or."""
    both = policy(Condition={"StringEquals": {"a": "1", "b": ["2", "3"]}, "Bool": {"c": "true"}})
    assert ask(both, context={"a": "1", "b": "3", "c": "true"}) == "Allow"
    assert ask(both, context={"a": "1", "b": "3", "c": "false"}) != "Allow"
    assert ask(both, context={"a": "1", "b": "4", "c": "true"}) != "Allow"


@pytest.mark.parametrize(
    ("broken", "principal", "word"),
    [
        (policy(Sid="When", Condition={"DateLessThan": {"k": "v"}}), None, "DateLessThan"),
        (policy(Effect="Deny", Condition={"IpAddress": {"k": "v"}}), None, "IpAddress"),
        (policy(Condition={"NullIfExists": {"k": "true"}}), None, "NullIfExists"),
        (policy(Condition={"Bool": {"k": "perhaps"}}), None, "perhaps"),
        (policy(Condition={"Bool": "true"}), None, "Condition"),
        (policy(Effect="Perhaps"), None, "Perhaps"),
        (policy(Resources="*"), None, "Resources"),
        (policy(NotAction="s3:*"), None, "NotAction"),
        (policy(Resource=None), None, "Resource"),
        (policy(Resource={"a": "b"}), None, "text"),
        (policy(Principal="*"), None, "principal"),
        (policy(), ROLE, "Principal"),
        (policy(Principal={"Everyone": "*"}), ROLE, "Everyone"),
        ({"Version": "2012-10-17"}, None, "Statement"),
    ],
)
def test_evaluate_when_policy_goes_beyond_what_is_known_then_raises(
    broken: dict[str, Any], principal: str | None, word: str
) -> None:
    """What cannot be judged is an error that names it, never a match."""
    context = {"k": "true"}
    with pytest.raises(PolicyError, match=word):
        ask(broken, principal=principal, context=context)


def test_evaluate_when_policy_is_a_trust_policy_then_there_is_no_resource() -> None:
    """Trust policies name no resource; one that does is an error."""
    trust = policy(Action="sts:AssumeRole", Principal={"Service": BEDROCK}, Resource=None)
    asked = {"action": "sts:AssumeRole", "resource": None, "principal": BEDROCK}
    assert ask(trust, **asked) == "Allow"
    with pytest.raises(PolicyError, match="trust policy"):
        ask(policy(Action="sts:AssumeRole", Principal="*"), **asked)
