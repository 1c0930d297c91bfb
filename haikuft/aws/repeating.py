"""Repeat the calls of a client that the network or AWS failed at, for a while.

botocore's own modes end within seconds: since 1.44 standard mode waits 50 ms before the second
attempt and twice as long before each further one, so that a gap of 3 s in the network ends a run.
Source: AWS SDKs and Tools Reference Guide, "Retry behavior"; botocore emits `needs-retry` after
each attempt, and sends the request again after as many seconds as a handler returns.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from haikuft.aws.errors import is_transient

PATIENCE_SECONDS = 120.0  # for which a lost network or a busy service is tolerated
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.2, 10.0
_FAILED_AT = "haikuft_failed_at"  # in a request's own context


def limit_pause(failures: int) -> float:
    """Give the longest pause, in seconds, after so many failures in a row: it doubles up to 10."""
    return min(_LONGEST_SECONDS, _SHORTEST_SECONDS * 2.0 ** min(failures - 1, 10))


def repeat_for_a_while(
    client: Any,
    patience_seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    chance: Callable[[], float] = random.random,
) -> None:
    """Have each call of a client be repeated until it succeeds or patience has ended.

    Args:
        client: A client that repeats nothing itself, `retries={"total_max_attempts": 1}`.
        patience_seconds: How long after its first failure a call is repeated.
        clock: Tells seconds that only grow.
        chance: Draws from 0 to 1: that part of a pause is waited, so that callers spread.
    """

    def decide(
        response: Any, caught_exception: Any, attempts: int, request_dict: Any, **_: Any
    ) -> float | None:
        error = caught_exception
        if error is None:
            if response[0].status_code < 300:
                return None
            error = ClientError(response[1], "")
        if not is_transient(error):
            return None
        first = request_dict["context"].setdefault(_FAILED_AT, clock())
        left = first + patience_seconds - clock()
        if left <= 0:
            return None
        pause: float = min(left, limit_pause(attempts) * chance())
        return pause

    client.meta.events.register("needs-retry", decide)
