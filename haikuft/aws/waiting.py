"""Waiting for slow things at AWS: with a deadline.

Used by notebooks 3, 5 and 7 and by everything that waits for a job, a model that is served, or a
deletion. botocore has no waiters for Bedrock.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from haikuft.aws.errors import is_transient
from haikuft.errors import CredentialsError, HaikuftError, WaitTimeoutError

Reading = TypeVar("Reading")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait: how often to read, for how long, and what to do meanwhile.

    Attributes:
        poll_seconds: pause between two readings, in seconds.
        deadline_seconds: how long to wait at most, in seconds; 24 hours unless given.
        sleep: pauses for so many seconds; tests give their own.
        clock: tells seconds that only grow; tests give their own.
        on_change: is given the first reading, and each whose state differs from the one before.
        resume: the command that resumes the wait, named in errors; "" says to run the cell again.
    """

    poll_seconds: float = 60.0
    deadline_seconds: float = 24 * 3600.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    on_change: Callable[[Any], None] | None = None
    resume: str = ""


def wait_until(
    done: Callable[[Reading], bool],
    read: Callable[[], Reading],
    *,
    what: str,
    waiting: Waiting,
    state: Callable[[Reading], object] = lambda reading: reading,
    otherwise: str = "",
) -> Reading:
    """Read again and again until a reading is done, and return that reading.

    Args:
        done: tells whether a reading ends the wait.
        read: takes one reading; its errors are ours, with AWS's as their cause. Its client repeats
            what was throttled or lost.
        what: what is waited for, such as "Customization job tickets-1".
        waiting: how to wait.
        state: the part of a reading that `on_change` is called for when it differs.
        otherwise: what else can be done once the deadline has passed.

    Raises:
        WaitTimeoutError: the deadline has passed; what was waited for continues.
        CredentialsError: the login has expired meanwhile.
        HaikuftError: a reading failed, and AWS could not be reached for as long as its client
            repeats calls.
    """
    began = waiting.clock()
    shown: list[object] = []
    again = f"resume with `{waiting.resume}`" if waiting.resume else "run this cell again"
    while True:
        try:
            reading = read()
        except HaikuftError as error:
            if isinstance(error, CredentialsError) or is_transient(error.__cause__):
                words = f"{error} {what} continues meanwhile; then {again}."
                raise type(error)(words) from error.__cause__
            raise
        if waiting.on_change is not None and shown != [state(reading)]:
            waiting.on_change(reading)
        shown = [state(reading)]
        if done(reading):
            return reading
        if waiting.clock() - began >= waiting.deadline_seconds:
            raise WaitTimeoutError(
                f"{what} continues. It was waited for as long as allowed, "
                f"{name_span(waiting.deadline_seconds)}. To wait longer, {again}."
                f"{f' {otherwise}' if otherwise else ''}"
            )
        waiting.sleep(waiting.poll_seconds)


def retry(
    call: Callable[[], Reading], passes: Callable[[HaikuftError], bool], waiting: Waiting
) -> Reading:
    """Call, and call again while the error passes by itself; past the deadline, raise it.

    The pause doubles each time, up to ten times the first.

    Args:
        call: what is tried; its errors are ours, with AWS's as their cause.
        passes: tells whether an error may be gone at the next try.
        waiting: its first pause is `poll_seconds`; `on_change` is given the first error.
    """
    began, pause = waiting.clock(), waiting.poll_seconds
    while True:
        try:
            return call()
        except HaikuftError as error:
            if not passes(error) or waiting.clock() - began + pause > waiting.deadline_seconds:
                raise
            if waiting.on_change is not None and pause == waiting.poll_seconds:
                waiting.on_change(error)
        waiting.sleep(pause)
        pause = min(2 * pause, 10 * waiting.poll_seconds)


def name_span(seconds: float) -> str:
    """Say how long that is, e.g. 5400 -> "1.5 hours"."""
    units = ((3600, "hour", ".3g"), (60, "minute", ".3g"), (0, "second", ".0f"))
    size, unit, form = next(one for one in units if seconds >= one[0])
    number = f"{seconds / max(size, 1):{form}}"
    return f"{number} {unit}{'' if number == '1' else 's'}"
