"""The sandbox's server process: `python -m haikuft.sandbox.server --state DIR`.

`process.start` runs it. It serves until it is told to stop, or until nobody has asked for
anything and no job has run for settings.idle_seconds. What it holds is in the state directory at
any moment, so that it may be killed, too.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from haikuft.errors import HaikuftError
from haikuft.sandbox.directory import SERVER_LOCK, hold_lock, read_port, write_endpoint
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.process import REFUSED
from haikuft.sandbox.settings import SandboxSettings, begin_settings

_LOOK_SECONDS = 1.0  # how often the server asks itself whether it is idle
_PARTING_SECONDS = 0.1  # the answer to the request to stop leaves first


class Watched(Protocol):
    """What `stop_when_idle` watches."""

    settings: SandboxSettings

    def idle_seconds(self) -> float:
        """Return for how long nobody has asked for anything."""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit code.

    That is 0, 1 when another server has the state, and REFUSED when settings or what is in the
    state directory cannot be used; standard error then says why, and how to mend it.
    """
    parser = argparse.ArgumentParser(prog="python -m haikuft.sandbox.server")
    parser.add_argument("--state", type=Path, required=True, help="state directory")
    parser.add_argument("--settings", type=json.loads, default={}, help="settings as JSON")
    options = parser.parse_args(argv)
    state: Path = options.state.resolve()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with hold_lock(state / SERVER_LOCK, wait=False):
            serve(state, options.settings)
    except BlockingIOError:
        sys.stderr.write(f"Another sandbox has the state in {state}.\n")
        return 1
    except HaikuftError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    return 0


def serve(state: Path, wanted: Mapping[str, Any]) -> None:
    """Bind to loopback, write the endpoint down, answer until stopped.

    `wanted` are settings to begin with, on top of those that were kept.
    """
    database = Database(state / DATABASE_FILE)
    settings = begin_settings(database, wanted)
    os.environ["MOTO_ACCOUNT_ID"] = settings.account_id  # moto reads it once, when imported
    from haikuft.sandbox.application import Sandbox

    sandbox = Sandbox(state, database=database, settings=settings)
    server = _bind(sandbox, read_port(state))
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        if not stopped.is_set():
            stopped.set()
            threading.Timer(_PARTING_SECONDS, server.shutdown).start()

    sandbox.on_stop = stop
    signal.signal(signal.SIGTERM, stop)
    watch = threading.Thread(
        target=stop_when_idle, args=(sandbox, stop, stopped.wait), name="idle", daemon=True
    )
    watch.start()
    write_endpoint(state, server.port)
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        sandbox.close()


def stop_when_idle(
    sandbox: Watched, stop: Callable[[], None], wait: Callable[[float], bool]
) -> None:
    """Call `stop` once the sandbox has been idle for settings.idle_seconds.

    `wait(seconds)` pauses between two looks and returns True when it is over anyway.
    """
    while not wait(_LOOK_SECONDS):
        if sandbox.idle_seconds() >= sandbox.settings.idle_seconds:
            stop()
            return


def _bind(sandbox: Any, last_port: int) -> Any:
    """Take the port of the last time, so that open notebooks find it again; else a free one."""
    from haikuft.sandbox.http.server import bind

    if last_port:
        try:
            return bind(sandbox, port=last_port)
        except OSError:
            sys.stderr.write(f"Port {last_port} is taken; the sandbox takes another.\n")
    return bind(sandbox)


if __name__ == "__main__":
    sys.exit(main())
