"""The sandbox's server process: start, find, configure, stop and reset it.

Each state directory has one server; its state is in the directory and outlives it. Whether a
server runs is decided by a request to its endpoint, never by a process id. Two starts at the same
time wait for each other on a lock and return the same server.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from haikuft import __version__
from haikuft.errors import SandboxError, SettingsError
from haikuft.html import visible
from haikuft.sandbox.directory import (
    HOST,
    LOG_FILE,
    SERVER_LOCK,
    START_LOCK,
    empty,
    hold_lock,
    is_locked,
    read_port,
    state_directory,
    unusable,
    url_of,
)
from haikuft.sandbox.settings import SandboxSettings, change_settings

START_SECONDS = 30.0
STOP_SECONDS = 15.0
REFUSED = 3  # the server's exit code when it cannot start and its log says why
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
    """Whether the sandbox of a state directory runs; the rest but `state` is None when not."""

    running: bool
    endpoint: str | None
    pid: int | None
    state: str
    version: str | None = None


def start(
    state: str | Path | None = None, *, settings: Mapping[str, Any] | None = None
) -> Endpoint:
    """Start the sandbox of a state directory, or find it running.

    One that another version of this package has started is stopped first; its state stays.

    Args:
        state: The state directory; None for the user's own, see `state_directory`.
        settings: Names and values of SandboxSettings, whether it runs already or not; they hold
            until they are set again, and others stay as they were last set.

    Raises SandboxError, with what the server said, when it does not come up; SettingsError for a
    setting that does not exist or is out of its range.
    """
    directory = state_directory(state)
    wanted = dict(settings or {})
    change_settings(SandboxSettings(), wanted)
    found = status(directory)  # without the lock, which only the owner of the directory can take
    try:
        if found.version != __version__:  # or none runs
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with hold_lock(directory / START_LOCK):
                found = status(directory)
                if found.version != __version__:
                    stop(directory)  # one of another version would train as that version does
                    return _launch(directory, wanted)
    except OSError as error:
        raise unusable(directory, error) from error
    endpoint = _endpoint(found)
    if wanted:
        configure(endpoint, **wanted)
    return endpoint


def status(state: str | Path | None = None) -> Status:
    """Return whether the sandbox of a state directory runs."""
    directory = state_directory(state)
    found = _find_server(directory)
    if found is None or found.state != str(directory):
        return Status(False, None, None, str(directory))
    return found


def stop(state: str | Path | None = None) -> bool:
    """Stop the sandbox and return whether it ran; the next start has the same state.

    A running customization job starts its stages again then.

    Raises SandboxError when it still runs after 15 seconds.
    """
    found = status(state)
    if not found.running:
        return False
    _request(_endpoint(found), "POST", "/_sandbox/stop")
    directory = Path(found.state)
    deadline = time.monotonic() + STOP_SECONDS
    while is_locked(directory / SERVER_LOCK):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The sandbox was told to stop and still runs. End its process: kill {found.pid}."
            )
        time.sleep(0.02)
    _reap()
    return True


def reset(state: str | Path | None = None) -> None:
    """Stop the sandbox and delete its state, log and endpoint; the next start is a new one."""
    directory = state_directory(state)
    if not directory.is_dir():
        return
    with hold_lock(directory / START_LOCK):
        stop(directory)
        empty(directory)


def configure(endpoint: Endpoint | str, **settings: Any) -> SandboxSettings:
    """Change settings of a running sandbox until they are set again; return all settings.

    Raises SettingsError for a setting it does not take, SandboxError when it does not answer.
    """
    return SandboxSettings(**_request(endpoint, "PUT", "/_sandbox/settings", settings))


def read_settings(endpoint: Endpoint | str) -> SandboxSettings:
    """Return the settings of a running sandbox."""
    return SandboxSettings(**_request(endpoint, "GET", "/_sandbox/settings"))


def list_accounts(endpoint: Endpoint | str) -> list[str]:
    """List the ids of the accounts in a running sandbox, that of its settings first."""
    return list(_request(endpoint, "GET", "/_sandbox")["accounts"])


def read_progress(endpoint: Endpoint | str, job_id: str) -> dict[str, Any]:
    """Return the progress of a job's training; empty before it begins and after the job's end.

    Keys are step, steps (in all, unless it stops early), epoch, training_loss, curve: pairs of
    step and training loss, and validations: pairs of epoch, counted from 1, and validation loss.
    Raises SandboxError when the sandbox does not answer.
    """
    return _request(endpoint, "GET", f"/_sandbox/jobs/{job_id}/progress")


def _launch(directory: Path, settings: dict[str, Any]) -> Endpoint:
    """Start the server and wait for its answer; the caller holds the start lock."""
    _reap()
    deadline = time.monotonic() + START_SECONDS
    log, lock = directory / LOG_FILE, directory / SERVER_LOCK
    before, process = 0, None
    while not (found := status(directory)).running:
        if process is None and not is_locked(lock):
            before = log.stat().st_size if log.exists() else 0
            process = _start_process(directory, settings)
        ended = process is not None and process.poll() is not None
        if process is not None and process.returncode == REFUSED:
            raise SandboxError(f"The sandbox did not start. {_read_log(directory, before)}")
        if ended and not is_locked(lock):
            raise SandboxError(
                f"The sandbox ended as it started. {log} says:\n{_read_log(directory, before)}"
            )
        if process is None:  # the lock's holder is a server that is coming up, or just ending
            _check_not_moved(directory)
        if time.monotonic() > deadline and process is None:
            raise SandboxError(
                f"A process holds {lock} and does not answer as a sandbox. End "
                "that process, then start the sandbox again."
            )
        if time.monotonic() > deadline:
            raise SandboxError(
                f"The sandbox did not answer within {START_SECONDS:.0f} seconds. {log} says:\n"
                f"{_read_log(directory, before)}"
            )
        time.sleep(0.02)
    return _endpoint(found)


def _start_process(directory: Path, settings: dict[str, Any]) -> subprocess.Popen[bytes]:
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
    return process


def _check_not_moved(directory: Path) -> None:
    """Raise SandboxError when the server of this directory knows it by another name."""
    found = _find_server(directory)
    if found is not None and found.state != str(directory) and not Path(found.state).exists():
        raise SandboxError(
            f"The state directory {found.state} was moved to {directory} while process {found.pid} "
            f"serves it. Move it back, or end that process with `kill {found.pid}` and start the "
            "sandbox again."
        )


def _find_server(directory: Path) -> Status | None:
    """Return who answers on a directory's last port; None for nobody and for another program."""
    port = read_port(directory)
    try:
        answer = _ask(port, "GET", "/_sandbox") if port else {}
        pid, state, version = int(answer["pid"]), str(answer["state"]), str(answer["version"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException, SandboxError):
        return None
    return Status(True, url_of(port), pid, state, version)


def _own_environment() -> dict[str, str]:
    """Return the environment without what would steer AWS's tools, moto or a proxy.

    NumPy has one thread: a reply is a product of small arrays, for which others only wait.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {"OMP_NUM_THREADS": "1", **kept}


def _read_log(directory: Path, since: int) -> str:
    """Return the last lines of the log's part that begins at byte `since`."""
    said = (directory / LOG_FILE).read_bytes()[since:].decode("utf-8", errors="replace")
    return visible("\n".join(said.splitlines()[-12:]))


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
    """Ask a server on loopback, past any proxy.

    Raises SettingsError for settings it refuses, SandboxError for anything else it cannot do.
    """
    with closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        body = None if document is None else json.dumps(document)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    if not isinstance(answer, dict):
        raise TypeError("that was not an answer of the sandbox")
    if response.status != http.client.OK:
        refused = response.status == http.client.BAD_REQUEST
        raise (SettingsError if refused else SandboxError)(visible(str(answer.get("message"))))
    return answer


def _endpoint(found: Status) -> Endpoint:
    if found.endpoint is None or found.pid is None:
        raise SandboxError(f"The sandbox of {found.state} does not run.")
    return Endpoint(found.endpoint, found.state, found.pid)
