"""The role a job works under, what it may do, and what its caller needs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from haikuft import iam
from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_MICRO, BaseModel
from haikuft.errors import AccessError, ConflictError, SettingsError
from haikuft.iam import roles
from haikuft.package_data import read_toml
from haikuft.sandbox.access.policy_evaluation import evaluate

ACCOUNT = "123456789012"
REGION = "us-west-2"
BUCKET = "haikuft-first"
ROLE = iam.default_role_name("first")
TAGS = {"haikuft:run": "first", "haikuft:owner": "0123456789abcdef"}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
JOB = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/anthropic.m-v1:0:200k/abc"


def statement(policy: dict[str, Any], sid: str) -> dict[str, Any]:
    """Find the statement of that Sid."""
    (found,) = [one for one in policy["Statement"] if one["Sid"] == sid]
    return dict(found)


def allowed(policy: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """Ask the sandbox's evaluator; a context key's colon is written as two underscores."""
    keys = {name.replace("__", ":"): value for name, value in context.items()}
    return evaluate([policy], action=action, resource=resource, context=keys) == "Allow"


def trusts(account: str, job: str, service: str = "bedrock.amazonaws.com") -> bool:
    """Ask whether that service may take on the role for that account's job."""
    decision = evaluate(
        [iam.build_trust_policy(ACCOUNT, REGION)],
        action="sts:AssumeRole",
        resource=None,
        context={"aws:SourceAccount": account, "aws:SourceArn": job},
        principal=service,
    )
    return decision == "Allow"


def role_policy(**options: Any) -> dict[str, Any]:
    """Build the role's policy for the bucket of these tests."""
    return iam.build_role_policy(BUCKET, region=REGION, account_id=ACCOUNT, **options)


def caller_policy(**options: Any) -> dict[str, Any]:
    """Build the caller's policy for the bucket and role of these tests."""
    return iam.build_caller_policy(
        ACCOUNT, REGION, BUCKET, ROLE, **{"serving": NOVA_MICRO.serving, **options}
    )


def test_trust_policy_when_asked_for_this_account_s_job_then_trusts_bedrock_alone() -> None:
    """Both conditions hold: the account, and a job of this Region; nobody else gets in."""
    assert trusts(ACCOUNT, JOB)
    assert not trusts("999999999999", JOB)
    assert not trusts(ACCOUNT, JOB.replace(REGION, "us-east-1"))
    assert not trusts(ACCOUNT, f"arn:aws:bedrock:{REGION}:{ACCOUNT}:evaluation-job/abc")
    assert not trusts(ACCOUNT, JOB, "sagemaker.amazonaws.com")


def test_role_policy_when_plain_then_reads_data_and_writes_output_alone() -> None:
    """Each folder has what it needs, and no more."""
    policy, arn = role_policy(), f"arn:aws:s3:::{BUCKET}"
    assert allowed(policy, "s3:GetObject", f"{arn}/training/train.jsonl")
    assert allowed(policy, "s3:GetObject", f"{arn}/validation/validation.jsonl")
    assert allowed(policy, "s3:PutObject", f"{arn}/output/job/metrics.csv")
    assert allowed(policy, "s3:GetObject", f"{arn}/output/job/metrics.csv")
    assert allowed(policy, "s3:ListBucket", arn, s3__prefix="training/train.jsonl")
    assert not allowed(policy, "s3:PutObject", f"{arn}/training/train.jsonl")
    assert not allowed(policy, "s3:GetObject", f"{arn}/test/test.jsonl")
    assert not allowed(policy, "s3:ListBucket", arn, s3__prefix="test/")
    assert not allowed(policy, "s3:DeleteObject", f"{arn}/output/job/metrics.csv")
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::other/training/train.jsonl")


def test_role_policy_when_key_is_given_then_uses_it_through_bedrock_and_s3_alone() -> None:
    """The four actions Bedrock documents, bound to the services that may use the key."""
    policy = role_policy(kms_key_arn=KEY)
    bedrock, s3 = (f"{name}.{REGION}.amazonaws.com" for name in ("bedrock", "s3"))
    for action in ("Decrypt", "GenerateDataKey", "DescribeKey", "CreateGrant"):
        assert allowed(policy, f"kms:{action}", KEY, kms__ViaService=bedrock)
        assert not allowed(policy, f"kms:{action}", KEY)
        assert not allowed(policy, f"kms:{action}", KEY.replace("1", "2"), kms__ViaService=bedrock)
    for action in ("Decrypt", "GenerateDataKey"):
        assert allowed(policy, f"kms:{action}", KEY, kms__ViaService=s3)
    assert not allowed(policy, "kms:CreateGrant", KEY, kms__ViaService=s3)


def test_role_policy_when_vpc_is_given_then_has_every_action_aws_lists() -> None:
    """Ten network actions, held to the job's own interfaces and the given subnets and groups."""
    policy = role_policy(subnet_ids=["subnet-1", "subnet-2"], security_group_ids=["sg-1"])
    actions = [
        action.removeprefix("ec2:")
        for one in policy["Statement"]
        for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        if action.startswith("ec2:")
    ]
    assert sorted(set(actions)) == [
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "CreateTags",
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ]
    jobs = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/*"
    ec2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
    assert statement(policy, "CreateTaggedInterface")["Condition"] == {
        "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
        "ArnLike": {"aws:RequestTag/BedrockModelCustomizationJobArn": jobs},
    }
    assert statement(policy, "UseGivenSubnetsAndGroups")["Resource"] == [
        f"{ec2}:subnet/subnet-1",
        f"{ec2}:subnet/subnet-2",
        f"{ec2}:security-group/sg-1",
    ]
    managed = statement(policy, "ManageTaggedInterface")["Condition"]
    assert managed["StringEquals"] == {"ec2:ResourceTag/BedrockManaged": "true"}
    assert managed["ArnLike"]["ec2:Subnet"] == [
        f"{ec2}:subnet/subnet-1",
        f"{ec2}:subnet/subnet-2",
    ]


@pytest.mark.parametrize(
    "half", [{"subnet_ids": ["subnet-1"]}, {"security_group_ids": ["sg-1"]}], ids=str
)
def test_role_policy_when_vpc_is_half_given_then_asks_for_both(half: dict[str, list[str]]) -> None:
    """A job takes subnets and security groups together."""
    with pytest.raises(SettingsError, match="both subnet_ids and security_group_ids"):
        role_policy(**half)


def test_role_policy_when_unasked_then_has_no_key_and_no_network() -> None:
    """What is optional is absent until asked for."""
    text = json.dumps(role_policy())
    assert "kms:" not in text
    assert "ec2:" not in text


def test_policies_when_in_govcloud_then_arns_are_of_its_partition() -> None:
    """Partitions beside `aws` have ARNs of their own."""
    region = "us-gov-west-1"
    policies = [
        iam.build_trust_policy(ACCOUNT, region),
        iam.build_role_policy(BUCKET, region=region, account_id=ACCOUNT),
        iam.build_caller_policy(ACCOUNT, region, BUCKET, ROLE, serving=NOVA_MICRO.serving),
        iam.build_tls_policy(BUCKET, region=region),
    ]
    for policy in policies:
        text = json.dumps(policy)
        assert "arn:aws-us-gov:" in text
        assert "arn:aws:" not in text


def test_caller_policy_when_passing_the_role_then_only_ours_to_bedrock_alone() -> None:
    """PassRole without its condition would lend the role to any service."""
    policy, role = caller_policy(), f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    passed = "iam:PassRole"
    assert allowed(policy, passed, role, iam__PassedToService="bedrock.amazonaws.com")
    assert not allowed(policy, passed, role, iam__PassedToService="ec2.amazonaws.com")
    assert not allowed(policy, passed, role)
    other = f"arn:aws:iam::{ACCOUNT}:role/admin"
    assert not allowed(policy, passed, other, iam__PassedToService="bedrock.amazonaws.com")


def test_caller_policy_when_read_then_has_no_wildcard_action_and_needs_no_sts() -> None:
    """Each action is named; everything but listing and reading is bound to a resource."""
    for one in caller_policy(kms_key_arn=KEY)["Statement"]:
        actions = one["Action"]
        assert not any("*" in action for action in actions)
        assert not any(action.startswith("sts:") for action in actions)
        if one["Resource"] == ["*"]:
            verbs = {action.partition(":")[2][:3] for action in actions}
            assert verbs <= {"Get", "Lis"}


@pytest.mark.parametrize("model", [CLAUDE_3_HAIKU, NOVA_MICRO], ids=lambda model: model.name)
def test_caller_policy_when_built_then_serves_in_the_ways_of_the_base_model_alone(
    model: BaseModel,
) -> None:
    """Nobody may deploy what AWS does not deploy."""
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
    policy = caller_policy(serving=model.serving)
    deploys = "deployment" in model.serving
    for action, thing in (
        ("CreateCustomModelDeployment", "custom-model/a"),
        ("UpdateCustomModelDeployment", "custom-model-deployment/a"),
        ("GetCustomModelDeployment", "custom-model-deployment/a"),
        ("DeleteCustomModelDeployment", "custom-model-deployment/a"),
        ("InvokeModel", "custom-model-deployment/a"),
        ("TagResource", "custom-model-deployment/a"),
    ):
        assert allowed(policy, f"bedrock:{action}", f"{arn}:{thing}") == deploys, action
    assert allowed(policy, "bedrock:InvokeModel", f"{arn}:provisioned-model/a")


def test_caller_policy_when_attached_then_fits_a_managed_policy() -> None:
    """IAM counts 6,144 characters without white space."""
    text = json.dumps(caller_policy(kms_key_arn=KEY), separators=(",", ":"))
    assert len(text) <= 6144


def test_tls_policy_when_plain_http_then_denies_everyone() -> None:
    """Without TLS nothing works, with TLS nothing is denied."""
    policy = iam.build_tls_policy(BUCKET)
    for resource in (f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/training/train.jsonl"):
        for secure, denied in (("false", True), ("true", False)):
            decision = evaluate(
                [policy],
                action="s3:GetObject",
                resource=resource,
                context={"aws:SecureTransport": secure},
                principal=f"arn:aws:iam::{ACCOUNT}:root",
            )
            assert (decision == "Deny") is denied


def test_explain_policy_when_built_here_then_has_a_sentence_for_each_sid() -> None:
    """Every statement is named once and explained in plain words."""
    vpc = {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]}
    for policy in (
        iam.build_trust_policy(ACCOUNT, REGION),
        role_policy(kms_key_arn=KEY, **vpc),
        caller_policy(kms_key_arn=KEY),
        iam.build_tls_policy(BUCKET),
        iam.build_evaluation_trust_policy(ACCOUNT, REGION),
        iam.build_evaluation_policy(BUCKET, region=REGION, account_id=ACCOUNT),
    ):
        explained = iam.explain_policy(policy)
        sids = [one["Sid"] for one in policy["Statement"]]
        assert [sid for sid, _ in explained] == sids
        assert len(set(sids)) == len(sids)
        assert all(sid.isalnum() for sid in sids)  # IAM allows nothing else
        for _, sentence in explained:
            assert sentence.endswith(".")
            assert ":*" not in sentence
            assert " on arn:" not in sentence


def test_statements_when_all_policies_are_built_then_each_is_in_one_of_them() -> None:
    """The table holds no statement that no policy has."""
    vpc = {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]}
    both: dict[str, Any] = {"serving": ("deployment", "provisioned_throughput")}
    used = {
        one["Sid"]
        for policy in (
            iam.build_trust_policy(ACCOUNT, REGION),
            role_policy(kms_key_arn=KEY, **vpc),
            caller_policy(kms_key_arn=KEY, **both),
            caller_policy(given_bucket=True, given_role_arn=f"arn:aws:iam::{ACCOUNT}:role/x/R"),
            iam.build_tls_policy(BUCKET),
            iam.build_evaluation_trust_policy(ACCOUNT, REGION),
            iam.build_evaluation_policy(BUCKET, region=REGION, account_id=ACCOUNT),
        )
        for one in policy["Statement"]
    }
    of_the_limit = {"TrustScheduler", "EndThroughput"}  # tests/serving/test_limit.py
    assert used | of_the_limit == set(read_toml("haikuft.iam", "statements.toml"))


def test_explain_policy_when_caller_asks_models_then_speaks_of_the_caller() -> None:
    """The sentence is the caller's, not that of a role of a Bedrock evaluation job."""
    assert dict(iam.explain_policy(caller_policy()))["AskModels"].startswith("You may ask")


def test_explain_policy_when_statement_is_unknown_then_lists_its_parts() -> None:
    """A statement somebody added is shown as it stands."""
    policy = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]}
    assert iam.explain_policy(policy) == [("", "Allows s3:GetObject on *.")]


@pytest.fixture
def client(local_sandbox: Callable[..., Any]) -> Any:
    """Give an IAM client of an empty sandbox."""
    return local_sandbox().client("iam")


def ensure(client: Any, **changes: Any) -> str:
    """Make or find the role of these tests."""
    options: dict[str, Any] = {
        "trust_policy": iam.build_trust_policy(ACCOUNT, REGION),
        "role_policy": role_policy(),
        "tags": TAGS,
        **changes,
    }
    return iam.ensure_role(client, ROLE, **options)


def test_default_role_name_when_made_then_fits_aws_full_access_policy() -> None:
    """AWS's managed policy passes only roles whose names contain AmazonBedrock."""
    assert "AmazonBedrock" in ROLE
    assert len(iam.default_role_name("a" * 32)) <= 64


def test_ensure_role_when_run_twice_then_nothing_doubles(client: Any) -> None:
    """One role, one inline policy, the same ARN both times."""
    assert ensure(client) == ensure(client) == f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
    assert [role["RoleName"] for role in client.list_roles()["Roles"]] == [ROLE]
    assert client.list_role_policies(RoleName=ROLE)["PolicyNames"] == [roles.POLICY_NAME]
    assert roles.find_role(client, ROLE).tags == TAGS


def test_ensure_role_when_policies_changed_then_brings_them_up_to_date(client: Any) -> None:
    """A role that somebody changed is repaired, so that running notebook 1 again repairs it."""
    ensure(client)
    client.update_assume_role_policy(
        RoleName=ROLE, PolicyDocument=json.dumps(iam.build_trust_policy(ACCOUNT, "eu-west-1"))
    )
    ensure(client, role_policy=role_policy(kms_key_arn=KEY))
    assert roles.find_role(client, ROLE).trust_policy == iam.build_trust_policy(ACCOUNT, REGION)
    policy = client.get_role_policy(RoleName=ROLE, PolicyName=roles.POLICY_NAME)["PolicyDocument"]
    assert policy == role_policy(kms_key_arn=KEY)


@pytest.mark.parametrize("marks", [{}, {"haikuft:run": "second"}], ids=str)
def test_ensure_role_when_somebody_else_s_then_leaves_it_alone(
    marks: dict[str, str], client: Any
) -> None:
    """A role without this run's tag is neither changed nor deleted."""
    theirs = json.dumps(iam.build_trust_policy("999999999999", REGION))
    tags = [{"Key": key, "Value": value} for key, value in marks.items()]
    client.create_role(RoleName=ROLE, AssumeRolePolicyDocument=theirs, Tags=tags)
    for act in (lambda: ensure(client), lambda: roles.delete_role(client, ROLE, tags=TAGS)):
        with pytest.raises(ConflictError, match=r"not made by this run.*Set role_name"):
            act()
    assert roles.find_role(client, ROLE).trust_policy == json.loads(theirs)
    assert client.list_role_policies(RoleName=ROLE)["PolicyNames"] == []


def test_delete_role_when_ours_then_goes_with_its_policy_and_twice_is_fine(client: Any) -> None:
    """Inline policies go first, as IAM demands."""
    ensure(client)
    assert roles.delete_role(client, ROLE, tags=TAGS) is True
    assert client.list_roles()["Roles"] == []
    assert roles.delete_role(client, ROLE, tags=TAGS) is False


def make_given(client: Any, trust: dict[str, Any] | None = None, **options: Any) -> None:
    """Make a role as a platform team does: in a path, without tags."""
    document = json.dumps(trust or iam.build_trust_policy(ACCOUNT, REGION))
    client.create_role(
        RoleName="AdminMade", Path="/service-role/", AssumeRolePolicyDocument=document, **options
    )


def ensure_given(client: Any, **changes: Any) -> str:
    """Name that role, as the parameter role_name does."""
    return iam.ensure_role(
        client,
        "AdminMade",
        trust_policy=iam.build_trust_policy(ACCOUNT, REGION),
        role_policy=role_policy(),
        tags=TAGS,
        **{"given": True, **changes},
    )


def test_ensure_role_when_a_platform_team_has_made_the_given_one_then_only_reads_it(
    client: Any,
) -> None:
    """Its ARN keeps the path; nothing of it is changed or deleted. Case admin_made_role."""
    make_given(client)
    before = client.get_role(RoleName="AdminMade")["Role"]
    assert ensure_given(client) == f"arn:aws:iam::{ACCOUNT}:role/service-role/AdminMade"
    with pytest.raises(ConflictError):
        roles.delete_role(client, "AdminMade", tags=TAGS, recorded=True)
    after = client.get_role(RoleName="AdminMade")["Role"]
    assert {**after, "RoleLastUsed": None} == {**before, "RoleLastUsed": None}
    assert client.list_role_policies(RoleName="AdminMade")["PolicyNames"] == []
    assert not iam.owns_role(client, "AdminMade", tags=TAGS)


def test_ensure_role_when_the_given_one_does_not_trust_bedrock_then_says_what_it_needs(
    client: Any,
) -> None:
    """The trust policy is printed for whoever made it."""
    lambda_trust = json.dumps(iam.build_trust_policy(ACCOUNT, REGION))
    make_given(client, json.loads(lambda_trust.replace("bedrock.amazonaws", "lambda.amazonaws")))
    with pytest.raises(AccessError, match=r'does not trust.*ask whoever made it.*"Statement"'):
        ensure_given(client)


def test_ensure_role_when_the_given_one_is_another_run_s_then_leaves_it_alone(client: Any) -> None:
    """Its owner cleans it up one day."""
    make_given(client, Tags=[{"Key": "haikuft:owner", "Value": "f" * 16}])
    with pytest.raises(ConflictError, match="Set role_name to another name"):
        ensure_given(client)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/service-role/MyRole", 'give its last part, "MyRole"'),
        ("service-role/MyRole", 'give its last part, "MyRole"'),
        ("a" * 65, "1 to 64 letters"),
        ("My Role", "1 to 64 letters"),
    ],
)
def test_ensure_role_when_iam_takes_no_such_name_then_nothing_is_made(
    name: str, words: str, client: Any
) -> None:
    """The name in an ARN is named. Case role_arn_as_name."""
    with pytest.raises(SettingsError, match=words):
        iam.ensure_role(client, name, trust_policy={}, role_policy={}, tags=TAGS)
    assert client.list_roles()["Roles"] == []


def test_ensure_role_when_a_boundary_is_given_then_the_role_has_it_from_the_first_request(
    client: Any,
) -> None:
    """A role from before is given it; without the parameter it keeps what it has."""
    document = json.dumps(role_policy())
    arn = client.create_policy(PolicyName="b", PolicyDocument=document)["Policy"]["Arn"]
    ensure(client, permissions_boundary=arn)
    assert roles.find_role(client, ROLE).permissions_boundary == arn
    ensure(client)
    assert roles.find_role(client, ROLE).permissions_boundary == arn
    client.delete_role_permissions_boundary(RoleName=ROLE)
    ensure(client, permissions_boundary=arn)
    assert roles.find_role(client, ROLE).permissions_boundary == arn
    assert roles.delete_role(client, ROLE, tags=TAGS)


def test_caller_policy_when_role_and_bucket_are_given_then_only_reads_and_passes_them() -> None:
    """The role keeps its path in the permission to pass it."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/service-role/AdminMade"
    policy = caller_policy(given_bucket=True, given_role_arn=arn)
    assert statement(policy, "PassRole")["Resource"][0] == arn
    assert not allowed(policy, "iam:PutRolePolicy", arn)
    assert not allowed(policy, "s3:PutBucketPolicy", f"arn:aws:s3:::{BUCKET}")
    assert allowed(policy, "iam:GetRole", arn)
