"""Conversion of raw examples to Messages records and on. What cannot be carried is an error."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.convert.reading import Reading, carry_example
from haikuft.dataset.convert.repairs import Mend
from haikuft.dataset.formats import (
    FORMATS,
    MESSAGES,
    PROMPT_COMPLETION,
    READABLE,
    WRITABLE,
    find_format,
    format_of,
    option_name,
)
from haikuft.dataset.formats.content import Misfit
from haikuft.dataset.problems import count, describe, quotable, quote
from haikuft.dataset.read.examples import detect_format
from haikuft.dataset.records import Record, write_records
from haikuft.errors import DataError, SettingsError

__all__ = ["Conversion", "convert_file", "convert_record", "detect_format", "read_raw"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did.

    Attributes:
        source: The file that was read.
        target: The file that was written.
        from_format: What the source is.
        to_format: What the target is.
        records: How many were written.
        mends: What a repair did, the first 20 of each kind.
        mend_counts: Kind of mend -> how often.
        left_columns: Columns that stayed behind because others were named.
        notes: What one should know of the target.
    """

    source: Path
    target: Path
    from_format: str
    to_format: str
    records: int
    mends: tuple[Mend, ...] = ()
    mend_counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    left_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{quotable(str(self.target))}: {count(self.records, 'record')}, "
            f"{FORMATS[self.to_format]}, from {quotable(str(self.source))}, "
            f"{FORMATS[self.from_format]}."
        ]
        if self.left_columns:
            lines.append(f"Left behind: {', '.join(map(quote, self.left_columns))}.")
        lines += [f"mended: {mend} [{mend.code}]" for mend in self.mends]
        hidden = Counter(self.mend_counts) - Counter(mend.code for mend in self.mends)
        if hidden:
            words = ", ".join(f"{code} {number:,}" for code, number in hidden.items())
            lines.append(f"mended: and {hidden.total():,} more: {words}")
        return "\n".join([*lines, *self.notes])


def convert_record(
    record: Mapping[str, Any], *, system_prompt: str = "", format_name: str = ""
) -> Record:
    """Turn one raw example into a Messages record.

    Args:
        record: An example of any of the formats that are no tables.
        system_prompt: Put in place of the record's own; "" keeps what the record says.
        format_name: Its format; "" recognises it.

    Raises:
        DataError: the format is not known, or something in it has no place in a record.
    """
    try:
        return carry_example(record, format_name, system_prompt).record
    except Misfit as misfit:
        raise DataError(describe(misfit.finding)) from misfit


def read_raw(
    path: str | os.PathLike[str],
    *,
    system_prompt: str = "",
    base_model: BaseModel = DEFAULT,
    format_name: str = "",
    prompt_column: str = "",
    completion_column: str = "",
) -> list[Record]:
    """Read raw examples of any format as sound Messages records.

    Args:
        path: JSON Lines (or one JSON list) of Messages, prompt/completion, OpenAI chat, Converse,
            ShareGPT or Alpaca; or CSV, TSV, Parquet or Excel with named columns.
        system_prompt: Put into every record; "" keeps what the records say.
        base_model: Whose reserved strings are refused.
        format_name: The file's format; "" recognises it, line by line.
        prompt_column: The column of the prompts; "" expects "prompt", or another format's names.
        completion_column: The column of the answers; "" expects "completion".

    Raises:
        SettingsError: there is no format of that name.
        DataError: the file cannot be read, or some of its lines cannot be used; names the first
            20 of each fault and counts the rest.
    """
    reading = Reading(path, system_prompt, base_model, MESSAGES)
    reading.read(_given(format_name), prompt_column, completion_column)
    return reading.written


def convert_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    from_format: str = "",
    to_format: str = "",
    system_prompt: str = "",
    prompt_column: str = "",
    completion_column: str = "",
    repair: bool = False,
    base_model: BaseModel = DEFAULT,
) -> Conversion:
    """Convert a file to another, which is written whole or not at all.

    Args:
        source: As `read_raw` takes it.
        target: Where the new file goes; never the source itself.
        from_format: The source's format; "" recognises it.
        to_format: "messages", "converse" (bedrock-conversation-2024) or "prompt_completion"; ""
            takes that of the base model's files.
        system_prompt: As for `read_raw`.
        prompt_column: As for `read_raw`.
        completion_column: As for `read_raw`.
        repair: Whether the safe mends are made, and listed; what they cannot mend stays refused.
        base_model: Whose reserved strings are refused.

    Raises:
        SettingsError: a format is not known, or the target is the source.
        DataError: the source cannot be used, with every reason; or the target cannot be written.
    """
    source, target = Path(source), Path(target)
    writes = find_format(to_format) if to_format else format_of(base_model)
    if writes not in WRITABLE:
        names = ", ".join(map(option_name, WRITABLE))
        raise SettingsError(f"to: {quote(to_format)} cannot be written. Take one of {names}.")
    given = _given(from_format)
    _check_target(source, target)
    reading = Reading(source, system_prompt, base_model, writes)
    found = reading.read(given, prompt_column, completion_column, repair=repair)
    write_records(target, reading.written)
    return Conversion(
        source,
        target,
        found,
        writes,
        len(reading.written),
        mends=tuple(sorted(reading.tally.mends, key=lambda mend: mend.line or 0)),
        mend_counts=dict(reading.tally.counts),
        left_columns=tuple(reading.left),
        notes=_notes(reading.written, writes),
    )


def _given(name: str) -> str:
    """Give the format that a person named.

    Raises:
        SettingsError: there is none of that name.
    """
    found = find_format(name) if name else ""
    if name and not found:
        names = ", ".join(map(option_name, READABLE))
        raise SettingsError(f"from: {quote(name)} is no format we read. Take one of {names}.")
    return found


def _check_target(source: Path, target: Path) -> None:
    try:
        same = target.exists() and source.exists() and target.samefile(source)
    except (OSError, ValueError):
        return  # reading or writing will say what is wrong
    if same:
        raise SettingsError(
            f"{quotable(str(target))}: source and target are the same file. Name a new one; the "
            "source stays as it is."
        )


def _notes(records: Sequence[Record], to_format: str) -> tuple[str, ...]:
    if to_format == PROMPT_COMPLETION and any("system" in record for record in records):
        return (
            'System prompts stand under "system", a key which Bedrock\'s own prompt/completion '
            "format does not have.",
        )
    return ()
