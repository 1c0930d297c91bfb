"""The sandbox's server process: `python -m haikuft.sandbox.server --state DIR`.

`process.start` runs it. It serves until it is stopped, or until there has been no request and no
running job for settings.idle_seconds. Its state is in the state directory at any moment, so it may
also be killed.
"""

import argparse
import gc
import json
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.errors import HaikuftError
from haikuft.sandbox.directory import (
    SERVER_LOCK,
    as_state_error,
    hold_lock,
    read_port,
    write_endpoint,
    write_log,
)
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.process import REFUSED
from haikuft.sandbox.settings import begin_settings

if TYPE_CHECKING:
    from haikuft.sandbox.application import Sandbox

_CHECK_SECONDS = 1.0  # between two checks for idleness
_RELEASE_SECONDS = 15.0  # without a request, then memory is given back
_STOP_DELAY_SECONDS = 0.1  # the response to the request to stop is sent first


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit code.

    That is 0, 1 when another server has the state, and REFUSED when settings or what is in the
    state directory cannot be used; standard error then says why, and how to fix it.
    """
    parser = argparse.ArgumentParser(prog="python -m haikuft.sandbox.server")
    parser.add_argument("--state", type=Path, required=True, help="state directory")
    parser.add_argument("--settings", type=json.loads, default={}, help="settings as JSON")
    options = parser.parse_args(argv)
    state: Path = options.state.resolve()
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold_lock(state / SERVER_LOCK, wait=False):
            serve(state, options.settings)
    except BlockingIOError:
        write_log(f"Another sandbox has the state in {state}.")
        return 1
    except (HaikuftError, OSError) as error:
        write_log(str(as_state_error(error, state)))
        return REFUSED
    return 0


def serve(state: Path, wanted: Mapping[str, Any]) -> None:
    """Bind to the loopback address, write the endpoint, and serve until stopped.

    `wanted` are settings to begin with, which override those in the database.
    """
    gc.disable()  # imports drop hardly anything
    database = Database(state / DATABASE_FILE)
    settings = begin_settings(database, wanted)
    from haikuft.sandbox.application import Sandbox

    sandbox = Sandbox(state, database=database, settings=settings)
    server = _bind(sandbox, read_port(state))
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        if not stopped.is_set():
            stopped.set()
            threading.Timer(_STOP_DELAY_SECONDS, server.shutdown).start()

    gc.freeze()  # what is loaded stays, and no collection looks at it again
    gc.enable()
    sandbox.on_stop = stop
    signal.signal(signal.SIGTERM, stop)
    watched = (sandbox, stop, stopped.wait)
    threading.Thread(target=stop_when_idle, args=watched, name="idle", daemon=True).start()
    write_endpoint(state, server.port)
    try:
        server.serve_forever(poll_interval=0.05)
    finally:
        sandbox.close()


def stop_when_idle(
    sandbox: "Sandbox", stop: Callable[[], None], wait: Callable[[float], bool]
) -> None:
    """Call `stop` once the sandbox has been idle for settings.idle_seconds.

    Before that, once in each time without requests, release memory. `wait(seconds)` waits between
    two checks and returns True when the server stops anyway.
    """
    released = False
    while not wait(_CHECK_SECONDS):
        idle = sandbox.idle_seconds()
        if idle >= _RELEASE_SECONDS and not released:
            sandbox.release_memory()
        released = idle >= _RELEASE_SECONDS
        if idle >= sandbox.settings.idle_seconds:
            stop()
            return


def _bind(sandbox: Any, last_port: int) -> Any:
    """Bind to the last port, so that open notebooks find it again, or else to a free one."""
    from haikuft.sandbox.http.server import bind

    if last_port:
        try:
            return bind(sandbox, port=last_port)
        except OSError:
            write_log(f"Port {last_port} is taken; the sandbox takes another.")
    return bind(sandbox)


if __name__ == "__main__":
    sys.exit(main())
