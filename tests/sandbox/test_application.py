"""The sandbox as one application: who gets which request, and what comes back."""

import errno
import http.client
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.exceptions import ClientError

import haikuft.sandbox
from haikuft.errors import SandboxError
from haikuft.sandbox import SandboxSettings
from haikuft.sandbox.application import Sandbox
from haikuft.sandbox.http import messages
from haikuft.sandbox.http.messages import Call, ServiceError

HAIKU = "anthropic.claude-3-haiku-20240307-v1:0:200k"
ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
JOB_ARN = (
    "arn:aws:bedrock:us-west-2:123456789012:model-customization-job/"
    "anthropic.claude-3-haiku-20240307-v1:0:200k/abcdefghijkl"
)


SIGNATURE = "AWS4-HMAC-SHA256 Credential=k/20261121/us-west-2/bedrock/aws4_request"


class Recorder:
    """A handler that records its calls and returns what a test sets."""

    def __init__(self, result: dict[str, Any] | None = None) -> None:
        self.calls: list[Call] = []
        self.result = result or {}

    def __call__(self, call: Call) -> dict[str, Any]:
        """Answer one call."""
        self.calls.append(call)
        return self.result


def test_bedrock_when_boto3_calls_then_the_handler_gets_arn_region_and_account(
    local_sandbox: Any,
) -> None:
    """An ARN in the path arrives whole; Region and account stand beside it."""
    stop = Recorder()
    bedrock = local_sandbox({"StopModelCustomizationJob": stop}).client("bedrock", "eu-west-1")
    bedrock.stop_model_customization_job(jobIdentifier=JOB_ARN)
    [call] = stop.calls
    assert call.parameters == {"jobIdentifier": JOB_ARN}
    assert (call.region, call.account_id) == ("eu-west-1", "123456789012")


def test_bedrock_when_query_has_timestamps_then_the_handler_gets_them(local_sandbox: Any) -> None:
    """Times in the query are aware datetimes; the answer's are what the handler gave."""
    moment = datetime(2026, 11, 21, 12, 30, 1, tzinfo=UTC)
    summary = {
        "modelArn": JOB_ARN.replace("model-customization-job", "custom-model"),
        "modelName": "m",
        "creationTime": moment,
        "baseModelArn": "arn:aws:bedrock:us-west-2::foundation-model/b",
        "baseModelName": "b",
    }
    models = Recorder({"modelSummaries": [summary]})
    bedrock = local_sandbox({"ListCustomModels": models}).client("bedrock")
    found = bedrock.list_custom_models(creationTimeBefore=moment, nameContains="m")
    assert models.calls[0].parameters["creationTimeBefore"] == moment
    assert found["modelSummaries"] == [summary]


def test_runtime_when_boto3_invokes_then_body_goes_through_untouched(local_sandbox: Any) -> None:
    """The runtime answers on the same port; its body is bytes to the protocol."""
    invoke = Recorder({"body": b'{"b": 2}', "contentType": "application/json"})
    runtime = local_sandbox({"InvokeModel": invoke}).client("bedrock-runtime")
    answer = runtime.invoke_model(modelId=ARN, body=b'{"a": 1}')
    assert invoke.calls[0].parameters["body"] == b'{"a": 1}'
    assert answer["body"].read() == b'{"b": 2}'


def test_bedrock_when_handler_refuses_then_boto3_raises_aws_own_exception(
    local_sandbox: Any,
) -> None:
    """Code, message and request id arrive."""

    def refuse(call: Call) -> dict[str, Any]:
        raise ServiceError("ResourceNotFoundException", "There is no such job.")

    bedrock = local_sandbox({"GetModelCustomizationJob": refuse}).client("bedrock")
    with pytest.raises(bedrock.exceptions.ResourceNotFoundException) as caught:
        bedrock.get_model_customization_job(jobIdentifier="j")
    assert caught.value.response["Error"]["Message"] == "There is no such job."
    assert len(caught.value.response["ResponseMetadata"]["RequestId"]) == 36


def test_bedrock_when_parameters_break_a_constraint_then_the_handler_is_not_asked(
    local_sandbox: Any,
) -> None:
    """What botocore lets through and AWS refuses is refused."""
    get = Recorder()
    bedrock = local_sandbox({"GetModelCustomizationJob": get}).client("bedrock")
    with pytest.raises(bedrock.exceptions.ValidationException, match="'a_b' at 'jobIdentifier'"):
        bedrock.get_model_customization_job(jobIdentifier="a_b")
    assert get.calls == []


def test_bedrock_when_operation_has_no_handler_then_names_it(local_sandbox: Any) -> None:
    """An operation that is not served is an error that names it."""
    with pytest.raises(ClientError, match="does not serve ListGuardrails of bedrock"):
        local_sandbox().client("bedrock").list_guardrails()


def test_bedrock_when_handler_fails_then_the_answer_is_an_internal_error(
    local_sandbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake of ours is a 500 that names it; the traceback goes to the log."""

    def fail(call: Call) -> dict[str, Any]:
        raise RuntimeError("a mistake")

    bedrock = local_sandbox({"ListCustomModels": fail}).client("bedrock")
    with pytest.raises(bedrock.exceptions.InternalServerException, match="RuntimeError: a mistake"):
        bedrock.list_custom_models()
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device. Name another"),
        (SandboxError("The file \x1b[31mx is damaged."), r"The file \\x1b\[31mx is damaged\.$"),
    ],
)
def test_request_when_the_state_cannot_be_used_then_is_one_sentence_here_and_in_the_log(
    local_sandbox: Any, capsys: pytest.CaptureFixture[str], failure: Exception, words: str
) -> None:
    """No traceback for what the user can fix; control characters are shown, not obeyed."""

    def fail(call: Any) -> dict[str, Any]:
        raise failure

    bedrock = local_sandbox({"ListCustomModels": fail}).client("bedrock")
    with pytest.raises(bedrock.exceptions.InternalServerException, match=words):
        bedrock.list_custom_models()
    log = capsys.readouterr().err
    assert re.search(words, log.splitlines()[0])
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "describe_vpcs"),
        ("sns", "list_topics"),
        ("sqs", "list_queues"),
        ("lambda", "list_functions"),
        ("dynamodb", "list_tables"),
    ],
)
def test_service_when_it_is_not_served_then_the_error_names_it(
    local_sandbox: Any, service: str, operation: str
) -> None:
    """Whatever its protocol, a client can read which service is missing."""
    client = local_sandbox().client(service)
    with pytest.raises(ClientError, match=f"does not serve {service}. It serves s3, iam"):
        getattr(client, operation)()


def test_request_when_it_is_not_signed_then_says_that_any_key_will_do(local_sandbox: Any) -> None:
    """Without a signature it is unknown which service is meant."""
    status, body = send(local_sandbox().url, "GET", "/bucket/key")
    assert (status, "any key will do" in body) == (403, True)


def send(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
    """Send an unsigned request."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    connection.request(method, path, body)
    response = connection.getresponse()
    status, text = response.status, response.read().decode()
    connection.close()
    return status, text


def test_settings_when_put_then_they_count_at_once(local_sandbox: Any) -> None:
    """The sandbox's own address reads and changes settings."""
    local = local_sandbox(stage_seconds=5)
    status, body = send(local.url, "PUT", "/_sandbox/settings", b'{"role_delay_seconds": 3}')
    assert status == 200
    assert json.loads(body) == json.loads(send(local.url, "GET", "/_sandbox/settings")[1])
    assert local.application.settings.role_delay_seconds == 3
    assert local.application.settings.stage_seconds == 5


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "Expecting"),
        (b"[]", "JSON object"),
        (b'{"speed": 1}', "speed"),
        (b'{"idle_seconds": "1"}', "idle_seconds"),
        (b'{"account_id": "210987654321"}', "account_id"),
    ],
)
def test_settings_when_they_are_wrong_then_nothing_changes(
    local_sandbox: Any, body: bytes, word: str
) -> None:
    """The message names what cannot be set."""
    local = local_sandbox()
    before = local.application.settings
    status, text = send(local.url, "PUT", "/_sandbox/settings", body)
    assert status == 400
    assert re.search(word, json.loads(text)["message"])
    assert local.application.settings == before


def test_control_when_path_is_unknown_then_404(local_sandbox: Any) -> None:
    """The sandbox's own address holds nothing else."""
    assert send(local_sandbox().url, "GET", "/_sandbox/secrets")[0] == 404


def test_connection_when_kept_alive_then_carries_request_after_request(local_sandbox: Any) -> None:
    """Bodies are read to their end, refused ones included, so the next request is understood."""
    address = urlsplit(local_sandbox().url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    sockets = set()
    bodies = [b"", b"x" * 100, b"y" * (messages.OTHER_BODY_LIMIT + 1), b""]
    for body, status in zip(bodies, [200, 200, 413, 200], strict=True):
        connection.request("GET", "/_sandbox", body)
        sockets.add(connection.sock)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    assert len(sockets) == 1
    connection.close()


def test_idle_seconds_when_requests_come_then_counts_from_the_last(tmp_path: Any) -> None:
    """Idleness begins anew with each request."""
    seconds = [0.0]
    sandbox = Sandbox(tmp_path, handlers={}, clock=lambda: seconds[0])
    seconds[0] = 10.0
    assert sandbox.idle_seconds() == 10.0
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/_sandbox", "SERVER_PORT": "80"}
    sandbox({**environ, "HTTP_HOST": "localhost"}, lambda status, headers: None)
    seconds[0] = 14.0
    assert sandbox.idle_seconds() == 4.0


def test_idle_seconds_when_a_request_is_open_then_is_zero(local_sandbox: Any) -> None:
    """A sandbox that is answering is not idle."""
    seen = []
    handlers: dict[str, Any] = {}
    local = local_sandbox(handlers)
    handlers["ListCustomModels"] = lambda call: seen.append(local.application.idle_seconds()) or {}
    local.client("bedrock").list_custom_models()
    assert seen == [0.0]


@pytest.mark.parametrize("read", [True, False], ids=["read to its end", "closed unread"])
def test_idle_seconds_when_a_stream_is_open_then_is_zero_until_it_is_closed(
    tmp_path: Any, *, read: bool
) -> None:
    """A stream is part of its request, also when its client goes away before the first event."""
    seconds = [0.0]
    events = [{"messageStart": {"role": "assistant"}}]
    handlers = {"ConverseStream": Recorder({"stream": events})}
    sandbox = Sandbox(tmp_path, handlers=handlers, clock=lambda: seconds[0])
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/model/m/converse-stream",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": SIGNATURE,
        "wsgi.input": io.BytesIO(),
    }
    stream = sandbox(environ, lambda status, headers: None)
    seconds[0] = 10.0
    assert sandbox.idle_seconds() == 0.0
    if read:
        assert len(list(stream)) == 1
    stream.close()  # type: ignore[attr-defined]
    seconds[0] = 14.0
    assert sandbox.idle_seconds() == 4.0


def test_raw_path_when_label_is_encoded_then_stays_so_over_http(local_sandbox: Any) -> None:
    """A path with an encoded ARN means the same with plain colons."""
    get = Recorder()
    local = local_sandbox({"GetProvisionedModelThroughput": get})
    address = urlsplit(local.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    path = f"/provisioned-model-throughput/{quote(ARN, safe=':')}"
    connection.request("GET", path, headers={"Authorization": SIGNATURE})
    connection.getresponse().read()
    connection.close()
    assert get.calls[0].parameters == {"provisionedModelId": ARN}


def test_database_when_it_cannot_be_written_then_the_answer_says_so_and_nothing_has_changed(
    local_sandbox: Any,
) -> None:
    """A full disk, say: no answer goes out that the next start would not know of."""
    local = local_sandbox(handlers=None)
    bedrock = local.client("bedrock")
    asked = {"provisionedModelName": "pt-1", "modelId": HAIKU, "modelUnits": 1}
    local.application.database._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(ClientError, match=r"cannot use its database .* local disk with room"):
        bedrock.create_provisioned_model_throughput(**asked)
    with pytest.raises(SandboxError, match="cannot use its database"):
        haikuft.sandbox.configure(local.url, stage_seconds=1)
    local.application.database._connection.execute("PRAGMA query_only = OFF")
    assert bedrock.list_provisioned_model_throughputs()["provisionedModelSummaries"] == []
    assert haikuft.sandbox.read_settings(local.url).stage_seconds == 0
    assert bedrock.create_provisioned_model_throughput(**asked)["provisionedModelArn"]


def test_sandbox_when_settings_are_not_given_then_has_those_that_were_kept(tmp_path: Path) -> None:
    """What was set while it ran holds for the next one in the directory."""
    first = Sandbox(tmp_path, handlers={})
    body = b'{"model_units_quota": 5}'
    environ = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/_sandbox/settings",
        "HTTP_HOST": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    first(environ, lambda *_: None)
    first.close()
    assert Sandbox(tmp_path, handlers={}).settings == SandboxSettings(model_units_quota=5)
