"""The rules for one file, which is read line by line. It may hold any bytes.

Of earlier records only short digests are kept, so memory does not grow with the file. What only a
file with errors needs is imported when an error is found.
"""

import os
import sys
from dataclasses import replace
from io import BufferedReader

from haikuft.base_models import BaseModel
from haikuft.dataset.labels import are_labels
from haikuft.dataset.problems import Finding, count, make_finding, quote
from haikuft.dataset.read import json_lines, signatures
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
        with json_lines.open_file(path) as file:
            if not _check_first_bytes(state, file.peek(), base_model):
                return state
            if _check_lines(state, file, base_model):
                _check_end(state, base_model)
    except OSError as error:
        what, _, fix = json_lines.explain_os_error(error).partition(". ")
        state.add(None, Finding("cannot-read", "", what, fix))
    return state


def _check_first_bytes(state: FileState, head: bytes, base_model: BaseModel) -> bool:
    """Return whether the file can be JSON Lines."""
    if finding := signatures.recognise_signature(head):
        state.add(None, finding)
        return False
    headings = signatures.find_headings(head)
    table = signatures.recognise_table(head) if headings else ""
    spread = signatures.spans_lines(head)
    if table or spread:
        from haikuft.dataset.formats import title_of
        from haikuft.dataset.validate.line_rules import describe_conversion

        what = title_of(table) or "JSON written over many lines"
        message = f"this is {what}, where JSON Lines are wanted"
        fix = describe_conversion(state.file, table, headings, base_model=base_model)
        state.add(None, Finding("wrong-format", "", message, fix))
    return not (table or spread)


def _check_lines(state: FileState, file: BufferedReader, base_model: BaseModel) -> bool:
    """Return whether the file was read to its end."""
    limits = base_model.limits
    most_bytes = (
        limits.max_validation_bytes if state.kind == "validation" else limits.max_training_bytes
    ) or sys.maxsize
    read_valid = build_fast_path(base_model)
    for number, data, end in json_lines.read_lines(file, max_bytes=most_bytes):
        state.bytes = end
        if end > most_bytes:
            state.add(None, make_finding("file-too-large", most=most_bytes, kind=state.kind))
            return False
        if state.errors + state.blank > MAX_ERRORS:
            state.report_blank_lines()
            state.add(None, make_finding("gave-up", most=MAX_ERRORS))
            return False
        if data is None:
            state.records += 1
            state.add(number, json_lines.describe_long_line())
            continue
        if number == 1 and data.startswith(signatures.BYTE_ORDER_MARK):
            data = data.removeprefix(signatures.BYTE_ORDER_MARK)
            state.add(1, make_finding("byte-order-mark"))
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
        lines = count(state.blank, "blank line")
        state.add(state.first_blank, make_finding("blank-last-line", lines=lines))
    if state.windows_line_ends:
        lines = count(state.windows_line_ends, "line")
        state.add(None, make_finding("windows-line-ends", lines=lines))
    if state.valid >= MIN_COMPARED:
        _check_system_prompts(state)
        if state.kind == "training":
            _check_label_balance(state)
    if state.kind == "validation" and not base_model.takes_validation:
        state.add(None, make_finding("validation-not-taken", model=base_model.name))
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
            usual = f"{most:,} of {state.valid:,} have"
            what = f"another system prompt than the one that {usual}"
            what = what if system else f"no system prompt, and {usual} one"
            what += f" (so have {number:,} in all)" if number > 1 else ""
            state.add(line, make_finding("odd-system-prompt", "system", what=what))


def _check_label_balance(state: FileState) -> None:
    if state.labels is None or not are_labels(state.labels):
        return
    (most, often), *_, (least, seldom) = state.labels.most_common()
    if often > MAX_IMBALANCE * seldom:
        number, most, least = count(often, "record"), quote(most), quote(least)
        found = make_finding("label-imbalance", often=number, most=most, seldom=seldom, least=least)
        state.add(None, found)


def _check_number(state: FileState, base_model: BaseModel) -> None:
    limits, kind = base_model.limits, state.kind
    least = limits.min_records
    most = limits.max_validation_records if kind == "validation" else limits.max_training_records
    code = ""
    if state.records < least:
        code = "too-few-records"
    elif state.records > most:
        code = "too-many-records"
    elif kind == "training" and state.records < FEW_RECORDS:
        code = "few-records"
    if code:
        found = make_finding(
            code,
            kind=kind,
            records=count(state.records, "record"),
            least=least,
            missing=least - state.records,
            most=most,
            over=state.records - most,
        )
        state.add(None, found)
