"""The checks of one file, line by line. Any bytes may come.

Of earlier records only short digests are remembered, so memory does not grow with the file. What
only a faulty file needs is loaded when a fault is found: most of the time of a clean file is that.
"""

import os
import sys
from io import BufferedReader

from haikuft.base_models import BaseModel, Limits
from haikuft.dataset.problems import Finding, Kind, count, describe_conversion
from haikuft.dataset.read.json_lines import (
    BYTE_ORDER_MARK,
    LINE_TOO_LONG,
    open_file,
    read_lines,
)
from haikuft.dataset.read.signatures import recognise_signature, recognise_table
from haikuft.dataset.validate.fast_path import build_quick_check
from haikuft.dataset.validate.file_state import FileCheck

__all__ = ["FileCheck", "check_file"]

FEW_RECORDS = 50  # fewer can be trained on, but hardly teach anything
MAX_ERRORS = 1_000_000  # then an input without end is not worth more reading

_BYTE_ORDER_MARK = Finding(
    "byte-order-mark",
    "",
    "the file begins with a byte order mark, on which AWS's validator stumbles",
    "Save it as UTF-8 without one.",
)
_GAVE_UP = Finding(
    "gave-up",
    "",
    f"more than {MAX_ERRORS:,} lines are wrong; the rest was not read",
    "Mend those first, or see whether this is the right file.",
)


def check_file(path: str | os.PathLike[str], base_model: BaseModel, kind: Kind) -> FileCheck:
    """Check one file; whatever keeps it from being read is a problem like any other."""
    check = FileCheck(os.fsdecode(path), kind)
    try:
        with open_file(path) as file:
            _check_content(check, file, base_model)
    except OSError as error:
        from haikuft.dataset.read.json_lines import explain_os_error

        what, _, mend = explain_os_error(error).partition(". ")
        check.add(None, Finding("cannot-read", "", what, mend))
    return check


def _check_content(check: FileCheck, file: BufferedReader, base_model: BaseModel) -> None:
    largest = (
        base_model.limits.max_validation_bytes
        if check.kind == "validation"
        else base_model.limits.max_training_bytes
    ) or sys.maxsize
    if finding := _look_first(check.file, file.peek(), base_model):
        check.add(None, finding)
        return
    quick = build_quick_check(base_model)
    for line in read_lines(file, max_bytes=largest):
        number, data, check.bytes = line
        if check.bytes > largest:
            check.add(None, _describe_large(check.kind, largest))
            return
        if check.errors + check.blank > MAX_ERRORS:
            check.report_blank_lines()
            check.add(None, _GAVE_UP)
            return
        if data is None:
            check.records += 1
            check.add(number, LINE_TOO_LONG)
            continue
        if number == 1 and data.startswith(BYTE_ORDER_MARK):
            data = data.removeprefix(BYTE_ORDER_MARK)
            check.add(1, _BYTE_ORDER_MARK)
        if data.endswith(b"\r\n"):
            check.windows_line_ends += 1
            data = data[:-2]
        sound = quick(data)
        if sound is None:
            from haikuft.dataset.validate.line_rules import explain_line

            explain_line(check, number, data, base_model)
            continue
        if check.blank:
            check.report_blank_lines()
        check.records += 1
        check.take(number, sound)
    _check_end(check, base_model)


def _look_first(file: str, head: bytes, base_model: BaseModel) -> Finding | None:
    """Recognise a file that is no JSON Lines file at all."""
    if finding := recognise_signature(head):
        return finding
    table, headings = recognise_table(head)
    if table:
        from haikuft.dataset.formats import FORMATS

        return Finding(
            "wrong-format",
            "",
            f"this is {FORMATS[table]}, where JSON Lines are wanted",
            describe_conversion(file, table, headings, base_model=base_model),
        )
    return None


def _describe_large(kind: Kind, largest: int) -> Finding:
    return Finding(
        "file-too-large",
        "",
        f"the file is larger than the {largest:,} bytes a {kind} file may have; "
        "the rest was not read",
        "Take fewer or shorter records.",
    )


def _check_end(check: FileCheck, base_model: BaseModel) -> None:
    check.unite_wrong_format()
    if check.first_blank is not None:
        check.add(
            check.first_blank,
            Finding(
                "blank-last-line",
                "",
                f"the file ends with {count(check.blank, 'blank line')}",
                "Let it end with the line end of its last record.",
            ),
        )
    if check.windows_line_ends:
        check.add(
            None,
            Finding(
                "windows-line-ends",
                "",
                f"CR LF stands at the end of {count(check.windows_line_ends, 'line')}",
                "Line feeds alone (LF) are the safer choice.",
            ),
        )
    check.compare_kinds()
    if check.kind == "validation" and not base_model.takes_validation:
        check.add(None, _describe_untaken(base_model))
    elif check.kind != "test":
        _check_number(check, base_model.limits)


def _describe_untaken(base_model: BaseModel) -> Finding:
    return Finding(
        "validation-not-taken",
        "",
        f"{base_model.name} takes no validation file (AWS's guide does not use one and its newer "
        "validator refuses it; whether a job would is not documented)",
        "Leave it out, and put its records into the training or the test file.",
    )


def _check_number(check: FileCheck, limits: Limits) -> None:
    least = limits.min_records
    most = (
        limits.max_validation_records if check.kind == "validation" else limits.max_training_records
    )
    has = f"the file has {count(check.records, 'record')}"
    if check.records < least:
        mend = f"Add {least - check.records:,} or more."
        check.add(
            None,
            Finding(
                "too-few-records", "", f"{has}; a {check.kind} file needs {least:,} or more", mend
            ),
        )
    elif check.records > most:
        mend = f"Take away {check.records - most:,} or more."
        check.add(
            None,
            Finding("too-many-records", "", f"{has}; a {check.kind} file takes {most:,}", mend),
        )
    elif check.kind == "training" and check.records < FEW_RECORDS:
        mend = "Add more if you can; a few hundred good ones are a fair beginning."
        check.add(None, Finding("few-records", "", f"{has}, which teach little", mend))
