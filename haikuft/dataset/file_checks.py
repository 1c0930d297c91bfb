"""The checks of one file, line by line. Any bytes may come.

Of earlier records only short digests are remembered, so memory does not grow with the file.
"""

import os
from collections import Counter
from typing import Any, BinaryIO

from haikuft.base_models import BaseModel, Limits
from haikuft.dataset.lines import (
    BYTE_ORDER_MARK,
    LINE_TOO_LONG,
    Line,
    open_file,
    parse_line,
    read_lines,
    recognise_signature,
)
from haikuft.dataset.problems import (
    RULES,
    SHOWN,
    FileSummary,
    Finding,
    Kind,
    Problem,
    Report,
    count,
)
from haikuft.dataset.record_checks import check_record, check_tokens, is_sound
from haikuft.dataset.records import digest, explain_os_error, prompt_key, reference_of
from haikuft.dataset.tokens import NO_TOKENS, estimate_record_tokens

FEW_RECORDS = 50  # fewer can be trained on, but hardly teach anything
MAX_REMEMBERED = 200_000  # records whose digests are kept, to find like ones


class FileCheck:
    """What is known of one file so far: a tally that grows line by line."""

    def __init__(self, file: str, kind: Kind) -> None:
        self.file = file
        self.kind = kind
        self.records = 0
        self.bytes = 0
        self.tokens = NO_TOKENS
        self.problems: list[Problem] = []
        self.counts: Counter[str] = Counter()
        # Digest of a prompt -> its first line and the digest of the answer there.
        self.prompts: dict[bytes, tuple[int, bytes]] = {}
        self.first_blank: int | None = None
        self.blank = 0
        self.windows_line_ends = 0

    def add(self, line: int | None, finding: Finding) -> None:
        """Count a finding, and keep it as a problem unless there are enough of its kind."""
        self.counts[finding.code] += 1
        if self.counts[finding.code] <= SHOWN:
            severity, basis = RULES[finding.code]
            code, place, message, mend = finding
            self.problems.append(
                Problem(self.file, line, place, code, severity, message, mend, basis)
            )

    def report(self) -> Report:
        """Give all that was found, in the order of the lines."""
        summary = FileSummary(self.file, self.kind, self.records, self.bytes, self.tokens)
        ordered = sorted(self.problems, key=lambda problem: (problem.line is None, problem.line))
        return Report((summary,), tuple(ordered), dict(self.counts))


def check_file(path: str | os.PathLike[str], base_model: BaseModel, kind: Kind) -> FileCheck:
    """Check one file; whatever keeps it from being read is a problem like any other."""
    check = FileCheck(os.fsdecode(path), kind)
    try:
        with open_file(path) as file:
            _check_content(check, file, base_model)
    except OSError as error:
        what, _, mend = explain_os_error(error).partition(". ")
        check.add(None, Finding("cannot-read", "", what, mend))
    return check


def _check_content(check: FileCheck, file: BinaryIO, base_model: BaseModel) -> None:
    largest = (
        base_model.limits.max_validation_bytes
        if check.kind == "validation"
        else base_model.limits.max_training_bytes
    )
    for line in read_lines(file, max_bytes=largest):
        check.bytes = line.end
        if line.number == 1 and line.data and (finding := recognise_signature(line.data)):
            check.add(None, finding)
            return
        if line.end > largest:
            check.add(
                None,
                Finding(
                    "file-too-large",
                    "",
                    f"the file is larger than the {largest:,} bytes a {check.kind} file may have; "
                    "the rest was not read",
                    "Take fewer or shorter records.",
                ),
            )
            return
        _check_line(check, line, base_model)
    _check_end(check, base_model.limits)


def _check_line(check: FileCheck, line: Line, base_model: BaseModel) -> None:
    data = line.data
    if data is None:
        check.records += 1
        check.add(line.number, LINE_TOO_LONG)
        return
    if line.number == 1 and data.startswith(BYTE_ORDER_MARK):
        data = data.removeprefix(BYTE_ORDER_MARK)
        check.add(
            1,
            Finding(
                "byte-order-mark",
                "",
                "the file begins with a byte order mark, on which AWS's validator stumbles",
                "Save it as UTF-8 without one.",
            ),
        )
    check.windows_line_ends += data.endswith(b"\r\n")
    if not data.strip():
        check.first_blank = check.first_blank or line.number
        check.blank += 1
        return
    _report_blank_lines(check)
    check.records += 1
    for finding in _check_record_line(check, line.number, data, base_model):
        check.add(line.number, finding)


def _check_record_line(
    check: FileCheck, number: int, data: bytes, base_model: BaseModel
) -> list[Finding]:
    record, findings = parse_line(data)
    if record is None and findings:
        return findings
    if b"\r" in data.removesuffix(b"\n").removesuffix(b"\r"):
        findings.append(
            Finding(
                "carriage-return",
                "",
                "a carriage return stands inside the line, and readers differ on what it means",
                "Keep the record on one line, and end lines with a line feed (LF).",
            )
        )
    findings += check_record(record, base_model)
    if is_sound(findings):
        tokens = estimate_record_tokens(record)
        check.tokens += tokens
        findings += check_tokens(tokens, base_model)
        findings += _compare(check, number, record)
    return findings


def _compare(check: FileCheck, number: int, record: dict[str, Any]) -> list[Finding]:
    """Hold a record against those before it in the same file."""
    prompt = bytes.fromhex(prompt_key(record))[:8]
    answer = digest(reference_of(record))[:8]
    earlier = check.prompts.get(prompt)
    if earlier is None:
        if len(check.prompts) < MAX_REMEMBERED:
            check.prompts[prompt] = (number, answer)
        elif not check.counts["not-all-compared"]:
            return [
                Finding(
                    "not-all-compared",
                    "",
                    f"from here on records are only compared with the first {MAX_REMEMBERED:,}",
                    "Divide the file if duplicates matter.",
                )
            ]
        return []
    first, known = earlier
    if known == answer:
        return [
            Finding(
                "duplicate-record",
                "",
                f"the record is the same as that of line {first}",
                "Remove one, unless it is meant to count twice.",
            )
        ]
    return [
        Finding(
            "different-answers",
            "",
            f"the prompt is the same as that of line {first}, the answer another",
            "Keep the better answer, unless both are right.",
        )
    ]


def _report_blank_lines(check: FileCheck) -> None:
    """Lines that were blank turn out to have records after them."""
    if check.first_blank is None:
        return
    finding = Finding(
        "blank-line",
        "",
        "the line is blank, and AWS wants no empty lines",
        "Remove it.",
    )
    shown = min(check.blank, SHOWN)
    for number in range(check.first_blank, check.first_blank + shown):
        check.add(number, finding)
    check.counts[finding.code] += check.blank - shown
    check.first_blank, check.blank = None, 0


def _check_end(check: FileCheck, limits: Limits) -> None:
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
    if check.kind != "test":
        _check_number(check, limits)


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
