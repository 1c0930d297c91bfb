"""Turns: how many threads have one at once, who is next, and what sleeping does."""

import threading
from collections.abc import Callable

from haikuft.sandbox.http.turns import Turns


def start(work: Callable[[], None]) -> threading.Thread:
    """Start a thread."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_turns_when_all_are_taken_then_threads_go_on_in_the_order_in_which_they_came() -> None:
    """One turn: nobody overtakes."""
    turns, order = Turns(1), []

    def work(number: int) -> None:
        with turns:
            order.append(number)

    threads = []
    with turns:
        for number in range(5):
            threads.append(start(lambda number=number: work(number)))  # type: ignore[misc]
            while len(turns._waiting) <= number:
                pass
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_turns_when_two_are_there_then_two_threads_are_within() -> None:
    """Both wait for each other inside."""
    turns, both = Turns(2), threading.Barrier(3, timeout=30)

    def work() -> None:
        with turns:
            both.wait()

    threads = [start(work), start(work)]
    both.wait()
    for thread in threads:
        thread.join()


def test_sleep_within_a_turn_lets_another_thread_go_on() -> None:
    """What sleeps computes nothing; a thread without a turn just sleeps."""
    turns, slept = Turns(1), []

    def work() -> None:
        with turns:
            slept.append("other")

    with turns:
        turns.sleep(1.0, lambda seconds: start(work).join())
        slept.append("first")
    turns.sleep(2.0, slept.append)
    assert slept == ["other", "first", 2.0]
