"""`haikuft sandbox`: start, look at, set, stop or empty the local AWS."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from haikuft import sandbox
from haikuft.errors import RecordError, SettingsError
from haikuft.html import visible
from haikuft.runs.folders import find_root
from haikuft.runs.record_file import FILE_NAME, read_record
from haikuft.sandbox.settings import parse_settings


def start(options: argparse.Namespace) -> int:
    """Start the sandbox, and say how to reach it."""
    endpoint = sandbox.start(options.state)
    print(f"The sandbox runs at {endpoint.url} (state in {endpoint.state}).")
    print("Point any client at it, with any credentials:")
    print(f"  export AWS_ENDPOINT_URL={endpoint.url}")
    return 0


def status(options: argparse.Namespace) -> int:
    """Say whether it runs, and where."""
    found = sandbox.status(options.state)
    if options.format == "json":
        print(json.dumps(asdict(found), default=str))
    elif found.running:
        print(f"running at {found.endpoint} (process {found.pid}, state in {found.state})")
        print(sandbox.HTTP_2_HINT)
    else:
        print("stopped")
    return 0


def set_settings(options: argparse.Namespace) -> int:
    """Change its settings, and show them all."""
    wanted = parse_settings(options.settings)
    endpoint = sandbox.start(options.state, settings=wanted)
    for name, value in asdict(sandbox.read_settings(endpoint)).items():
        print(f"{name}={visible(str(value))}{'  (set)' if name in wanted else ''}")
    return 0


def stop(options: argparse.Namespace) -> int:
    """Stop it."""
    sandbox.stop(options.state)
    print("The sandbox is stopped.")
    return 0


def reset(options: argparse.Namespace) -> int:
    """Stop it and empty it, once somebody has agreed."""
    state = sandbox.state_directory(options.state)
    orphans = _runs_on(state)
    if orphans:
        print(f"Runs whose bucket, role and model will be gone: {', '.join(orphans)}.")
    if not options.yes:
        if not sys.stdin.isatty():
            raise SettingsError("reset empties the sandbox and nobody is here to ask; add --yes.")
        if input(f"Empty the sandbox in {state}? [y/N] ").strip().lower() not in ("y", "yes"):
            print("Nothing was changed.")
            return 0
    sandbox.reset(options.state)
    print("The sandbox is empty.")
    return 0


def _runs_on(state: Path) -> list[str]:
    """Name the runs of this project whose record says that they live in this sandbox."""
    try:
        root = find_root()
    except RecordError:
        return []  # a sandbox can be used without the notebooks
    names = []
    for path in sorted(root.glob(f"runs/*/{FILE_NAME}")):
        try:
            lives_here = read_record(path).sandbox_state == str(state)
        except RecordError as error:
            print(f"haikuft: {error}", file=sys.stderr)
            continue
        names += [path.parent.name] if lives_here else []
    return names
