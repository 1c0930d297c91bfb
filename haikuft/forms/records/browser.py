"""The records of data files, valid or not, to page through: each as a chat with its problems."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from haikuft.browsing import RECORD, Browser, RichCell
from haikuft.dataset.labels import labels_of
from haikuft.dataset.problems import Problem
from haikuft.dataset.read.json_lines import naming_os_errors, open_file, read_lines
from haikuft.dataset.read.json_values import parse_line
from haikuft.dataset.read.signatures import BYTE_ORDER_MARK
from haikuft.dataset.report import Report
from haikuft.forms.records.chat_view import STYLE, Row, draw_record, texts_of

MOST_LINES = 500  # of each file, and all with a problem; further ones are validated, not shown


def browse_records(files: Mapping[str, Path], report: Report | None = None) -> Browser:
    """Make a browser of data files' records, those with a problem first, each in its place.

    Of a long file it has the first lines, and every line of which the report shows a problem.

    Args:
        files: What a file is, such as "training" -> the file.
        report: From `validate_files` on the same files; None shows no problems.

    Raises:
        DataError: a file cannot be read.
    """
    problems = report.problems if report is not None else ()
    rows = [row for kind, path in files.items() for row in load_rows(kind, path, problems)]
    rows.sort(key=lambda row: not row.problems)
    columns = {
        "file": [row.kind for row in rows],
        "problem": [", ".join(sorted({p.code for p in row.problems})) or "none" for row in rows],
        "label": find_labels(rows),
    }
    choices = {name: cells for name, cells in columns.items() if len(set(cells)) > 1}
    notes = [f"⚠ {problem} [{problem.code}]" for problem in problems if problem.line is None]
    if any(row.line >= MOST_LINES for row in rows):
        notes.append(f"Here are each file's first {MOST_LINES:,} lines, and those with a problem.")
    cells = zip(*choices.values(), map(_count, rows), map(_build_cell, rows), strict=True)
    return Browser(
        [*choices, "characters", RECORD], [*cells], [*choices], note="\n".join(notes), style=STYLE
    )


def load_rows(kind: str, path: Path, problems: Iterable[Problem] = ()) -> list[Row]:
    """Read the first lines of a file that are not blank, and each line with a problem.

    Args:
        kind: What the file is, such as "training".
        path: The file.
        problems: Of this file and of others.

    Raises:
        DataError: the file cannot be read.
    """
    rows = []
    own: dict[int | None, list[Problem]] = {}
    for problem in problems:
        if problem.file in (str(path), path.name):
            own.setdefault(problem.line, []).append(problem)
    with naming_os_errors(path), open_file(path) as file:
        for number, data, _ in read_lines(file, max_bytes=sys.maxsize):
            line = (data or b"").removeprefix(BYTE_ORDER_MARK if number == 1 else b"")
            if number in own or (line.strip() and number <= MOST_LINES):
                value = parse_line(line)[0] if line.strip() else None
                text = line.decode("utf-8", "backslashreplace").rstrip("\r\n")
                rows.append(Row(kind, path.name, number, text, value, tuple(own.get(number, ()))))
    return rows


def find_labels(rows: Sequence[Row]) -> list[str]:
    """Find each record's label; "" where it has no answer, and where the answers are no labels."""
    ends = [texts_of(row.value)[-1:] for row in rows]
    answers = [end[0][2].strip() if end and end[0][1] == "assistant" else "" for end in ends]
    sound = [{"messages": [{"role": "assistant", "content": one}]} for one in answers if one]
    return answers if labels_of(sound) else [""] * len(rows)


def _count(row: Row) -> int:
    """Count the characters of a record's texts; of what is no record, those of the line."""
    return sum(len(text) for _, _, text in texts_of(row.value)) or len(row.text)


def _build_cell(row: Row) -> RichCell:
    text = " ".join(text for _, _, text in texts_of(row.value)) or row.text
    return RichCell(f"line {row.line}: {text}", draw_record(row))
