"""Tables as raw examples: CSV and TSV by themselves, Parquet and Excel through pandas' readers.

Each row becomes an example with the columns' names as keys, as if it were a JSON object.
"""

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from haikuft.dataset.formats import CSV, EXCEL, PARQUET, TSV, title_of
from haikuft.dataset.problems import Finding, count, describe, quotable, quote
from haikuft.dataset.read.json_lines import (
    LINE_TOO_LONG,
    MAX_LINE_BYTES,
    Example,
    open_file,
    read_lines,
)
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK
from haikuft.errors import DataError

# Columns whose empty cells mean that there is nothing, not an empty text.
OPTIONAL_COLUMNS = frozenset({"system", "input", "history", "schemaVersion"})
_SEPARATORS = ",;|\t"


def read_table(path: str | os.PathLike[str], format_name: str) -> Iterator[Example]:
    """Read a table row by row; the first row names the columns.

    Raises:
        DataError: the columns have no names, or pandas' reader for the format is not installed.
        OSError: the file cannot be opened or read.
    """
    return (
        _read_text(path, format_name)
        if format_name in (CSV, TSV)
        else _read_frame(path, format_name)
    )


def _read_text(path: str | os.PathLike[str], format_name: str) -> Iterator[Example]:
    name = quotable(os.fsdecode(path))
    with open_file(path) as file:
        lines = _decode(file, name)
        head = next(lines, "")
        # Between the columns is a comma, or what European spreadsheets write.
        separator = "\t" if format_name == TSV else max(_SEPARATORS, key=head.count)
        before = csv.field_size_limit(MAX_LINE_BYTES)
        try:
            reader = csv.reader(chain([head], lines), delimiter=separator, strict=True)
            columns: list[str] = []
            last = 0
            for cells in reader:
                line, last = last + 1, reader.line_num
                if not columns:
                    columns = _check_columns(cells, name)
                elif len(cells) == len(columns):
                    yield line, _build_example(zip(columns, cells, strict=True)), []
                elif cells:
                    yield line, None, [_describe_cells(len(cells), len(columns))]
        except csv.Error as error:
            message = f"from this line on the table cannot be read ({error})"
            fix = 'Close every double quote ("), and double those inside a quoted text.'
            yield reader.line_num, None, [Finding("wrong-format", "", message, fix)]
        finally:
            csv.field_size_limit(before)


def _decode(file: BinaryIO, name: str) -> Iterator[str]:
    """Decode line by line, so that a byte that is not UTF-8 is found in its line."""
    for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
        if data is None:
            raise DataError(f"{name}, line {number}: {describe(LINE_TOO_LONG)}")
        if number == 1:
            data = data.removeprefix(BYTE_ORDER_MARK)
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}, line {number}: the byte 0x{data[error.start]:02X} is not UTF-8. "
                'Save the table as "CSV UTF-8".'
            ) from error


def _check_columns(names: Iterable[object], file_name: str) -> list[str]:
    columns = [str(name).strip() for name in names]
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled or "" in columns:
        what = f"there are two columns {quote(doubled[0])}" if doubled else "a column has no name"
        raise DataError(f"{file_name}, line 1: {what}. Give each column a name of its own.")
    return columns


def _build_example(cells: Iterable[tuple[str, Any]]) -> Mapping[str, Any]:
    return {
        key: value
        for key, value in cells
        if value is not None and (value != "" or key not in OPTIONAL_COLUMNS)
    }


def _describe_cells(cells: int, columns: int) -> Finding:
    return Finding(
        "wrong-format",
        "",
        f"the row has {count(cells, 'cell')} and the table {count(columns, 'column')}",
        'Put a text that holds separators, quotes or line breaks between double quotes ("), and '
        "double the quotes inside.",
    )


def _read_frame(path: str | os.PathLike[str], format_name: str) -> Iterator[Example]:
    """Read through pandas; a row's number counts the heading as 1 in Excel, not in Parquet."""
    open_file(path).close()  # raises the OSError that any other file would raise
    import pandas as pd

    name, title = quotable(os.fsdecode(path)), title_of(format_name)
    try:
        if format_name == PARQUET:
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_excel(path, dtype=str, keep_default_na=False, na_values=[])
    except ImportError as error:
        raise DataError(
            f"{name}: pandas' reader for {title} files is not installed. "
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
    columns = _check_columns(frame.columns, name)
    rows = frame.itertuples(index=False, name=None)
    for number, row in enumerate(rows, start=2 if format_name == EXCEL else 1):
        yield number, _build_example(zip(columns, map(_to_json, row), strict=True)), []


def _to_json(value: Any) -> Any:
    """Give pandas' and NumPy's values as those of JSON; a missing one is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _to_json(item) for key, item in value.items() if item is not None}
    return None if value != value or str(value) in ("<NA>", "NaT") else value
