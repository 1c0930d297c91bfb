"""What each request takes, in IAM's words: Bedrock, IAM, STS, KMS, Service Quotas."""

import base64
from typing import Any

import pytest

from haikuft.sandbox.access.authorization import (
    bedrock_permissions,
    iam_permissions,
    kms_permissions,
    quota_permissions,
    sts_permissions,
)
from haikuft.sandbox.access.policy_evaluation import ANY
from haikuft.sandbox.http.messages import Call
from haikuft.sandbox.http.rest_json import SERVICES, load_service

ACCOUNT, REGION = "123456789012", "us-west-2"
OURS = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
BASE = f"arn:aws:bedrock:{REGION}::foundation-model"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
JOB = {"baseModelIdentifier": f"{HAIKU}:200k", "roleArn": ROLE}
TAG = [{"key": "a", "value": "b"}]


class Names:
    """A Bedrock with one throughput, whose model is encrypted."""

    def arn_of(self, kind: str, identifier: str, region: str) -> str | None:
        """Find the throughput called pt."""
        named = identifier == "pt" and kind == "provisioned-model"
        return f"{OURS}:provisioned-model/abc" if named else None

    def key_of(self, arn: str) -> str:
        """Find its key."""
        return KEY if arn == f"{OURS}:provisioned-model/abc" else ""


def asked(operation: str, parameters: dict[str, Any]) -> list[tuple[str, str]]:
    """List what a call to Bedrock takes as (action, resource)."""
    call = Call(operation, parameters, REGION, ACCOUNT)
    return [
        (permission.action, permission.resource)
        for permission in bedrock_permissions(call, Names())
    ]


CREATE = [
    ("bedrock:CreateModelCustomizationJob", f"{BASE}/{HAIKU}:200k"),
    ("bedrock:CreateModelCustomizationJob", f"{OURS}:custom-model/*"),
    ("bedrock:CreateModelCustomizationJob", f"{OURS}:model-customization-job/*"),
]
TABLE: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("ListFoundationModels", {}, [("bedrock:ListFoundationModels", ANY)]),
    ("ListCustomModels", {}, [("bedrock:ListCustomModels", ANY)]),
    (
        "GetFoundationModel",
        {"modelIdentifier": HAIKU},
        [("bedrock:GetFoundationModel", f"{BASE}/{HAIKU}")],
    ),
    ("CreateModelCustomizationJob", JOB, [*CREATE, ("iam:PassRole", ROLE)]),
    (
        "CreateModelCustomizationJob",
        {**JOB, "jobTags": TAG, "customModelTags": TAG, "customModelKmsKeyId": KEY},
        [
            *CREATE,
            ("bedrock:TagResource", f"{OURS}:model-customization-job/*"),
            ("bedrock:TagResource", f"{OURS}:custom-model/*"),
            ("iam:PassRole", ROLE),
            ("kms:Decrypt", KEY),
            ("kms:GenerateDataKey", KEY),
            ("kms:DescribeKey", KEY),
            ("kms:CreateGrant", KEY),
        ],
    ),
    (
        "GetModelCustomizationJob",
        {"jobIdentifier": "name"},
        [("bedrock:GetModelCustomizationJob", f"{OURS}:model-customization-job/name")],
    ),
    (
        "DeleteCustomModel",
        {"modelIdentifier": f"{OURS}:custom-model/x/y"},
        [("bedrock:DeleteCustomModel", f"{OURS}:custom-model/x/y")],
    ),
    (
        "CreateProvisionedModelThroughput",
        {"modelId": f"{OURS}:custom-model/x/y", "tags": TAG},
        [
            ("bedrock:CreateProvisionedModelThroughput", f"{OURS}:custom-model/x/y"),
            ("bedrock:TagResource", f"{OURS}:provisioned-model/*"),
        ],
    ),
    (
        "UpdateProvisionedModelThroughput",
        {"provisionedModelId": "pt", "desiredModelId": HAIKU},
        [
            ("bedrock:UpdateProvisionedModelThroughput", f"{OURS}:provisioned-model/abc"),
            ("bedrock:UpdateProvisionedModelThroughput", f"{BASE}/{HAIKU}"),
        ],
    ),
    (
        "TagResource",
        {"resourceARN": f"{OURS}:custom-model/x/y", "tags": TAG},
        [("bedrock:TagResource", f"{OURS}:custom-model/x/y")],
    ),
    ("InvokeModel", {"modelId": HAIKU}, [("bedrock:InvokeModel", f"{BASE}/{HAIKU}")]),
    ("Converse", {"modelId": HAIKU}, [("bedrock:InvokeModel", f"{BASE}/{HAIKU}")]),
    (
        "InvokeModelWithResponseStream",
        {"modelId": HAIKU},
        [("bedrock:InvokeModelWithResponseStream", f"{BASE}/{HAIKU}")],
    ),
    (
        "ConverseStream",
        {"modelId": HAIKU},
        [("bedrock:InvokeModelWithResponseStream", f"{BASE}/{HAIKU}")],
    ),
    ("CountTokens", {"modelId": HAIKU}, [("bedrock:CountTokens", f"{BASE}/{HAIKU}")]),
    (
        "InvokeModel",
        {"modelId": "pt"},
        [("bedrock:InvokeModel", f"{OURS}:provisioned-model/abc"), ("kms:Decrypt", KEY)],
    ),
    (
        "InvokeModel",
        {"modelId": "gone"},
        [("bedrock:InvokeModel", f"{OURS}:provisioned-model/gone")],
    ),
    (
        "Converse",
        {"modelId": f"us.{HAIKU}"},
        [
            ("bedrock:InvokeModel", f"{OURS}:inference-profile/us.{HAIKU}"),
            ("bedrock:InvokeModel", f"{BASE}/{HAIKU}"),
        ],
    ),
]


@pytest.mark.parametrize(("operation", "parameters", "expected"), TABLE, ids=str)
def test_bedrock_needs_when_asked_for_an_operation_then_lists_all_it_takes(
    operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Action and resource, in the order in which they are refused."""
    assert asked(operation, parameters) == expected


@pytest.mark.parametrize("service", SERVICES)
def test_bedrock_needs_when_the_operation_is_any_then_asks_for_some_action(service: str) -> None:
    """No operation of AWS's model passes unasked, whether the sandbox serves it or not."""
    model = load_service(service)
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        required = dict.fromkeys(shape.required_members if shape else [], "x")
        found = asked(name, required)
        assert found[0][0].startswith("bedrock:")


def test_bedrock_needs_when_a_role_is_passed_then_says_to_whom() -> None:
    """Which service gets the role is a condition key."""
    call = Call("CreateModelCustomizationJob", JOB, REGION, ACCOUNT)
    (passed,) = [one for one in bedrock_permissions(call, Names()) if one.action == "iam:PassRole"]
    assert passed.context == {"iam:PassedToService": "bedrock.amazonaws.com"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("Action=ListRoles", [("iam:ListRoles", ANY)]),
        ("Action=GetRole&RoleName=r", [("iam:GetRole", "role/team/r")]),
        ("Action=GetRole&RoleName=new", [("iam:GetRole", "role/new")]),
        (
            "Action=CreateRole&RoleName=n&Path=/p/&Tags.member.1.Key=a",
            [("iam:CreateRole", "role/p/n"), ("iam:TagRole", "role/p/n")],
        ),
        ("Action=PutUserPolicy&UserName=bob&PolicyName=p", [("iam:PutUserPolicy", "user/bob")]),
        ("Action=GetUser", [("iam:GetUser", "user/ann")]),
        ("Action=CreatePolicy&PolicyName=p", [("iam:CreatePolicy", "policy/p")]),
        ("Action=AddUserToGroup&GroupName=g&UserName=ann", [("iam:AddUserToGroup", "group/g")]),
    ],
)
def test_iam_needs_when_a_form_comes_then_names_what_it_acts_on(
    form: str, expected: list[tuple[str, str]]
) -> None:
    """Roles keep their paths; what a request does not name is the caller."""
    fields = dict(pair.split("=") for pair in form.split("&"))
    prefix = f"arn:aws:iam::{ACCOUNT}:"
    found = iam_permissions(
        fields,
        account_id=ACCOUNT,
        caller_arn=f"{prefix}user/ann",
        path_of=lambda kind, name: "/team/" if (kind, name) == ("role", "r") else None,
    )
    assert [(one.action, one.resource.removeprefix(prefix)) for one in found] == expected


def test_iam_needs_when_a_policy_is_attached_then_it_is_a_condition_key() -> None:
    """Who may attach policies is often held to certain ones."""
    fields = {"Action": "AttachRolePolicy", "RoleName": "r", "PolicyArn": "arn:p"}
    (permission,) = iam_permissions(
        fields, account_id=ACCOUNT, caller_arn="", path_of=lambda kind, name: None
    )
    assert (permission.resource, permission.context) == (ROLE, {"iam:PolicyARN": "arn:p"})


def test_sts_needs_when_asked_who_one_is_then_takes_nothing() -> None:
    """GetCallerIdentity is never denied; AssumeRole takes the role."""
    assert list(sts_permissions({"Action": "GetCallerIdentity"})) == []
    (permission,) = sts_permissions({"Action": "AssumeRole", "RoleArn": ROLE, "ExternalId": "x"})
    assert (permission.action, permission.resource) == ("sts:AssumeRole", ROLE)
    assert permission.context == {"sts:ExternalId": "x"}


@pytest.mark.parametrize(
    ("operation", "fields", "expected"),
    [
        ("ListKeys", {}, [("kms:ListKeys", ANY)]),
        ("CreateKey", {"Tags": TAG}, [("kms:CreateKey", ANY), ("kms:TagResource", "key/*")]),
        ("Encrypt", {"KeyId": "k"}, [("kms:Encrypt", "key/k")]),
        (
            "CreateAlias",
            {"AliasName": "alias/a", "TargetKeyId": "k"},
            [("kms:CreateAlias", "alias/a"), ("kms:CreateAlias", "key/k")],
        ),
        (
            "Decrypt",
            {"CiphertextBlob": base64.b64encode(b"1" * 40).decode()},
            [("kms:Decrypt", f"key/{'1' * 36}")],
        ),
        ("Decrypt", {"CiphertextBlob": "?"}, [("kms:Decrypt", ANY)]),
        (
            "ReEncrypt",
            {"SourceKeyId": "a", "DestinationKeyId": "b"},
            [("kms:ReEncryptFrom", "key/a"), ("kms:ReEncryptTo", "key/b")],
        ),
    ],
)
def test_kms_needs_when_an_operation_comes_then_names_the_key(
    operation: str, fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """The key may be named by id, by alias, or by what it has encrypted."""
    prefix = f"arn:aws:kms:{REGION}:{ACCOUNT}:"
    found = kms_permissions(
        operation, fields, key_arn=lambda name: f"{prefix}key/{name}", prefix=prefix
    )
    assert [(one.action, one.resource.removeprefix(prefix)) for one in found] == expected


def test_quota_needs_when_one_quota_is_read_then_names_it() -> None:
    """Only GetServiceQuota has a resource."""
    asked = {"ServiceCode": "bedrock", "QuotaCode": "L-1"}
    (one,) = quota_permissions("GetServiceQuota", asked, prefix="arn:q:")
    assert (one.action, one.resource) == ("servicequotas:GetServiceQuota", "arn:q:bedrock/L-1")
    (default,) = quota_permissions("GetAWSDefaultServiceQuota", asked, prefix="arn:q:")
    assert default.resource == ANY
