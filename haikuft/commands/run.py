"""`haikuft run`, `haikuft clean-up` and `haikuft class`: runs, without a browser."""

import argparse
import sys
from pathlib import Path

from haikuft.errors import RecordError, SettingsError


def run(options: argparse.Namespace) -> int:
    """Execute the notebooks."""
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
    from haikuft.files import write_whole
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


def start_class(_: argparse.Namespace) -> int:
    """Draw a class id, and say how runs carry it."""
    import secrets

    class_id = secrets.token_hex(4)
    print(f"Class {class_id}. All that these runs make carries the tag haikuft:class = {class_id}:")
    print(f"  export HAIKUFT_CLASS={class_id}    or    haikuft lab --class {class_id}")
    return 0


def show_class(options: argparse.Namespace) -> int:
    """Show where the runs of a class are."""
    from haikuft.series import clean_up

    clean_up.show_class(options.class_id, target=options.target, region=options.region)
    return 0


def clean_up(options: argparse.Namespace) -> int:
    """Execute notebook 7, or delete what carries the tags of a run without a record."""
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
                "To clean up without a record, say where to look: --target aws or sandbox."
            )
        return clean_up_lost(
            name,
            target=options.target,
            region=options.region,
            base_model_id=options.base_model_id,
            owner=options.owner,
            confirmed=options.yes,
        )
    if options.owner not in ("", record.owner):
        raise SettingsError(
            f'The record of run "{name}" has the owner id {record.owner or "of no version yet"}. '
            "Leave --owner out, or move the record aside to clean up by tags."
        )
    return walk(
        Request(
            given={"run": name, "target": options.target or record.target},
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
    for name, text in [*flags, *options.parameters]:
        if text is None:
            continue
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
