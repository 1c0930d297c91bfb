"""Where runs lie: the project's folder, the names of runs, and the one that is meant."""

import getpass
import os
import re
import secrets
import string
from pathlib import Path

from haikuft.errors import RecordError, SettingsError
from haikuft.runs.record_file import FILE_NAME, read_record

FIRST = "first"  # the run's name on the sandbox unless another is given
_RUN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RUN_NAME_LENGTH = 32  # it becomes part of the bucket's name, which ends at 63


def find_root() -> Path:
    """Find the project's folder: upwards from the working directory, else $HAIKUFT_HOME.

    Raises:
        RecordError: neither leads to it.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / name).exists() for name in ("pyproject.toml", "notebooks", "haikuft")):
            return folder
    home = os.environ.get("HAIKUFT_HOME", "")
    if home and Path(home).expanduser().is_dir():
        return Path(home).expanduser().resolve()
    hint = f"HAIKUFT_HOME names {home}, which is no folder" if home else "HAIKUFT_HOME is not set"
    raise RecordError(
        f"{here} lies outside the project, and {hint}. "
        "Go to the project's folder, or set HAIKUFT_HOME to it."
    )


def check_run_name(run: str) -> str:
    """Return a run's name, or say why it cannot be one.

    Raises:
        SettingsError: not 1 to 32 lower-case letters, digits and single hyphens between them.
    """
    if len(run) > _RUN_NAME_LENGTH or not _RUN_NAME.fullmatch(run):
        raise SettingsError(
            f'run = "{run}": take 1 to {_RUN_NAME_LENGTH} lower-case letters and digits, with '
            'single hyphens between them, such as "first" or "tickets-2" (the name becomes part '
            "of the bucket's and the role's)."
        )
    return run


def record_path(run: str) -> Path:
    """Say where the record of a run lies, whether it exists or not."""
    return find_root() / "runs" / check_run_name(run) / FILE_NAME


def choose_run(run: str = "", target: str = "sandbox", *, new: bool = False) -> str:
    """Return the run's name, or the default one where none is given.

    On the sandbox that is "first". On AWS, where others work in the same account, it is the
    user's name and four random characters, such as "ann-x7f3", once a run has been begun so.

    Args:
        run: a name; "" for the default.
        target: "sandbox" or "aws".
        new: make up a name where no run has been begun.

    Raises:
        SettingsError: no run has been begun on AWS, or several.
    """
    if run or target != "aws":
        return run or FIRST
    user = re.sub(r"[^a-z0-9]+", "-", _user().lower())[:12].strip("-") or "user"
    # A folder is enough: should its record be lost, the run is not begun a second time.
    begun = [
        folder.name
        for folder in sorted((find_root() / "runs").glob("*/"))
        if re.fullmatch(rf"{user}-[a-z0-9]{{4}}", folder.name) or _is_old_default(folder)
    ]
    if len(begun) > 1:
        raise SettingsError(
            f"Several runs were begun on AWS: {', '.join(begun)}. Say which one: set run, or "
            "`--run` on the command line."
        )
    if not begun and not new:
        raise SettingsError(
            "No run was begun on AWS from this folder. Name the run (set run, or `--run` on the "
            "command line), or begin one with notebook 1."
        )
    random = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(4))
    return begun[0] if begun else f"{user}-{random}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in some containers
        return ""


def _is_old_default(folder: Path) -> bool:
    """Whether this is a run on AWS from when the default name was the same everywhere."""
    try:
        return folder.name == FIRST and read_record(folder / FILE_NAME).target == "aws"
    except RecordError:
        return False
