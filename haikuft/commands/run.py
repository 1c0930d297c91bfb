"""`haikuft run`, `haikuft clean-up` and `haikuft class`: runs, without a browser."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from haikuft.commands import add_class, add_state
from haikuft.errors import RecordError, SettingsError

if TYPE_CHECKING:
    from haikuft.commands import Commands

TARGETS = ("sandbox", "aws")


def add(commands: "Commands") -> None:
    """Describe the commands."""
    _add_run(commands)
    _add_clean_up(commands)
    _add_class(commands)


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
        "--clean-up",
        action=argparse.BooleanOptionalAction,
        help="delete at the end what the run made (on the sandbox: yes, on AWS: no)",
    )
    parser.add_argument(
        "--keep-serving",
        action="store_true",
        help="on AWS: leave throughput as it is, billing, when the run ends",
    )
    add_class(parser, "begin the run for this class")
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
    add_class(parser, "instead of one run: all that carries this class id, once it is typed")
    add_state(parser)
    parser.set_defaults(command=_clean_up)


def _add_class(commands: "Commands") -> None:
    words = "start a class, or show where its runs are"
    parser = commands.add_parser("class", allow_abbrev=False, help=words, description=words)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND", prog=parser.prog)
    words = "draw a class id, and say how runs carry it as the tag haikuft:class"
    start = verbs.add_parser("start", allow_abbrev=False, help=words, description=words)
    start.set_defaults(command=_start_class)
    words = "say from tags where each run of a class stands, what bills and since when"
    show = verbs.add_parser("show", allow_abbrev=False, help=words, description=words)
    show.add_argument("class_id", metavar="ID", help="what `haikuft class start` has drawn")
    show.add_argument("--target", choices=TARGETS, default="sandbox", help="(sandbox)")
    show.add_argument("--region", default="", metavar="REGION", help="(each base model's own)")
    add_state(show)
    show.set_defaults(command=_show_class)


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


def _start_class(options: argparse.Namespace) -> int:
    import secrets

    class_id = secrets.token_hex(4)
    print(f"Class {class_id}. All that these runs make carries the tag haikuft:class = {class_id}:")
    print(f"  export HAIKUFT_CLASS={class_id}    or    haikuft lab --class {class_id}")
    return 0


def _show_class(options: argparse.Namespace) -> int:
    from haikuft.series.clean_up import show_class

    show_class(options.class_id, target=options.target, region=options.region)
    return 0


def _clean_up(options: argparse.Namespace) -> int:
    from haikuft.runs.folders import choose_run, record_path
    from haikuft.runs.record_file import read_record
    from haikuft.series.clean_up import clean_up_lost
    from haikuft.series.planning import CLEAN_UP
    from haikuft.series.walk import Request, walk

    if options.class_id:
        if options.run or options.owner or options.yes:
            raise SettingsError("--class takes no --run, --owner or --yes: the class id is typed.")
        target, region = options.target or "sandbox", options.region
        return clean_up_lost("", target=target, region=region, class_id=options.class_id)
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
