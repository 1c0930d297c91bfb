"""AWS: the connection to an account, its errors in plain words, waiting, and whose a resource is.

The connection is the one place that knows both targets, AWS and the sandbox.
"""

from haikuft.aws.connection import POLL_SECONDS, TARGETS, Connection, connect
from haikuft.aws.errors import explain, explaining

__all__ = ["POLL_SECONDS", "TARGETS", "Connection", "connect", "explain", "explaining"]
