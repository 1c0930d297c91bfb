"""Excel workbooks: the rows of each sheet, and the text that a cell shows.

A workbook holds a value, such as 7, and a number format, such as 000; the sheet shows 007. The
formats that show a value in the same way on every computer are applied here, with the point and
comma of English. A cell whose text cannot be known for certain is an error that names it.

Source of the number formats: ECMA-376, part 1, 18.8.30 and 18.8.31.
"""

import os
import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from haikuft.dataset.problems import Finding, quote

if TYPE_CHECKING:
    from openpyxl.cell import Cell

    Row = list[tuple[Cell, Cell]]  # each cell with its value, and again with its formula

# Formats by number that Excel fills in by the Region and language of the computer.
_REGIONAL = frozenset({14, 22, *range(27, 37), *range(50, 59)})
_GENERAL_WIDTH = 11  # most characters of a number in the format General, without the sign
_NUMBER = re.compile(r"(?:(#,##)0|(0+))(?:\.(0+))?( ?%)?")
_DAY = "(?:yyyy|mm?|dd?)"
_DATE = re.compile(f"(?:{_DAY}(?:[-/. ]{_DAY})*)?(?:(?:^| )hh?:mm(?::ss)?)?")
_DATE_PARTS = {"y": "year", "m": "month", "d": "day", "h": "hour", "n": "minute", "s": "second"}
_ESCAPED = re.compile("_x[0-9A-Fa-f]{4}_")
_FIX = (
    "Give it a format that is the same everywhere, such as Text, 0.00, 0% or yyyy-mm-dd, or save "
    'the sheet as "CSV UTF-8".'
)


def read_sheets(path: str | os.PathLike[str]) -> dict[str, list["Row"]]:
    """Read the sheets that have rows, hidden ones too; name -> rows, without empty ones.

    Columns in which no cell has a value are left out as well.
    """
    from openpyxl import load_workbook

    values, formulas = (load_workbook(path, data_only=only) for only in (True, False))
    sheets = {}
    for sheet in values.worksheets:
        pairs = zip(sheet.iter_rows(), formulas[sheet.title].iter_rows(), strict=True)
        rows = [list(zip(*pair, strict=True)) for pair in pairs if _has_value(pair[1])]
        columns = [column for column in zip(*rows, strict=True) if _has_value(c for _, c in column)]
        if rows:
            sheets[sheet.title] = list(map(list, zip(*columns, strict=True)))
    return sheets


def _has_value(cells: "Iterable[Cell]") -> bool:
    return any(cell.value is not None for cell in cells)


def show_cell(cell: "Cell", formula: "Cell") -> str | Finding:
    """Give the text that a cell shows, or say why it cannot be known.

    Args:
        cell: The cell with its value; that of a formula is the one stored when Excel saved it.
        formula: The same cell with its formula.
    """
    value, code = cell.value, cell.number_format
    message, fix, text = "", _FIX, None
    if cell.data_type == "e":
        message, fix = f"the cell holds the error {value}", "Correct it, or delete the row."
    elif value is None and formula.data_type == "f" and cell.data_type != "str":
        message = "the result of the cell's formula is not stored in the file"
        fix = "Open the workbook in Excel and save it, or write the text in its place."
    elif type(cell).__name__ == "MergedCell":
        message, fix = "the cell is merged with another", "Unmerge them, and fill each cell."
    elif value is None or isinstance(value, str):
        text = _show_text(value or "", code)
    elif isinstance(value, bool):
        text = str(value).upper()
    elif cell._style.numFmtId not in _REGIONAL and not isinstance(value, timedelta):
        text = _show_date(value, code) if cell.is_date else _show_number(value, code)
    if text is not None:
        return text
    message = message or f"what the number format {quote(code)} makes of {value} is not certain"
    return Finding("wrong-format", f"cell {cell.coordinate}", message, fix)


def _show_text(text: str, code: str) -> str | None:
    """Apply the part of a format that is for texts: the fourth, or the one with an @.

    Excel writes some characters as _x000D_; such a text is not certain either.
    """
    parts = code.split(";")
    plain = (len(parts) < 4 and "@" not in code) or parts[-1] == "@"
    return text if not text or (plain and not _ESCAPED.search(text)) else None


def _show_number(value: float, code: str) -> str | None:
    """Apply a format such as General, 000, 0.00, #,##0 or 0 %; None for any other."""
    digits = f"{value:.15g}"  # as many as Excel keeps
    if code in ("General", "@"):
        return digits if "e" not in digits and len(digits.lstrip("-")) <= _GENERAL_WIDTH else None
    found = _NUMBER.fullmatch(code)
    if found is None or abs(value) >= 1e13:
        return None
    grouped, whole, places, percent = found.groups(default="")
    exact = Decimal(digits) * (100 if percent else 1)
    rounded = exact.quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)
    if rounded.is_zero() and exact < 0:
        return None  # with or without a sign
    width = len(whole or "0") + len(places) + bool(places) + (exact < 0)
    return f"{rounded:0{width}{',' if grouped else ''}f}{percent}"


def _show_date(value: date | time, code: str) -> str | None:
    """Apply a format of numbers alone, such as yyyy-mm-dd or h:mm; None for any other."""
    code = re.sub(r"\\([-/. ])", r"\1", code.lower().removesuffix(";@"))
    if not _DATE.fullmatch(code) or getattr(value, "microsecond", False):
        return None
    try:
        return re.sub(
            "[a-z]+",
            lambda part: f"{getattr(value, _DATE_PARTS[part[0][0]]):0{len(part[0])}}",
            code.replace(":mm", ":nn"),
        )
    except AttributeError:  # a time of no day, or a day without a time
        return None
