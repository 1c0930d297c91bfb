"""The HTTP server: werkzeug's threaded server on the loopback address, with keep-alive.

werkzeug closes every connection after one response because it cannot tell whether a request's
body was read; the sandbox's application always reads it, so the connection can be kept. A body
that is a list is sent at once; any other is sent in chunks, as it is produced.

Each connection has a thread, and Python runs one thread at a time: it gives it to whichever asks
first, for 5 ms. A request that waits for files or the database a few times waits each time for all
threads that compute, so that requests to S3 took a hundred times as long beside clients of Bedrock,
whose requests never wait. With `Turns` each request is worked on to its end, in the order in which
requests arrive.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.client import responses
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from haikuft.sandbox.directory import HOST, HTTP_2_HINT, write_log

CUT = "haikuft.cut"  # key in the WSGI environ: close the connection instead of answering
BODY_READ = "haikuft.body_read"  # key in the WSGI environ, set once the body was read to its end


def bind(app: Any, *, port: int = 0) -> BaseWSGIServer:
    """Bind an application to a port of the loopback address; port 0 means any free one.

    Nothing is served before `serve_forever()`. Raises OSError when the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
        bound = listener.getsockname()[1]
        return make_server(
            HOST, bound, app, threaded=True, request_handler=_Handler, fd=listener.fileno()
        )


class _Handler(WSGIRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 120  # seconds without a request, then the connection is closed
    wbufsize = -1  # headers and body leave together
    disable_nagle_algorithm = True
    # For invalid HTTP; the application answers everything else.
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(message)s: %(explain)s\n"

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse invalid HTTP; a client of HTTP/2 shows no answer, so the log says what to do."""
        if code == HTTPStatus.HTTP_VERSION_NOT_SUPPORTED:
            message, explain = "HTTP/2 is not supported", HTTP_2_HINT
            self.log("error", f"{message}. {explain}")
        super().send_error(code, message, explain)

    def run_wsgi(self) -> None:
        """Answer one request."""
        if len(self.headers.get_all("Content-Length", [])) > 1:
            self.send_error(400, "More than one Content-Length")
            return
        environ = self.make_environ()
        head: list[Any] = []  # the status and the headers
        application: Any = self.server.app
        pieces: Iterable[bytes] = application(environ, lambda *given: head.extend(given))
        try:
            if environ.get(CUT):
                self.close_connection = True
                return
            self._send(head[0], head[1], pieces, body_read=bool(environ.get(BODY_READ)))
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _send(
        self,
        status: str,
        headers: list[tuple[str, str]],
        pieces: Iterable[bytes],
        *,
        body_read: bool,
    ) -> None:
        """Send a response; a body that is not a list is sent in chunks, each flushed."""
        code, whole = int(status.split()[0]), isinstance(pieces, list)
        chunked = not whole and self.request_version != "HTTP/1.0"
        bodiless = self.command == "HEAD" or code in (204, 304)
        self.send_response_only(code, responses.get(code, ""))
        self.send_header("Date", self.date_time_string())
        for name, value in headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif whole and not bodiless and "content-length" not in {one.lower() for one, _ in headers}:
            self.send_header("Content-Length", str(sum(map(len, pieces))))
        # A body that has neither length nor chunks ends with its connection.
        if not body_read or not (whole or chunked) or self.close_connection:
            self.send_header("Connection", "close")  # which sets close_connection, too
        self.end_headers()
        for piece in filter(None, [] if whole and bodiless else pieces):  # an empty chunk ends it
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if not whole:
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n" if chunked else b"")
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Send "100 Continue" at once; botocore waits a second for it before it sends a body."""
        ready = super().handle_expect_100()
        self.wfile.flush()
        return ready

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep ordinary requests out of the log."""

    def log_error(self, format: str, *args: Any) -> None:
        """Log an error; the timeout of an idle connection is none."""
        if not format.startswith("Request timed out"):
            super().log_error(format, *args)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write werkzeug's messages to the log file, which is stderr."""
        write_log(message % args if args else message)


class Turns:
    """`with turns:` waits until it is the thread's turn; the first to wait is the first to go on.

    Args:
        count: How many threads have a turn at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count  # how many turns have ended, and how many there are at once
        self._asked = 0
        self._ended = threading.Condition()
        self._thread = threading.local()

    def __enter__(self) -> None:
        with self._ended:
            number, self._asked = self._asked, self._asked + 1
            # A condition wakes the thread that has waited longest, which has the lowest number.
            self._ended.wait_for(lambda: number < self._free)
        self._thread.has_turn = True

    def __exit__(self, *error: object) -> None:
        self._thread.has_turn = False
        with self._ended:
            self._free += 1
            self._ended.notify()

    def sleep(self, seconds: float, sleep: Callable[[float], object] = time.sleep) -> None:
        """Sleep without a turn; a thread that has one waits for another afterwards."""
        if not getattr(self._thread, "has_turn", False):
            sleep(seconds)
            return
        self.__exit__()
        try:
            sleep(seconds)
        finally:
            self.__enter__()
