"""Threads that work on one job each, and how they are told to stop."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

Wait = Callable[[threading.Event, float], bool]
"""Waits for an event or the seconds, whichever is first; true for the event."""


class JobThreads(ABC):
    """One thread for each job at work; a subclass says what a job does.

    Args:
        wait: How to wait; tests give one that does not.

    Attributes:
        closing: Set once the server ends: the next server resumes what is told to stop then.
    """

    def __init__(self, *, wait: Wait = threading.Event.wait) -> None:
        self.closing = threading.Event()
        self._wait = wait
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}

    @abstractmethod
    def run(self, arn: str) -> None:
        """Work on the job; end soon once `stop_event` is set."""

    @property
    def running(self) -> int:
        """How many jobs are at work; a sandbox with running jobs is not idle."""
        with self._lock:
            return len(self._threads)

    def start(self, arn: str) -> None:
        """Begin the job's work in a thread of its own."""

        def run() -> None:
            try:
                self.run(arn)
            finally:
                with self._lock:
                    del self._threads[arn], self._stops[arn]

        thread = threading.Thread(target=run, name=arn.rpartition(":")[2], daemon=True)
        with self._lock:
            self._stops[arn] = threading.Event()
            self._threads[arn] = thread
        thread.start()

    def stop_event(self, arn: str) -> threading.Event:
        """Return the event that tells this job's work to stop; only while it is at work."""
        return self._stops[arn]

    def interrupt(self, arn: str) -> None:
        """Tell a job's work to stop; work that has ended is left alone."""
        with self._lock:
            event = self._stops.get(arn)
        if event is not None:
            event.set()

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until the job's work has ended, at most so long."""
        with self._lock:
            thread = self._threads.get(arn)
        if thread is not None:
            thread.join(seconds)

    def close(self, *, seconds: float = 5.0) -> None:
        """Interrupt all work and wait for each thread, at most so long.

        The records stay as they are: the next server resumes the jobs.
        """
        self.closing.set()
        with self._lock:
            arns = list(self._threads)
        for arn in arns:
            self.interrupt(arn)
        for arn in arns:
            self.join(arn, seconds)
