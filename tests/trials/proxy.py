"""An HTTP proxy in front of a sandbox that can strike one chosen call, and notes all it saw.

It stands where AWS's endpoint would: a client is given its URL. Everything is forwarded; a strike
names a call by its method and path and says what happens when it comes.
"""

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
BEFORE, UNANSWERED, ANSWERED = "before", "unanswered", "answered"  # when a strike happens
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length", "host"}
_SERVICE = re.compile(r"Credential=[^/]*/[^/]*/[^/]*/([^/]+)/")
_HTTP_STATUS = {"ThrottlingException": 429, "InternalServerException": 500}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; the one without a status closes the connection instead of answering."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


CUT = Reply()
Deed = Callable[[Reply | None], Reply | str | None]


@dataclass(slots=True)
class Strike:
    """What happens to one call.

    Attributes:
        call: A regular expression, found in a call's line such as `DELETE /custom-models/x`.
        deed: Is called with the sandbox's answer, None before there is one, and returns what is
            answered in its place: a reply, one of AWS's error codes, or None for no change.
        when: Before the call is forwarded; after the sandbox carried it out and before the
            answer leaves; or after the answer has left.
        nth: Which of these calls, counted from the moment the strike is set.
        forever: Strikes each such call from that one on.
    """

    call: str
    deed: Deed
    when: str = BEFORE
    nth: int = 1
    forever: bool = False
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One call as the proxy saw it; `reply` is what the sandbox answered, None if not asked."""

    line: str
    reply: Reply | None


@dataclass
class Proxy:
    """A proxy that listens; `strikes` may be added to at any time."""

    upstream: int
    port: int = 0
    strikes: list[Strike] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    lost: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """What a client takes as its endpoint."""
        return f"http://{HOST}:{self.port}"

    def strike(self, call: str, deed: Deed, **how: object) -> Strike:
        """Set a strike; `how` is the rest of a Strike's attributes."""
        strike = Strike(call, deed, **how)  # type: ignore[arg-type]
        self.strikes.append(strike)
        return strike

    def lose_network(self) -> None:
        """Refuse every connection from now on, and close those that are open."""
        self.lost = True
        self._stop_listening()

    def find_network(self) -> None:
        """Listen again, on the same port."""
        self.lost = False
        self._listen()

    def count(self, call: str) -> int:
        """Count the calls whose line this regular expression is found in."""
        return sum(re.search(call, one.line) is not None for one in list(self.calls))

    def accepted(self, call: str) -> list[dict[str, object]]:
        """Read the sandbox's answers to such calls, those that it carried out."""
        return [
            json.loads(one.reply.body or b"{}")
            for one in list(self.calls)
            if one.reply and one.reply.status < 300 and re.search(call, one.line)
        ]

    def due(self, line: str) -> list[Strike]:
        """Count a call in for each strike, and say which of them strike it."""
        with self._lock:
            struck = []
            for strike in list(self.strikes):
                if re.search(strike.call, line):
                    strike.seen += 1
                    if strike.seen == strike.nth or (strike.forever and strike.seen > strike.nth):
                        struck.append(strike)
            return struck

    def note(self, line: str, reply: Reply | None) -> None:
        """Keep a call."""
        with self._lock:
            self.calls.append(Call(line, reply))

    def _listen(self) -> None:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server((HOST, self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def open_proxy(upstream: str) -> Iterator[Proxy]:
    """Open a proxy before the sandbox at this URL; it ends with the block, or with the process."""
    proxy = Proxy(urlsplit(upstream).port or 0)
    proxy._listen()
    try:
        yield proxy
    finally:
        proxy.lost = True
        proxy._stop_listening()


def refuse(code: str, method: str, authorization: str) -> Reply:
    """Write one of AWS's errors in the form that the called service gives its errors."""
    found = _SERVICE.search(authorization)
    service = found.group(1) if found else "bedrock"
    status = _HTTP_STATUS.get(code, 403)
    message = f"This call was refused with {code}."
    if service in ("s3", "iam", "sts"):
        plain = code.removesuffix("Exception")
        error = f"<Code>{plain}</Code><Message>{message}</Message>"
        if service == "s3":
            text = f'<?xml version="1.0"?><Error>{error}<RequestId>1</RequestId></Error>'
        else:
            text = (
                f"<ErrorResponse><Error><Type>Sender</Type>{error}</Error>"
                "<RequestId>1</RequestId></ErrorResponse>"
            )
        body = b"" if method == "HEAD" else text.encode()
        return Reply(status, (("Content-Type", "application/xml"),), body)
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", code))
    return Reply(status, headers, json.dumps({"message": message}).encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients are killed in the middle of their calls, and that is meant."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    owner: Proxy
    protocol_version = "HTTP/1.1"
    timeout = 120
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Read a request, whatever its method, and answer it."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self._answer(self._read_body())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was called is in the proxy's `calls`."""

    def _answer(self, body: bytes) -> None:
        proxy, line = self.owner, self._line(body)
        struck = [] if proxy.lost else proxy.due(line)
        sent: Reply | None = CUT if proxy.lost else self._deeds(struck, BEFORE, None)
        reply = None
        if sent is None:
            reply = sent = _forward(proxy.upstream, self.command, self.path, self.headers, body)
            # Noted before a deed can kill or hold the client: the sandbox has carried it out.
            proxy.note(line, reply)
            instead = self._deeds(struck, UNANSWERED, reply)
            sent = instead if instead is not None else sent
        else:
            proxy.note(line, None)
        if proxy.lost or sent.status == 0:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._send(sent)
        self._deeds(struck, ANSWERED, reply)

    def _deeds(self, struck: list[Strike], when: str, reply: Reply | None) -> Reply | None:
        for strike in struck:
            if strike.when == when:
                answer = strike.deed(reply)
                if isinstance(answer, str):
                    return refuse(answer, self.command, self.headers.get("Authorization", ""))
                if answer is not None:
                    return answer
        return None

    def _line(self, body: bytes) -> str:
        """Write a call in one line; IAM and STS name the operation in the body."""
        line = f"{self.command} {self.path}"
        if self.command == "POST" and self.path == "/" and b"Action=" in body:
            line += f"#{parse_qs(body.decode())['Action'][0]}"
        return line

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        # An answer to HEAD tells the length of what it does not bring.
        told = {name.lower(): value for name, value in reply.headers}
        size = told.get("content-length", "0") if self.command == "HEAD" else len(reply.body)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()


def answer_with(code: str) -> Deed:
    """Answer with one of AWS's errors, such as ThrottlingException."""
    return lambda _: code


def cut(_: Reply | None) -> Reply:
    """Close the connection instead of answering."""
    return CUT


def _forward(port: int, method: str, path: str, headers: object, body: bytes) -> Reply:
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    try:
        kept = {n: v for n, v in headers.items() if n.lower() not in _HOP_BY_HOP}  # type: ignore[attr-defined]
        connection.request(method, path, body, {**kept, "Content-Length": str(len(body))})
        answer = connection.getresponse()
        dropped = _HOP_BY_HOP - {"content-length"}
        shown = tuple((n, v) for n, v in answer.getheaders() if n.lower() not in dropped)
        return Reply(answer.status, shown, answer.read())
    finally:
        connection.close()
