"""Records: their prompt, reference and id, and the files they are written to."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from haikuft.dataset.problems import quotable
from haikuft.errors import DataError
from haikuft.files import write_together

# A Messages record, to which every other format is converted when it is read:
# {"system"?: str, "messages": [{"role", "content": str}, …]}.
Record = dict[str, Any]


def write_records(path: str | os.PathLike[str], records: Iterable[Mapping[str, Any]]) -> Path:
    """Write records as UTF-8 JSON Lines ending in line feeds; the file appears whole or not at all.

    Returns:
        The path, for the next step.

    Raises:
        DataError: a record cannot be written as JSON or UTF-8, or the disk refuses.
    """
    write_files({Path(path): records})
    return Path(path)


def write_files(files: Mapping[Path, Iterable[Mapping[str, Any]]]) -> None:
    """Write several files of records; none replaces an old file before all are written.

    Raises:
        DataError: a record cannot be written as JSON or UTF-8, or the disk refuses.
    """
    texts = {
        path: "".join(_to_line(record, number) for number, record in enumerate(records, start=1))
        for path, records in files.items()
    }
    try:
        write_together(texts)
    except OSError as error:
        names = ", ".join(quotable(str(path)) for path in files)
        raise DataError(
            f"{names} could not be written ({error.strerror or error}). "
            "Check the folder and the free space on the disk."
        ) from error


def measure_line(record: Mapping[str, Any]) -> int:
    """Measure the line that a record takes in a file, in bytes, its line feed included.

    Raises:
        DataError: the record cannot be written as JSON or UTF-8.
    """
    return len(_to_line(record, 1).encode("utf-8"))


def prompt_of(record: Mapping[str, Any]) -> tuple[str | None, list[dict[str, str]]]:
    """Give the prompt: the system prompt, None if there is none, and all turns but the last.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return record.get("system") or None, _turns(record)[:-1]


def question_of(record: Mapping[str, Any]) -> str:
    """Give the texts of the prompt's turns, without the system prompt, the same for all records."""
    return "\n".join(turn["content"] for turn in prompt_of(record)[1])


def reference_of(record: Mapping[str, Any]) -> str:
    """Give the reference answer: the text of the last turn.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return _turns(record)[-1]["content"]


def record_id(record: Mapping[str, Any]) -> str:
    """Give the id of a record's content: 12 hexadecimal digits, the same on every machine.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return digest(*prompt_parts(record), reference_of(record)).hex()[:12]


def prompt_key(record: Mapping[str, Any]) -> str:
    """Give the id of a prompt's content; records with the same prompt share it.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    return digest(*prompt_parts(record)).hex()


def digest(*parts: str) -> bytes:
    """Digest texts into 16 bytes; texts that are divided in other places give another digest."""
    import hashlib  # loads OpenSSL, which validation does not need

    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(f"{len(data)}:".encode("ascii"))
        state.update(data)
    return state.digest()


def prompt_parts(record: Mapping[str, Any]) -> list[str]:
    """List a prompt's texts: the system prompt, "" if none, then role and text of turns.

    Raises:
        DataError: the record does not end with the assistant's answer.
    """
    system, turns = prompt_of(record)
    return [system or "", *(part for turn in turns for part in (turn["role"], turn["content"]))]


def _turns(record: Mapping[str, Any]) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = record.get("messages") or []
    if not turns or turns[-1].get("role") != "assistant":
        raise DataError(
            "A record does not end with the assistant's answer. `validate_file` shows which."
        )
    return turns


def _to_line(record: Mapping[str, Any], number: int) -> str:
    try:
        line = json.dumps(record, ensure_ascii=False, allow_nan=False)
        line.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"Record {number} cannot be written as JSON in UTF-8 ({quotable(str(error))}). "
            "Fix the record; nothing was written."
        ) from error
    return f"{line}\n"
