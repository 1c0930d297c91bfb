"""AWS: the connection to an account, its errors in plain words, waiting, and whose a resource is.

The connection is the one place that knows both targets, AWS and the sandbox.
"""

from haikuft.aws.connection import Connection, connect

__all__ = ["Connection", "connect"]
