"""Fault injection: throttled calls, internal errors and closed connections, chosen by a seed.

A call has one fault at most. A throttled call and one with an internal error have no effect. A call
whose connection is closed has been executed, as when a network fails, so a client that repeats it
must not create anything twice. A stream is closed after its first events.
"""

from collections.abc import Callable
from random import Random
from threading import Lock

from haikuft.sandbox.http.routing import ServiceError
from haikuft.sandbox.settings import SandboxSettings

CUT = "haikuft.cut"  # key in the WSGI environ: close the connection instead of answering


class Faults:
    """Chooses a fault, or none, for each call to Bedrock.

    Args:
        settings: Returns the current settings; a change starts the random numbers again.
    """

    def __init__(self, settings: Callable[[], SandboxSettings]) -> None:
        self._settings = settings
        self._lock = Lock()
        self._drawn_for = settings()
        self._random = _generator(settings())

    def inject(self) -> bool:
        """Choose for one call; return whether its connection is to be closed after it.

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
