"""The command line: `haikuft run`, `haikuft clean-up`, `haikuft sandbox`.

Nothing but the standard library is loaded before a command is known.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from haikuft import __version__
from haikuft.errors import HaikuftError, SettingsError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130  # exit statuses; 0 is done

TARGETS = ("sandbox", "aws")

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0 done, 1 failed, 2 misused, 130 interrupted."""
    options = build_parser().parse_args(arguments)
    command: Command = options.command
    try:
        with _surroundings(options):
            return command(options)
    except SettingsError as error:
        return _complain(error, MISUSED)
    except HaikuftError as error:
        return _complain(error, FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands and what they take."""
    parser = argparse.ArgumentParser(
        prog="haikuft",
        description="Fine-tune Claude 3 Haiku on Amazon Bedrock, or on a sandbox on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"haikuft {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_clean_up(commands)
    _add_sandbox(commands)
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "run",
        allow_abbrev=False,
        help="execute the notebooks, one after the other",
        description="Execute the notebooks 1 to 7 in order, without a browser.",
    )
    parser.add_argument("--run", metavar="NAME", help="name of the run (first)")
    parser.add_argument("--target", choices=TARGETS, help="where it runs (sandbox)")
    parser.add_argument("--region", metavar="REGION", help="AWS Region (the base model's own)")
    parser.add_argument("--dataset", metavar="DATASET", help="folder in data/, or a path")
    parser.add_argument("--from", dest="first", type=int, default=0, metavar="N", help="begin here")
    parser.add_argument("--to", dest="last", type=int, default=0, metavar="N", help="end here")
    parser.add_argument(
        "-p",
        dest="parameters",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help="any parameter of the notebooks; goes to each that has it",
    )
    parser.add_argument(
        "--clean-up",
        action=argparse.BooleanOptionalAction,
        help="delete at the end what the run made (on the sandbox: yes, on AWS: no)",
    )
    parser.add_argument(
        "--keep-serving",
        action="store_true",
        help="on AWS: leave the throughput as it is, billing, when the run ends",
    )
    _add_state(parser)
    parser.set_defaults(command=_run)


def _add_clean_up(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "clean-up",
        allow_abbrev=False,
        help="delete everything a run made",
        description="Execute notebook 7 and delete everything a run made, where its record says.",
    )
    parser.add_argument("--run", default="first", metavar="NAME", help="name of the run (first)")
    parser.add_argument("--target", choices=TARGETS, help="where it is (what the record says)")
    _add_state(parser)
    parser.set_defaults(command=_clean_up)


def _add_sandbox(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "sandbox",
        allow_abbrev=False,
        help="start, look at, stop or empty the local AWS",
        description="The sandbox: a local AWS that any client can use with dummy credentials.",
    )
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, command, words in (
        ("start", _sandbox_start, "start it, or find it running"),
        ("status", _sandbox_status, "say whether it runs, and where"),
        ("stop", _sandbox_stop, "stop it"),
        ("reset", _sandbox_reset, "stop it and empty it"),
    ):
        verb = verbs.add_parser(name, allow_abbrev=False, help=words, description=words)
        _add_state(verb)
        verb.set_defaults(command=command)
        if name == "status":
            verb.add_argument("--format", choices=("text", "json"), default="text")
        if name == "reset":
            verb.add_argument("--yes", action="store_true", help="do not ask")


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="the sandbox's state directory ($HAIKUFT_SANDBOX_STATE, else your own)",
    )


def _run(options: argparse.Namespace) -> int:
    from haikuft.series.walk import Request, walk

    return walk(
        Request(
            given=_gather(options),
            first=options.first,
            last=options.last,
            clean_up=options.clean_up,
            keep_serving=options.keep_serving,
            state=_state_word(options),
            program=_program(),
        )
    )


def _clean_up(options: argparse.Namespace) -> int:
    from haikuft.run_record import read_record, record_path
    from haikuft.series.planning import CLEAN_UP
    from haikuft.series.walk import Request, walk

    record = read_record(record_path(options.run))
    return walk(
        Request(
            given={"run": options.run, "target": options.target or record.target},
            first=CLEAN_UP,
            last=CLEAN_UP,
            clean_up=True,
            state=_state_word(options),
            program=_program(),
        )
    )


def _sandbox_start(options: argparse.Namespace) -> int:
    from haikuft import sandbox

    endpoint = sandbox.start(options.state)
    print(f"The sandbox runs at {endpoint.url} (state in {endpoint.state}).")
    print("Point any client at it, with any credentials:")
    print(f"  export AWS_ENDPOINT_URL={endpoint.url}")
    return 0


def _sandbox_status(options: argparse.Namespace) -> int:
    from haikuft import sandbox

    status = sandbox.status(options.state)
    if options.format == "json":
        print(json.dumps(asdict(status), default=str))
    elif status.running:
        print(f"running at {status.endpoint} (process {status.pid}, state in {status.state})")
    else:
        print("stopped")
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
    from haikuft.run_record import FILE_NAME, find_root, read_record

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


def _gather(options: argparse.Namespace) -> dict[str, str]:
    """Collect the parameters given, whichever way; name -> text.

    Raises:
        SettingsError: one was given twice.

    """
    flags = [(name, getattr(options, name)) for name in ("run", "target", "region", "dataset")]
    given: dict[str, str] = {}
    for name, text in [(name, text) for name, text in flags if text is not None] + [
        (name, text) for name, text in options.parameters
    ]:
        if name in given:
            raise SettingsError(
                f'"{name}" is given twice ({given[name]!r}, {text!r}). Say it once.'
            )
        given[name] = text
    return given


@contextmanager
def _surroundings(options: argparse.Namespace) -> Iterator[None]:
    """Hand the sandbox's state directory and the project's folder on to the kernels."""
    kept = dict(os.environ)
    if options.state is not None:
        options.state = options.state.expanduser().resolve()
        os.environ["HAIKUFT_SANDBOX_STATE"] = str(options.state)
    if os.environ.get("HAIKUFT_HOME"):
        # A kernel starts in another folder, from which a relative path leads elsewhere.
        os.environ["HAIKUFT_HOME"] = str(Path(os.environ["HAIKUFT_HOME"]).expanduser().resolve())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _state_word(options: argparse.Namespace) -> str:
    return str(options.state) if options.state is not None else ""


def _program() -> str:
    """Say how to call this program again: by its name where the shell finds it."""
    beside = Path(sys.executable).with_name("haikuft")
    return str(beside) if shutil.which("haikuft") is None and beside.exists() else "haikuft"


def _complain(error: object, status: int) -> int:
    print(f"haikuft: {error}", file=sys.stderr)
    return status
