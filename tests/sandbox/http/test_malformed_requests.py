"""Invalid HTTP: it is refused, and no other client waits because of it."""

import http.client
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

SCOPE = "Credential=k/20261121/us-west-2/{}/aws4_request"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture
def address(local_sandbox: Any) -> tuple[str, int]:
    """Serve a sandbox with everything in it; its host and port."""
    url = urlsplit(local_sandbox(handlers=None).url)
    return str(url.hostname), int(url.port or 0)


def build_head(address: tuple[str, int], line: str, service: str = "bedrock") -> bytes:
    """Write a request's first lines, signed."""
    lines = [line, f"Host: {address[0]}:{address[1]}"]
    lines += [f"Authorization: AWS4-HMAC-SHA256 {SCOPE.format(service)}"]
    return "".join(f"{text}\r\n" for text in lines).encode()


def send(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes, say that there are no more, and read what comes until the server closes."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("further", "word"),
    [
        (CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n", "breaks off: Invalid chunk header"),
        (CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n", "breaks off: Negative chunk length"),
        (CHUNKED + b"\r\n9\r\n{}", "breaks off"),
        (CHUNKED + b"Content-Length: 3\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "without Content-Length"),
        (b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "chunked alone"),
        (b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "chunked alone"),
        (b"Transfer-Encoding: identity\r\n\r\n{}", "chunked alone"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", "More than one Content-Length"),
        (b"Content-Length: -2\r\n\r\n{}", "no length"),
        (b"Content-Length: 9\r\n\r\n{}", "2 of 9 bytes"),
        (b"Content-Length: 99999999999999999999\r\n\r\n{}", "25,000,000 bytes"),
        (b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n", "Too many headers"),
        (b"X: " + b"a" * 70_000 + b"\r\n\r\n", "Line too long"),
    ],
)
def test_request_when_its_end_or_head_is_odd_then_one_4xx_and_the_connection_ends(
    address: tuple[str, int], further: bytes, word: str
) -> None:
    """Bodies that two readers could end in two places, broken chunks, header bombs."""
    answer = send(address, build_head(address, "POST /tagResource HTTP/1.1") + further)
    assert re.match(rb"HTTP/1\.1 4\d\d ", answer)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in answer
    assert word in answer.decode()
    assert b"<" not in answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "data",
    [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"\r\n"],
)
def test_request_when_it_is_no_http_then_refused_and_the_next_is_answered(
    address: tuple[str, int], data: bytes
) -> None:
    """TLS at a plain port, an endless path, an empty request: the server continues."""
    assert b" 200 " not in send(address, data)
    head = build_head(address, "GET /foundation-models HTTP/1.1")
    assert send(address, head + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_server_when_many_connections_say_nothing_or_half_then_others_are_answered(
    address: tuple[str, int],
) -> None:
    """200 clients that never end their request do not delay another client."""
    halves = [b"", b"GET", build_head(address, "POST /tagResource HTTP/1.1") + b"Content-Le"]
    halves += [build_head(address, "POST /tagResource HTTP/1.1") + b"Content-Length: 9\r\n\r\n{"]
    idle = [socket.create_connection(address, timeout=20) for _ in range(200)]
    for number, connection in enumerate(idle):
        connection.sendall(halves[number % len(halves)])
    other = http.client.HTTPConnection(*address, timeout=20)
    for _ in range(3):
        other.request("GET", "/_sandbox")
        assert json.loads(other.getresponse().read())["pid"]
    other.close()
    for connection in idle:
        connection.close()


def test_body_when_it_is_nested_too_deeply_then_is_no_json(address: tuple[str, int]) -> None:
    """What Python's reader gives up on is the request's fault, not the sandbox's."""
    body = b"[" * 100_000
    head = build_head(address, "POST / HTTP/1.1", "servicequotas")
    head += b"X-Amz-Target: ServiceQuotasV20190624.ListServiceQuotas\r\nConnection: close\r\n"
    answer = send(address, head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"SerializationException" in answer


@pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/config", "/moto-api/state-manager"])
def test_moto_when_its_own_controls_are_asked_for_then_they_are_not_there(
    address: tuple[str, int], path: str
) -> None:
    """Operations of moto's own server, such as emptying it, are not served here."""
    for service in ("s3", "iam", "sts", "kms", "moto-api"):
        line = f"POST {path} HTTP/1.1"
        head = (
            build_head(address, line, service) + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
        )
        assert re.match(rb"HTTP/1\.1 [45]\d\d ", send(address, head)), service
    unsigned = f"POST {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n\r\n"
    assert send(address, unsigned.encode()).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "key", ["../../../escaped", "/../../escaped", "..%2f..%2fescaped", "a/../../b"]
)
def test_object_when_its_key_climbs_then_nothing_is_written_outside_the_state(
    local_sandbox: Any, tmp_path: Path, key: str
) -> None:
    """A key is a name and never a path; its bytes come back under that name."""
    before = set(tmp_path.parent.rglob("*escaped*"))
    s3 = local_sandbox(handlers=None).client("s3")
    s3.create_bucket(
        Bucket="climbing", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    s3.put_object(Bucket="climbing", Key=key, Body=b"x")
    assert s3.get_object(Bucket="climbing", Key=key)["Body"].read() == b"x"
    assert set(tmp_path.parent.rglob("*escaped*")) == before


def test_request_when_it_is_http_2_then_the_refusal_and_the_log_say_what_to_set(
    address: tuple[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    """The AWS SDK for JavaScript shows its user no answer, only ERR_HTTP2_ERROR."""
    answer = send(address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert answer.startswith(b"HTTP/2 is not supported: ")
    assert b"requestHandler: new NodeHttpHandler()" in answer
    assert "requestHandler: new NodeHttpHandler()" in capsys.readouterr().err
