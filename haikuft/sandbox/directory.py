"""A sandbox's state directory: its place, its files, and the locks on it.

The state is complete at any moment and outlives the server, however that ends. The directory must
be on a local disk, because file locks and SQLite do not work reliably on most network drives.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haikuft.errors import SandboxError
from haikuft.files import write_whole
from haikuft.html import visible
from haikuft.sandbox.persistence.database import DATABASE_FILE

HOST = "127.0.0.1"  # the only address a sandbox ever listens on
HTTP_2_HINT = (
    "The AWS SDK for JavaScript v3 uses HTTP/2 for Bedrock's runtime, which the sandbox does not "
    "support: create BedrockRuntimeClient with requestHandler: new NodeHttpHandler(), from "
    "@smithy/node-http-handler."
)
ENDPOINT_FILE = "endpoint.json"  # which port the server listens on, or last did
LOG_FILE = "log"
SERVER_LOCK = "server.lock"  # held by the server while it runs
START_LOCK = "start.lock"  # held while it is started or emptied
_CONTENTS = (  # patterns, in the order of their deletion
    *(DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm", ENDPOINT_FILE, LOG_FILE),
    *(f".{ENDPOINT_FILE}.*", f"{ENDPOINT_FILE}.part"),  # of a killed server; version 0.1.0's
    *("models*/", "objects/"),  # custom models' files, by account, and S3's objects
)


def state_directory(state: str | Path | None = None) -> Path:
    """Return the state directory.

    That is `state`, else $HAIKUFT_SANDBOX_STATE, else "haikuft/sandbox" in the user's
    directory for such things. Nothing is created.
    """
    named = state or os.environ.get("HAIKUFT_SANDBOX_STATE")
    if named:
        return Path(named).expanduser().resolve()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        chosen = Path(os.environ.get("XDG_STATE_HOME", ""))
        base = chosen if chosen.is_absolute() else Path.home() / ".local" / "state"
    return (base / "haikuft" / "sandbox").resolve()


@contextmanager
def hold_lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a file; it is released when its process ends, however that ends.

    Raises BlockingIOError when another process holds it and `wait` is False.
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock."""
    try:
        with hold_lock(path, wait=False):
            return False
    except BlockingIOError:
        return True


def write_endpoint(directory: Path, port: int) -> None:
    """Write the port that the server listens on, atomically."""
    write_whole(directory / ENDPOINT_FILE, json.dumps({"port": port, "endpoint": url_of(port)}))


def read_port(directory: Path) -> int:
    """Return the port that the last server of this directory had; 0 when there was none."""
    try:
        port = int(json.loads((directory / ENDPOINT_FILE).read_text("utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if 1024 <= port <= 65535 else 0


def empty(directory: Path) -> None:
    """Delete the state, the log and the endpoint; nothing else, and not the locks."""
    for path in [path for pattern in _CONTENTS for path in directory.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_log(text: str) -> None:
    """Write a line to standard error, the server's log; a terminal shows its control characters."""
    print(visible(text), file=sys.stderr)


def unusable(directory: Path, error: object) -> SandboxError:
    """Return the error for a state directory that cannot be read or written."""
    return SandboxError(
        f"The sandbox cannot use its state directory {directory}: {error}. Name another one, on a "
        "local disk with room, that you may write to, with --state or HAIKUFT_SANDBOX_STATE."
    )


def as_state_error(error: Exception, directory: Path) -> Exception:
    """Return an error of the disk as `unusable` says it, and any other as it is."""
    return unusable(directory, error) if isinstance(error, OSError) else error


def url_of(port: int) -> str:
    """Return the endpoint URL of a port."""
    return f"http://{HOST}:{port}"
