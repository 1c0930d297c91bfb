"""Account, Region and clients."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import exceptions as botocore_errors
from botocore.awsrequest import AWSRequest, AWSResponse

import haikuft.sandbox
from haikuft import aws
from haikuft.aws.errors import explaining
from haikuft.errors import AccessError, CredentialsError, SandboxError, SettingsError
from haikuft.sandbox import Endpoint
from haikuft.sandbox.directory import write_endpoint

TRAPS = {
    "AWS_BEARER_TOKEN_BEDROCK": "token",
    "AWS_PROFILE": "missing",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ENDPOINT_URL_BEDROCK": "https://elsewhere.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_DEFAULTS_MODE": "auto",
    "AWS_CA_BUNDLE": "/does/not/exist",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}
Answer = Callable[[AWSRequest], AWSResponse]
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn><UserId>A</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._content


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[AWSRequest]:
    """Answer every request with an identity, and keep what would have left this machine."""
    sent: list[AWSRequest] = []

    def send(_: object, request: AWSRequest) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 200, {}, _Body(IDENTITY))  # type: ignore[arg-type]

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)
    return sent


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """Take away whatever AWS configuration this machine has."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


def test_client_when_the_sandbox_has_stopped_then_the_next_call_starts_it(
    tmp_path: Path,
) -> None:
    """As after an idle hour: a bare call in an open notebook goes on, and finds what was made."""
    connection = aws.connect("sandbox", region="us-west-2", state=tmp_path)
    client = connection.client("s3")
    client.create_bucket(
        Bucket="kept-over-the-hour", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    haikuft.sandbox.stop(tmp_path)
    try:
        names = [one["Name"] for one in client.list_buckets()["Buckets"]]
        assert names == ["kept-over-the-hour"]
        assert haikuft.sandbox.status(tmp_path).endpoint == connection.endpoint
    finally:
        haikuft.sandbox.stop(tmp_path)


def test_client_when_another_program_has_the_port_then_one_line_says_what_to_run(
    tmp_path: Path,
) -> None:
    """No traceback of botocore's, which is eleven thousand characters long."""
    connection = aws.connect("sandbox", region="us-west-2", state=tmp_path)
    client = connection.client("s3")
    haikuft.sandbox.stop(tmp_path)
    write_endpoint(tmp_path, 0)  # as if the port were taken: the next start takes a free one
    try:
        with pytest.raises(SandboxError, match="Run the notebook's cell with `run_record` again"):
            client.list_buckets()
    finally:
        haikuft.sandbox.stop(tmp_path)


def test_connect_when_target_is_misspelt_then_says_which_there_are() -> None:
    """A third target is a mistake, and nothing is contacted."""
    with pytest.raises(SettingsError, match='target = "amazon": choose "sandbox" or "aws"'):
        aws.connect("amazon", region="us-west-2")


def test_connect_when_an_access_key_is_named_then_its_user_is_who_we_are(
    sandbox: Any, sandbox_state: Any, sandbox_clients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One variable turns the sandbox's administrator into one of its users, notebooks included."""
    iam = sandbox_clients("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    admin = aws.connect("sandbox", region="us-west-2", state=sandbox_state)
    assert admin.caller_arn.endswith(":user/administrator")
    monkeypatch.setenv("HAIKUFT_SANDBOX_ACCESS_KEY", key)
    connection = aws.connect("sandbox", region="us-west-2", state=sandbox_state)
    assert connection.caller_arn.endswith(":user/ann")
    with (
        pytest.raises(AccessError, match=r"s3:ListAllMyBuckets .* the policy that notebook 1"),
        explaining("listing the buckets"),
    ):
        connection.client("s3").list_buckets()


def test_connect_when_region_is_empty_then_asks_for_one() -> None:
    """No Region is guessed here."""
    with pytest.raises(SettingsError, match="region is empty"):
        aws.connect("aws", region="")


def test_connect_when_aws_has_no_credentials_then_says_how_to_log_in(
    bare: pytest.MonkeyPatch, wire: list[AWSRequest]
) -> None:
    """The message names the login."""
    with pytest.raises(CredentialsError, match=r"aws sso login"):
        aws.connect("aws", region="us-west-2")
    assert wire == []


def test_connect_when_profile_is_missing_then_is_a_credentials_error(
    bare: pytest.MonkeyPatch,
) -> None:
    """A profile that does not exist is a matter of logging in."""
    bare.setenv("AWS_PROFILE", "missing")
    with pytest.raises(CredentialsError, match="missing"):
        aws.connect("aws", region="us-west-2")


def test_connect_when_aws_then_bills_and_reads_the_account(
    bare: pytest.MonkeyPatch, wire: list[AWSRequest]
) -> None:
    """STS tells who we are; AWS's own endpoint is shown as none."""
    bare.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "example")
    connection = aws.connect("aws", region="us-west-2")
    assert connection.account_id == "123456789012"
    assert connection.caller_arn.endswith("user/ann")
    assert connection.bills
    assert connection.endpoint == ""
    assert connection.poll_seconds == 60.0


def test_connect_when_aws_has_an_endpoint_of_its_own_then_every_client_uses_it(
    bare: pytest.MonkeyPatch, wire: list[AWSRequest]
) -> None:
    """AWS_ENDPOINT_URL leads the practitioner's path to a sandbox."""
    bare.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    bare.setenv("AWS_SECRET_ACCESS_KEY", "example")
    bare.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4010")
    connection = aws.connect("aws", region="us-west-2")
    assert connection.endpoint == "http://127.0.0.1:4010"
    assert connection.bills
    assert {request.url.split("/")[2] for request in wire} == {"127.0.0.1:4010"}


@pytest.mark.parametrize("target", ["sandbox", "aws"])
def test_client_when_it_asks_models_then_it_adapts_to_throttling_and_waits_for_long_replies(
    target: str,
) -> None:
    """Many threads share it; a reply given up after a minute would be paid for twice."""
    session = aws.connection._sandbox_session("us-west-2")
    connection = aws.Connection(
        target, "us-west-2", "", "", "http://127.0.0.1:1", "", False, 1.0, session
    )
    config: Any = connection.client("bedrock-runtime").meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout >= 600
    assert config.max_pool_connections == aws.connection.CONNECTIONS
    assert connection.client("bedrock").meta.config.read_timeout == 60  # type: ignore[attr-defined]


def test_client_when_asked_for_again_then_it_is_the_same_but_for_another_patience() -> None:
    """Making one takes time, and a handler that is registered stays."""
    session = aws.connection._sandbox_session("us-west-2")
    connection = aws.Connection(
        "sandbox", "us-west-2", "", "", "http://127.0.0.1:1", "", False, 1.0, session
    )
    first = connection.client("bedrock-runtime")
    assert connection.client("bedrock-runtime") is first
    assert connection.client("bedrock-runtime", patience_seconds=0) is not first


@pytest.mark.parametrize("service", ["bedrock", "bedrock-runtime", "s3", "iam", "service-quotas"])
def test_client_when_sandbox_is_surrounded_by_traps_then_asks_only_the_sandbox(
    service: str, wire: list[AWSRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, proxy, profile, endpoint or token of the machine reaches a sandbox's client."""
    for name, value in TRAPS.items():
        monkeypatch.setenv(name, value)
    session = aws.connection._sandbox_session.__wrapped__("us-west-2")
    client = aws.Connection(
        "sandbox", "us-west-2", "1", "", "http://127.0.0.1:4010", "", False, 0.2, session
    ).client(service)  # type: ignore[call-overload]
    call = {
        "bedrock": lambda: client.list_custom_models(),
        "bedrock-runtime": lambda: client.invoke_model(modelId="m", body=b"{}"),
        "s3": lambda: client.get_object(Bucket="b", Key="k"),
        "iam": lambda: client.get_role(RoleName="r"),
        "service-quotas": lambda: client.list_service_quotas(ServiceCode="bedrock"),
    }[service]
    with suppress(botocore_errors.BotoCoreError, KeyError):  # this wire's answer fits STS alone
        call()
    (request,) = wire[:1]
    assert request.url.startswith("http://127.0.0.1:4010/")
    authorization = request.headers["Authorization"]
    text = authorization.decode() if isinstance(authorization, bytes) else authorization
    assert text.startswith("AWS4-HMAC-SHA256 Credential=sandbox/")
    assert client._endpoint.http_session._proxy_config.proxy_url_for(request.url) is None


def test_sandbox_session_when_credentials_file_exists_then_does_not_read_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Even a broken file does no harm."""
    broken = tmp_path / "broken"
    broken.write_text("[[[")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(broken))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(broken))
    session = aws.connection._sandbox_session.__wrapped__("us-west-2")
    assert session.get_credentials().access_key == "sandbox"  # type: ignore[union-attr]
    assert session.available_profiles == []


def test_connect_when_sandbox_is_surrounded_by_traps_then_walks_from_sts_to_a_reply(
    sandbox: Endpoint, tmp_path: Path
) -> None:
    """A process with real-looking keys, proxies and broken files in ~/.aws uses it untouched."""
    (tmp_path / ".aws").mkdir()
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("[[[ no = file of AWS's")
    code = """
import json, sys
from haikuft import aws
walk = aws.connect("sandbox", region="us-west-2", state=sys.argv[1])
asked = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
         "messages": [{"role": "user", "content": "Anyone there?"}]}
answer = walk.client("bedrock-runtime").invoke_model(
    modelId="anthropic.claude-3-haiku-20240307-v1:0", body=json.dumps(asked))
assert walk.client("s3").list_buckets()["Buckets"] == []
assert walk.client("iam").list_roles()["Roles"] == []
assert walk.client("kms").list_keys()["Keys"] == []
assert walk.client("service-quotas").list_service_quotas(ServiceCode="bedrock")["Quotas"]
assert walk.client("bedrock").list_custom_models()["modelSummaries"] == []
print(json.loads(answer["body"].read())["model"], walk.caller_arn)
"""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "AWS_"}
    done = subprocess.run(
        [sys.executable, "-c", code, sandbox.state],
        env=environment | TRAPS | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sandbox-stand-in/base arn:aws:")


def test_connection_when_shown_then_hides_the_session() -> None:
    """Keys never stand in an output."""
    session = boto3.Session(botocore_session=botocore.session.Session(), region_name="us-west-2")
    shown = repr(aws.Connection("aws", "us-west-2", "1", "a", "", "", True, 60.0, session))
    assert "ession" not in shown
