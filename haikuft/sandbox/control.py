"""The sandbox's own paths, below `/_sandbox`: identity, settings, a job's progress, stop."""

import json
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from haikuft import __version__
from haikuft.errors import SettingsError
from haikuft.sandbox.http.messages import Response, write_json
from haikuft.sandbox.jobs.customization_runner import PROGRESS_PATH, read_progress
from haikuft.sandbox.settings import SandboxSettings

PATH = "/_sandbox"


def answer(
    request: tuple[str, str],
    body: bytes,
    *,
    state: Path,
    accounts: Collection[str],
    change: Callable[[Mapping[str, Any]], SandboxSettings],
    stop: Callable[[], None],
) -> Response:
    """Answer a request to one of these paths.

    Args:
        request: Method and path.
        body: Settings to change, as a JSON object.
        state: The state directory.
        accounts: The ids of the accounts, that of the settings first.
        change: Changes settings, and returns all of them; raises SettingsError.
        stop: Asks the server to stop.
    """
    method, path = request
    if request == ("GET", PATH):
        identity = {"state": str(state), "pid": os.getpid(), "version": __version__}
        return write_json(200, {**identity, "accounts": list(accounts)})
    if path == f"{PATH}/settings" and method in ("GET", "PUT"):
        try:
            changes = json.loads(body) if method == "PUT" else {}
            if not isinstance(changes, dict):
                raise SettingsError("Settings are a JSON object of names and values.")
            return write_json(200, asdict(change(changes)))
        except ValueError as error:
            return write_json(400, {"message": str(error)})
    if method == "GET" and (job := PROGRESS_PATH.fullmatch(path)):
        return write_json(200, read_progress(state, job["id"]))
    if request == ("POST", f"{PATH}/stop"):
        stop()
        return write_json(200, {"stopping": True})
    return write_json(404, {"message": f"The sandbox has no {method} {path}."})
