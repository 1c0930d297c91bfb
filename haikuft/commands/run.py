"""`haikuft run`, `haikuft clean-up` and `haikuft class`: runs, without a browser."""

import argparse
import secrets
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from haikuft.errors import RecordError, SettingsError
from haikuft.files import write_whole
from haikuft.runs.choices import read_texts
from haikuft.runs.folders import choose_run, find_root, record_path
from haikuft.runs.record_file import read_record
from haikuft.series.parameters import describe_parameters
from haikuft.series.planning import CLEAN_UP, Request, find_notebooks
from haikuft.series.walk import walk


def run(options: argparse.Namespace) -> int:
    """Execute the notebooks."""
    if options.write_config:
        return _write_config(options.write_config)
    held = read_texts(options.choices) if options.choices else {}
    given = _gather(options)
    names = ("first", "last", "clean_up", "keep_serving")
    asked = {name: getattr(options, name) for name in names}
    return _walk(options, {**held, **given}, whole=[*held.keys() - given.keys()], **asked)


def _write_config(path: Path) -> int:
    notebooks = find_notebooks(find_root())
    try:
        write_whole(path, describe_parameters({n.name: n.parameters for n in notebooks}), new=True)
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}. Name another file."
        ) from error
    print(f"Written: {path}. Run with it: haikuft run -f {shlex.quote(str(path))}")
    return 0


def start_class(_: argparse.Namespace) -> int:
    """Draw a class id, and say how runs carry it."""
    class_id = secrets.token_hex(4)
    print(f"Class {class_id}. All that these runs make carries the tag haikuft:class = {class_id}:")
    print(f"  export HAIKUFT_CLASS={class_id}    or    haikuft lab --class {class_id}")
    return 0


def show_class(options: argparse.Namespace) -> int:
    """Show where the runs of a class are."""
    from haikuft.series import clean_up  # late: it loads what asks AWS

    clean_up.show_class(options.class_id, target=options.target, region=options.region)
    return 0


def clean_up(options: argparse.Namespace) -> int:
    """Execute notebook 7, or delete what carries the tags of a run without a record."""
    from haikuft.series.clean_up import clean_up_lost  # late: it loads what asks AWS

    names = ("region", "base_model_id", "class_id")
    where = {name: getattr(options, name) for name in names}
    if options.class_id:
        if options.run or options.owner or options.yes:
            raise SettingsError("--class takes no --run, --owner or --yes: the class id is typed.")
        return clean_up_lost("", target=options.target or "sandbox", **where)
    name = choose_run(options.run, options.target or "")
    record = None
    try:
        record = read_record(record_path(name))
    except RecordError as error:
        print(error, file=sys.stderr)
    # A record that names nothing yet does not keep what was lost under its name from being deleted.
    if record is None or (record.is_new and options.owner not in ("", record.owner)):
        if not options.target:
            raise SettingsError(
                "To clean up by tags without a record, say where they are: --target aws or sandbox."
            )
        return clean_up_lost(
            name, target=options.target, owner=options.owner, confirmed=options.yes, **where
        )
    if options.owner not in ("", record.owner):
        raise SettingsError(
            f'The record of run "{name}" has the owner id {record.owner or "of no version yet"}. '
            "Leave --owner out, or move the record aside to clean up by tags."
        )
    given = {"run": name, "target": options.target or record.target}
    return _walk(options, given, first=CLEAN_UP, last=CLEAN_UP, clean_up=True)


def _gather(options: argparse.Namespace) -> dict[str, str]:
    """Collect the parameters given, whichever way; name -> text.

    Raises:
        SettingsError: one was given twice.

    """
    flags = [(name, getattr(options, name)) for name in ("run", "target", "region", "dataset")]
    given: dict[str, str] = {}
    for name, text in [*flags, *options.parameters]:
        if text is None:
            continue
        if name in given:
            raise SettingsError(
                f'"{name}" is given twice ({given[name]!r}, {text!r}). Say it once.'
            )
        given[name] = text
    return given


def _walk(options: argparse.Namespace, given: dict[str, str], **asked: Any) -> int:
    state = str(options.state or "")
    return walk(Request(given, state=state, program=_program(), **asked))


def _program() -> str:
    """Say how to call this program again: by its name where the shell finds it."""
    beside = Path(sys.executable).with_name("haikuft")
    return str(beside) if shutil.which("haikuft") is None and beside.exists() else "haikuft"
