"""Forget what was asked in a run, and keep its numbers."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from haikuft.cli import main
from haikuft.runs.record_file import RunRecord, read_record, write_record

TEXTS = ("data/test.jsonl", "replies/base.jsonl", "notebooks/02.ipynb")
TEXTS += ("lab/workshop/.ipynb_checkpoints/02-checkpoint.ipynb",)
TEXTS += ("search/8c958d19ec01b4fe.jsonl",)  # the records of a trial
NUMBERS = ("metrics/losses.csv", "search/trials.jsonl", "choices.yaml")
KEPT = {"run.json", "lab/workshop/02.ipynb", "evaluation.json", "report.html", *NUMBERS}


def test_forget_when_a_run_is_named_then_no_prompt_is_left_on_disk(
    project: Path, evaluate: Callable[[Path], None]
) -> None:
    """Record, scores and metrics stay, the report without records, notebooks without outputs."""
    directory = project / "runs" / "first"
    evaluate(directory)
    record = RunRecord(run="first", target="sandbox", bucket="b", system_prompt="Sort the ticket.")
    write_record(directory / "run.json", record)
    for name in (*TEXTS, "exports/02.html", "playground.jsonl", *NUMBERS):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("0.5" if name in NUMBERS else "ticket")
    (directory / "choices.yaml").write_text("system_prompt: Sort the ticket.\nepoch_count: 5\n")
    cell = new_code_cell("mine = 1", outputs=[new_output("stream", text="ticket")])
    widgets = {"state": {"m": {"value": "ticket"}}}
    notebook = new_notebook(cells=[cell], metadata={"widgets": widgets})
    nbformat.write(notebook, directory / "lab" / "workshop" / "02.ipynb")

    assert main(["forget", "--run", "first"]) == 0

    left = {str(p.relative_to(directory)): p for p in directory.rglob("*") if p.is_file()}
    assert set(left) == KEPT
    assert not [name for name, path in left.items() if "ticket" in path.read_text("utf-8")]
    assert "mine = 1" in left["lab/workshop/02.ipynb"].read_text("utf-8")
    assert "epoch_count: 5" in left["choices.yaml"].read_text("utf-8")
    assert read_record(directory / "run.json").bucket == "b"
    assert "Better: tuned against base" in left["report.html"].read_text("utf-8")


def test_forget_when_there_is_no_such_run_then_it_says_so(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is made."""
    assert main(["forget", "--run", "never"]) == 1

    assert "never" in capsys.readouterr().err
    assert not (project / "runs" / "never").exists()
