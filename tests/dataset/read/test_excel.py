"""Excel: a cell gives the text that the sheet shows, or an error names the cell."""

import re
from datetime import date, datetime, time, timedelta
from zipfile import ZipFile

import pytest

from haikuft.dataset import first_example, read_raw
from haikuft.errors import DataError, SettingsError

openpyxl = pytest.importorskip("openpyxl")


@pytest.fixture
def save(tmp_path):
    """Save sheets, name -> rows; a cell that is a pair is a value with its number format."""

    def save(**sheets):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for name, rows in sheets.items():
            sheet = workbook.create_sheet(name)
            for number, row in enumerate(rows, 1):
                for column, cell in enumerate(row, 1):
                    value, code = cell if isinstance(cell, tuple) else (cell, "General")
                    sheet.cell(number, column, value).number_format = code
        workbook.save(tmp_path / "book.xlsx")
        return tmp_path / "book.xlsx"

    return save


def pair(answer, question="Which?"):
    """Build the rows of a table with one example."""
    return [("prompt", "completion"), (question, answer)]


def answers(path, **options):
    """Read the last text of each record."""
    return [record["messages"][-1]["content"] for record in read_raw(path, **options)]


def rows(*texts):
    """Build the rows of a table whose answers are these."""
    return [("prompt", "completion"), *((f"Which is {text}?", text) for text in texts)]


def test_read_raw_when_several_sheets_have_rows_then_refused_with_their_names(save):
    """Never the first alone: the other's classes would be missing without a word."""
    path = save(Billing=rows("a", "b"), Notes=[], Delivery=rows("c"))
    with pytest.raises(
        DataError,
        match=r'several sheets have rows\. Sheets with rows: "Billing", "Delivery".*--sheet',
    ):
        read_raw(path)
    assert answers(path, sheet="Delivery") == ["c"]
    assert answers(path, sheet="Billing") == ["a", "b"]
    assert first_example(path, sheet="Delivery")["completion"] == "c"


def test_read_raw_when_the_sheet_is_not_there_then_those_with_rows_are_named(save):
    """Empty sheets are no choice."""
    path = save(Billing=rows("a"), Notes=[])
    with pytest.raises(DataError, match=r'no sheet "Notes" has rows. Sheets with rows: "Billing"'):
        read_raw(path, sheet="Notes")
    with pytest.raises(DataError, match="there are no examples in it"):
        read_raw(save(Empty=[]))


def test_read_raw_when_one_sheet_has_rows_then_it_is_read_wherever_it_stands(save):
    """An empty sheet before it, and one that is hidden, change nothing."""
    path = save(Cover=[], Data=rows("a"))
    assert answers(path) == ["a"]
    workbook = openpyxl.load_workbook(path)
    workbook["Data"].sheet_state = "hidden"
    workbook.save(path)
    assert answers(path) == ["a"]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (datetime(2024, 1, 5), "yyyy-mm-dd", "2024-01-05"),
        (date(2024, 1, 5), "dd.mm.yyyy", "05.01.2024"),
        (date(2024, 1, 5), "d/m/yyyy;@", "5/1/2024"),
        (date(2024, 1, 5), r"yyyy\-mm\-dd", "2024-01-05"),
        (time(7, 8, 9), "h:mm:ss", "7:08:09"),
        (datetime(2024, 1, 5, 7, 8, 9), "yyyy-mm-dd hh:mm", "2024-01-05 07:08"),
        (datetime(2024, 1, 5, 7, 8, 9), "YYYY-MM-DD HH:MM:SS", "2024-01-05 07:08:09"),
        (True, "General", "TRUE"),
        (False, "0", "FALSE"),
        (7, "000", "007"),
        (7, "General", "7"),
        (-7, "000", "-007"),
        (0.25, "0%", "25%"),
        (0.25, "0 %", "25 %"),
        (0.125, "0.0%", "12.5%"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (1234567.5, "#,##0.00", "1,234,567.50"),
        (-1234, "#,##0", "-1,234"),
        (0, "#,##0", "0"),
        (1234.5, "00000.00", "01234.50"),
        (0.1 + 0.2, "General", "0.3"),
        (3.0, "General", "3"),
        (0, "General", "0"),
        ("007", "@", "007"),
        ("a", "0.00", "a"),
        (12, "@", "12"),
        ("x", "0;-0;0;@", "x"),
        ("Größe\n2", "General", "Größe\n2"),
    ],
)
def test_read_raw_when_a_cell_has_a_plain_format_then_the_text_that_the_sheet_shows(
    value, code, shown, save
):
    """Dates have no midnight, 7 is 007, a quarter is 25 %, and true is TRUE."""
    assert answers(save(Data=pair((value, code)))) == [shown]


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("#N/A", "General", "the cell holds the error #N/A"),
        ("=1/0", "General", "the result of the cell's formula is not stored"),
        (date(2024, 1, 5), "mm-dd-yy", '"mm-dd-yy" makes of 2024-01-05'),
        (date(2024, 1, 5), "d-mmm-yy", '"d-mmm-yy" makes of 2024-01-05'),
        (date(2024, 1, 5), "[$-F800]dddd", "is not certain"),
        (date(2024, 1, 5), "d/m/yy", "is not certain"),
        (time(7, 0), "h:mm AM/PM", "is not certain"),
        (time(7, 8), "mm:ss", "is not certain"),
        (time(7, 8), "yyyy-mm-dd", "is not certain"),
        (time(7, 8), 'h" Uhr "mm', "is not certain"),
        (5, '0.00 "€"', "is not certain"),
        (timedelta(hours=30), "[h]:mm:ss", "is not certain"),
        (datetime(2024, 1, 5, 7, 8, 9, 500_000), "hh:mm:ss", "is not certain"),
        (1 / 3, "General", '"General" makes of 0.333'),
        (123456789012, "General", "is not certain"),
        (0.00001, "General", "is not certain"),
        (-0.001, "0.00", "is not certain"),
        (1e15, "0", "is not certain"),
        (5, "0.00;[Red]-0.00", "is not certain"),
        (0.5, "# ?/?", "is not certain"),
        (5, "0,000", "is not certain"),
        (5, "#,##000", "is not certain"),
        ("a", '"Order "@', "is not certain"),
        ("a", ";;;", "is not certain"),
        ("a_x000D_b", "General", "makes of a_x000D_b is not certain"),
    ],
)
def test_read_raw_when_what_a_cell_shows_is_not_known_then_the_cell_is_named(
    value, code, words, save
):
    """Refused with cell, reason and what to do; nothing is guessed."""
    with pytest.raises(DataError) as refusal:
        read_raw(save(Data=[*rows("a"), ("Which?", (value, code))]))
    assert "book.xlsx, line 3, cell B3: " in str(refusal.value)
    assert words in str(refusal.value)


def test_read_raw_when_a_formula_has_a_stored_result_then_it_is_the_text(save, tmp_path):
    """Also an empty text, which is a result and no missing one."""
    path = save(Data=[("instruction", "input", "output"), ("a", '=""', '="b"&"c"')])
    copy = tmp_path / "stored.xlsx"
    with ZipFile(path) as old, ZipFile(copy, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            for cell, result in (("B2", ""), ("C2", "bc")) if "sheet1" in name else ():
                formula = rf'<c r="{cell}".*?>(<f>.*?</f>)<v ?(?:/>|></v>)'
                text, found = re.subn(formula, rf'<c r="{cell}" t="str">\1<v>{result}</v>', text)
                assert found == 1
            new.writestr(name, text)
    assert read_raw(copy) == [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bc"}]}
    ]


def test_read_raw_when_cells_are_merged_then_the_empty_ones_are_named(save):
    """Merged cells show one text for several rows, and the file holds it once."""
    path = save(Data=[*rows("a", "b")])
    workbook = openpyxl.load_workbook(path)
    workbook["Data"].merge_cells("B2:B3")
    workbook.save(path)
    with pytest.raises(DataError, match="line 3, cell B3: the cell is merged"):
        read_raw(path)


def test_read_raw_when_rows_and_columns_are_empty_then_they_say_nothing(save):
    """A row keeps the number that the sheet gives it."""
    table = [(), ("", "prompt", None, "completion"), (), (None, "a", None, "b")]
    assert answers(save(Data=table)) == ["b"]
    with pytest.raises(DataError, match="line 4, completion: the text is empty"):
        read_raw(save(Data=[*table[:3], (None, "a"), (None, "c", None, "d")]))


@pytest.mark.parametrize("merged", [False, True])
def test_read_raw_when_a_title_stands_above_then_its_own_words_are_said(merged, save):
    """Not "Unnamed: 1", which is nowhere in the sheet."""
    path = save(Data=[("Tickets of 2024", None), (), *rows("a")])
    if merged:
        workbook = openpyxl.load_workbook(path)
        workbook["Data"].merge_cells("A1:B1")
        workbook.save(path)
    with pytest.raises(DataError) as refusal:
        read_raw(path)
    assert 'line 1: column 2 has no name here; the row says "Tickets of 2024"' in str(refusal.value)
    with pytest.raises(DataError, match=r'there is no column "prompt".*"Tickets", "Year"'):
        read_raw(save(Data=[("Tickets", "Year"), ("a", "b")]), prompt_column="prompt")


def test_read_raw_when_the_format_depends_on_excels_language_then_refused(save):
    """Formats 27 to 36 are dates of Japanese, Chinese and Korean Excel; openpyxl says General."""
    path = save(Data=pair(45296))
    workbook = openpyxl.load_workbook(path)
    cell = workbook["Data"]["B2"]
    cell._style.numFmtId = 31
    workbook.save(path)
    with pytest.raises(DataError, match="line 2, cell B2: what"):
        read_raw(path)


def test_read_raw_when_a_sheet_or_a_separator_has_no_use_then_refused(save, write):
    """An option that does nothing would hide a mistake."""
    with pytest.raises(SettingsError, match=r"separator = ';': .*book.xlsx is Excel"):
        read_raw(save(Data=rows("a")), separator=";")
    with pytest.raises(
        SettingsError, match=r"sheet = 'Data': .*raw.csv is CSV, which has no sheet"
    ):
        read_raw(write(b"prompt,completion\na,b\n", "raw.csv"), sheet="Data")
