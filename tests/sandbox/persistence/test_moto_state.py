"""What is answered is kept: when the state is opened again, and through SIGKILL at any moment."""

import hashlib
import json
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.s3.models import CorsRule

import haikuft.sandbox
from haikuft.errors import SandboxError
from haikuft.sandbox.access.store import Role
from haikuft.sandbox.persistence import moto_state
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.persistence.moto_state import MotoState

REGION = "us-west-2"
PLACE = {"LocationConstraint": REGION}
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
TRUST = ALLOW.replace('"Resource": "*"', '"Principal": {"Service": "bedrock.amazonaws.com"}')
BUCKETS, KEYS, NAMES = ("data", "more"), ("k", "a/é +%", "z"), ("ada", "grace")
KEY_MEMBERS = ("AccessKeyId", "SecretAccessKey", "SessionToken")
SESSIONS = ("one", "two", "three")


def rows(state: Path) -> dict[tuple[str, str], bytes]:
    """Read all that the database holds of moto's."""
    database = Database(state / "ledger.sqlite")
    kinds = ("s3.bucket", "s3.object", "s3.upload", "iam.entity", "iam.backend", "sts.entity",
             "sts.backend", "kms.entity", "kms.backend")  # fmt: skip
    found = {(kind, key): value for kind in kinds for key, value in database.read(kind).items()}
    database.close()
    return found


def test_reading_when_account_is_full_then_writes_nothing(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """Gets, heads and lists leave the database as it is, bytes and all."""
    local = local_sandbox()
    s3, iam, kms = (local.client(name) for name in ("s3", "iam", "kms"))
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    s3.put_object(Bucket="data", Key="k", Body=b"text", Tagging="a=b")
    upload = s3.create_multipart_upload(Bucket="data", Key="u")["UploadId"]
    s3.upload_part(Bucket="data", Key="u", UploadId=upload, PartNumber=1, Body=b"part")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    before = rows(tmp_path)
    assert len(before) == 5
    for _ in range(2):
        s3.list_buckets()
        s3.head_bucket(Bucket="data")
        s3.get_object(Bucket="data", Key="k")["Body"].read()
        s3.head_object(Bucket="data", Key="k")
        s3.get_object_tagging(Bucket="data", Key="k")
        s3.list_objects_v2(Bucket="data")
        s3.list_object_versions(Bucket="data")
        s3.list_parts(Bucket="data", Key="u", UploadId=upload)
        iam.get_role(RoleName="r")
        iam.list_roles()
        kms.describe_key(KeyId=key)
        local.client("sts").get_caller_identity()
    assert rows(tmp_path) == before
    again = local_sandbox()
    again.client("iam").list_roles()
    again.client("kms").list_keys()
    again.client("s3").get_object(Bucket="data", Key="k")["Body"].read()
    assert rows(tmp_path) == before


ALLOW_LISTING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
}


def test_last_use_of_a_key_when_sandbox_closes_then_is_kept(
    local_sandbox: Callable[..., Any],
) -> None:
    """A read of S3 writes nothing by itself, yet is the key's last use."""
    local = local_sandbox()
    local.client("iam").create_user(UserName="ada")
    local.client("iam").put_user_policy(
        UserName="ada", PolicyName="look", PolicyDocument=json.dumps(ALLOW_LISTING)
    )
    made = local.client("iam").create_access_key(UserName="ada")["AccessKey"]
    session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"])
    session.client("s3", REGION, endpoint_url=local.url).list_buckets()
    local.application.close()
    iam = local_sandbox().client("iam")
    used = iam.get_access_key_last_used(AccessKeyId=made["AccessKeyId"])["AccessKeyLastUsed"]
    assert used["ServiceName"] == "s3"


def test_session_when_more_begin_then_each_costs_its_own_rows_and_lasts(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """A session and its key are two rows, written once; they are the role's after a new start."""
    local = local_sandbox()
    trust = TRUST.replace('"Service": "bedrock.amazonaws.com"', '"AWS": "*"')
    role = local.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]
    assume = local.client("sts").assume_role
    found = [
        assume(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"] for name in SESSIONS[:2]
    ]
    before = rows(tmp_path)
    found.append(assume(RoleArn=role["Arn"], RoleSessionName=SESSIONS[2])["Credentials"])
    after = rows(tmp_path)
    assert {name: after.pop(name) for name in before} == before
    assert sorted(kind for kind, _ in after) == ["iam.entity", "sts.entity"]
    local.client("iam").tag_role(RoleName="r", Tags=[{"Key": "run", "Value": "first"}])
    again = local_sandbox()
    for name, keys in zip(SESSIONS, found, strict=True):
        session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        caller = session.client("sts", REGION, endpoint_url=again.url).get_caller_identity()
        assert caller["Arn"].endswith(f":assumed-role/r/{name}")
    kept = rows(tmp_path)
    again.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="more")
    assert len(rows(tmp_path)) == len(kept) + 2


def test_session_when_the_state_is_of_0_2_then_is_still_the_roles(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """There the sessions were a list in the document of STS's backend."""
    local = local_sandbox()
    trust = TRUST.replace('"Service": "bedrock.amazonaws.com"', '"AWS": "*"')
    role = local.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]
    keys = local.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    database = Database(tmp_path / "ledger.sqlite")
    ((name, data),) = database.read("sts.entity").items()
    number, session = json.loads(data)
    backend = json.dumps([number, {"assumed_roles": [session]}]).encode()
    with database.transaction() as write:
        write("sts.entity", name, None)
        write("sts.backend", json.dumps(json.loads(name)[:3]), backend)
    database.close()
    for _ in range(2):
        again = local_sandbox()
        signed = boto3.Session(*[keys["Credentials"][name] for name in KEY_MEMBERS])
        caller = signed.client("sts", REGION, endpoint_url=again.url).get_caller_identity()
        assert caller["Arn"].endswith(":assumed-role/r/one")
        again.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="two")
    assert len({key for kind, key in rows(tmp_path) if kind == "sts.entity"}) == 3


def test_access_log_when_a_request_reads_then_is_kept(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """S3 writes a log of a read as an object of another bucket."""
    s3 = local_sandbox().client("s3")
    grant = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": "arn:aws:s3:::more/*",
            }
        ],
    }
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=PLACE)
    s3.put_bucket_policy(Bucket="more", Policy=json.dumps(grant))
    wanted = {"LoggingEnabled": {"TargetBucket": "more", "TargetPrefix": ""}}
    s3.put_bucket_logging(Bucket="data", BucketLoggingStatus=wanted)
    before = len(rows(tmp_path))
    s3.list_objects_v2(Bucket="data")
    assert len(rows(tmp_path)) > before


def test_object_when_put_among_many_then_costs_two_rows_at_most(
    local_sandbox: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own row and nothing of its neighbours; the bucket's only when the bucket changed."""
    local = local_sandbox()
    s3 = local.client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    for number in range(20):
        s3.put_object(Bucket="data", Key=f"k{number}", Body=b"x")
    written: list[str] = []
    write = Database._write

    def note(database: Database, kind: str, key: str, value: bytes | None) -> None:
        written.append(kind)
        write(database, kind, key, value)

    monkeypatch.setattr(Database, "_write", note)
    s3.put_object(Bucket="data", Key="new", Body=b"x")
    s3.copy_object(Bucket="data", Key="copy", CopySource="data/new")
    s3.delete_objects(Bucket="data", Delete={"Objects": [{"Key": "k1"}, {"Key": "k2"}]})
    s3.put_bucket_tagging(Bucket="data", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert written == ["s3.object"] * 4 + ["s3.bucket"]


def test_object_of_a_job_when_opened_again_then_is_there(
    local_sandbox: Callable[..., Any],
) -> None:
    """What Bedrock writes as a role goes the same way as what a client puts."""
    local = local_sandbox()
    local.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    iam = local.client("iam")
    made = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(RoleName="r", PolicyName="all", PolicyDocument=ALLOW)
    role = Role(made["Arn"])
    local.application.store.put_object(role, "data", "output/metrics.csv", b"1,2\n")
    listed = local.client("s3").list_objects_v2(Bucket="data")["Contents"]
    again = local_sandbox()
    assert again.client("s3").list_objects_v2(Bucket="data")["Contents"] == listed
    assert again.application.store.get_object(role, "data", "output/metrics.csv") == b"1,2\n"


def test_change_when_it_cannot_be_kept_then_is_answered_with_an_error(
    local_sandbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that the sandbox does not know is said, not lost; the next start is without it."""
    known = tuple(cls for cls in moto_state.CLASSES if cls is not CorsRule)
    monkeypatch.setattr(moto_state, "CLASSES", known)
    s3 = local_sandbox().client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    with pytest.raises(ClientError, match=r"cannot store a moto\.s3\.models:CorsRule") as caught:
        s3.put_bucket_cors(Bucket="data", CORSConfiguration={"CORSRules": [rule]})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    again = local_sandbox().client("s3")
    with pytest.raises(ClientError, match="NoSuchCORSConfiguration"):
        again.get_bucket_cors(Bucket="data")


def test_sandbox_when_another_state_is_opened_then_sees_nothing_of_the_first(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """A process holds the data of the state that it opened last."""
    local = local_sandbox()
    local.client("s3").create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    local.client("iam").create_user(UserName="ada")
    local.client("kms").create_key()
    other = Database(tmp_path / "other" / "ledger.sqlite")
    local.application.store.moto_state = MotoState(other, tmp_path / "other")
    assert look(local) == {"buckets": [], "users": [], "roles": [], "policies": [], "keys": []}


def test_sandbox_when_another_was_opened_since_then_refuses_and_keeps_its_state(
    local_sandbox: Callable[..., Any], tmp_path: Path
) -> None:
    """The data of another never comes into its own state, neither by a request nor at the end."""
    local = local_sandbox()
    local.client("iam").create_user(UserName="ada")
    before = rows(tmp_path)
    MotoState(Database(tmp_path / "other" / "ledger.sqlite"), tmp_path / "other")
    for call in (local.client("iam").list_users, local.client("s3").list_buckets):
        with pytest.raises(ClientError, match="opened another sandbox since"):
            call()
    local.application.close()
    assert rows(tmp_path) == before


def look(local: Any) -> dict[str, Any]:
    """Ask for everything that the random operations can make."""
    s3, iam = local.client("s3"), local.client("iam")
    details = iam.get_account_authorization_details()
    found = {
        "buckets": s3.list_buckets()["Buckets"],
        "users": details["UserDetailList"],
        "roles": sorted(details["RoleDetailList"], key=lambda role: role["RoleName"]),
        "policies": details["Policies"],
        "keys": local.client("kms").list_keys()["Keys"],
    }
    for user in found["users"]:
        name = user["UserName"]
        found[name] = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    for bucket in (item["Name"] for item in found["buckets"]):
        for call in ("list_objects_v2", "list_object_versions", "list_multipart_uploads",
                     "get_bucket_versioning"):  # fmt: skip
            answered = getattr(s3, call)(Bucket=bucket)
            del answered["ResponseMetadata"]
            found[f"{call} {bucket}"] = answered
        for version in found[f"list_object_versions {bucket}"].get("Versions", []):
            names = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
            body = s3.get_object(**names)["Body"].read()
            found[f"{names}"] = (body, s3.get_object_tagging(**names)["TagSet"])
        for upload in found[f"list_multipart_uploads {bucket}"].get("Uploads", []):
            names = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
            found[f"{names}"] = s3.list_parts(**names).get("Parts")
    return found


def operate(local: Any, step: tuple[Any, ...]) -> None:
    """Take one step; AWS may refuse it."""
    operation, bucket, key, name, number = step
    s3, iam = local.client("s3"), local.client("iam")
    item = {"Bucket": bucket, "Key": key}
    policy = f"arn:aws:iam::123456789012:policy/{name}"
    steps: dict[str, Callable[[], Any]] = {
        "create bucket": lambda: s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=PLACE),
        "delete bucket": lambda: s3.delete_bucket(Bucket=bucket),
        "version": lambda: s3.put_bucket_versioning(
            Bucket=bucket,
            VersioningConfiguration={"Status": "Enabled" if number % 3 else "Suspended"},
        ),
        "put": lambda: s3.put_object(**item, Body=b"x" * number, Tagging=f"n={number}"),
        "delete": lambda: s3.delete_object(**item),
        "delete many": lambda: s3.delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": other} for other in KEYS[: number % 4]]}
        ),
        "delete version": lambda: s3.delete_object(
            **item,
            VersionId=s3.list_object_versions(Bucket=bucket)["Versions"][number]["VersionId"],
        ),
        "copy": lambda: s3.copy_object(
            **item, CopySource={"Bucket": BUCKETS[number % 2], "Key": KEYS[number % 3]}
        ),
        "tag": lambda: s3.put_object_tagging(
            **item, Tagging={"TagSet": [{"Key": "t", "Value": str(number)}]}
        ),
        "begin": lambda: s3.create_multipart_upload(**item),
        "part": lambda: s3.upload_part(
            **first_upload(s3, bucket), PartNumber=1 + number % 2, Body=b"p" * number
        ),
        "complete": lambda: s3.complete_multipart_upload(
            **(upload := first_upload(s3, bucket)),
            MultipartUpload={
                "Parts": [
                    {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                    for part in s3.list_parts(**upload)["Parts"][:1]
                ]
            },
        ),
        "abort": lambda: s3.abort_multipart_upload(**first_upload(s3, bucket)),
        "create user": lambda: iam.create_user(UserName=name),
        "access key": lambda: iam.create_access_key(UserName=name),
        "delete user": lambda: iam.delete_user(UserName=name),
        "create role": lambda: iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST),
        "role policy": lambda: iam.put_role_policy(
            RoleName=name, PolicyName=f"p{number % 2}", PolicyDocument=ALLOW
        ),
        "delete role": lambda: iam.delete_role(RoleName=name),
        "create policy": lambda: iam.create_policy(PolicyName=name, PolicyDocument=ALLOW),
        "attach": lambda: iam.attach_role_policy(RoleName=NAMES[number % 2], PolicyArn=policy),
        "attach to user": lambda: iam.attach_user_policy(
            UserName=NAMES[number % 2], PolicyArn=policy
        ),
        "detach": lambda: iam.detach_role_policy(RoleName=NAMES[number % 2], PolicyArn=policy),
        "delete policy": lambda: iam.delete_policy(PolicyArn=policy),
        "create key": lambda: local.client("kms").create_key(Description=name),
    }
    try:
        steps[operation]()
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise
    except (KeyError, IndexError):
        pass  # there is no such version or upload


def first_upload(s3: Any, bucket: str) -> dict[str, str]:
    """Name the first upload in progress. Raises KeyError when there is none."""
    upload = s3.list_multipart_uploads(Bucket=bucket)["Uploads"][0]
    return {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}


OPERATIONS = (
    "create bucket", "delete bucket", "version", "put", "put", "put", "delete", "delete many",
    "delete version", "copy", "tag", "begin", "part", "complete", "abort", "create user",
    "access key", "delete user", "create role", "role policy", "delete role", "create policy",
    "attach", "attach to user", "detach", "delete policy", "create key", "reopen",
)  # fmt: skip
STEPS = st.tuples(
    st.sampled_from(OPERATIONS),
    st.sampled_from(BUCKETS),
    st.sampled_from(KEYS),
    st.sampled_from(NAMES),
    st.integers(0, 20),
)


@pytest.fixture
def empty(local_sandbox: Callable[..., Any], tmp_path: Path) -> Callable[[], Any]:
    """Make a sandbox with an empty state, and a way to open that again."""
    local = local_sandbox()
    store = local.application.store
    clients = SimpleNamespace(client=cache(local.client))
    made = iter(range(1000))

    def make() -> tuple[Any, Callable[[], None]]:
        state = tmp_path / f"state-{next(made)}"

        def reopen() -> None:
            with store.lock:
                store.moto_state = MotoState(Database(state / "ledger.sqlite"), state)

        reopen()
        return clients, reopen

    return make


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=30))
def test_account_when_opened_again_after_any_steps_then_answers_the_same(
    empty: Callable[[], Any], steps: list[tuple[Any, ...]]
) -> None:
    """Whatever was done, and however often the state was opened meanwhile."""
    local, reopen = empty()
    operate(local, ("create bucket", "data", "", "", 0))
    for step in steps:
        if step[0] == "reopen":
            reopen()
        else:
            operate(local, step)
    before = look(local)
    reopen()
    assert look(local) == before


def client(endpoint: haikuft.sandbox.Endpoint, service: str, *credentials: str) -> Any:
    """Make a client of a server that asks once and then gives up."""
    config = Config(proxies={}, retries={"total_max_attempts": 1}, max_pool_connections=8)
    session = boto3.Session(*(credentials or ("testing", "testing")))
    return session.client(service, REGION, endpoint_url=endpoint.url, config=config)


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Start the server of one state; it is stopped at the end, if it still lives."""
    yield lambda: haikuft.sandbox.start(tmp_path)
    haikuft.sandbox.stop(tmp_path)


def kill(endpoint: haikuft.sandbox.Endpoint) -> None:
    """End the server as an operating system short of memory does."""
    os.kill(endpoint.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    "value", [b"{", b"[]", b'[0, {"bucket": 5}]', b'[0, {"bucket": {"object": []}, "tags": null}]']
)
def test_state_when_an_entry_cannot_be_read_then_the_database_is_named(
    tmp_path: Path, value: bytes
) -> None:
    """Whatever another program left there is said in one sentence, with the fix."""
    database = Database(tmp_path / DATABASE_FILE)
    with database.transaction() as write:
        write("s3.bucket", '["data"]', value)
    words = rf"{database.path} is damaged: an entry is not what this version writes"
    with pytest.raises(SandboxError, match=words) as caught:
        moto_state.MotoState(database, tmp_path)
    assert f"haikuft sandbox reset --state {tmp_path}" in str(caught.value)
    assert database.read("s3.bucket") == {'["data"]': value}


def test_server_when_killed_then_the_next_has_everything(start: Callable[[], Any]) -> None:
    """Twenty megabytes in parts, roles, policies, users and keys: same bytes, ids and dates."""
    endpoint = start()
    s3, iam, kms = (client(endpoint, name) for name in ("s3", "iam", "kms"))
    data = os.urandom(20_000_000)
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    s3.put_bucket_tagging(Bucket="data", Tagging={"TagSet": [{"Key": "run", "Value": "first"}]})
    part = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
    s3.put_object(Bucket="data", Key="small", Body=b"small")
    s3.upload_fileobj(BytesIO(data), "data", "large", Config=part)
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]
    policy = iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    user = iam.create_user(UserName="ada")["User"]
    access = iam.create_access_key(UserName="ada")["AccessKey"]
    key = kms.create_key(Tags=[{"TagKey": "run", "TagValue": "first"}])["KeyMetadata"]
    kms.create_alias(AliasName="alias/haikuft", TargetKeyId=key["KeyId"])
    sealed = kms.encrypt(KeyId="alias/haikuft", Plaintext=b"secret")["CiphertextBlob"]
    listed = s3.list_objects_v2(Bucket="data")["Contents"]
    kill(endpoint)

    again = start()
    assert again.pid != endpoint.pid
    s3, iam, kms = (client(again, name) for name in ("s3", "iam", "kms"))
    assert s3.list_objects_v2(Bucket="data")["Contents"] == listed
    found = s3.get_object(Bucket="data", Key="large")
    assert hashlib.sha256(found["Body"].read()).digest() == hashlib.sha256(data).digest()
    assert found["ETag"].endswith('-4"')
    assert listed[0]["LastModified"] - found["LastModified"] < timedelta(seconds=1)
    assert s3.get_bucket_tagging(Bucket="data")["TagSet"] == [{"Key": "run", "Value": "first"}]
    assert iam.get_role(RoleName="r")["Role"] == role
    attached = iam.list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert attached == [{"PolicyName": "p", "PolicyArn": policy}]
    ada = client(again, "sts", access["AccessKeyId"], access["SecretAccessKey"])
    assert ada.get_caller_identity()["UserId"] == user["UserId"]
    assert kms.describe_key(KeyId="alias/haikuft")["KeyMetadata"] == key
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_server_when_killed_amid_uploads_then_nothing_is_lost_or_half(
    start: Callable[[], Any], tmp_path: Path
) -> None:
    """What was answered is there; what is there is whole; no bytes are there for nothing."""
    endpoint = start()
    s3 = client(endpoint, "s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=PLACE)
    enough = threading.Event()
    answered: list[str] = []

    def body(key: str) -> bytes:
        return key.encode() * 20_000

    def put(number: int) -> None:
        key = f"{number:04}"
        try:
            s3.put_object(Bucket="data", Key=key, Body=body(key))
        except (BotoCoreError, ClientError):
            return
        answered.append(key)
        if len(answered) == 40:
            enough.set()

    with ThreadPoolExecutor(4) as pool:
        for number in range(300):
            pool.submit(put, number)
        assert enough.wait(60)
        kill(endpoint)
    assert 40 <= len(answered) < 300

    s3 = client(start(), "s3")
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket="data")["Contents"]]
    assert set(answered) <= set(listed)
    for key in listed:
        assert s3.get_object(Bucket="data", Key=key)["Body"].read() == body(key)
    assert len(list((tmp_path / "objects").iterdir())) == len(listed)
