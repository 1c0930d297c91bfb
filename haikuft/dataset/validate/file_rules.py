"""The rules for one file, which is read line by line. It may hold any bytes.

Of earlier records only short digests are kept, so memory does not grow with the file. What only a
file with errors needs is imported when an error is found.
"""

import os
import sys
from dataclasses import replace
from io import BufferedReader

from haikuft.base_models import BaseModel
from haikuft.dataset.labels import LEAST_A_LABEL, is_label
from haikuft.dataset.problems import count, quote
from haikuft.dataset.read.json_lines import LINE_TOO_LONG, explain_os_error, open_file, read_lines
from haikuft.dataset.read.signatures import (
    BYTE_ORDER_MARK,
    find_headings,
    recognise_signature,
    recognise_table,
    spans_lines,
)
from haikuft.dataset.report import Kind
from haikuft.dataset.validate.fast_path import build_fast_path
from haikuft.dataset.validate.file_state import FileState

FEW_RECORDS = 50  # fewer can be trained on, but hardly teach anything
MAX_ERRORS = 1_000_000  # after that, an endless input is not read on
MIN_COMPARED = 10  # records; in a smaller file no system prompt or label is called unusual
COMMON_SHARE = 0.9  # of the records, from which on one system prompt is the file's own
MAX_IMBALANCE = 10  # times as many records as the rarest label has


def check_file(path: str | os.PathLike[str], base_model: BaseModel, kind: Kind) -> FileState:
    """Check one file; whatever keeps it from being read is a problem like any other."""
    state = FileState(os.fsdecode(path), kind)
    try:
        with open_file(path) as file:
            if not _check_first_bytes(state, file.peek(), base_model):
                return state
            if _check_lines(state, file, base_model):
                _check_end(state, base_model)
    except OSError as error:
        what, _, fix = explain_os_error(error).partition(". ")
        state.add(None, "cannot-read", what, fix)
    return state


def _check_first_bytes(state: FileState, head: bytes, base_model: BaseModel) -> bool:
    """Return whether the file can be JSON Lines."""
    if finding := recognise_signature(head):
        state.add_finding(None, finding)
        return False
    headings = find_headings(head)
    table = recognise_table(head) if headings else ""
    spread = spans_lines(head)
    if table or spread:
        from haikuft.dataset.formats import title_of
        from haikuft.dataset.validate.line_rules import describe_conversion

        what = title_of(table) or "JSON written over many lines"
        message = f"this is {what}, where JSON Lines are wanted"
        fix = describe_conversion(state.file, table, headings, base_model=base_model)
        state.add(None, "wrong-format", message, fix)
    return not (table or spread)


def _check_lines(state: FileState, file: BufferedReader, base_model: BaseModel) -> bool:
    """Return whether the file was read to its end."""
    limits = base_model.limits
    most_bytes = (
        limits.max_validation_bytes if state.kind == "validation" else limits.max_training_bytes
    ) or sys.maxsize
    read_valid = build_fast_path(base_model)
    for number, data, end in read_lines(file, max_bytes=most_bytes):
        state.bytes = end
        if end > most_bytes:
            message = (
                f"the file is larger than the {most_bytes:,} bytes a {state.kind} file may have; "
                "the rest was not read"
            )
            state.add(None, "file-too-large", message, "Take fewer or shorter records.")
            return False
        if state.errors + state.blank > MAX_ERRORS:
            state.report_blank_lines()
            message = f"more than {MAX_ERRORS:,} lines are wrong; the rest was not read"
            fix = "Fix those first, or see whether this is the right file."
            state.add(None, "gave-up", message, fix)
            return False
        if data is None:
            state.records += 1
            state.add_finding(number, LINE_TOO_LONG)
            continue
        if number == 1 and data.startswith(BYTE_ORDER_MARK):
            data = data.removeprefix(BYTE_ORDER_MARK)
            message = "the file begins with a byte order mark, which AWS's validator cannot read"
            state.add(1, "byte-order-mark", message, "Save it as UTF-8 without one.")
        if data.endswith(b"\r\n"):
            state.windows_line_ends += 1
            data = data[:-2]
        record = read_valid(data)
        if record is None:
            from haikuft.dataset.validate.line_rules import check_line

            check_line(state, number, data, base_model)
            continue
        if state.blank:
            state.report_blank_lines()
        state.records += 1
        state.add_record(number, record)
    return True


def _check_end(state: FileState, base_model: BaseModel) -> None:
    """Apply the rules for the file as a whole."""
    _merge_wrong_format(state)
    if state.first_blank is not None:
        message = f"the file ends with {count(state.blank, 'blank line')}"
        fix = "Let it end with the line end of its last record."
        state.add(state.first_blank, "blank-last-line", message, fix)
    if state.windows_line_ends:
        message = f"{count(state.windows_line_ends, 'line')} with CR LF at the end"
        state.add(None, "windows-line-ends", message, "Line feeds alone (LF) are safer.")
    if state.valid >= MIN_COMPARED:
        _check_system_prompts(state)
        if state.kind == "training":
            _check_label_balance(state)
    if state.kind == "validation" and not base_model.takes_validation:
        state.add(
            None,
            "validation-not-taken",
            f"{base_model.name} takes no validation file (AWS's guide does not use one and its "
            "newer validator refuses it; whether a job would is not documented)",
            "Leave it out, and put its records into the training or the test file.",
        )
    elif state.kind != "test":
        _check_number(state, base_model)


def _merge_wrong_format(state: FileState) -> None:
    """Report one problem of the file if every record is in the same wrong format."""
    found = [problem for problem in state.found.items if problem.code == "wrong-format"]
    number = state.found.counts["wrong-format"]
    if number < 2 or number < state.records or len({(p.message, p.fix) for p in found}) > 1:
        return
    message = f"in each of its {number:,} lines {found[0].message}"
    whole = replace(found[0], line=None, message=message)
    state.found.items = [whole, *(p for p in state.found.items if p.code != "wrong-format")]
    state.found.counts["wrong-format"] = 1


def _check_system_prompts(state: FileState) -> None:
    """Report the system prompts that differ from the one that nearly all records have."""
    common, (most, _) = max(state.systems.items(), key=lambda item: item[1][0])
    if not common or most < COMMON_SHARE * state.valid:
        return
    for system, (number, line) in state.systems.items():
        if system != common:
            message = (
                "the record has another system prompt than the one that "
                f"{most:,} of {state.valid:,} have"
                if system
                else f"the record has no system prompt, and {most:,} of {state.valid:,} have one"
            )
            message += f" (so have {number:,} in all)" if number > 1 else ""
            fix = "Give it the same one, unless the difference is meant."
            state.add(line, "odd-system-prompt", message, fix, "system")


def _check_label_balance(state: FileState) -> None:
    labels = state.labels
    if not labels or len(labels) < 2 or state.valid < LEAST_A_LABEL * len(labels):
        return
    (most, often), (least, seldom) = labels.most_common()[0], labels.most_common()[-1]
    if often > MAX_IMBALANCE * seldom and all(map(is_label, labels)):
        state.add(
            None,
            "label-imbalance",
            f"{count(often, 'record')} have the answer {quote(most)} and only {seldom:,} have "
            f"{quote(least)}; the model will learn to prefer the frequent one",
            "Add records of the rarer answers, or remove some of the frequent ones.",
        )


def _check_number(state: FileState, base_model: BaseModel) -> None:
    limits, kind = base_model.limits, state.kind
    least = limits.min_records
    most = limits.max_validation_records if kind == "validation" else limits.max_training_records
    has = f"the file has {count(state.records, 'record')}"
    if state.records < least:
        message = f"{has}; a {kind} file needs {least:,} or more"
        state.add(None, "too-few-records", message, f"Add {least - state.records:,} or more.")
    elif state.records > most:
        message = f"{has}; a {kind} file takes {most:,}"
        state.add(None, "too-many-records", message, f"Remove {state.records - most:,} or more.")
    elif kind == "training" and state.records < FEW_RECORDS:
        fix = "Add more if you can; a few hundred good ones are a fair start."
        state.add(None, "few-records", f"{has}, which teach little", fix)
