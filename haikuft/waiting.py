"""Waiting for slow things at AWS: bounded, and patient with a network that comes and goes."""

import time
from collections.abc import Callable
from typing import TypeVar

from haikuft.aws_errors import is_transient
from haikuft.errors import CredentialsError, HaikuftError, WaitTimeoutError

Reading = TypeVar("Reading")


def wait_until(
    done: Callable[[Reading], bool],
    read: Callable[[], Reading],
    *,
    what: str,
    poll_seconds: float,
    deadline_seconds: float,
    patience_seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_change: Callable[[Reading], None] | None = None,
    state: Callable[[Reading], object] = lambda reading: reading,
    resume: str = "",
    otherwise: str = "",
) -> Reading:
    """Read again and again until a reading is done, and return that reading.

    Args:
        done: tells whether a reading ends the wait.
        read: takes one reading; its errors are ours, with AWS's as their cause.
        what: what is waited for, such as "Customization job tickets-1".
        poll_seconds: pause between two readings.
        deadline_seconds: how long to wait at most.
        patience_seconds: how long a lost network or a busy service is borne in a row.
        sleep: pauses; tests bring their own.
        clock: seconds that only grow; tests bring their own.
        on_change: is shown the first reading, and each whose state differs from the one before.
        state: what of a reading counts as its state.
        resume: the command that goes on from here.
        otherwise: what else can be done once the deadline has passed.

    Raises:
        WaitTimeoutError: the deadline has passed; what was waited for goes on.
        CredentialsError: the login has run out meanwhile.
        HaikuftError: AWS could not be reached for `patience_seconds`.
    """
    began, lost_at = clock(), None
    shown: list[object] = []
    again = f"go on with `{resume}`" if resume else "run this cell again"
    while True:
        try:
            reading = read()
        except CredentialsError as error:
            raise CredentialsError(f"{error} {what} goes on meanwhile; then {again}.") from error
        except HaikuftError as error:
            if not (isinstance(error.__cause__, Exception) and is_transient(error.__cause__)):
                raise
            lost_at = clock() if lost_at is None else lost_at
            if clock() - lost_at >= patience_seconds:
                raise HaikuftError(
                    f"{what} goes on, but AWS has not answered for {patience_seconds:.0f} s "
                    f"({error.__cause__}). Check the network, then {again}."
                ) from error
        else:
            lost_at = None
            if on_change is not None and shown != [state(reading)]:
                on_change(reading)
            shown = [state(reading)]
            if done(reading):
                return reading
        if clock() - began >= deadline_seconds:
            raise WaitTimeoutError(
                f"{what} goes on, but the {name_span(deadline_seconds)} given to waiting have "
                f"passed. To wait longer, {again}.{f' {otherwise}' if otherwise else ''}"
            )
        sleep(poll_seconds if lost_at is None else max(poll_seconds, 1.0))


def name_span(seconds: float) -> str:
    """Say how long that is, e.g. 5400 -> "1.5 hours"."""
    return f"{seconds / 3600:.3g} hours" if seconds >= 3600 else f"{seconds / 60:.3g} minutes"
