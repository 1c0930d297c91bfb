"""`haikuft validate` and `haikuft convert`: check and convert data files in a shell or in CI."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haikuft.commands import Commands

KINDS = ("training", "validation", "test")
CLEAN, ERRORS, UNREADABLE = 0, 1, 2  # exit statuses of validate


def add(commands: "Commands") -> None:
    """Describe the commands that work on data files."""
    _add_validate(commands)
    _add_convert(commands)


def _add_validate(commands: "Commands") -> None:
    parser = commands.add_parser(
        "validate",
        allow_abbrev=False,
        help="check data files before they are uploaded",
        description="Check data files for fine-tuning: every problem, its line, and how to fix "
        "it. Exit status: 0 clean or warnings only, 1 errors, 2 a file could not be read.",
    )
    parser.add_argument("train", metavar="TRAIN", help="the training file, JSON Lines")
    parser.add_argument("--validation", metavar="FILE", help="the job's validation file")
    parser.add_argument("--test", metavar="FILE", help="the test file: no limits on its records")
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="training",
        help="check the one file under the limits of that kind (training)",
    )
    _add_text(
        parser, "--base-model", "ID", "the model whose rules and limits hold (Claude 3 Haiku)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(text)")
    parser.add_argument("--strict", action="store_true", help="turn warnings into errors")
    parser.set_defaults(command=_validate)


def _validate(options: argparse.Namespace) -> int:
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
    with _no_garbage_collection():
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


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Suspend the search for reference cycles: validation makes none, and saves 5 % of its time."""
    import gc

    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _print(words: str) -> None:
    """Print text with any character, also to a reader that closes the pipe early."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the terminal may not show them all
    try:
        print(words, flush=True)
    except BrokenPipeError:  # as in `haikuft validate … | head`; the exit status still counts
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _add_convert(commands: "Commands") -> None:
    from haikuft.dataset.formats import WRITABLE, option_names

    parser = commands.add_parser(
        "convert",
        allow_abbrev=False,
        help="convert examples of another format to training records",
        description="Convert a file of examples; the new file appears whole or not at all. What "
        f"cannot be converted is an error that names line and key. Formats: {option_names()}. Exit "
        "status: 0 written, 1 refused, 2 misused.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="the file to read, or a folder of invocation logs"
    )
    parser.add_argument("target", metavar="TARGET", help="the file to write; another one")
    writable = f"one of {option_names(WRITABLE)} (the base model's own)"
    _add_text(parser, "--from", "FORMAT", "(recognised)")
    _add_text(parser, "--to", "FORMAT", writable)
    _add_text(parser, "--system", "TEXT", "system prompt of every record (its own)")
    _add_text(parser, "--prompt-column", "NAME", "column of the prompts (prompt)")
    _add_text(parser, "--completion-column", "NAME", "column of the answers (completion)")
    _add_text(parser, "--sheet", "NAME", "sheet of an Excel workbook (the only one with rows)")
    _add_text(parser, "--separator", "CHARACTER", "between the columns of a CSV file (found)")
    _add_text(
        parser,
        "--base-model",
        "ID",
        "the model whose format is written and whose reserved strings are refused (Claude 3 Haiku)",
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="make the safe repairs and list them: byte order mark, line ends, blank lines, white "
        "space around texts, exact duplicates, keys such as id",
    )
    parser.set_defaults(command=_convert)


def _add_text(parser: argparse.ArgumentParser, name: str, metavar: str, words: str) -> None:
    """Add an option of any text, "" where it is not given; `words` end with the default."""
    parser.add_argument(name, default="", metavar=metavar, help=words)


def _convert(options: argparse.Namespace) -> int:
    from haikuft.base_models import get_base_model
    from haikuft.dataset.convert.converter import convert_file

    done = convert_file(
        options.source,
        options.target,
        from_format=getattr(options, "from"),  # a keyword of Python
        to_format=options.to,
        system_prompt=options.system,
        prompt_column=options.prompt_column,
        completion_column=options.completion_column,
        sheet=options.sheet,
        separator=options.separator,
        repair=options.repair,
        base_model=get_base_model(options.base_model),
    )
    _print(str(done))
    return 0
