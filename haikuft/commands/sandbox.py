"""`haikuft sandbox`: start, look at, set, stop or empty the local AWS."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haikuft.commands import add_state
from haikuft.errors import SettingsError

if TYPE_CHECKING:
    from haikuft.commands import Commands


def add(commands: "Commands") -> None:
    """Describe its commands."""
    parser = commands.add_parser(
        "sandbox",
        allow_abbrev=False,
        help="start, look at, set, stop or empty the local AWS",
        description="The sandbox: a local AWS that any client can use with dummy credentials.",
    )
    verbs = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", prog=parser.prog
    )
    for name, command, words in (
        ("start", _sandbox_start, "start it, or find it running"),
        ("status", _sandbox_status, "say whether it runs, and where"),
        ("set", _sandbox_set, "change its settings for good, start it where needed, show them all"),
        ("stop", _sandbox_stop, "stop it; the next start finds all it held"),
        ("reset", _sandbox_reset, "stop it and empty it, its settings too"),
    ):
        verb = verbs.add_parser(name, allow_abbrev=False, help=words, description=words)
        add_state(verb)
        verb.set_defaults(command=command)
        if name == "status":
            verb.add_argument("--format", choices=("text", "json"), default="text")
        if name == "set":
            verb.add_argument(
                "settings",
                nargs="*",
                metavar="NAME=VALUE",
                help="such as stage_seconds=0, lifecycle=today, throttle_share=0.1, "
                "fail_stage=training; none: only show them",
            )
        if name == "reset":
            verb.add_argument("--yes", action="store_true", help="do not ask")


def _sandbox_start(options: argparse.Namespace) -> int:
    from haikuft import sandbox

    endpoint = sandbox.start(options.state)
    print(f"The sandbox runs at {endpoint.url} (state in {endpoint.state}).")
    print("Point any client at it, with any credentials:")
    print(f"  export AWS_ENDPOINT_URL={endpoint.url}")
    return 0


def _sandbox_status(options: argparse.Namespace) -> int:
    import json
    from dataclasses import asdict

    from haikuft import sandbox

    status = sandbox.status(options.state)
    if options.format == "json":
        print(json.dumps(asdict(status), default=str))
    elif status.running:
        print(f"running at {status.endpoint} (process {status.pid}, state in {status.state})")
        print(sandbox.HTTP_2_HINT)
    else:
        print("stopped")
    return 0


def _sandbox_set(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from haikuft import sandbox
    from haikuft.sandbox.settings import parse_settings

    wanted = parse_settings(options.settings)
    endpoint = sandbox.start(options.state, settings=wanted)
    for name, value in asdict(sandbox.read_settings(endpoint)).items():
        print(f"{name}={value}{'  (set)' if name in wanted else ''}")
    return 0


def _sandbox_stop(options: argparse.Namespace) -> int:
    from haikuft import sandbox

    sandbox.stop(options.state)
    print("The sandbox is stopped.")
    return 0


def _sandbox_reset(options: argparse.Namespace) -> int:
    from haikuft import sandbox

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
    from haikuft.errors import RecordError
    from haikuft.runs.folders import find_root
    from haikuft.runs.record_file import FILE_NAME, read_record

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
