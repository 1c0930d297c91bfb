"""Records: read, write, and take apart.

A record is a plain dict: {"system"?: str, "messages": [{"role", "content"}, …]}, whichever of the
two forms of training files it is read from.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from haikuft.dataset.conversations import to_messages
from haikuft.dataset.formats import Record
from haikuft.dataset.lines import read_values
from haikuft.dataset.misfits import Misfit
from haikuft.dataset.problems import describe, quotable
from haikuft.dataset.record_checks import check_record
from haikuft.errors import DataError

__all__ = [
    "Record",
    "digest",
    "explain_os_error",
    "measure_line",
    "prompt_key",
    "prompt_of",
    "prompt_parts",
    "read_records",
    "record_id",
    "reference_of",
    "write_records",
    "write_together",
]


def read_records(path: str | os.PathLike[str], *, lenient: bool = False) -> list[Record]:
    """Read a file of records, one JSON object a line; blank lines are passed over.

    Lines may be Messages or conversations (bedrock-conversation-2024), of which nothing is lost.
    Whether the objects are good records is for `validate_file` to say.

    Args:
        path: The file.
        lenient: Take what Bedrock takes: of a key that stands twice the last, as most parsers do;
            of a conversation what `to_messages` says.

    Raises:
        DataError: the file cannot be read, a line is no JSON object, or a conversation holds
            something else than texts; names the first such line.
    """
    name = quotable(os.fsdecode(path))
    records = []
    try:
        for number, value, findings in read_values(path):
            if not findings and not isinstance(value, dict):
                findings = check_record(value)
            if findings and not (lenient and isinstance(value, dict)):
                raise DataError(f"{name}, line {number}: {describe(findings[0])}")
            try:
                records.append(to_messages(value, lenient=lenient))
            except Misfit as misfit:
                words = describe(misfit.finding)
                raise DataError(f"{name}, line {number}: {words}") from misfit
    except OSError as error:
        raise DataError(f"{name}: {explain_os_error(error)}") from error
    return records


def write_records(path: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as UTF-8 JSON Lines ending in line feeds; the file appears whole or not at all.

    Returns:
        The path, for the next step.

    Raises:
        DataError: a record cannot be written as JSON or UTF-8, or the disk refuses.
    """
    target = Path(path)
    write_together({target: records})
    return target


def write_together(files: Mapping[Path, Iterable[Mapping[str, Any]]]) -> None:
    """Write several files of records; none takes its place before all are written out.

    Raises:
        DataError: a record cannot be written as JSON or UTF-8, or the disk refuses.
    """
    partials = {path: path.with_name(f".{path.name}.{os.getpid()}.partial") for path in files}
    target = Path()
    try:
        for target, records in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            with partials[target].open("w", encoding="utf-8", newline="\n") as file:
                for number, record in enumerate(records, start=1):
                    file.write(_to_line(record, number))
                file.flush()
                os.fsync(file.fileno())
        for target, partial in partials.items():
            partial.replace(target)
    except OSError as error:
        raise DataError(
            f"{quotable(str(target))} could not be written ({error.strerror or error}). "
            "Check the folder and the room on the disk."
        ) from error
    finally:
        for partial in partials.values():
            with suppress(OSError):
                partial.unlink()


def measure_line(record: Mapping[str, Any]) -> int:
    """Measure the line that a record takes in a file, in bytes, its line feed included.

    Raises:
        DataError: the record cannot be written as JSON or UTF-8.
    """
    return len(_to_line(record, 1).encode("utf-8"))


def prompt_of(record: Mapping[str, Any]) -> tuple[str | None, list[dict[str, str]]]:
    """Give what is asked: the system prompt, None if there is none, and all turns but the last.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return record.get("system") or None, _turns(record)[:-1]


def reference_of(record: Mapping[str, Any]) -> str:
    """Give what should be answered: the text of the last turn.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return _turns(record)[-1]["content"]


def record_id(record: Mapping[str, Any]) -> str:
    """Name a record by its content: 12 hexadecimal digits, the same on every machine.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return digest(*prompt_parts(record), reference_of(record)).hex()[:12]


def prompt_key(record: Mapping[str, Any]) -> str:
    """Name a prompt by its content; records asked the very same thing share it.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return digest(*prompt_parts(record)).hex()


def digest(*parts: str) -> bytes:
    """Digest texts into 16 bytes; where one ends and the next begins counts too."""
    import hashlib  # loads OpenSSL, which validating does not need

    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(f"{len(data)}:".encode("ascii"))
        state.update(data)
    return state.digest()


def explain_os_error(error: Exception) -> str:
    """Say in a sentence and a mend why a file could not be read."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file. Check the name and the folder you are in."
    if isinstance(error, IsADirectoryError):
        return "this is a folder. Name a file in it."
    if isinstance(error, PermissionError):
        return "you may not read it. Change its permissions."
    return f"it cannot be read ({getattr(error, 'strerror', None) or error}). Check the name."


def prompt_parts(record: Mapping[str, Any]) -> list[str]:
    """Give a prompt's texts in a row: the system prompt, "" if none, then role and text of turns.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    system, turns = prompt_of(record)
    return [system or "", *(part for turn in turns for part in (turn["role"], turn["content"]))]


def _turns(record: Mapping[str, Any]) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = record.get("messages") or []
    if not turns or turns[-1].get("role") != "assistant":
        raise DataError(
            "A record does not end with the assistant's answer. Let `validate_file` show which."
        )
    return turns


def _to_line(record: Mapping[str, Any], number: int) -> str:
    try:
        line = json.dumps(record, ensure_ascii=False, allow_nan=False)
        line.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"Record {number} cannot be written as JSON in UTF-8 ({quotable(str(error))}). "
            "Mend the record; nothing was written."
        ) from error
    return f"{line}\n"
