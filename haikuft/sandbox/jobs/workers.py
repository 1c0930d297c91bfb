"""Threads that work on one job each, and how they are told to stop."""

import threading
from collections.abc import Callable


class Workers:
    """One thread for each ARN at work.

    Attributes:
        closing: Set once the server ends: whoever is told to stop then is gone on with later.
    """

    def __init__(self) -> None:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}

    @property
    def running(self) -> int:
        """How many are at work."""
        with self._lock:
            return len(self._threads)

    def start(self, arn: str, work: Callable[[str], None]) -> None:
        """Begin work in a thread of its own; it must end soon once `stop_event` is set."""

        def run() -> None:
            try:
                work(arn)
            finally:
                with self._lock:
                    del self._threads[arn], self._stops[arn]

        thread = threading.Thread(target=run, name=arn.rpartition(":")[2], daemon=True)
        with self._lock:
            self._stops[arn] = threading.Event()
            self._threads[arn] = thread
        thread.start()

    def stop_event(self, arn: str) -> threading.Event:
        """Give the event that tells this work to stop; only while it goes on."""
        return self._stops[arn]

    def stop(self, arn: str) -> None:
        """Tell work to stop; work that has ended is left alone."""
        with self._lock:
            event = self._stops.get(arn)
        if event is not None:
            event.set()

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until work has ended, at most so long."""
        with self._lock:
            thread = self._threads.get(arn)
        if thread is not None:
            thread.join(seconds)

    def close(self, stop: Callable[[str], None], *, seconds: float = 5.0) -> None:
        """Have `stop` called for all that is at work, and wait for each, at most so long."""
        self.closing.set()
        with self._lock:
            arns = list(self._threads)
        for arn in arns:
            stop(arn)
        for arn in arns:
            self.join(arn, seconds)
