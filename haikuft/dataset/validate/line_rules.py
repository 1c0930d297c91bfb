"""The full check of one line, for every line that the fast path does not accept."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath

from haikuft.base_models import DEFAULT, BaseModel
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.formats import format_of, load_format, option_names, recognise
from haikuft.dataset.problems import make_finding, quotable
from haikuft.dataset.read.json_values import parse_line
from haikuft.dataset.tokens import estimate_record_tokens
from haikuft.dataset.validate.fast_path import keep_record
from haikuft.dataset.validate.file_state import FileState
from haikuft.dataset.validate.record_rules import check_record, check_tokens, is_valid


def check_line(state: FileState, number: int, data: bytes, base_model: BaseModel) -> None:
    """Parse a line, check its record, and add both to the file's state."""
    if not data.strip():
        state.first_blank = state.first_blank or number
        state.blank += 1
        return
    state.report_blank_lines()
    state.records += 1
    record, findings = parse_line(data)
    if record is not None or not findings:
        if b"\r" in data.removesuffix(b"\n").removesuffix(b"\r"):
            findings.append(make_finding("carriage-return"))
        findings += check_record(record, base_model)
        if is_valid(findings):
            valid = load_format(format_of(base_model)).read(record).record
            contents = [turn["content"] for turn in valid["messages"]]
            tokens = estimate_record_tokens(valid)
            findings += check_tokens(tokens, base_model)
            state.add_record(number, keep_record(valid.get("system", ""), contents), tokens)
    for finding in findings:
        if finding.code == "wrong-format":
            found = recognise(record)
            fix = describe_conversion(state.file, found, base_model=base_model)
            finding = finding._replace(fix=fix)
            with suppress(UnsupportedContent):
                state.tokens += estimate_record_tokens(load_format(found).read(record).record)
        state.add(number, finding)


def describe_conversion(
    file: str, format_name: str, headings: Sequence[str] = (), *, base_model: BaseModel
) -> str:
    """Give the command that converts a file of another format to the model's, as a fix.

    If a table's headings do not name prompt and completion, its first two columns are taken.
    """
    path = PurePath(file)
    end = f".{format_of(base_model)}.jsonl" if path.suffix == ".jsonl" else ".jsonl"
    output = str(path.with_suffix(end)) if path.name else f"{file}{end}"
    words = ["haikuft", "convert", file, output]
    words += ["--from", option_names([format_name])] if format_name else []
    if headings and not {"prompt", "completion"} <= set(headings):
        words += ["--prompt-column", headings[0], "--completion-column", headings[1]]
    if base_model != DEFAULT:
        words += ["--base-model", base_model.id]
    return f"Convert the file: `{quotable(shlex.join(words))}`."
