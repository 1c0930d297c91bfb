"""Access keys that IAM made are held to their policies, by every service, in its own wire form."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT, REGION = "123456789012", "us-west-2"
HAIKU = "anthropic.claude-3-haiku-20240307-v1:0"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
MESSAGES: Any = [{"role": "user", "content": [{"text": "hello"}]}]
BODY = json.dumps(
    {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hello"}],
    }
)


def document(*statements: dict[str, Any]) -> str:
    """Write a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    """Write a statement."""
    return {"Effect": effect, "Action": list(actions), "Resource": resource}


@dataclass
class Users:
    """One sandbox, its administrator, and a user called ann."""

    local: Any
    access_key: str

    def admin(self, service: str) -> Any:
        """Make a client of the administrator's."""
        return self.local.client(service)

    def ann(self, service: str, access_key: str = "") -> Any:
        """Make a client of the user ann, or of the given access key."""
        session = boto3.Session(access_key or self.access_key, "not checked", region_name=REGION)
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        return session.client(service, endpoint_url=self.local.url, config=config)

    def allow(self, *statements: dict[str, Any]) -> None:
        """Give ann these statements and no others."""
        self.admin("iam").put_user_policy(
            UserName="ann", PolicyName="own", PolicyDocument=document(*statements)
        )


@pytest.fixture
def users(local_sandbox: Callable[..., Any]) -> Users:
    """A sandbox with a bucket that holds one object, and ann, who may do nothing yet."""
    local = local_sandbox(handlers=None)
    local.client("iam").create_user(UserName="ann")
    made = local.client("iam").create_access_key(UserName="ann")["AccessKey"]
    s3 = local.client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="data", Key="a", Body=b"text")
    return Users(local, made["AccessKeyId"])


REQUESTS: list[tuple[str, Callable[[Any], Any], str, str, int]] = [
    ("bedrock", lambda c: c.list_foundation_models(), "ListFoundationModels", "", 403),
    (
        "bedrock",
        lambda c: c.get_model_customization_job(jobIdentifier="j"),
        "GetModelCustomizationJob",
        f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/j",
        403,
    ),
    (
        "bedrock-runtime",
        lambda c: c.invoke_model(modelId=HAIKU, body=BODY),
        "bedrock:InvokeModel",
        f"arn:aws:bedrock:{REGION}::foundation-model/{HAIKU}",
        403,
    ),
    (
        "bedrock-runtime",
        lambda c: c.converse(modelId=HAIKU, messages=MESSAGES),
        "bedrock:InvokeModel",
        f"arn:aws:bedrock:{REGION}::foundation-model/{HAIKU}",
        403,
    ),
    ("s3", lambda c: c.list_buckets(), "s3:ListAllMyBuckets", "", 403),
    (
        "s3",
        lambda c: c.get_object(Bucket="data", Key="a"),
        "s3:GetObject",
        '"arn:aws:s3:::data/a"',
        403,
    ),
    (
        "s3",
        lambda c: c.put_bucket_tagging(Bucket="data", Tagging={"TagSet": []}),
        "s3:PutBucketTagging",
        '"arn:aws:s3:::data"',
        403,
    ),
    ("iam", lambda c: c.list_users(), "iam:ListUsers", "", 403),
    ("iam", lambda c: c.get_user(), "iam:GetUser", ANN, 403),
    (
        "sts",
        lambda c: c.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE"),
        "sts:GetAccessKeyInfo",
        "",
        403,
    ),
    ("kms", lambda c: c.list_keys(), "kms:ListKeys", "", 400),
    (
        "service-quotas",
        lambda c: c.list_service_quotas(ServiceCode="bedrock"),
        "servicequotas:ListServiceQuotas",
        "",
        400,
    ),
]


@pytest.mark.parametrize(
    ("service", "ask", "action", "resource", "status"),
    REQUESTS,
    ids=[f"{one[0]} {one[2]}" for one in REQUESTS],
)
def test_request_when_the_key_s_user_may_not_then_is_refused_in_aws_s_words(
    users: Users, service: str, ask: Callable[[Any], Any], action: str, resource: str, status: int
) -> None:
    """Code, status and sentence as the service gives them; with the permission it goes through."""
    action = action if ":" in action else f"bedrock:{action}"
    with pytest.raises(ClientError) as caught:
        ask(users.ann(service))
    answer = caught.value.response
    json_service = service not in ("s3", "iam", "sts")
    assert answer["Error"]["Code"] == f"AccessDenied{'Exception' if json_service else ''}"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    where = f" on resource: {resource}" if resource else ""
    assert answer["Error"]["Message"] == (
        f"User: {ANN} is not authorized to perform: {action}{where} because no identity-based "
        f"policy allows the {action} action"
    )
    users.allow(allow(action))
    said = ""
    try:
        ask(users.ann(service))
    except ClientError as error:  # what the service itself says of the request
        said = str(error)
    assert "not authorized" not in said
    users.allow(allow("*"), allow(action, effect="Deny"))
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        ask(users.ann(service))


def test_get_caller_identity_when_everything_is_denied_then_still_answers(users: Users) -> None:
    """AWS never denies it."""
    users.allow(allow("*", effect="Deny"))
    assert users.ann("sts").get_caller_identity()["Arn"] == ANN


def test_request_when_the_key_is_any_other_then_is_the_administrator_s(users: Users) -> None:
    """Dummy keys do everything, as before."""
    assert users.admin("iam").list_users()["Users"][0]["UserName"] == "ann"
    assert users.ann("sts", "made-up").get_caller_identity()["Arn"].endswith("administrator")


def test_request_when_policies_come_from_everywhere_then_all_of_them_count(users: Users) -> None:
    """Inline, attached, by a group inline and attached; a Deny in one of them is enough."""
    iam = users.admin("iam")
    iam.create_group(GroupName="g")
    iam.add_user_to_group(GroupName="g", UserName="ann")

    def make(name: str, statement: dict[str, Any]) -> str:
        made = iam.create_policy(PolicyName=name, PolicyDocument=document(statement))
        return str(made["Policy"]["Arn"])

    iam.attach_user_policy(UserName="ann", PolicyArn=make("a", allow("s3:GetObject")))
    iam.put_group_policy(
        GroupName="g", PolicyName="own", PolicyDocument=document(allow("iam:ListUsers"))
    )
    iam.attach_group_policy(GroupName="g", PolicyArn=make("b", allow("kms:ListKeys")))
    assert users.ann("s3").get_object(Bucket="data", Key="a")["Body"].read() == b"text"
    assert users.ann("iam").list_users()["Users"]
    assert users.ann("kms").list_keys()["Keys"] == []
    users.allow(allow("s3:*", effect="Deny"))
    with pytest.raises(ClientError, match="explicit deny in an identity-based policy"):
        users.ann("s3").get_object(Bucket="data", Key="a")


def test_role_when_assumed_then_its_session_is_held_to_role_boundary_and_session_policy(
    users: Users,
) -> None:
    """Trust policy and the user's own policy let ann in; three policies hold her then."""
    iam = users.admin("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    asked = {"RoleArn": role, "RoleSessionName": "walk"}
    with pytest.raises(ClientError, match=f"sts:AssumeRole on resource: {role} because no ident"):
        users.ann("sts").assume_role(**asked)
    users.allow(allow("sts:AssumeRole", resource=role))
    key = users.ann("sts").assume_role(**asked)["Credentials"]["AccessKeyId"]
    who = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/walk"
    with pytest.raises(ClientError, match=f"User: {who} is not authorized to perform: iam:ListU"):
        users.ann("iam", key).list_users()
    everything = document(allow("*"))
    iam.put_role_policy(RoleName="r", PolicyName="own", PolicyDocument=everything)
    assert users.ann("iam", key).list_users()["Users"]
    only = document(allow("s3:*"))
    narrow = users.ann("sts").assume_role(**asked, Policy=only)["Credentials"]["AccessKeyId"]
    assert users.ann("s3", narrow).list_buckets()["Buckets"]
    with pytest.raises(ClientError, match="no session policy allows the iam:ListUsers action"):
        users.ann("iam", narrow).list_users()
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=only)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=limit)
    with pytest.raises(ClientError, match="no permissions boundary allows the iam:ListUsers"):
        users.ann("iam", key).list_users()


def test_assume_role_when_the_trust_policy_names_another_then_refuses_the_administrator_too(
    users: Users,
) -> None:
    """A role is a resource, too; one that is not there is refused in the same words."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ANN}}
    iam = users.admin("iam")
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    for arn in (role, f"{role}-gone"):
        with pytest.raises(ClientError, match="no resource-based policy allows the sts:AssumeRole"):
            users.admin("sts").assume_role(RoleArn=arn, RoleSessionName="walk")
    assert users.ann("sts").assume_role(RoleArn=role, RoleSessionName="walk")["Credentials"]


@pytest.mark.parametrize(
    ("service", "ask", "code"),
    [
        ("s3", lambda c: c.list_buckets(), "InvalidAccessKeyId"),
        ("iam", lambda c: c.list_users(), "InvalidClientTokenId"),
        ("bedrock", lambda c: c.list_custom_models(), "UnrecognizedClientException"),
        ("kms", lambda c: c.list_keys(), "UnrecognizedClientException"),
    ],
)
def test_request_when_the_key_is_switched_off_then_aws_does_not_know_it(
    users: Users, service: str, ask: Callable[[Any], Any], code: str
) -> None:
    """An inactive key must not become the administrator's."""
    users.allow(allow("*"))
    users.admin("iam").update_access_key(
        UserName="ann", AccessKeyId=users.access_key, Status="Inactive"
    )
    with pytest.raises(ClientError, match=code):
        ask(users.ann(service))


def test_request_when_the_session_has_ended_then_says_so(local_sandbox: Any) -> None:
    """Temporary keys end after an hour; the clock is ours."""
    later = [timedelta(0)]
    local = local_sandbox(now=lambda: datetime.now(UTC) + later[0])
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ACCOUNT}}
    made = local.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))
    asked = {"RoleArn": made["Role"]["Arn"], "RoleSessionName": "walk"}
    key = local.client("sts").assume_role(**asked)["Credentials"]["AccessKeyId"]
    users = Users(local, key)
    assert "assumed-role/r/walk" in users.ann("sts").get_caller_identity()["Arn"]
    later[0] = timedelta(hours=1, seconds=1)
    with pytest.raises(ClientError, match="ExpiredToken"):
        users.ann("sts").get_caller_identity()


def test_session_token_when_a_user_asks_for_one_then_is_told_what_to_use(users: Users) -> None:
    """Moto's session tokens would act as the administrator, so none is created."""
    users.allow(allow("*"))
    with pytest.raises(ClientError, match=r"no keys by GetSessionToken .* AssumeRole"):
        users.ann("sts").get_session_token()


def test_create_job_when_the_role_may_not_be_passed_then_names_pass_role(users: Users) -> None:
    """iam:PassRole is asked with the service that gets the role."""
    job = {
        "jobName": "j",
        "customModelName": "m",
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r",
        "baseModelIdentifier": f"{HAIKU}:200k",
        "trainingDataConfig": {"s3Uri": "s3://data/a.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://data/out/"},
        "hyperParameters": {},
    }
    to_ec2 = allow("iam:PassRole") | {
        "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    }
    users.allow(allow("bedrock:*"), to_ec2)
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {job['roleArn']} because"):
        users.ann("bedrock").create_model_customization_job(**job)
    users.allow(allow("bedrock:*", "iam:PassRole"))
    with pytest.raises(ClientError, match="Could not assume provided IAM role"):
        users.ann("bedrock").create_model_customization_job(**job)


def test_throughput_when_named_by_name_then_the_policy_meets_its_arn(users: Users) -> None:
    """A name is found before it is judged, so that policies may name ARNs."""
    made = users.admin("bedrock").create_provisioned_model_throughput(
        provisionedModelName="pt", modelId=f"{HAIKU}:200k", modelUnits=1
    )["provisionedModelArn"]
    users.allow(allow("bedrock:InvokeModel", resource=made))
    runtime = users.ann("bedrock-runtime")
    for name in (made, "pt"):
        assert runtime.converse(modelId=name, messages=MESSAGES)["output"]
    with pytest.raises(ClientError, match="foundation-model"):
        runtime.converse(modelId=HAIKU, messages=MESSAGES)


def test_policy_when_it_cannot_be_judged_then_every_service_says_which(users: Users) -> None:
    """An operator that is not known here is an error, never a match."""
    strange = allow("*") | {"Sid": "Odd", "Condition": {"NumericEquals": {"s3:max-keys": "1"}}}
    users.allow(strange)
    for service, ask in (
        ("s3", lambda c: c.list_buckets()),
        ("bedrock", lambda c: c.list_custom_models()),
        ("iam", lambda c: c.list_users()),
    ):
        with pytest.raises(ClientError, match=r"NotImplemented.*'Odd'.*NumericEquals is not known"):
            ask(users.ann(service))


def test_key_when_its_policy_names_nobody_then_not_even_the_administrator_may(
    users: Users,
) -> None:
    """A key's policy decides for everyone; who is named in it needs no policy of their own."""
    kms = users.admin("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    own = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": ANN}}
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document(own))
    with pytest.raises(ClientError, match="no resource-based policy allows the kms:Encrypt"):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    blob = users.ann("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert users.ann("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_upload_when_ann_has_what_it_takes_then_parts_come_together(users: Users) -> None:
    """A large file takes s3:PutObject alone."""
    users.allow(allow("s3:PutObject", resource="arn:aws:s3:::data/*"))
    data = bytes(range(256)) * 40_000
    users.ann("s3").upload_fileobj(io.BytesIO(data), "data", "large")
    assert users.admin("s3").get_object(Bucket="data", Key="large")["Body"].read() == data


@pytest.mark.parametrize(
    ("service", "operation", "body"),
    [("servicequotas", "GetServiceQuota", b"[1]"), ("kms", "CreateKey", b"{")],
)
def test_request_when_its_body_is_no_object_then_is_refused_as_unreadable(
    users: Users, service: str, operation: str, body: bytes
) -> None:
    """What cannot be read cannot be judged: 400, never a 500."""
    scope = f"{users.access_key}/20261121/{REGION}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0",
        "X-Amz-Target": f"Service.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    request = urllib.request.Request(users.local.url, body, headers, method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310 - the sandbox's own
    assert caught.value.code == 400
    assert json.loads(caught.value.read())["__type"] == "SerializationException"
