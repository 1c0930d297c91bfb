"""When workers may send: a rate learnt from throttling, pauses, and the end of patience."""

import math
import threading
from collections.abc import Callable

import pytest
from fakes import Time

from haikuft.inference.pacing import Pace, RateLimit


def send(limit: RateLimit, seconds: float, *, most: float, offered: float) -> list[bool]:
    """Offer so many requests a second to a service that takes `most`; give what was throttled."""
    now, room, throttled = 0.0, 1.0, []
    while now < seconds:
        step = max(limit.reserve(now), 1 / offered)
        now, room = now + step, min(1.0, room + step * most)
        throttled.append(room < 1.0)
        room -= not throttled[-1]
        limit.record(now, throttled=throttled[-1])
    return throttled


def test_rate_when_nothing_is_throttled_then_there_is_none() -> None:
    """Every request may go at once."""
    limit = RateLimit()

    assert not any(send(limit, 10, most=1000, offered=100))
    assert limit.rate == math.inf
    assert limit.reserve(10.0) == limit.reserve(10.0) == 0


@pytest.mark.parametrize("most", [4.0, 40.0])
def test_rate_when_a_service_takes_so_many_a_second_then_it_is_near_that(most: float) -> None:
    """Few are throttled once it is learnt, and it is tried whether the service takes more."""
    limit = RateLimit()
    send(limit, 40, most=most, offered=80)

    later = send(limit, 40, most=most, offered=80)

    assert 0.7 * most <= limit.rate <= 1.35 * most
    assert sum(later) / len(later) < 0.25


def test_rate_when_one_in_ten_is_throttled_then_nothing_is_slowed() -> None:
    """Sending again costs less."""
    limit = RateLimit()
    for number in range(1000):
        limit.record(number / 80, throttled=number % 10 == 0)

    assert limit.rate == math.inf


def make_pace(patience_seconds: float, clock: Callable[[], float], chance: float) -> Pace:
    """Make one whose pauses are always this part of the longest."""
    return Pace(patience_seconds, clock=clock, chance=lambda: chance)


@pytest.mark.parametrize("throttled", [True, False])
def test_pause_when_nothing_was_answered_for_long_then_patience_has_ended(throttled: bool) -> None:
    """An answer begins it anew."""
    time = Time()
    pace = make_pace(120.0, time.clock, 0.0)
    time.sleep(119)
    assert pace.pause(1, throttled=throttled)
    pace.answered()
    time.sleep(119)
    assert pace.pause(1, throttled=throttled)
    time.sleep(1)
    assert not pace.pause(2, throttled=throttled)


@pytest.mark.parametrize("wake", [Pace.answered, Pace.stop])
def test_pause_when_another_is_answered_or_all_is_stopped_then_it_ends_at_once(
    wake: Callable[[Pace], None],
) -> None:
    """Who waits for a lost service need not wait out ten seconds."""
    pace = make_pace(1000.0, Time().clock, 1.0)
    waiting = threading.Thread(target=lambda: [pace.pause(n, throttled=False) for n in (6, 7, 8)])
    waiting.start()
    while waiting.is_alive():
        wake(pace)
        waiting.join(0.01)
    assert pace.wait() == (wake is Pace.answered)
