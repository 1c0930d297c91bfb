"""The sandbox's own paths, below `/_sandbox`: identity, settings, a job's progress, stop."""

import json
import os
from dataclasses import asdict
from typing import Any

from haikuft import __version__
from haikuft.errors import SettingsError
from haikuft.sandbox.http.messages import Response, write_json
from haikuft.sandbox.jobs.customization_runner import PROGRESS_PATH, read_progress

PATH = "/_sandbox"


def answer(sandbox: Any, method: str, path: str, body: bytes) -> Response:
    """Answer a request to one of these paths.

    Args:
        sandbox: The `application.Sandbox` that is asked.
        method: Of HTTP.
        path: Begins with PATH.
        body: Settings to change, as a JSON object.
    """
    if (method, path) == ("GET", PATH):
        identity = {"state": str(sandbox.state), "pid": os.getpid(), "version": __version__}
        return write_json(200, {**identity, "accounts": sandbox.list_accounts()})
    if path == f"{PATH}/settings" and method in ("GET", "PUT"):
        try:
            changes = json.loads(body) if method == "PUT" else {}
            if not isinstance(changes, dict):
                raise SettingsError("Settings are a JSON object of names and values.")
            return write_json(200, asdict(sandbox.change_settings(changes)))
        except ValueError as error:
            return write_json(400, {"message": str(error)})
    if method == "GET" and (job := PROGRESS_PATH.fullmatch(path)):
        return write_json(200, read_progress(sandbox.state, job["id"]))
    if (method, path) == ("POST", f"{PATH}/stop"):
        sandbox.on_stop()
        return write_json(200, {"stopping": True})
    return write_json(404, {"message": f"The sandbox has no {method} {path}."})
