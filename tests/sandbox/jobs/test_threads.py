"""Threads that work on one job each."""

import threading
from collections.abc import Callable

from haikuft.sandbox.jobs.threads import JobThreads


class Threads(JobThreads):
    """Threads whose work a test gives."""

    def __init__(self, work: Callable[[JobThreads, str], object]) -> None:
        super().__init__()
        self._work = work
        self.interrupted: list[str] = []

    def run(self, arn: str) -> None:
        """Do what the test says."""
        self._work(self, arn)

    def interrupt(self, arn: str) -> None:
        """Note who is told to stop."""
        self.interrupted.append(arn)
        super().interrupt(arn)


def test_work_when_told_to_stop_ends_and_is_counted_no_more() -> None:
    """The event of the one told is set, and no other."""
    began = threading.Barrier(3)

    def work(threads: JobThreads, arn: str) -> None:
        event = threads.stop_event(arn)
        began.wait(5)
        event.wait()

    threads = Threads(work)
    threads.start("a")
    threads.start("b")
    began.wait(5)
    assert threads.running == 2
    threads.interrupt("a")
    threads.join("a")
    assert threads.running == 1
    assert not threads.stop_event("b").is_set()
    threads.interrupt("b")
    threads.join("b")
    assert threads.running == 0


def test_work_when_it_has_ended_can_be_stopped_and_waited_for_in_vain() -> None:
    """Nothing happens, and it is not at work any more."""
    threads = Threads(lambda threads, arn: None)
    threads.start("a")
    threads.join("a")
    threads.interrupt("a")
    assert threads.running == 0


def test_close_stops_all_and_says_that_the_server_ends() -> None:
    """Each is stopped by the subclass's own way of stopping, and waited for."""
    threads = Threads(lambda threads, arn: threads.stop_event(arn).wait())
    for arn in ("a", "b"):
        threads.start(arn)
    threads.close()
    assert sorted(threads.interrupted) == ["a", "b"]
    assert threads.closing.is_set()
    assert threads.running == 0
