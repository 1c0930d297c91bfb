"""Tables as raw examples: CSV, TSV, Excel, and Parquet through pandas' reader.

Each row becomes an example with the columns' names as keys, as if it were a JSON object.
"""

import csv
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO

from haikuft.dataset.formats import CSV, EXCEL, PARQUET, TSV, title_of
from haikuft.dataset.problems import Finding, count, describe, quotable, quote
from haikuft.dataset.read import json_lines
from haikuft.dataset.read.excel import read_sheets, show_cell
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK
from haikuft.errors import DataError, SettingsError

# Columns whose empty cells mean that there is nothing, not an empty text.
OPTIONAL_COLUMNS = frozenset({"system", "input", "history", "schemaVersion"})
_SEPARATORS = ",;|\t"
_QUOTED = re.compile('"[^"]*"')
_HINT = re.compile(r'"?sep=([^\r\n]+?)"?\s*', re.IGNORECASE)


def read_table(
    path: str | os.PathLike[str], format_name: str, *, sheet: str = "", separator: str = ""
) -> Iterator[json_lines.Example]:
    """Read a table row by row; the first row names the columns.

    Args:
        path: The file.
        format_name: A name of `haikuft.dataset.formats.TABLES`.
        sheet: The sheet of an Excel workbook; "" takes the only one that has rows.
        separator: What stands between the columns of a CSV or TSV file; "" takes the one of its
            line `sep=`, else the one that its first line has most often outside of quotes.

    Raises:
        SettingsError: the file has no sheets or no separators, or there is no such separator.
        DataError: the columns have no names, the sheet is not known, or the library that reads
            the format is not installed.
        OSError: the file cannot be opened or read.
    """
    uses = {"sheet": (sheet, (EXCEL,)), "separator": (separator, (CSV, TSV))}
    for name, (given, formats) in uses.items():
        if given and format_name not in formats:
            file = f"{quotable(os.fsdecode(path))} is {title_of(format_name)}"
            raise SettingsError(f"{name} = {given!r}: {file}, which has no {name}. Leave it empty.")
    if format_name in (CSV, TSV):
        return _read_text(path, format_name, _check_separator(separator))
    return _read_workbook(path, sheet) if format_name == EXCEL else _read_frame(path)


def _check_separator(separator: str) -> str:
    separator = "\t" if separator in ("\\t", "tab") else separator
    if len(separator) > 1 or separator in tuple('"\r\n'):
        raise SettingsError(
            f"separator = {separator!r}: take one character, such as ; or |, or tab for a tab."
        )
    return separator


def _read_text(
    path: str | os.PathLike[str], format_name: str, separator: str
) -> Iterator[json_lines.Example]:
    name = quotable(os.fsdecode(path))
    with json_lines.open_file(path) as file:
        lines = _decode(file, name)
        head = next(lines, "")
        hint = _HINT.fullmatch(head)  # Excel reads this line, and does not show it
        separator = separator or (_check_separator(hint[1]) if hint else "")
        # Between the columns is a comma, or what European spreadsheets write.
        bare = _QUOTED.sub("", head)
        separator = separator or ("\t" if format_name == TSV else max(_SEPARATORS, key=bare.count))
        before = csv.field_size_limit(json_lines.MAX_LINE_BYTES)
        try:
            reader = csv.reader(chain([head], lines), delimiter=separator, strict=True)
            columns: list[str] = []
            last = 0
            for cells in reader:
                line, last = last + 1, reader.line_num
                if hint and line == 1:
                    continue
                if not columns:
                    columns = _check_columns(cells, f"{name}, line {line}")
                elif len(cells) == len(columns):
                    yield line, _build_example(zip(columns, cells, strict=True)), []
                elif cells:
                    yield line, None, [_describe_cells(len(cells), len(columns), separator)]
        except csv.Error as error:
            message = f"from this line on the table cannot be read ({error})"
            fix = 'Close every double quote ("), and double those inside a quoted text.'
            yield reader.line_num, None, [Finding("wrong-format", "", message, fix)]
        finally:
            csv.field_size_limit(before)


def _decode(file: BinaryIO, name: str) -> Iterator[str]:
    """Decode line by line, so that a byte that is not UTF-8 is found in its line."""
    for number, data, _ in json_lines.read_lines(file, max_bytes=sys.maxsize):
        if data is None:
            raise DataError(f"{name}, line {number}: {describe(json_lines.describe_long_line())}")
        if number == 1:
            data = data.removeprefix(BYTE_ORDER_MARK)
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: the byte 0x{data[error.start]:02X} is not UTF-8. "
                'Save the table as "CSV UTF-8".'
            ) from error


def _check_columns(names: Iterable[object], place: str) -> list[str]:
    columns = [str(name).strip() for name in names]
    said = ", ".join(map(quote, filter(None, columns)))
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if "" in columns:
        raise DataError(
            f"{place}: column {columns.index('') + 1} has no name here; the row says "
            f"{said or 'nothing'}. Name each column, and delete what is above, such as a title."
        )
    if doubled:
        what = f"there are two columns {quote(doubled[0])}"
        raise DataError(f"{place}: {what}. Give each column a name of its own.")
    return columns


def _build_example(cells: Iterable[tuple[str, Any]]) -> Mapping[str, Any]:
    return {
        key: value
        for key, value in cells
        if value is not None and (value != "" or key not in OPTIONAL_COLUMNS)
    }


def _describe_cells(cells: int, columns: int, separator: str) -> Finding:
    return Finding(
        "wrong-format",
        "",
        f"the row has {count(cells, 'cell')} and the table {count(columns, 'column')}, with "
        f"{separator!r} between them",
        'Put a text that holds separators, quotes or line breaks between double quotes ("), and '
        "double the quotes inside; or name the separator with --separator (separator).",
    )


@contextmanager
def _naming_reader_errors(path: str | os.PathLike[str], format_name: str) -> Iterator[str]:
    """Give the file's name, and say what a library that is missing or refuses the file means."""
    name, title = quotable(os.fsdecode(path)), title_of(format_name)
    json_lines.open_file(path).close()  # raises the OSError that any other file would raise
    try:
        yield name
    except ImportError as error:
        raise DataError(
            f"{name}: the reader for {title} files is not installed. "
            f'Install it with `pip install "haikuft[{format_name}]"`, or export the table as CSV.'
        ) from error
    except OSError:
        raise
    except Exception as error:  # the readers' own errors have no common base
        words = quotable(str(error).partition("\n")[0])
        raise DataError(
            f"{name} cannot be read as {title} ({words}). Save it again, or export the table as "
            "CSV."
        ) from error


def _read_frame(path: str | os.PathLike[str]) -> Iterator[json_lines.Example]:
    """Read Parquet through pandas; the first row is number 1."""
    with _naming_reader_errors(path, PARQUET) as name:
        import pandas as pd

        frame = pd.read_parquet(path)
    columns = _check_columns(frame.columns, f"{name}, line 1")
    for number, row in enumerate(frame.itertuples(index=False, name=None), start=1):
        yield number, _build_example(zip(columns, map(_to_json, row), strict=True)), []


def _read_workbook(path: str | os.PathLike[str], sheet: str) -> Iterator[json_lines.Example]:
    """Read one sheet of an Excel workbook; a row has the number that the sheet gives it."""
    with _naming_reader_errors(path, EXCEL) as name:
        sheets = read_sheets(path)
    if sheet not in sheets and (sheet or len(sheets) > 1):
        what = f"no sheet {quote(sheet)} has rows" if sheet else "several sheets have rows"
        names = ", ".join(map(quote, sheets)) or "none"
        fix = "Name the one to read with --sheet (sheet), or put all rows on one sheet."
        raise DataError(f"{name}: {what}. Sheets with rows: {names}. {fix}")
    columns: list[str] = []
    for cells in sheets[sheet] if sheet else next(iter(sheets.values()), []):
        row, texts = cells[0][0].row, [show_cell(*cell) for cell in cells]
        findings = [text for text in texts if isinstance(text, Finding)]
        if not columns:
            shown = ("" if isinstance(text, Finding) else text for text in texts)
            columns = _check_columns(shown, f"{name}, line {row}")
        else:
            example = None if findings else _build_example(zip(columns, texts, strict=True))
            yield row, example, findings


def _to_json(value: Any) -> Any:
    """Give pandas' and NumPy's values as those of JSON; a missing one is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items() if item is not None}
    return None if value != value or str(value) in ("<NA>", "NaT") else value
