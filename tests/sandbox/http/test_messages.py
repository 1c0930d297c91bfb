"""Which requests are accepted, and how errors are written."""

import http.client
import io
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from haikuft.sandbox.http import messages
from haikuft.sandbox.http.server import BODY_READ, bind

SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261121/{}/{}/aws4_request, SignedHeaders=host"


def ask(url: str, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Send a request with headers as they are; return status and body."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    response = connection.getresponse()
    status, body = response.status, response.read().decode()
    connection.close()
    return status, body


@pytest.fixture
def url(local_sandbox: Any) -> str:
    """Serve a sandbox; return its address."""
    return str(local_sandbox().url)


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "127.0.0.1:1", "bucket.localhost:80"])
def test_host_when_it_is_not_the_sandboxs_own_then_refused(url: str, host: str) -> None:
    """A page that rebinds its own name to loopback gets nothing."""
    status, body = ask(url, "GET", "/_sandbox", Host=host)
    assert (status, json.loads(body)["__type"]) == (403, "ForbiddenHost")
    assert host in body


def test_host_when_it_is_localhost_with_the_port_then_answered(url: str) -> None:
    """The sandbox knows itself by name, too."""
    port = urlsplit(url).port
    assert ask(url, "GET", "/_sandbox", Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_origin_when_a_page_elsewhere_asks_then_refused(url: str, headers: dict[str, str]) -> None:
    """A web page cannot stop the sandbox, nor read from it."""
    for method, path in (("POST", "/_sandbox/stop"), ("GET", "/bucket/key"), ("OPTIONS", "/")):
        status, body = ask(url, method, path, **headers)
        assert (status, json.loads(body)["__type"]) == (403, "ForbiddenOrigin")


def test_origin_when_it_is_the_sandboxs_own_then_answered(url: str) -> None:
    """Its own address may ask."""
    assert ask(url, "GET", "/_sandbox", Origin=url, Sec_Fetch_Site="same-origin")[0] == 200


@pytest.mark.parametrize(
    ("environ", "scope"),
    [
        (
            {"HTTP_AUTHORIZATION": SIGNED.format("AKIA", "us-west-2", "bedrock")},
            ("AKIA", "us-west-2", "bedrock"),
        ),
        (
            {"HTTP_AUTHORIZATION": SIGNED.format("odd/key", "eu-west-1", "s3")},
            ("odd/key", "eu-west-1", "s3"),
        ),
        (
            {"QUERY_STRING": "X-Amz-Credential=AKIA%2F20261121%2Fus-west-2%2Fs3%2Faws4_request"},
            ("AKIA", "us-west-2", "s3"),
        ),
        ({"HTTP_AUTHORIZATION": "AWS AKIA:signature"}, ("AKIA", "us-east-1", "s3")),
        ({"QUERY_STRING": "AWSAccessKeyId=AKIA&Signature=x"}, ("AKIA", "us-east-1", "s3")),
        ({}, ("", "", "")),
        ({"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=AKIA"}, ("", "", "")),
    ],
)
def test_read_scope_when_request_is_signed_then_says_service_and_region(
    environ: dict[str, str], scope: tuple[str, str, str]
) -> None:
    """Header or query, Version 4 or S3's Version 2, or no signature at all."""
    assert messages.read_scope(environ) == messages.Scope(*scope)


def test_read_scope_when_request_has_a_bedrock_api_key_then_says_what_to_unset() -> None:
    """A bearer token names no Region, and would be a real one's."""
    with pytest.raises(messages.ServiceError, match="AWS_BEARER_TOKEN_BEDROCK"):
        messages.read_scope({"HTTP_AUTHORIZATION": "Bearer token"})


def body_of(data: bytes, **environ: Any) -> dict[str, Any]:
    """Write the WSGI environ of a request with a body."""
    return {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data)), **environ}


def test_read_body_when_it_is_within_the_limit_then_the_service_can_read_it_again() -> None:
    """What was read is put back, chunked or not."""
    for environ in (body_of(b"abc"), body_of(b"abc") | {"wsgi.input_terminated": True}):
        assert messages.read_body(environ, "bedrock") == b"abc"
        assert environ["wsgi.input"].read() == b"abc"
        assert (environ["CONTENT_LENGTH"], environ[BODY_READ]) == ("3", True)


@pytest.mark.parametrize("chunked", [False, True])
def test_read_body_when_it_is_over_the_limit_then_refused_with_the_limit(chunked: bool) -> None:
    """Each service has its limit; IAM needs no large one."""
    environ = body_of(b"x" * (messages.OTHER_BODY_LIMIT + 1))
    environ |= {"wsgi.input_terminated": True} if chunked else {}
    with pytest.raises(messages.ServiceError, match="1,048,576 bytes") as caught:
        messages.read_body(environ, "iam")
    assert caught.value.status == 413


def test_read_body_when_it_breaks_off_then_refused() -> None:
    """Half an upload is never stored as if it were all."""
    with pytest.raises(messages.ServiceError, match="3 of 4 bytes"):
        messages.read_body(body_of(b"abc", CONTENT_LENGTH="4"), "s3")


@pytest.mark.parametrize("length", ["-1", "1_0", "many", "１"])
def test_read_body_when_length_is_none_then_refused(length: str) -> None:
    """A length that is no number is the client's mistake."""
    with pytest.raises(messages.ServiceError, match="Content-Length"):
        messages.read_body({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": length}, "s3")


def test_bind_when_it_listens_then_on_loopback_only() -> None:
    """Nothing but 127.0.0.1 is ever bound."""
    server = bind(lambda environ, start_response: [])
    assert server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError, match="in use"):
        bind(lambda environ, start_response: [], port=server.port)
    server.server_close()
