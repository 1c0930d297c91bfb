"""When the workers that ask one model may send: after throttling, after a lost connection, at all.

The AWS SDK cannot do it: its adaptive mode slows a client several times more than random throttling
asks for, and every mode gives up within seconds of a lost network. So `ask_many` takes a client
that repeats nothing, and paces its workers here.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import Condition

from haikuft.aws.repeating import limit_pause

# What follows was chosen by simulating 500 requests of 0.2 s from 16 workers: throttled at random
# (10 %), and against true limits of 4, 10 and 40 requests a second.
_WINDOW, _WINDOW_SECONDS = 40, 0.5  # results, and time, that one look at throttling takes at least
_MOST_THROTTLED = 0.25  # share of a window; below it, sending again costs less than slowing down
_CUT = 0.95  # of the rate of answers, where more were throttled
_GROWTH = 0.03  # a second, towards a limit that may have risen
_LEAST_RATE = 0.5  # requests a second


@dataclass(slots=True)
class RateLimit:
    """How many requests a second to send, learnt from what was throttled; none at first.

    Attributes:
        rate: Requests a second; infinite while there is no limit.
    """

    rate: float = inf
    _next: float = 0.0
    _grown: float = 0.0
    _began: float = 0.0
    _results: int = 0
    _throttled: int = 0

    def reserve(self, now: float) -> float:
        """Take the next place to send at; return how many seconds from now it is."""
        begins = max(now, self._next)
        self._next = begins + 1 / self.rate
        return begins - now

    def record(self, now: float, *, throttled: bool) -> None:
        """Count a result; at the end of a window with too many throttled, set the rate anew."""
        self.rate *= 1 + _GROWTH * (now - self._grown)
        self._grown = now
        self._began = now if not self._results else self._began
        self._results += 1
        self._throttled += throttled
        seconds = now - self._began
        if self._results < _WINDOW or seconds < _WINDOW_SECONDS:
            return
        if self._throttled > _MOST_THROTTLED * self._results:
            answered = (self._results - self._throttled) / seconds
            self.rate = min(self.rate, max(_LEAST_RATE, _CUT * answered))
        self._results = self._throttled = 0


class Pace:
    """What the workers of one asking share: a rate, pauses, and how long nothing was answered.

    Args:
        patience_seconds: How long to go on without any answer.
        clock: Tells seconds that only grow.
        chance: Draws from 0 to 1, so that workers do not all send again at once.
    """

    def __init__(
        self,
        patience_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.patience_seconds = patience_seconds
        self.answers = 0
        self.stopped = False
        self._clock, self._chance = clock, chance
        self._answered_at = clock()
        self._failures = 0  # in a row, of all workers
        self._limit = RateLimit(_grown=self._answered_at)
        self._changed = Condition()

    def stop(self) -> None:
        """Let no worker send any more, and end all waits."""
        with self._changed:
            self.stopped = True
            self._changed.notify_all()

    def wait(self) -> bool:
        """Wait for a place to send at; False where the asking has been stopped."""
        with self._changed:
            seconds = self._limit.reserve(self._clock())
            if seconds:
                self._changed.wait_for(lambda: self.stopped, seconds)
            return not self.stopped

    def answered(self) -> None:
        """Count an answer, and wake those that wait for a lost service."""
        with self._changed:
            self.answers += 1
            self._failures, self._answered_at = 0, self._clock()
            self._limit.record(self._answered_at, throttled=False)
            self._changed.notify_all()

    def pause(self, attempt: int, *, throttled: bool) -> bool:
        """Wait before a question is sent again; False where patience has ended.

        A worker that was throttled waits by itself. One that had no answer waits the longer, the
        more in a row had none, and no longer than until another has one.

        Args:
            attempt: How often this question has failed, from 1.
            throttled: Whether it was throttled; else the network or the service failed.
        """
        with self._changed:
            if throttled:
                self._limit.record(self._clock(), throttled=True)
            else:
                self._failures += 1
            if self._clock() - self._answered_at >= self.patience_seconds:
                return False
            seconds = self._chance() * limit_pause(attempt if throttled else self._failures)
            seen = self.answers
            self._changed.wait_for(
                lambda: self.stopped or (not throttled and self.answers > seen), seconds
            )
            return True
