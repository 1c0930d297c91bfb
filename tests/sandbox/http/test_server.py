"""HTTP: bodies and streams over one connection, clients that go away, and who is next."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from haikuft.sandbox.http.server import BODY_READ, Turns, bind

WAIT = 10  # seconds after which a test gives up; nothing takes so long


@pytest.fixture
def serve() -> Iterator[Callable[[Any], tuple[str, int]]]:
    """`serve(answer)` serves what `answer(path)` gives, and says at which address."""
    servers = []

    def start(answer: Callable[[str], Any]) -> tuple[str, int]:
        def application(environ: dict[str, Any], start_response: Any) -> Any:
            environ[BODY_READ] = True
            start_response("200 OK", [("Content-Type", "text/plain")])
            return answer(environ["PATH_INFO"])

        server = bind(application)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server.server_address[0], server.port

    yield start
    for server in servers:
        server.shutdown()


def test_stream_when_a_piece_is_made_then_it_leaves_before_the_next_is_asked_for(
    serve: Any,
) -> None:
    """The second piece is made only once the client has the first."""
    arrived = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one"
        assert arrived.wait(WAIT)
        yield b"two"

    connection = http.client.HTTPConnection(*serve(lambda path: pieces()), timeout=WAIT)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.getheader("Transfer-Encoding") == "chunked"
    assert response.getheader("Content-Length") is None
    assert response.read1() == b"one"
    arrived.set()
    assert response.read() == b"two"
    connection.close()


def test_stream_when_it_has_ended_then_the_connection_carries_the_next_request(serve: Any) -> None:
    """Streams and whole bodies follow each other on one socket; an empty piece ends nothing."""
    answers = {"/stream": lambda: iter([b"a", b"", b"b"]), "/whole": lambda: [b"whole"]}
    connection = http.client.HTTPConnection(*serve(lambda path: answers[path]()), timeout=WAIT)
    sockets = set()
    for path, body in [("/stream", b"ab"), ("/whole", b"whole"), ("/stream", b"ab")]:
        connection.request("GET", path)
        sockets.add(connection.sock)
        assert connection.getresponse().read() == body
    assert len(sockets) == 1
    connection.close()


def test_stream_when_the_client_goes_away_then_it_is_closed_and_others_are_served(
    serve: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a stream holds is let go at the next piece that cannot be sent; the log stays quiet."""
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65_536
        finally:
            closed.set()

    address = serve(lambda path: endless() if path == "/endless" else [b"served"])
    with socket.create_connection(address, timeout=WAIT) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(10)
    assert closed.wait(WAIT)
    connection = http.client.HTTPConnection(*address, timeout=WAIT)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"served"
    connection.close()
    assert capsys.readouterr().err == ""


def test_stream_when_it_breaks_then_the_client_sees_no_end(serve: Any) -> None:
    """A body cut short must not look whole."""

    def broken() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionResetError

    connection = http.client.HTTPConnection(*serve(lambda path: broken()), timeout=WAIT)
    connection.request("GET", "/")
    with pytest.raises(http.client.IncompleteRead) as caught:
        connection.getresponse().read()
    assert caught.value.partial == b"one"
    connection.close()


def test_stream_when_the_client_speaks_http_1_0_then_ends_with_the_connection(serve: Any) -> None:
    """An old client knows no chunks."""
    with socket.create_connection(serve(lambda path: iter([b"one", b"two"])), timeout=WAIT) as old:
        old.sendall(b"GET / HTTP/1.0\r\n\r\n")
        reply = b"".join(iter(lambda: old.recv(4096), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert body == b"onetwo"
    assert b"chunked" not in head


def start_thread(work: Callable[[], None]) -> threading.Thread:
    """Start a thread."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_turns_when_all_are_taken_then_threads_go_on_in_the_order_in_which_they_came() -> None:
    """One turn: nobody overtakes."""
    turns, order = Turns(1), []

    def work(number: int) -> None:
        with turns:
            order.append(number)

    threads = []
    with turns:
        for number in range(5):
            threads.append(start_thread(lambda number=number: work(number)))  # type: ignore[misc]
            while turns._asked < number + 2:  # the first turn is this thread's
                pass
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_turns_when_two_are_there_then_two_threads_are_within() -> None:
    """Both wait for each other inside."""
    turns, both = Turns(2), threading.Barrier(3, timeout=30)

    def work() -> None:
        with turns:
            both.wait()

    threads = [start_thread(work), start_thread(work)]
    both.wait()
    for thread in threads:
        thread.join()


def test_sleep_within_a_turn_lets_another_thread_go_on() -> None:
    """What sleeps computes nothing; a thread without a turn just sleeps."""
    turns, slept = Turns(1), []

    def work() -> None:
        with turns:
            slept.append("other")

    with turns:
        turns.sleep(1.0, lambda seconds: start_thread(work).join())
        slept.append("first")
    turns.sleep(2.0, slept.append)
    assert slept == ["other", "first", 2.0]
