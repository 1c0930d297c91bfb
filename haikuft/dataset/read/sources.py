"""Find a data set: a folder in data/, the reader's own folder, or a file."""

import os
from dataclasses import dataclass
from pathlib import Path

from haikuft.dataset.problems import quotable
from haikuft.errors import DataError

RAW_NAME = "raw.jsonl"
SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".xlsx")  # of raw files
_LOGS = "*.json.gz"
SYSTEM_NAME = "system.txt"


@dataclass(frozen=True, slots=True)
class Source:
    """A data set before it is read.

    Attributes:
        name: Its name, as the caller gave it; goes into the run's record.
        raw: The file of raw examples, or the folder of model invocation logs.
        system_prompt: The system prompt of every record; "" keeps those that the records have.
    """

    name: str
    raw: Path
    system_prompt: str


def find_dataset(name: str, *, system_prompt: str = "", root: Path) -> Source:
    """Find a data set by the name of its folder in data/, or by the path of a folder or file.

    A folder holds raw.jsonl, or one file of another name that ends in .jsonl, .json, .csv, .tsv,
    .parquet or .xlsx, or model invocation logs as `list_files` finds them. It may hold system.txt,
    the data set's own system prompt.

    Args:
        name: A folder's name in data/, or a path; relative ones start at the root.
        system_prompt: Taken instead of the data set's own; "" takes its own.
        root: The project's root.

    Raises:
        DataError: there is no such data set; the message lists those in data/.
    """
    place = next((p for p in (root / "data" / name, root / name) if name and p.exists()), None)
    if place is None:
        known = ", ".join(sorted(folder.name for folder in (root / "data").glob("*/")))
        raise DataError(
            f'dataset = "{name}": there is no such folder in data/ and no such path. '
            f"In data/ are: {known or 'none'}."
        )
    if place.is_file():
        return Source(name, place, system_prompt)
    own = place / SYSTEM_NAME
    return Source(
        name, _find_raw(place), system_prompt or (_read_text(own) if own.exists() else "")
    )


def list_files(path: str | os.PathLike[str]) -> list[Path]:
    """List the files of a data set in order: the file itself, or the invocation logs in a folder.

    Amazon Bedrock writes its logs as AWSLogs/<account>/BedrockModelInvocationLogs/<Region>/
    <yyyy>/<mm>/<dd>/<hh>/*.json.gz, and large bodies into folders "data", which are not listed.

    Raises:
        DataError: it is a folder without logs.
    """
    place = Path(os.fsdecode(path))
    if not place.is_dir():
        return [place]
    files = [f for f in place.rglob(_LOGS) if "data" not in f.relative_to(place).parts[:-1]]
    if not files:
        raise DataError(
            f"{quotable(str(place))}: this is a folder without model invocation logs ({_LOGS}). "
            "Name a file in it."
        )
    return sorted(files)


def _find_raw(folder: Path) -> Path:
    if (folder / RAW_NAME).exists():
        return folder / RAW_NAME
    files = sorted(file for file in folder.glob("*.*") if file.suffix.lower() in SUFFIXES)
    for candidates in ([file for file in files if file.stem == "raw"], files):
        if len(candidates) == 1:
            return candidates[0]
    if not files and any(folder.rglob(_LOGS)):
        return folder
    found = ", ".join(file.name for file in files) or "none"
    raise DataError(
        f"{folder}: a data set's folder holds {RAW_NAME}, or one other file ending in "
        f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}. Found: {found}. Name the file itself."
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as UTF-8 text ({error}). Save it again.") from error
