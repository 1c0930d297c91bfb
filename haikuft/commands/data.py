"""`haikuft validate` and `haikuft convert`: check and convert data files in a shell or in CI."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper

CLEAN, ERRORS, UNREADABLE = 0, 1, 2  # exit statuses of validate


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Suspend the search for reference cycles: validation makes none, and is a tenth faster."""
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # what there is now is not searched at the end of the program, either
        if enabled:
            gc.enable()


@_no_garbage_collection()
def validate(options: argparse.Namespace) -> int:
    """Check the files; return 0 clean or warnings only, 1 errors, 2 a file cannot be read."""
    from haikuft.base_models import get_base_model
    from haikuft.dataset.validate.validation import validate_file, validate_files
    from haikuft.errors import SettingsError

    base_model = get_base_model(options.base_model)
    if options.kind != "training" and (options.validation, options.test) != (None, None):
        raise SettingsError(
            f"--kind {options.kind} checks one file; --validation and --test are checked with "
            "a training file. Leave out one or the other."
        )
    files = {"validation": options.validation, "test": options.test}
    report = (
        validate_files(options.train, **files, base_model=base_model)
        if options.kind == "training"
        else validate_file(options.train, base_model, kind=options.kind)
    )
    if options.strict:
        report = report.as_strict()
    if options.format == "json":
        import json

        _print(json.dumps(report.to_dict(), indent=2))
    else:
        _print(str(report))
    if "cannot-read" in report.counts:
        return UNREADABLE
    return CLEAN if report.ok else ERRORS


def _print(words: str) -> None:
    """Print text with any character, also to a reader that closes the pipe early."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not show them all
    try:
        print(words, flush=True)
    except BrokenPipeError:  # as in `haikuft validate … | head`; the exit status still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def convert(options: argparse.Namespace) -> int:
    """Convert a file, and print what was done."""
    from haikuft.base_models import get_base_model
    from haikuft.dataset.convert.converter import convert_file

    # Each option is stored under the name of the parameter that it is.
    given = {name: value for name, value in vars(options).items() if name != "command"}
    base_model = get_base_model(given.pop("base_model"))
    _print(str(convert_file(**given, base_model=base_model)))
    return 0
