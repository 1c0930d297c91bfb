"""Tables as raw examples: CSV and TSV by themselves, Parquet and Excel through pandas' readers.

Each row becomes an example of its columns' names, as if it were a JSON object.
"""

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from haikuft.dataset.formats import CSV, EXCEL, PARQUET, TSV
from haikuft.dataset.problems import Finding, count, quotable, quote
from haikuft.dataset.read.json_lines import (
    BYTE_ORDER_MARK,
    LINE_TOO_LONG,
    MAX_LINE_BYTES,
    open_file,
    read_lines,
)
from haikuft.errors import DataError

Row = tuple[int, Any, list[Finding]]  # line or row number, example, what is wrong with it

# Columns whose empty cells mean that there is nothing, not an empty text.
OPTIONAL_COLUMNS = frozenset({"system", "input", "history", "schemaVersion"})
_SEPARATORS = ",;|\t"


def read_table(path: str | os.PathLike[str], format_name: str) -> Iterator[Row]:
    """Read a table row by row; the first row names the columns.

    Raises:
        DataError: the columns cannot be told, or pandas' reader for the format is not installed.
        OSError: the file cannot be opened or read.
    """
    if format_name in (CSV, TSV):
        return _read_separated(path, format_name)
    return _read_frame(path, format_name)


def _read_separated(path: str | os.PathLike[str], format_name: str) -> Iterator[Row]:
    name = quotable(os.fsdecode(path))
    with open_file(path) as file:
        lines = _decode(file, name)
        head = next(lines, "")
        separator = "\t" if format_name == TSV else _find_separator(head)
        before = csv.field_size_limit(MAX_LINE_BYTES)
        try:
            reader = csv.reader(_chain(head, lines), delimiter=separator, strict=True)
            columns: list[str] = []
            last = 0
            for cells in reader:
                line, last = last + 1, reader.line_num
                if not columns:
                    columns = _check_columns([cell.strip() for cell in cells], name)
                elif cells:
                    yield _build_row(line, columns, cells)
        except csv.Error as error:
            yield reader.line_num, None, [_explain(error)]
        finally:
            csv.field_size_limit(before)


def _decode(file: BinaryIO, name: str) -> Iterator[str]:
    """Decode line by line, so that a byte that is no UTF-8 is found in its line."""
    for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
        if data is None:
            raise DataError(f"{name}, line {number}: {LINE_TOO_LONG.message}. {LINE_TOO_LONG.mend}")
        if number == 1:
            data = data.removeprefix(BYTE_ORDER_MARK)
        try:
            yield data.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = data[error.start]
            raise DataError(
                f"{name}, line {number}: the byte 0x{byte:02X} is not UTF-8. "
                'Save the table as "CSV UTF-8".'
            ) from error


def _chain(head: str, lines: Iterator[str]) -> Iterator[str]:
    yield head
    yield from lines


def _find_separator(head: str) -> str:
    """Guess what stands between the columns: a comma, or what European spreadsheets write."""
    return max(_SEPARATORS, key=head.count)


def _check_columns(columns: list[str], name: str) -> list[str]:
    doubled = sorted({column for column in columns if columns.count(column) > 1})
    if doubled or "" in columns:
        what = f"the column {quote(doubled[0])} stands twice" if doubled else "a column has no name"
        raise DataError(f"{name}, line 1: {what}. Give each column a name of its own.")
    return columns


def _build_row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(columns):
        return (
            line,
            None,
            [
                Finding(
                    "wrong-format",
                    "",
                    f"the row has {count(len(cells), 'cell')} and the table "
                    f"{count(len(columns), 'column')}",
                    "Put a text that holds separators, quotes or line breaks between double "
                    'quotes ("), and double the quotes inside.',
                )
            ],
        )
    pairs = zip(columns, cells, strict=True)
    return line, {key: cell for key, cell in pairs if cell or key not in OPTIONAL_COLUMNS}, []


def _explain(error: csv.Error) -> Finding:
    return Finding(
        "wrong-format",
        "",
        f"from this line on the table cannot be read ({error})",
        'Close every double quote ("), and double those inside a quoted text.',
    )


def _read_frame(path: str | os.PathLike[str], format_name: str) -> Iterator[Row]:
    """Read through pandas; a row's number counts the heading as 1 in Excel, not in Parquet."""
    open_file(path).close()  # what keeps any file from being read is said as for all of them
    rows = _load_frame(path, format_name)
    first = 2 if format_name == EXCEL else 1
    for number, cells in enumerate(rows, start=first):
        yield (
            number,
            {
                key: value
                for key, value in cells.items()
                if value is not None and (value != "" or key not in OPTIONAL_COLUMNS)
            },
            [],
        )


def _load_frame(path: str | os.PathLike[str], format_name: str) -> list[dict[str, Any]]:
    import pandas as pd

    name = quotable(os.fsdecode(path))
    try:
        if format_name == PARQUET:
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_excel(path, dtype=str, keep_default_na=False, na_values=[])
    except ImportError as error:
        raise DataError(
            f"{name}: pandas' reader for {format_name.capitalize()} files is not installed. "
            f'Install it with `pip install "haikuft[{format_name}]"`, or export the table as CSV.'
        ) from error
    except OSError:
        raise
    except Exception as error:  # the readers' own errors have no common base
        words = quotable(str(error).partition("\n")[0])
        raise DataError(
            f"{name} cannot be read as {format_name.capitalize()} ({words}). "
            "Save it again, or export the table as CSV."
        ) from error
    columns = _check_columns([str(column).strip() for column in frame.columns], name)
    return [
        {key: _plain(value) for key, value in zip(columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def _plain(value: Any) -> Any:
    """Give pandas' and NumPy's values as those of JSON; what is missing is None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    return None if value != value or str(value) in ("<NA>", "NaT") else value
