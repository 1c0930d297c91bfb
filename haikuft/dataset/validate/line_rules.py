"""The slow way for a line that may be wrong: parsed, checked, and explained."""

from typing import Any

from haikuft.base_models import BaseModel
from haikuft.dataset.formats import recognise
from haikuft.dataset.formats.converse import to_messages
from haikuft.dataset.problems import Finding, describe_conversion
from haikuft.dataset.read.json_lines import parse_line
from haikuft.dataset.tokens import count_bytes, estimate_record_tokens
from haikuft.dataset.validate.fast_path import Sound, digest_texts
from haikuft.dataset.validate.file_state import FileCheck
from haikuft.dataset.validate.record_rules import check_record, check_tokens, is_sound


def explain_line(check: FileCheck, number: int, data: bytes, base_model: BaseModel) -> None:
    """Say all that is to be said about a line that the quick check did not know."""
    if not data.strip():
        check.first_blank = check.first_blank or number
        check.blank += 1
        return
    check.report_blank_lines()
    check.records += 1
    record, findings = parse_line(data)
    if record is not None or not findings:
        _check_value(check, number, data, record, findings, base_model)
    for finding in findings:
        if finding.code == "wrong-format":
            mend = describe_conversion(check.file, recognise(record), base_model=base_model)
            finding = finding._replace(mend=mend)
        check.add(number, finding)


def _check_value(
    check: FileCheck,
    number: int,
    data: bytes,
    record: Any,
    findings: list[Finding],
    base_model: BaseModel,
) -> None:
    """Add to the findings what is wrong with the parsed record, and take it in if it is sound."""
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
        record = to_messages(record)
        contents = [turn["content"] for turn in record["messages"]]
        system = record.get("system", "")
        findings += check_tokens(estimate_record_tokens(record), base_model)
        size = sum(map(count_bytes, [system, *contents]))
        digests = digest_texts(system, contents)
        check.take(number, Sound(*digests, size, system, contents[-1]))
