"""How long it takes to ask 500 prompts, against the ideal, whatever AWS and the network do.

    python tests/benchmarks/asking.py [ROW …]

Rows, all at concurrency 16 with 200 ms a reply; each prints its time, its yardstick and the ratio
that is wanted at most:

- `plain`: without faults, against 500 × 0.2 / 16 s.
- `random`: 10 % of the calls throttled at random, and 2 % of the connections cut.
- `limit`: a service that takes 40 requests a second, against 500 / 40 s; at most 15 % throttled.
- `gap30`, `gap100`: out of reach for so many seconds in the middle, against `plain` and the gap.

The model is a stub in this process that counts its answers: none may be given twice. Not collected
by pytest, for a timing is no test; ends with 1 if one is not as wanted.
"""

import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from usage import parse

from haikuft import aws
from haikuft.inference import ask_many

PROMPTS, CONCURRENCY, ANSWER_SECONDS, LIMIT = 500, 16, 0.2, 40.0
IDEAL = PROMPTS * ANSWER_SECONDS / CONCURRENCY
RECORDS = [
    {
        "messages": [
            {"role": "user", "content": f"ticket {number}"},
            {"role": "assistant", "content": "lights"},
        ]
    }
    for number in range(PROMPTS)
]
ANSWER = {
    "output": {"message": {"role": "assistant", "content": [{"text": "lights"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
    "metrics": {"latencyMs": 1},
}


@dataclass
class Service:
    """What the stub does.

    Attributes:
        throttled, cut: Shares of the calls, at random.
        limit: Requests a second that are taken, in bursts of a tenth of a second; 0 for all.
        gap: From which second on, and for how long, every connection is cut.
        answered: How often each prompt was answered.
    """

    throttled: float = 0.0
    cut: float = 0.0
    limit: float = 0.0
    gap: tuple[float, float] = (0.0, 0.0)
    answered: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    lock: threading.Lock = field(default_factory=threading.Lock)
    began: float = field(default_factory=time.monotonic)
    room: float = 1.0
    last: float = field(default_factory=time.monotonic)

    def decide(self) -> str:
        """Say what becomes of a call: "answer", "throttle" or "cut"."""
        with self.lock:
            now, (starts, seconds) = time.monotonic(), self.gap
            found = "answer"
            if seconds and starts <= now - self.began < starts + seconds:
                found = "cut"
            elif self.chance.random() < self.throttled:
                found = "throttle"
            elif self.chance.random() < self.cut:
                found = "cut"
            if self.limit:
                most = max(1.0, self.limit / 10)
                self.room = min(most, self.room + (now - self.last) * self.limit)
                self.last = now
                found = "answer" if self.room >= 1 else "throttle"
                self.room -= found == "answer"
            self.calls[found] += 1
            return found


def serve(service: Service) -> ThreadingHTTPServer:
    """Serve it on the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = service.decide()
            if found == "cut":
                self.close_connection = True
                return
            status, body, kind = 429, b'{"message": "Too many"}', "ThrottlingException"
            if found == "answer":
                time.sleep(ANSWER_SECONDS)
                status, body, kind = 200, json.dumps(ANSWER).encode(), ""
                with service.lock:
                    service.answered[asked["messages"][-1]["content"][0]["text"]] += 1
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", "stub")
            if kind:
                self.send_header("x-amzn-ErrorType", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


def measure(service: Service) -> tuple[float, int]:
    """Ask all prompts once; give the seconds and the number of replies."""
    server = serve(service)
    connection = aws.Connection(
        target="sandbox",
        region="us-west-2",
        account_id="",
        caller_arn="",
        endpoint=f"http://127.0.0.1:{server.server_port}",
        sandbox_state="",
        bills=False,
        poll_seconds=0.2,
        session=aws.connection._sandbox_session("us-west-2"),
    )
    runtime: Any = connection.client("bedrock-runtime", patience_seconds=0)
    service.began = begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "replies.jsonl"
        options: Any = {"path": path, "concurrency": CONCURRENCY, "progress": False}
        replies = ask_many(runtime, "stub", RECORDS, **options)
    seconds = time.monotonic() - begun
    server.shutdown()
    return seconds, sum(reply.error is None for reply in replies.values())


ROWS = {  # name -> the service, its yardstick in seconds, the ratio wanted at most
    "plain": (lambda: Service(), IDEAL, 1.15),
    "random": (lambda: Service(throttled=0.1, cut=0.02), IDEAL, 1.6),
    "limit": (lambda: Service(limit=LIMIT), PROMPTS / LIMIT, 1.2),
    "gap30": (lambda: Service(gap=(3.0, 30.0)), IDEAL + 30, 1.3),
    "gap100": (lambda: Service(gap=(3.0, 100.0)), IDEAL + 100, 1.3),
}


def main(names: list[str]) -> int:
    """Print a line a row; 1 if one is not as wanted."""
    failed = False
    for name in names or ROWS:
        make, yardstick, wanted = ROWS[name]
        service = make()
        seconds, good = measure(service)
        calls = sum(service.calls.values())
        share = service.calls["throttle"] / calls
        twice = sum(number > 1 for number in service.answered.values())
        print(
            f"{name}: {good} of {PROMPTS} replies, {twice} answered twice, {seconds:.1f} s, "
            f"{seconds / yardstick:.2f} times {yardstick:.1f} s (at most {wanted}); {calls} calls, "
            f"{share:.1%} throttled",
            flush=True,
        )
        failed |= seconds > wanted * yardstick or good < PROMPTS or twice > 0
        failed |= name == "limit" and share > 0.15
    return int(failed)


if __name__ == "__main__":
    rows = {"nargs": "*", "choices": [*ROWS, []], "metavar": "ROW", "help": "all, if none"}
    sys.exit(main(parse(__doc__, rows=rows).rows))
