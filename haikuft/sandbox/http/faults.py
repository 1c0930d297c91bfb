"""Faults on demand: throttled calls, internal errors and cut connections, drawn by a seed.

A call is struck by one fault at most. A throttled call and one with an internal error do nothing;
a call whose connection is cut has been carried out, as when a network fails: whoever repeats it
must not make anything twice. A stream is cut after its first events.
"""

from collections.abc import Callable
from random import Random
from threading import Lock

from haikuft.sandbox.http.routing import ServiceError
from haikuft.sandbox.settings import SandboxSettings

CUT = "haikuft.cut"  # key in the WSGI environ: close the connection instead of answering


class Faults:
    """Draws a fault for each call to Bedrock.

    Args:
        settings: Reads the sandbox's settings as they stand now; a change begins a new row of
            draws.
    """

    def __init__(self, settings: Callable[[], SandboxSettings]) -> None:
        self._settings = settings
        self._lock = Lock()
        self._drawn_for = settings()
        self._random = _generator(settings())

    def strike(self) -> bool:
        """Draw for one call; return whether its connection is to be cut after it.

        Raises ServiceError: ThrottlingException or InternalServerException.
        """
        settings = self._settings()
        if not (settings.throttle_share or settings.error_share or settings.drop_share):
            return False
        draw = self._draw(settings)
        if draw < settings.throttle_share:
            raise ServiceError(
                "ThrottlingException", "Too many requests, please wait before trying again."
            )
        draw -= settings.throttle_share
        if draw < settings.error_share:
            raise ServiceError(
                "InternalServerException", "The sandbox was set to fail a share of calls."
            )
        return draw - settings.error_share < settings.drop_share

    def _draw(self, settings: SandboxSettings) -> float:
        with self._lock:
            if settings != self._drawn_for:
                self._drawn_for = settings
                self._random = _generator(settings)
            return self._random.random()


def _generator(settings: SandboxSettings) -> Random:
    return Random(settings.fault_seed)  # noqa: S311 - no secret hangs on it
