"""`haikuft run` and `haikuft clean-up`: the notebooks, without a browser."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haikuft.commands import add_state
from haikuft.errors import RecordError, SettingsError
from haikuft.files import write_whole

if TYPE_CHECKING:
    from haikuft.commands import Commands

TARGETS = ("sandbox", "aws")


def add(commands: "Commands") -> None:
    """Describe both commands."""
    _add_run(commands)
    _add_clean_up(commands)


def _add_run(commands: "Commands") -> None:
    parser = commands.add_parser(
        "run",
        allow_abbrev=False,
        help="execute the notebooks, one after the other",
        description="Execute the notebooks 1 to 7 in order, without a browser.",
    )
    parser.add_argument(
        "--run", metavar="NAME", help="name of the run (first; on AWS your own and four characters)"
    )
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
        "-f",
        dest="choices",
        type=Path,
        metavar="FILE",
        help="parameters from a YAML file, as a form saves them; what else is said here goes first",
    )
    parser.add_argument(
        "--write-config",
        type=Path,
        metavar="FILE",
        help="write such a file with every parameter and its meaning, and run nothing",
    )
    parser.add_argument(
        "--clean-up",
        action=argparse.BooleanOptionalAction,
        help="delete at the end what the run made (on the sandbox: yes, on AWS: no)",
    )
    parser.add_argument(
        "--keep-serving",
        action="store_true",
        help="on AWS: leave throughput as it is, billing, when the run ends",
    )
    add_state(parser)
    parser.set_defaults(command=_run)


def _add_clean_up(commands: "Commands") -> None:
    parser = commands.add_parser(
        "clean-up",
        allow_abbrev=False,
        help="delete everything a run made",
        description="Execute notebook 7 and delete everything a run made, where its record says. "
        "Without a record: list what carries the run's name and owner id, ask, and delete that.",
    )
    parser.add_argument(
        "--run", default="", metavar="NAME", help="name of the run (first; on AWS the one begun)"
    )
    parser.add_argument("--target", choices=TARGETS, help="where it is (what the record says)")
    lost = parser.add_argument_group("without a record")
    lost.add_argument("--region", default="", metavar="REGION", help="(the base model's own)")
    lost.add_argument("--base-model-id", default="", metavar="ID", help="what was tuned")
    lost.add_argument("--owner", default="", metavar="ID", help="whose: the tag haikuft:owner")
    lost.add_argument("--yes", action="store_true", help="delete without asking")
    add_state(parser)
    parser.set_defaults(command=_clean_up)


def _run(options: argparse.Namespace) -> int:
    from haikuft.runs.choices import read_texts
    from haikuft.series.walk import Request, walk

    if options.write_config:
        return _write_config(options.write_config)
    held = read_texts(options.choices) if options.choices else {}
    given = _gather(options)
    return walk(
        Request(
            given={**held, **given},
            whole=[*held.keys() - given.keys()],
            first=options.first,
            last=options.last,
            clean_up=options.clean_up,
            keep_serving=options.keep_serving,
            state=_state_word(options),
            program=_program(),
        )
    )


def _write_config(path: Path) -> int:
    from haikuft.runs.folders import find_root
    from haikuft.series.parameters import describe_parameters
    from haikuft.series.planning import find_notebooks

    notebooks = find_notebooks(find_root())
    try:
        write_whole(path, describe_parameters({n.name: n.parameters for n in notebooks}), new=True)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error}. Name another file.") from error
    print(f"Written: {path}. Run with it: haikuft run -f {path}")
    return 0


def _clean_up(options: argparse.Namespace) -> int:
    from haikuft.runs.folders import choose_run, record_path
    from haikuft.runs.record_file import read_record
    from haikuft.series.clean_up import clean_up_lost
    from haikuft.series.planning import CLEAN_UP
    from haikuft.series.walk import Request, walk

    run = choose_run(options.run, options.target or "")
    record = None
    try:
        record = read_record(record_path(run))
    except RecordError as error:
        print(error, file=sys.stderr)
    # A record that names nothing yet does not keep what was lost under its name from being deleted.
    if record is None or (record.is_new and options.owner not in ("", record.owner)):
        if not options.target:
            raise SettingsError(
                "To clean up without a record, say where to look: --target aws or sandbox."
            )
        return clean_up_lost(
            run,
            target=options.target,
            region=options.region,
            base_model_id=options.base_model_id,
            owner=options.owner,
            confirmed=options.yes,
        )
    if options.owner not in ("", record.owner):
        raise SettingsError(
            f'The record of run "{run}" has the owner id {record.owner or "of no version yet"}. '
            "Leave --owner out, or move the record aside to clean up by tags."
        )
    return walk(
        Request(
            given={"run": run, "target": options.target or record.target},
            first=CLEAN_UP,
            last=CLEAN_UP,
            clean_up=True,
            state=_state_word(options),
            program=_program(),
        )
    )


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


def _state_word(options: argparse.Namespace) -> str:
    return str(options.state) if options.state is not None else ""


def _program() -> str:
    """Say how to call this program again: by its name where the shell finds it."""
    import shutil

    beside = Path(sys.executable).with_name("haikuft")
    return str(beside) if shutil.which("haikuft") is None and beside.exists() else "haikuft"
