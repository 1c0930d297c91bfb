"""The teacher's guide: what it promises for each notebook, answers to all exercises, and plans."""

import re
from pathlib import Path

import pytest
from teaching_minutes import measure

from haikuft.workshop.exercises import EXERCISES

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
COUNTED = [*sorted(NOTEBOOKS.glob("*.ipynb")), NOTEBOOKS / "workshop" / "failures.ipynb"]
GUIDE = (NOTEBOOKS / "workshop" / "TEACHING.md").read_text("utf-8")


def read_section(heading: str) -> str:
    """Give the text below a heading, up to the next one of its level."""
    level = heading.partition(" ")[0]
    (_, text) = GUIDE.split(f"{heading}\n", 1)
    return re.split(rf"^#{{1,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def test_guide_when_read_then_answers_every_exercise_in_its_own_words() -> None:
    """The texts are those of exercises.toml; the answers stand nowhere else."""
    table = read_section("## Exercises and answers")
    rows = re.findall(r"^\| (\d\.\d) \| (.+) \| (.+) \|$", table, flags=re.MULTILINE)
    assert [(number, text) for number, text, _ in rows] == [
        (number, one["text"]) for number, one in EXERCISES.items()
    ]
    assert all(len(answer) > 10 for _, _, answer in rows)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_guide_when_read_then_tells_of_each_notebook_what_a_teacher_needs(path: Path) -> None:
    """Goal, what to show, where people stumble, and a question with its answer; and minutes."""
    title = re.search(r'"# (\d · [^\\"]+)', path.read_text("utf-8"))
    assert title
    (heading,) = [line for line in GUIDE.splitlines() if line.startswith(f"### {title[1][:3]}")]
    section = read_section(heading)
    for words in ("**Goal.**", "**Show.**", "**Where people stumble.**"):
        assert section.count(words) == 1
    assert re.search(r"\*\*Ask\.\*\* \*[^*]+\?\* \w+", section)


@pytest.mark.parametrize("path", COUNTED, ids=lambda path: path.stem)
def test_minutes_when_a_notebook_has_changed_then_the_table_counts_its_words_and_tasks(
    path: Path,
) -> None:
    """All but the seconds that its cells took, which only an executed copy tells."""
    name, words, reading, _, tasks, _ = measure(path)
    row = rf"^\| {name} \| {words} \| {reading} \| \d+ \| {tasks} \| \d+ \|$"
    assert re.search(row, read_section("## Minutes"), flags=re.MULTILINE)


def test_minutes_when_added_up_then_the_last_row_is_the_sum() -> None:
    """Of every column but the name."""
    _, _, *rows, last = re.findall(r"^\| (.+) \|$", read_section("## Minutes"), flags=re.MULTILINE)
    columns = list(zip(*(row.split(" | ")[1:] for row in rows), strict=True))
    assert last.split(" | ")[1:] == [str(sum(map(int, column))) for column in columns]


@pytest.mark.parametrize(("heading", "minutes"), [("## Half a day", 240), ("## Two hours", 120)])
def test_plan_when_added_up_then_takes_the_time_that_it_names(heading: str, minutes: int) -> None:
    """No plan that cannot be kept."""
    steps = re.findall(r"^\| (\d+) \|", read_section(heading), flags=re.MULTILINE)
    assert sum(map(int, steps)) == minutes


def test_guide_when_read_then_has_what_to_install_many_people_and_a_page_to_print() -> None:
    """A teacher needs nothing else."""
    assert "--no-index --find-links" in read_section("## Before the day")
    assert read_section("## Many people on one machine").strip()
    assert "Shift-Enter" in read_section("## Page for participants")
