"""The command line: runs and classes, JupyterLab, data files, base models, the sandbox.

Nothing but the standard library is loaded before a command is known.
"""

import argparse
import atexit
import errno
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from haikuft import __version__
from haikuft.commands import add_commands, load_command
from haikuft.dataset.formats import WRITABLE, option_names
from haikuft.errors import HaikuftError, SettingsError
from haikuft.package_data import read_toml

# Exit statuses; 0 is done. The last is a shell's for a program ended by SIGPIPE.
FAILED, MISUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
# Objects made before the youngest are collected. Imports and figures make many and drop few.
_GC_THRESHOLD = 100_000
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)  # of a disk


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status: 0 done, 1 failed, 2 misused, 130 interrupted."""
    gc.set_threshold(_GC_THRESHOLD)  # in kernels, too, which are forks of this process
    atexit.register(gc.freeze)  # the end of the process frees all memory without a search
    _open_streams()
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser(*given[:1]).parse_args(given)
    try:
        with _surroundings(options):
            status = load_command(options.command)(options)
        sys.stdout.flush()  # not at the end of the program, where a closed pipe is a traceback
        return status
    except HaikuftError as error:
        return _complain(error, MISUSED if isinstance(error, SettingsError) else FAILED)
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:  # whoever read what we print, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = "" if error.filename is None else f"{error.filename}: "
        fix = "See that you may write there, and that the disk has room."
        return _complain(f"{where}{error.strerror}. {fix}", FAILED)


def _open_streams() -> None:
    """Open what a service manager has closed: kernels inherit these, and cannot do without."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Describe the commands and what they take, or this command alone, which is faster."""
    parser = argparse.ArgumentParser(
        prog="haikuft",
        description="Fine-tune Claude 3 Haiku on Amazon Bedrock, or on a sandbox on this machine.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"haikuft {__version__}")
    words = {"formats": option_names(), "writable": option_names(WRITABLE)}
    rows = read_toml("haikuft.commands", "commands.toml")
    rows = {command: rows[command]} if command in rows else rows
    add_commands(parser, rows, **words)
    return parser


@contextmanager
def _surroundings(options: argparse.Namespace) -> Iterator[None]:
    """Hand the sandbox's state directory, the class and the project's folder to the kernels."""
    kept = dict(os.environ)
    state = getattr(options, "state", None)  # not every command takes one
    if state is not None:
        options.state = state.expanduser().resolve()
        os.environ["HAIKUFT_SANDBOX_STATE"] = str(options.state)
    if getattr(options, "class_id", ""):
        os.environ["HAIKUFT_CLASS"] = options.class_id
    if os.environ.get("HAIKUFT_HOME"):
        # A kernel starts in another folder, from which a relative path leads elsewhere.
        os.environ["HAIKUFT_HOME"] = str(Path(os.environ["HAIKUFT_HOME"]).expanduser().resolve())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def _complain(error: object, status: int) -> int:
    print(f"haikuft: {error}", file=sys.stderr)
    return status
