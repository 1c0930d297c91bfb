#!/usr/bin/env bash
# openpyxl 3.1.5 gives a date in one of Excel's East Asian built-in formats as a plain number.
#
# ECMA-376 part 1, 18.8.30, lists built-in number formats 27 to 36 and 50 to 58 for Chinese, Japanese and
# Korean, most of them dates; like all built-in formats they stand in a file by number alone. openpyxl's
# table of built-in formats ends with 49 and has none of 27 to 36: the cell's number_format is "General",
# is_date is False, and the value is the serial number. A program that goes by number_format writes
# 45296 where the sheet shows a date, and nothing tells it so. The number itself is in the cell's style.
#
# Seen on 2026-11-29 with openpyxl 3.1.5 and XlsxWriter 3.3.1:
#   format 14 2024-01-05 00:00:00 mm-dd-yy True
#   format 31 45296 General False
#   format 57 45296 General False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'openpyxl==3.1.5' 'XlsxWriter==3.3.1'
cat > "$folder/look.py" <<'PYTHON'
import openpyxl
import xlsxwriter

FORMATS = (14, 31, 57)
with xlsxwriter.Workbook("dates.xlsx") as workbook:
    sheet = workbook.add_worksheet()
    for row, number in enumerate(FORMATS):
        sheet.write_number(row, 0, 45296, workbook.add_format({"num_format": number}))
for number, row in zip(FORMATS, openpyxl.load_workbook("dates.xlsx").active.iter_rows()):
    print("format", number, row[0].value, row[0].number_format, row[0].is_date)
PYTHON
seen=$(cd "$folder" && "$folder/venv/bin/python" look.py)
wanted="format 14 2024-01-05 00:00:00 mm-dd-yy True
format 31 45296 General False
format 57 45296 General False"
echo "$seen"
if [ "$seen" != "$wanted" ]; then
    echo "The behaviour has changed." >&2
    exit 1
fi
