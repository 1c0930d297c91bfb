"""The sandbox: a local AWS, one server process on the loopback address for each state directory.

Its state is in that directory, and outlives the process, however that ends.
Importing this package loads neither moto nor NumPy; the server process does.
"""

from haikuft.sandbox.directory import HTTP_2_HINT, state_directory
from haikuft.sandbox.process import (
    Endpoint,
    Status,
    configure,
    read_progress,
    read_settings,
    reset,
    start,
    status,
    stop,
)
from haikuft.sandbox.settings import SandboxSettings

__all__ = [
    "HTTP_2_HINT",
    "Endpoint",
    "SandboxSettings",
    "Status",
    "configure",
    "read_progress",
    "read_settings",
    "reset",
    "start",
    "state_directory",
    "status",
    "stop",
]
