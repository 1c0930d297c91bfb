"""Threads that run one job each, and how they are stopped."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

Wait = Callable[[threading.Event, float], bool]
"""Waits for an event or the seconds, whichever is first; true for the event."""


class JobThreads(ABC):
    """One thread for each running job; a subclass defines what a job does.

    Args:
        wait: Waits for an event or some seconds; tests replace it.

    Attributes:
        closing: Set when the server ends; the next server resumes the jobs that stop then.
    """

    def __init__(self, *, wait: Wait = threading.Event.wait) -> None:
        self.closing = threading.Event()
        self._wait = wait
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: dict[str, threading.Thread] = {}

    @abstractmethod
    def run(self, arn: str) -> None:
        """Run the job; return soon after `stop_event` is set."""

    @property
    def running(self) -> int:
        """The number of running jobs; a sandbox with running jobs is not idle."""
        with self._lock:
            return len(self._threads)

    def start(self, arn: str) -> None:
        """Run the job in a new thread."""

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
        """Return the event that stops this job; only while it runs."""
        return self._stops[arn]

    def interrupt(self, arn: str) -> None:
        """Stop a job; one that has ended is ignored."""
        with self._lock:
            event = self._stops.get(arn)
        if event is not None:
            event.set()

    def join(self, arn: str, seconds: float | None = None) -> None:
        """Wait until the job has ended, or for some seconds."""
        with self._lock:
            thread = self._threads.get(arn)
        if thread is not None:
            thread.join(seconds)

    def close(self, *, seconds: float = 5.0) -> None:
        """Stop all jobs and wait for each thread, at most `seconds`.

        The records stay as they are: the next server resumes the jobs.
        """
        self.closing.set()
        with self._lock:
            arns = list(self._threads)
        for arn in arns:
            self.interrupt(arn)
        for arn in arns:
            self.join(arn, seconds)
