"""Injected faults: calls to Bedrock that are refused, and connections that are closed.

A call has one fault at most. A throttled call and one with an internal error have no effect. A call
whose connection is closed has been executed, as when a network fails, so a client that repeats it
must not create anything twice. A stream is closed after its first events.
"""

from random import Random

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.settings import SandboxSettings


class Faults:
    """Chooses a fault, or none, for each call to Bedrock; the same seed chooses the same ones."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._random = Random(settings.fault_seed)  # noqa: S311 - no secret hangs on it

    def inject(self) -> bool:
        """Choose for one call; return whether its connection is to be closed after it.

        Raises ServiceError: ThrottlingException or InternalServerException.
        """
        draw = self._random.random()
        throttled = self._settings.throttle_share
        failed = throttled + self._settings.error_share
        if draw < throttled:
            message = "Too many requests, please wait before trying again."
            raise ServiceError("ThrottlingException", message)
        if draw < failed:
            message = "The sandbox was set to fail a share of calls."
            raise ServiceError("InternalServerException", message)
        return draw < failed + self._settings.drop_share


def make_faults(settings: SandboxSettings) -> Faults | None:
    """Return what injects the faults of these settings; None when they have none."""
    share = settings.throttle_share + settings.error_share + settings.drop_share
    return Faults(settings) if share else None
