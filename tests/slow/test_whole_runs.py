"""The whole series on data sets that people have: many labels, and scripts other than Latin."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from data_set_scores import ROOT, build_row, evaluate
from made_intents import make_messages
from made_tickets import MESSAGES, make_tickets
from project_copy import copy_project

from haikuft import cli
from haikuft.sandbox import Endpoint


@pytest.fixture(scope="module")
def root(
    sandbox: Endpoint, sandbox_state: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A copy of the project whose notebooks find this module's sandbox."""
    copied = copy_project(tmp_path_factory.mktemp("project") / "copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAIKUFT_SANDBOX_STATE", str(sandbox_state))
        patch.setenv("HAIKUFT_HOME", str(copied))
        patch.chdir(copied)
        yield copied


def read_evaluation(root: Path, run: str) -> dict[str, Any]:
    """Read what notebook 6 found."""
    found: dict[str, Any] = json.loads((root / "runs" / run / "evaluation.json").read_text())
    return found


def check_agreement(found: dict[str, Any]) -> None:
    """Check that the verdict by labels is that by replies equal to the reference."""
    verdicts = {
        comparison["metric"]: comparison["verdict"]
        for comparison in [*found["comparisons"], *found["further"]]
        if (comparison["model"], comparison["baseline"]) == ("tuned", "base")
    }
    assert verdicts["accuracy"] == verdicts["exact_match"] == "better"
    of_tuned = {s["metric"]: s["score"] for s in found["scores"] if s["model"] == "tuned"}
    assert of_tuned["accuracy"] == of_tuned["exact_match"] > 0.8


def run_intents(root: Path, number: int) -> dict[str, Any]:
    """Run 1 to 7 on so many messages of 77 intents; give what notebook 6 found."""
    name = f"intents-{number}"
    with (root / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "category"), *make_messages(number, seed=5)])
    columns = ("-p", "prompt_column", "text", "-p", "completion_column", "category")
    assert cli.main(["run", "--run", name, "--dataset", f"{name}.csv", *columns]) == 0
    return read_evaluation(root, name)


def test_run_when_10003_texts_have_77_labels_then_from_1_to_7_by_the_names_of_two_columns(
    root: Path,
) -> None:
    """Nothing else is said: not the split, which fits itself, and not that these are labels."""
    found = run_intents(root, 10_003)
    assert (found["task"], found["metric"], found["n"]) == ("labels", "accuracy", 2_001)
    check_agreement(found)


def test_run_when_the_test_part_has_few_records_a_label_then_it_is_judged_as_labels_all_the_same(
    root: Path,
) -> None:
    """The kind of task is that of the whole data set; 60 records alone would be free text."""
    found = run_intents(root, 300)
    assert (found["task"], found["metric"], found["n"]) == ("labels", "accuracy", 60)
    assert found["models"] == ["base", "tuned", "free baseline", "most frequent answer"]


@pytest.mark.parametrize("language", MESSAGES)
def test_run_when_200_records_are_in_another_script_then_from_1_to_7_and_the_verdict_is_right(
    language: str, root: Path
) -> None:
    """A figure has the script, or its sentence says that no font has it."""
    lines = [{"prompt": text, "completion": label} for text, label in make_tickets(language)]
    raw = root / f"{language}.jsonl"
    raw.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    run = language.lower()
    assert cli.main(["run", "--run", run, "--dataset", raw.name]) == 0
    found = read_evaluation(root, run)
    assert (found["task"], found["n"]) == ("labels", 40)
    assert {row["label"] for row in found["by_class"]} >= set(MESSAGES[language])
    check_agreement(found)
    executed = (root / "runs" / run / "notebooks" / "02_prepare_data.ipynb").read_text()
    assert "Glyph" not in executed


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ROOT.glob("data/*/raw.jsonl")))
def test_readme_when_it_tells_of_a_data_set_then_its_row_is_what_a_run_finds(
    name: str, tmp_path: Path
) -> None:
    """Run tests/benchmarks/data_set_scores.py, and put what it prints between the two marks."""
    row = " | ".join(build_row(name, evaluate(name, tmp_path)))
    assert f"\n| {row} |\n" in (ROOT / "README.md").read_text("utf-8")
