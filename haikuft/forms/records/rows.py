"""Records of data files for the browser, valid or not: read, filtered, split into turns."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from haikuft.dataset.labels import is_label, labels_of
from haikuft.dataset.problems import Problem
from haikuft.dataset.read.json_lines import naming_os_errors, open_file, read_lines
from haikuft.dataset.read.json_values import parse_line
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK
from haikuft.dataset.report import Report

MOST_ROWS = 10_000  # of each file; further ones are validated but not shown
ANY, WITH, WITHOUT = "", "with a problem", "without a problem"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a data file.

    Attributes:
        kind: "training", "validation" or "test", or what else the file was called.
        file: The file's name.
        line: Its line, counted from 1.
        text: The line, with invalid UTF-8 written as escapes.
        value: Its JSON value; None if it is not JSON.
        label: The record's label; "" where the files have none.
        length: Characters of the texts in it.
        problems: What is wrong in this line.

    """

    kind: str
    file: str
    line: int
    text: str
    value: Any
    label: str
    length: int
    problems: tuple[Problem, ...]


def load_rows(files: Mapping[str, Path], report: Report | None = None) -> list[Row]:
    """Read the lines of the files of a data set, each with its label and its problems.

    Raises:
        DataError: a file cannot be read.
    """
    rows: list[Row] = []
    for kind, path in files.items():
        found = report.problems if report is not None else ()
        problems: dict[int, list[Problem]] = {}
        for problem in found:
            if problem.line is not None and problem.file in (str(path), path.name):
                problems.setdefault(problem.line, []).append(problem)
        with naming_os_errors(path):
            rows += _read_rows(kind, path, problems)
    # Labels are recognised in all files together: of many, a small file has too few of each.
    answers = [{"messages": [{"role": "assistant", "content": r.label}]} for r in rows if r.label]
    labelled = labels_of(answers) is not None
    return [row if labelled and is_label(row.label) else replace(row, label="") for row in rows]


def choose_rows(
    rows: Sequence[Row],
    *,
    kind: str = "",
    problem: str = ANY,
    label: str = "",
) -> list[Row]:
    """Choose the rows that pass every filter, in order; what is empty filters nothing.

    Args:
        rows: All rows.
        kind: Of this file alone.
        problem: `WITH` or `WITHOUT` one, or a problem's code.
        label: With this label.
    """
    return [
        row
        for row in rows
        if _has(row, problem) and kind in ("", row.kind) and label in ("", row.label)
    ]


def count_problems(rows: Sequence[Row]) -> dict[str, int]:
    """Count the records with each problem, the most frequent problem first."""
    return dict(
        Counter(code for row in rows for code in {p.code for p in row.problems}).most_common()
    )


def count_labels(rows: Sequence[Row]) -> dict[str, int]:
    """Count the labels, in order of the alphabet."""
    return dict(sorted(Counter(row.label for row in rows if row.label).items()))


def texts_of(value: Any) -> list[tuple[str, str, str]]:
    """Split a record into its turns: (place, role, text) of each, in order.

    Both shapes of content are read: a text, and Converse's list of texts. A value that is not a
    record gives nothing.
    """
    if not isinstance(value, Mapping):
        return []
    parts = []
    if "system" in value and value["system"] is not None:
        parts.append(("system", "system", _join_text(value["system"])))
    messages = value.get("messages")
    for number, turn in enumerate(messages if isinstance(messages, list) else []):
        role = turn.get("role") if isinstance(turn, Mapping) else None
        content = turn.get("content") if isinstance(turn, Mapping) else turn
        name = role if isinstance(role, str) and role else "no role"
        parts.append((f"messages[{number}]", name, _join_text(content)))
    return parts


def _read_rows(kind: str, path: Path, problems: Mapping[int, Sequence[Problem]]) -> list[Row]:
    """Read the rows of a file, with each record's answer in place of its label."""
    found: list[tuple[int, str, Any, tuple[Problem, ...]]] = []
    with open_file(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            if len(found) == MOST_ROWS:
                break
            line = (data or b"").removeprefix(BYTE_ORDER_MARK if number == 1 else b"")
            of_line = tuple(problems.get(number, ()))
            if line.strip() or of_line:
                value = parse_line(line)[0] if line.strip() else None
                found.append((number, line.decode("utf-8", "backslashreplace"), value, of_line))
    return [
        Row(
            kind=kind,
            file=path.name,
            line=number,
            text=text.rstrip("\r\n"),
            value=value,
            label=_answer_of(value),
            length=sum(len(part) for _, _, part in texts_of(value)) or len(text),
            problems=of_line,
        )
        for number, text, value, of_line in found
    ]


def _has(row: Row, problem: str) -> bool:
    if problem in (WITH, WITHOUT):
        return bool(row.problems) == (problem == WITH)
    return problem == ANY or any(found.code == problem for found in row.problems)


def _answer_of(value: Any) -> str:
    """Return the text of the last turn if it is the assistant's; else ""."""
    parts = texts_of(value)
    return parts[-1][2].strip() if parts and parts[-1][1] == "assistant" else ""


def _join_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and content:
        texts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
        if all(isinstance(text, str) for text in texts):
            return "\n".join(map(str, texts))
    return repr(content)
