"""How long it takes to ask 500 prompts, against the ideal.

Run it by itself: `python tests/benchmarks/asking.py`.

First on a sandbox whose model takes 200 ms for each reply, at concurrency 16: the ideal is
500 × 0.2 / 16 s. Wanted: at most 1.25 times that. (The sandbox has answered one question before,
as notebook 5 asks one.) Then on one that also throttles 10 % of the calls and cuts 2 % of the
connections after the model has answered: all 500 replies are to be there, each once. How long
that takes is up to botocore's adaptive mode, which slows down whatever is throttled, and is only
printed. Not collected by pytest, for a timing is no test; ends with 1 if one is not as wanted.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from haikuft import aws, sandbox
from haikuft.base_models import DEFAULT
from haikuft.inference import ask, ask_many
from haikuft.inference.replies import read_replies

PROMPTS = 500
CONCURRENCY = 16
ANSWER_SECONDS = 0.2
WANTED = 1.25  # times the ideal
IDEAL = PROMPTS * ANSWER_SECONDS / CONCURRENCY

RECORDS = [
    {
        "messages": [
            {"role": "user", "content": f"Ticket {number}: the red light blinks. Label it."},
            {"role": "assistant", "content": "lights"},
        ]
    }
    for number in range(PROMPTS)
]


def make_runtime(state: Path) -> Any:
    """Make the client that a notebook has."""
    connection = aws.connect("sandbox", region=DEFAULT.region, state=state)
    return connection.client("bedrock-runtime")


def time_asking(state: Path, path: Path, watch: Callable[..., None] | None = None) -> float:
    """Ask everything once and give the seconds; the client is made before."""
    runtime = make_runtime(state)
    if watch is not None:
        runtime.meta.events.register("needs-retry", watch)
    begun = time.perf_counter()
    ask_many(
        runtime,
        DEFAULT.inference_id,
        RECORDS,
        path=path,
        concurrency=CONCURRENCY,
        max_tokens=20,
        progress=False,
    )
    return time.perf_counter() - begun


def main() -> int:
    """Print a line for each of the two; 1 if one is not as wanted."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "sandbox"
        sandbox.start(state, settings={"answer_seconds": ANSWER_SECONDS})
        try:
            ask(make_runtime(state), DEFAULT.inference_id, RECORDS[0]["messages"][:1])
            seconds = time_asking(state, Path(folder) / "slow.jsonl")
            ratio = seconds / IDEAL
            print(
                f"{PROMPTS} prompts at concurrency {CONCURRENCY}, {ANSWER_SECONDS} s a reply: "
                f"{seconds:.2f} s, ideal {IDEAL:.2f} s, ratio {ratio:.2f} (at most {WANTED})"
            )
            sandbox.configure(sandbox.start(state), throttle_share=0.1, drop_share=0.02)
            calls: list[int] = []
            faulty = Path(folder) / "faulty.jsonl"
            seconds = time_asking(state, faulty, lambda **told: calls.append(told["attempts"]))
            replies = read_replies(faulty)
            good = {reply.record_id for reply in replies if reply.error is None}
            print(
                f"with 10 % throttled and 2 % dropped: {len(good)} of {PROMPTS} replies in "
                f"{len(replies)} lines, {len(calls)} calls, {seconds:.1f} s"
            )
        finally:
            sandbox.stop(state)
    return int(ratio > WANTED or not len(good) == len(replies) == PROMPTS)


if __name__ == "__main__":
    sys.exit(main())
