"""Threads that work on one job each."""

import threading

from haikuft.sandbox.jobs.workers import Workers


def test_work_when_told_to_stop_ends_and_is_counted_no_more() -> None:
    """The event of the one told is set, and no other."""
    workers, began = Workers(), threading.Barrier(3)

    def work(arn: str) -> None:
        event = workers.stop_event(arn)
        began.wait(5)
        event.wait()

    workers.start("a", work)
    workers.start("b", work)
    began.wait(5)
    assert workers.running == 2
    workers.stop("a")
    workers.join("a")
    assert workers.running == 1
    assert not workers.stop_event("b").is_set()
    workers.stop("b")
    workers.join("b")
    assert workers.running == 0


def test_work_when_it_has_ended_can_be_stopped_and_waited_for_in_vain() -> None:
    """Nothing happens, and it is not at work any more."""
    workers = Workers()
    workers.start("a", lambda arn: None)
    workers.join("a")
    workers.stop("a")
    assert workers.running == 0


def test_close_stops_all_and_says_that_the_server_ends() -> None:
    """Each is stopped by the caller's own way of stopping, and waited for."""
    workers, stopped = Workers(), []

    def stop(arn: str) -> None:
        stopped.append(arn)
        workers.stop(arn)

    def work(arn: str) -> None:
        workers.stop_event(arn).wait()

    for arn in ("a", "b"):
        workers.start(arn, work)
    workers.close(stop)
    assert sorted(stopped) == ["a", "b"]
    assert workers.closing.is_set()
    assert workers.running == 0
