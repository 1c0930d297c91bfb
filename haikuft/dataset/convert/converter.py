"""Convert raw examples to Messages records and on to other formats.

Whatever cannot be converted is an error that names its line and place; nothing is dropped.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset import formats
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.convert.repairs import Repair, find_line_repairs, repair_example, repair_texts
from haikuft.dataset.format import NO_REPLY, Converted
from haikuft.dataset.formats.prompt_completion import SYSTEM_NOTE
from haikuft.dataset.problems import Finding, count, quotable, quote
from haikuft.dataset.read.examples import detect_format, read_examples
from haikuft.dataset.read.json_lines import naming_os_errors
from haikuft.dataset.read.sources import list_files
from haikuft.dataset.records import Record, digest, write_records
from haikuft.dataset.report import FirstOfEach, describe_rest
from haikuft.dataset.validate.record_rules import check_record, is_valid
from haikuft.errors import DataError, SettingsError

# If one row of a table has such a problem, all rows have it.
_COLUMN_CODES = frozenset({"unknown-key", "missing-key", "unknown-format"})


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did.

    Attributes:
        source: The file that was read.
        target: The file that was written.
        from_format: The format of the source.
        to_format: The format of the target.
        records: How many were written.
        repairs: What was repaired, the first 20 of each code.
        repair_counts: Code of a repair -> how many there were.
        left_columns: Columns that were not converted, because others were named.
        notes: What one should know about the target.
    """

    source: Path
    target: Path
    from_format: str
    to_format: str
    records: int
    repairs: tuple[Repair, ...] = ()
    repair_counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    left_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"{quotable(str(self.target))}: {count(self.records, 'record')}, "
            f"{formats.title_of(self.to_format)}, from {quotable(str(self.source))}, "
            f"{formats.title_of(self.from_format)}."
        ]
        if self.left_columns:
            lines.append(f"Columns not converted: {', '.join(map(quote, self.left_columns))}.")
        lines += [f"repaired: {repair} [{repair.code}]" for repair in self.repairs]
        rest = describe_rest(self.repair_counts, (repair.code for repair in self.repairs))
        if rest:
            lines.append(f"repaired: and {rest}")
        return "\n".join([*lines, *self.notes])


def read_raw(
    path: str | os.PathLike[str],
    *,
    system_prompt: str = "",
    base_model: BaseModel = DEFAULT,
    format_name: str = "",
    prompt_column: str = "",
    completion_column: str = "",
    sheet: str = "",
    separator: str = "",
) -> list[Record]:
    """Read raw examples of any format as valid Messages records.

    Args:
        path: JSON Lines (or JSON of one list or object) of one of the `formats`; CSV, TSV, Parquet
            or Excel with named columns; or a folder of model invocation logs.
        system_prompt: Put into every record; "" keeps what the records have.
        base_model: Whose reserved strings are refused.
        format_name: The file's format; "" recognises it, line by line.
        prompt_column: The column of the prompts; "" expects "prompt", or another format's names.
        completion_column: The column of the answers; "" expects "completion".
        sheet: The sheet of an Excel workbook; "" takes the only one that has rows.
        separator: Between the columns of a CSV or TSV file; "" finds it.

    Raises:
        SettingsError: there is no format of that name, or no such sheet or separator.
        DataError: the file cannot be read, or some of its lines cannot be used; names the first
            20 of each problem and counts the rest.
    """
    converter = _Converter(path, system_prompt, base_model, formats.MESSAGES, sheet, separator)
    converter.read(_check_format(format_name), (prompt_column, completion_column))
    return converter.records


def convert_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    from_format: str = "",
    to_format: str = "",
    system_prompt: str = "",
    prompt_column: str = "",
    completion_column: str = "",
    sheet: str = "",
    separator: str = "",
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
        sheet: As for `read_raw`.
        separator: As for `read_raw`.
        repair: Whether the safe repairs are made, and listed; everything else stays an error.
        base_model: Whose reserved strings are refused.

    Raises:
        SettingsError: a format is not known, or the target is the source.
        DataError: the source cannot be used, with every reason; or the target cannot be written.
    """
    source, target = Path(source), Path(target)
    written = formats.find_format(to_format) if to_format else formats.format_of(base_model)
    if written not in formats.WRITABLE:
        names = formats.option_names(formats.WRITABLE)
        raise SettingsError(f"to: {quote(to_format)} cannot be written. Take one of {names}.")
    given = _check_format(from_format)
    _check_target(source, target)
    converter = _Converter(source, system_prompt, base_model, written, sheet, separator)
    found = converter.read(given, (prompt_column, completion_column), repair=repair)
    write_records(target, converter.records)
    repairs = sorted(converter.repairs.items, key=lambda repair: (repair.file, repair.line or 0))
    with_system = any("system" in record for record in converter.records)
    return Conversion(
        source,
        target,
        found,
        written,
        len(converter.records),
        repairs=tuple(repairs),
        repair_counts=dict(converter.repairs.counts),
        left_columns=tuple(converter.left_columns),
        notes=(SYSTEM_NOTE,) if with_system and written == formats.PROMPT_COMPLETION else (),
    )


@dataclass
class _Converter:
    """One pass over a file.

    Attributes:
        path, system_prompt, base_model, sheet, separator: As for `read_raw`.
        to_format: The format that is wanted.
        records: The converted records, in the format that is wanted.
        repairs: What was repaired.
        left_columns: Columns that were not converted, in order.
    """

    path: str | os.PathLike[str]
    system_prompt: str
    base_model: BaseModel
    to_format: str
    sheet: str
    separator: str
    records: list[Record] = field(default_factory=list)
    repairs: FirstOfEach[Repair] = field(default_factory=FirstOfEach)
    left_columns: dict[str, None] = field(default_factory=dict)
    _errors: FirstOfEach[str] = field(default_factory=FirstOfEach)
    _file: str = ""  # being read, where there are several
    _first_lines: dict[bytes, str] = field(default_factory=dict)  # of a record's digest

    def read(self, given: str, columns: tuple[str, str], *, repair: bool = False) -> str:
        """Convert all examples and return the file's format.

        Args:
            given: The format of the file, or of its rows; "" recognises it.
            columns: Names of the columns of prompts and answers; "" for those that are not named.
            repair: Whether the safe repairs are made.

        Raises:
            DataError: lists everything that cannot be converted.
        """
        seen = detect_format(self.path)
        found = given if given and (given in formats.TABLES or seen not in formats.TABLES) else seen
        row_format = given if given not in formats.TABLES else ""
        files = list_files(self.path)
        for file in files:
            name = quotable(str(file))
            self._file = name if file != Path(self.path) else ""
            if repair and found not in formats.TABLES:
                with naming_os_errors(file):
                    self._add_repairs(find_line_repairs(file))
            for line, value, findings in read_examples(
                file, found, sheet=self.sheet, separator=self.separator
            ):
                findings = findings or self._take(line, value, row_format, columns, repair)
                for finding in findings:
                    place = f", {finding.place}" if finding.place else ""
                    words = f"{finding.message}. {finding.fix}"
                    self._errors.add(finding.code, f"{name}, line {line}{place}: {words}")
                if found in formats.TABLES and _COLUMN_CODES & {f.code for f in findings}:
                    break
        rest = self._errors.counts.total() - len(self._errors.items)
        if self._errors.items:
            more = [f"And {rest:,} more like these."] if rest else []
            raise DataError("\n".join([*self._errors.items, *more]))
        if not self.records:
            name = quotable(os.fsdecode(self.path))
            raise DataError(f"{name}: there are no examples in it. Put one on each line.")
        return found

    def _take(
        self, line: int, value: Any, format_name: str, columns: tuple[str, str], repair: bool
    ) -> list[Finding]:
        """Convert an example and keep its record, or return why it cannot be converted."""
        if not isinstance(value, dict):
            return check_record(value, self.base_model)
        repairs: list[Repair] = []
        try:
            if any(columns):
                value = self._pick_columns(value, *columns)
            name = format_name or formats.recognise(value)
            if repair and name != formats.INVOCATION_LOG:  # whose keys are all the service's own
                value, repairs = repair_example(value, line)
            record, places = convert_example(
                value, format_name=name, system_prompt=self.system_prompt
            )
            if repair:
                record, more = repair_texts(record, line)
                repairs += [r._replace(place=places.get(r.place, r.place)) for r in more]
            findings = check_record(record, self.base_model, formats.MESSAGES)
            if not is_valid(findings):
                return [f._replace(place=places.get(f.place, f.place)) for f in findings]
            written = formats.write_record(record, self.to_format)
        except UnsupportedContent as error:
            _, place, message, _ = error.finding
            if not repair or error.finding.code != NO_REPLY:
                return [error.finding]
            self._add_repairs([Repair(line, place, NO_REPLY, f"entry left out, {message}")])
            return []
        self._add_repairs(repairs)
        if not (repair and self._is_duplicate(record, line)):
            self.records.append(written)
        return []

    def _pick_columns(self, value: dict[str, Any], prompt: str, completion: str) -> dict[str, Any]:
        """Take the named columns as prompt and completion, and one called "system" as that."""
        wanted = {"prompt": prompt or "prompt", "completion": completion or "completion"}
        missing = [column for column in wanted.values() if column not in value]
        if missing:
            message = f"there is no column {' and none called '.join(map(quote, missing))}"
            fix = f"There are {', '.join(map(quote, value)) or 'none'}."
            raise UnsupportedContent(Finding("missing-key", missing[0], message, fix))
        if "system" in value and "system" not in wanted.values():
            wanted["system"] = "system"
        self.left_columns |= dict.fromkeys(key for key in value if key not in wanted.values())
        return {key: value[column] for key, column in wanted.items()}

    def _is_duplicate(self, record: Record, line: int) -> bool:
        turns = [part for turn in record["messages"] for part in (turn["role"], turn["content"])]
        here = f"line {line}" + (f" of {self._file}" if self._file else "")
        first = self._first_lines.setdefault(digest(record.get("system", ""), *turns), here)
        if first != here:
            message = f"the same as {first}, removed"
            self._add_repairs([Repair(line, "", "duplicate-record", message)])
        return first != here

    def _add_repairs(self, repairs: Iterable[Repair]) -> None:
        for repair in repairs:
            self.repairs.add(repair.code, repair._replace(file=self._file))


def convert_example(
    example: Mapping[str, Any], *, format_name: str = "", system_prompt: str = ""
) -> Converted:
    """Convert one raw example to a Messages record.

    Args:
        example: An example of any format.
        format_name: Its format; "" recognises it.
        system_prompt: Replaces the example's own; "" keeps it.

    Raises:
        UnsupportedContent: the format is not known, or something cannot be part of a record.
    """
    name = format_name or formats.recognise(example)
    if name == formats.UNKNOWN:
        raise UnsupportedContent(_describe_unknown(example))
    converted = formats.load_format(name).read(example)
    if not system_prompt:
        return converted
    system = {"system": system_prompt}
    places = {place: raw for place, raw in converted.places.items() if place != "system"}
    return Converted({**system, **converted.record, **system}, places)


def _describe_unknown(example: Mapping[str, Any]) -> Finding:
    """Describe an example of no format, which may be an object that holds the examples."""
    for key, value in [*example.items(), ("", list(example.values()))]:
        if isinstance(value, list) and value and formats.recognise(value[0]) != formats.UNKNOWN:
            where = f"in a list under {quote(key)}" if key else "each under a key of its own"
            message = f"this is one object that holds {count(len(value), 'example')}, {where}"
            fix = "Write them as a list, or each on a line of its own, without the object around."
            return Finding("unknown-format", "", message, fix)
    keys = ", ".join(quote(key) for key in list(example)[:10]) or "no keys"
    titles = ", ".join([*formats.FORMATS.values(), *formats.TABLES.values()])
    fix = (
        f"Accepted formats: {titles}. In a table, or an object of two texts, name the two with "
        "--prompt-column and --completion-column (prompt_column and completion_column)."
    )
    return Finding("unknown-format", "", f"the example has {keys}", fix)


def _check_format(name: str) -> str:
    """Find the format of that name; "" for "".

    Raises:
        SettingsError: there is none.
    """
    found = formats.find_format(name)
    if name and not found:
        raise SettingsError(
            f"from: {quote(name)} is no format we read. Take one of {formats.option_names()}."
        )
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
