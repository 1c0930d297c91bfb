"""Minutes for each notebook, for the table of `notebooks/workshop/TEACHING.md`.

    python tests/benchmarks/teaching_minutes.py NOTEBOOK …

Takes executed copies, such as `runs/<run>/notebooks/*.ipynb` after `haikuft run --run <run>
--no-clean-up`, and prints a row each: words to read, minutes to read them at 150 words a minute,
seconds that its cells took, tasks (exercises, or failures to fix), and the minutes to plan:
reading, running, and 4 minutes a task, rounded up to 5.
"""

import math
import re
from pathlib import Path
from typing import Any

import nbformat
from usage import parse

WORDS_A_MINUTE = 150  # of a technical text in a second language: an assumption
TASK_MINUTES = 4  # the same
HEADINGS = ("notebook", "words", "reading, min", "cells, s", "tasks", "plan, min")


def measure(path: Path) -> tuple[Any, ...]:
    """Give the row of one executed notebook."""
    cells = nbformat.read(path, 4).cells
    prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    words = len(re.findall(r"\w+", prose))
    code = [cell for cell in cells if cell.cell_type == "code"]
    seconds = sum(cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in code)
    tasks = prose.count("**The fix:**") + sum("exercises.check(" in one.source for one in code)
    reading = words / WORDS_A_MINUTE
    plan = 5 * math.ceil((reading + seconds / 60 + TASK_MINUTES * tasks) / 5)
    return path.stem, words, round(reading), round(seconds), tasks, plan


def main(paths: list[str]) -> None:
    """Print the table."""
    rows = [measure(Path(path)) for path in paths]
    sums = [sum(row[column] for row in rows) for column in range(1, len(HEADINGS))]
    for row in (HEADINGS, ("---",) * len(HEADINGS), *rows, ("together", *sums)):
        print(f"| {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    main(parse(__doc__, notebooks={"nargs": "+", "metavar": "NOTEBOOK"}).notebooks)
