"""Start the sandbox, find it again, change its settings, stop it, empty it.

One state directory, one server. Whether it runs is asked of its endpoint, never judged by a
process id; two starts at once wait for each other on a lock and get the same server.
"""

import fcntl
import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from haikuft.errors import SandboxError, SettingsError
from haikuft.sandbox.ledger import LEDGER_FILE
from haikuft.sandbox.settings import SandboxSettings, change_settings

HOST = "127.0.0.1"  # the only address a sandbox ever listens on
START_SECONDS = 30.0
STOP_SECONDS = 15.0
ENDPOINT_FILE = "endpoint.json"  # which port the server listens on, or last did
LOG_FILE = "log"
DIRECTORIES = ("models", "objects")  # what custom models and S3's objects consist of
SERVER_LOCK = "server.lock"  # held by the server as long as it lives
START_LOCK = "start.lock"  # held by whoever starts or empties it
_CONTENTS = (LEDGER_FILE, f"{LEDGER_FILE}-wal", f"{LEDGER_FILE}-shm", ENDPOINT_FILE, LOG_FILE)
_FOREIGN = ("AWS_", "MOTO_", "BOTO", "FLASK_", "WERKZEUG_", "INITIAL_NO_AUTH", "TEST_SERVER_MODE")

_children: list[subprocess.Popen[bytes]] = []  # kept, so that a server that ended is reaped


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running sandbox.

    Attributes:
        url: What AWS clients take as their endpoint, such as "http://127.0.0.1:40123".
        state: Its state directory.
        pid: Its process.
    """

    url: str
    state: str
    pid: int


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the sandbox of a state directory runs; endpoint and pid are None when not."""

    running: bool
    endpoint: str | None
    pid: int | None
    state: str


def state_directory(state: str | Path | None = None) -> Path:
    """Return where a sandbox keeps its state.

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


def start(
    state: str | Path | None = None, *, settings: Mapping[str, Any] | None = None
) -> Endpoint:
    """Start the sandbox of a state directory, or find it running.

    Args:
        state: The state directory; None for the user's own, see `state_directory`.
        settings: Names and values of SandboxSettings; a running sandbox is set to them, too.

    Raises SandboxError, with the end of the server's log, when it does not come up;
    SettingsError for a setting that does not exist or is out of its range.
    """
    directory = state_directory(state)
    wanted = dict(settings or {})
    change_settings(SandboxSettings(), wanted)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold_lock(directory / START_LOCK):
            found = status(directory)
            if not found.running:
                return _launch(directory, wanted)
    except OSError as error:
        raise SandboxError(
            f"The sandbox cannot use its state directory {directory}: {error}. Name another one "
            "with --state or HAIKUFT_SANDBOX_STATE."
        ) from error
    endpoint = _endpoint(found)
    if wanted:
        configure(endpoint, **wanted)
    return endpoint


def status(state: str | Path | None = None) -> Status:
    """Ask whether the sandbox of a state directory runs."""
    directory = state_directory(state)
    try:
        port = int(json.loads((directory / ENDPOINT_FILE).read_text("utf-8"))["port"])
        answer = _ask(port, "GET", "/_sandbox")
        if answer["state"] == str(directory):
            return Status(True, _url(port), int(answer["pid"]), str(directory))
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        pass  # no such file, nobody there, or another program on that port: it does not run
    return Status(False, None, None, str(directory))


def stop(state: str | Path | None = None) -> bool:
    """Stop the sandbox; everything in it is forgotten. Return whether it ran.

    Raises SandboxError when it goes on running for longer than 15 seconds.
    """
    found = status(state)
    if not found.running:
        return False
    _request(_endpoint(found), "POST", "/_sandbox/stop")
    directory = Path(found.state)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_locked(directory / SERVER_LOCK):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The sandbox was told to stop and still runs. End its process: kill {found.pid}."
            )
        time.sleep(0.02)
    _reap()
    return True


def reset(state: str | Path | None = None) -> None:
    """Stop the sandbox and delete all it holds, log and endpoint too; the next one is new."""
    directory = state_directory(state)
    if not directory.is_dir():
        return
    with hold_lock(directory / START_LOCK):
        stop(directory)
        for name in _CONTENTS:
            (directory / name).unlink(missing_ok=True)
        for name in DIRECTORIES:
            if (directory / name).is_dir():
                shutil.rmtree(directory / name)


def configure(endpoint: Endpoint | str, **settings: Any) -> SandboxSettings:
    """Change settings of a running sandbox; return all of them as they are now.

    Raises SettingsError for a setting it does not take, SandboxError when it does not answer.
    """
    return SandboxSettings(**_request(endpoint, "PUT", "/_sandbox/settings", settings))


def read_settings(endpoint: Endpoint | str) -> SandboxSettings:
    """Return the settings of a running sandbox."""
    return SandboxSettings(**_request(endpoint, "GET", "/_sandbox/settings"))


@contextmanager
def hold_lock(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on a file; it goes when its holder does, however that ends.

    Raises BlockingIOError when another holds it and `wait` is False.
    """
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield


def write_endpoint(directory: Path, port: int) -> None:
    """Write down which port the server listens on, at once or not at all."""
    partial = directory / f"{ENDPOINT_FILE}.part"
    partial.write_text(json.dumps({"port": port, "endpoint": _url(port)}), "utf-8")
    partial.replace(directory / ENDPOINT_FILE)


def read_port(directory: Path) -> int:
    """Return the port that the last server of this directory had; 0 when there was none."""
    try:
        port = int(json.loads((directory / ENDPOINT_FILE).read_text("utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    return port if 1024 <= port <= 65535 else 0


def _launch(directory: Path, settings: dict[str, Any]) -> Endpoint:
    """Start the server and wait for its answer; the caller holds the start lock."""
    _reap()
    command = [sys.executable, "-P", "-m", "haikuft.sandbox.server"]
    command += ["--state", str(directory), "--settings", json.dumps(settings)]
    with (directory / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
            env=_own_environment(),
            start_new_session=True,
        )
    _children.append(process)
    deadline = time.monotonic() + START_SECONDS
    while not (found := status(directory)).running:
        ended = process.poll() is not None
        if ended and not _is_locked(directory / SERVER_LOCK):
            raise SandboxError(f"The sandbox ended as it started. {_end_of_log(directory)}")
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The sandbox did not answer within {START_SECONDS:.0f} seconds. "
                f"{_end_of_log(directory)}"
            )
        time.sleep(0.02)
    return _endpoint(found)


def _own_environment() -> dict[str, str]:
    """Return the environment without what would steer AWS's tools, moto or a proxy."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }


def _end_of_log(directory: Path) -> str:
    lines = (directory / LOG_FILE).read_text("utf-8", errors="replace").splitlines()
    return f"The end of {directory / LOG_FILE}:\n" + "\n".join(lines[-12:])


def _is_locked(path: Path) -> bool:
    try:
        with hold_lock(path, wait=False):
            return False
    except BlockingIOError:
        return True


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _request(
    endpoint: Endpoint | str, method: str, path: str, document: Any = None
) -> dict[str, Any]:
    url = urlsplit(endpoint if isinstance(endpoint, str) else endpoint.url)
    if url.hostname != HOST or url.port is None:
        raise SandboxError(f"{url.geturl()} is no sandbox: a sandbox is at http://{HOST}:PORT.")
    try:
        return _ask(url.port, method, path, document)
    except SettingsError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SandboxError(
            f"The sandbox at {url.geturl()} does not answer ({error}). Start it again with "
            "`haikuft sandbox start`."
        ) from error


def _ask(port: int, method: str, path: str, document: Any = None) -> dict[str, Any]:
    """Ask a server on loopback, past any proxy. Raises SettingsError for its refusals."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        body = None if document is None else json.dumps(document)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if not isinstance(answer, dict):
        raise TypeError("that was not an answer of the sandbox")
    if response.status == http.client.BAD_REQUEST:
        raise SettingsError(str(answer.get("message")))
    return answer


def _endpoint(found: Status) -> Endpoint:
    if found.endpoint is None or found.pid is None:
        raise SandboxError(f"The sandbox of {found.state} does not run.")
    return Endpoint(found.endpoint, found.state, found.pid)


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
