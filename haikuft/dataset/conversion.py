"""Conversion of raw examples to Messages records. What cannot be carried over is an error."""

import os
from collections.abc import Mapping
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.file_checks import FileCheck
from haikuft.dataset.formats import FORMATS, MESSAGES, PROMPT_COMPLETION, UNKNOWN, recognise
from haikuft.dataset.lines import open_file, read_values
from haikuft.dataset.problems import SHOWN, Finding, describe, quotable, quote
from haikuft.dataset.record_checks import check_record, is_sound
from haikuft.dataset.records import Record, explain_os_error
from haikuft.errors import DataError

ACCEPTED = (MESSAGES, PROMPT_COMPLETION)

# Where a record's texts came from, so that a fault is named by its place in the raw file.
_RAW_PLACES = {"messages[0].content": "prompt", "messages[1].content": "completion"}


def detect_format(path: str | os.PathLike[str]) -> str:
    """Name the format of a file by its first record: "messages", "prompt_completion", …, "unknown".

    Raises:
        DataError: the file cannot be read or is empty.
    """
    name = quotable(os.fsdecode(path))
    try:
        for _, value, findings in read_values(path):
            if value is None and findings:
                return "csv" if _looks_like_csv(path) else UNKNOWN
            return recognise(value)
    except OSError as error:
        raise DataError(f"{name}: {explain_os_error(error)}") from error
    raise DataError(f"{name}: the file is empty. Put one example on each line, as a JSON object.")


def convert_record(record: Mapping[str, Any], *, system_prompt: str = "") -> Record:
    """Turn one raw example into a Messages record.

    Args:
        record: A Messages record, or {"prompt", "completion", "system"?} with texts.
        system_prompt: Put in place of the record's own; "" keeps what the record says.

    Raises:
        DataError: the format is not accepted, or something in it has no place in a record.
    """
    converted = _convert(record, system_prompt)
    if isinstance(converted, Finding):
        raise DataError(describe(converted))
    return converted


def read_raw(
    path: str | os.PathLike[str], *, system_prompt: str = "", base_model: BaseModel = DEFAULT
) -> list[Record]:
    """Read raw examples, Messages or prompt/completion JSON Lines, as sound Messages records.

    Args:
        path: The raw file.
        system_prompt: Put into every record; "" keeps what the records say.
        base_model: Whose reserved strings are refused.

    Raises:
        DataError: the file cannot be read, or some of its lines cannot be used; names the first
            20 of each fault and counts the rest.
    """
    found = detect_format(path)
    if found == "csv":
        raise DataError(f"{quotable(os.fsdecode(path))}: this looks like CSV. {_accepted()}")
    tally = FileCheck(os.fsdecode(path), "training")
    records: list[Record] = []
    for number, value, findings in read_values(path):
        tally.records += 1
        for finding in findings or _convert_and_check(value, system_prompt, base_model, records):
            tally.add(number, finding)
    report = tally.report()
    if report.ok:
        return records
    raise DataError("\n".join(map(str, report.problems[:SHOWN])) + _rest(report.errors))


def _convert_and_check(
    value: Any, system_prompt: str, base_model: BaseModel, records: list[Record]
) -> list[Finding]:
    """Put the converted record with the others, or say why not."""
    if not isinstance(value, dict):
        return check_record(value, base_model)
    converted = _convert(value, system_prompt)
    if isinstance(converted, Finding):
        return [converted]
    findings = check_record(converted, base_model)
    if is_sound(findings):
        records.append(converted)
        return []
    if recognise(value) == PROMPT_COMPLETION:
        findings = [f._replace(place=_RAW_PLACES.get(f.place, f.place)) for f in findings]
    return findings


def _convert(record: Mapping[str, Any], system_prompt: str) -> Record | Finding:
    match recognise(record):
        case "messages":
            system = {"system": system_prompt} if system_prompt else {}
            return {**system, **record, **system}
        case "prompt_completion":
            return _convert_prompt_completion(record, system_prompt)
        case "unknown":
            keys = ", ".join(quote(key) for key in list(record)[:10]) or "no keys"
            return Finding("wrong-format", "", f"the example has {keys}", _accepted())
        case other:
            return Finding("wrong-format", "", f"this is {FORMATS[other]}", _accepted())


def _convert_prompt_completion(record: Mapping[str, Any], system_prompt: str) -> Record | Finding:
    for key, value in record.items():
        if key not in ("system", "prompt", "completion"):
            return Finding(
                "unknown-key",
                quotable(key),
                f"the key {quote(key)} has no place in a training record",
                'Remove it; "prompt", "completion" and "system" are carried over.',
            )
        if not isinstance(value, str):
            return Finding("wrong-type", key, "this is not text", "Write text.")
    system = system_prompt or record.get("system", "")
    return {
        **({"system": system} if system else {}),
        "messages": [
            {"role": "user", "content": record["prompt"]},
            {"role": "assistant", "content": record["completion"]},
        ],
    }


def _accepted() -> str:
    names = " and ".join(FORMATS[name] for name in ACCEPTED)
    return f"Accepted are {names}, one JSON object a line."


def _rest(errors: int) -> str:
    return f"\nAnd {errors - SHOWN:,} more like these." if errors > SHOWN else ""


def _looks_like_csv(path: str | os.PathLike[str]) -> bool:
    with open_file(path) as file:
        first = file.readline(10_000)
    try:
        head = first.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return False
    if head.startswith(("{", "[")) or not head.replace("\t", "").isprintable():
        return False
    return any(mark in head for mark in ",;\t")
