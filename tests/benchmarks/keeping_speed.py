"""What keeping costs: a PUT of 10 KB with and without it, and a start with 1,000 objects.

Not collected by pytest: `python tests/benchmarks/keeping_speed.py`. Requests go straight to the
WSGI application, so that neither the network nor boto3 counts. Times are milliseconds: of the
clock, and of the processor, which says more on a busy machine.
"""

import io
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from usage import parse

from haikuft.sandbox.application import Sandbox

HOST = "127.0.0.1:80"
CREDENTIAL = "testing/20260101/us-east-1/s3/aws4_request"
COUNT = 1000
BODY = bytes(range(256)) * 40


class Times(NamedTuple):
    """How long something took, in milliseconds."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:.2f} ms ({self.processor:.2f} of the processor)"


def request(sandbox: Sandbox, method: str, path: str, body: bytes = b"") -> Times:
    """Send a request; return how long its answer took."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "RAW_URI": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": HOST,
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={CREDENTIAL}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }
    status: list[str] = []
    clock, processor = time.perf_counter(), time.process_time()
    sandbox(environ, lambda text, headers: status.append(text))
    took = Times((time.perf_counter() - clock) * 1000, (time.process_time() - processor) * 1000)
    assert status[0].startswith("200"), status
    return took


def median(times: list[Times]) -> Times:
    """Return the median of each."""
    return Times(
        statistics.median(time.clock for time in times),
        statistics.median(time.processor for time in times),
    )


@contextmanager
def without_keeping(sandbox: Sandbox) -> Iterator[None]:
    """Let the sandbox forget."""

    @contextmanager
    def nothing(service: str, *, reads: bool = False) -> Iterator[None]:
        yield

    moto_state: Any = sandbox.store.moto_state
    kept = moto_state.persist
    moto_state.persist = nothing
    yield
    moto_state.persist = kept


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        sandbox = Sandbox(Path(directory), handlers={})
        request(sandbox, "PUT", "/data")
        request(sandbox, "PUT", "/data/first", BODY)
        bare, kept = [], []
        for number in range(COUNT):  # in turn, so that a busy machine slows both alike
            with without_keeping(sandbox):
                bare.append(request(sandbox, "PUT", f"/data/bare-{number:04}", BODY))
            kept.append(request(sandbox, "PUT", f"/data/kept-{number:04}", BODY))
        read = [request(sandbox, "GET", f"/data/kept-{n:04}") for n in range(COUNT)]
        begin = time.perf_counter()
        again = Sandbox(Path(directory), handlers={})
        start = (time.perf_counter() - begin) * 1000
        request(again, "GET", "/data/kept-0999")
        again.close()
    without, with_it = median(bare), median(kept)
    ratios = [kept / bare for bare, kept in zip(without, with_it, strict=True)]
    print(f"PUT of {len(BODY):,} bytes, median of {COUNT:,}, without keeping: {without}")
    print(f"with it: {with_it}; {ratios[0]:.2f} times as long ({ratios[1]:.2f})")
    print(f"the last hundred of them: {median(kept[-100:])}")
    print(f"GET of one: {median(read)}")
    print(f"start with {COUNT:,} objects: {start:.0f} ms")


if __name__ == "__main__":
    parse(__doc__)
    main()
