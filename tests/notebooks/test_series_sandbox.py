"""The whole series on a fresh sandbox: one walk, gone on with, and cleaned up. Order matters."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import nbformat
import pytest
from data_set_scores import build_row

from haikuft.dataset import read_records
from haikuft.dataset.records import reference_of
from haikuft.inference.replies import NOTICE
from haikuft.runs.record_file import read_record
from haikuft.workshop.exercises import EXERCISES

RUN = "walk"
Holdings = Callable[[], dict[str, list[str]]]


@pytest.fixture(scope="module")
def walked(project) -> Path:
    """The folder of a run that went from notebook 1 to 6."""
    assert project.run("--run", RUN, "--to", "6") == 0
    return project.root / "runs" / RUN


def test_run_when_it_ends_leaves_everything_that_a_run_promises(walked):
    """Record, data, metrics, replies, figures, executed notebooks and report are there."""
    names = {str(path.relative_to(walked)) for path in walked.rglob("*") if path.is_file()}
    assert {
        "run.json",
        "data/train.jsonl",
        "data/validation.jsonl",
        "data/test.jsonl",
        "metrics/step_wise_training_metrics.csv",
        "metrics/validation_metrics.csv",
        "replies/base.jsonl",
        "replies/tuned.jsonl",
        "figures/losses.png",
        "figures/comparison.png",
        "figures/confusion.png",
        "figures/differences.png",
        "figures/slopes.png",
        "evaluation.csv",
        "evaluation.json",
        "report.html",
    } <= names
    assert len([name for name in names if name.startswith("notebooks/")]) == 6


def test_run_when_it_ends_has_made_one_of_each_thing(walked, holdings: Holdings):
    """AWS holds one bucket, role, job, model and throughput, and the record names them."""
    record, held = read_record(walked / "run.json"), holdings()
    assert held["buckets"] == [record.bucket]
    assert held["roles"] == [record.role_name]
    assert held["jobs"] == [record.job_arn]
    assert held["models"] == [record.custom_model_arn]
    assert held["throughputs"] == [record.throughput_arn]
    assert held["policies"] == []


def test_evaluation_on_the_tickets_tells_tuned_and_base_apart(walked):
    """Tuned beats base, the interval excludes zero, on 60 test records or more."""
    evaluation = json.loads((walked / "evaluation.json").read_text())
    comparison = next(c for c in evaluation["comparisons"] if c["model"] == "tuned")
    assert evaluation["models"] == ["base", "tuned", "free baseline", "most frequent answer"]
    assert evaluation["notice"].endswith("no Claude or Nova was involved.")
    assert json.loads((walked / "run.json").read_text())["task"] == evaluation["task"] == "labels"
    assert evaluation["n"] >= 60
    assert comparison["verdict"] == "better"
    assert comparison["difference"]["low"] > 0


def test_readme_when_it_tells_of_the_tickets_then_its_row_is_what_the_run_found(walked):
    """The other rows take a run each, in tests/slow."""
    evaluation = json.loads((walked / "evaluation.json").read_text())
    row = " | ".join(build_row("support_tickets", evaluation))
    assert f"\n| {row} |\n" in (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_replies_when_from_the_sandbox_say_that_a_stand_in_answered(walked):
    """No reply can be taken for one of Claude's."""
    for name in ("base", "tuned"):
        lines = (walked / "replies" / f"{name}.jsonl").read_text().splitlines()
        assert all("stand-in" in json.loads(line)["model"] for line in lines)
        assert len(lines) == len(read_records(walked / "data" / "test.jsonl"))


def test_verdicts_of_the_notebooks_begin_by_saying_that_a_stand_in_answered(walked):
    """On the losses, and on the models."""
    for name, words in (
        ("04_analyse_metrics", "assessment.card"),
        ("06_evaluate", "show_verdicts"),
    ):
        (cell,) = [
            cell
            for cell in nbformat.read(walked / "notebooks" / f"{name}.ipynb", 4).cells
            if cell.cell_type == "code" and words in cell.source
        ]
        assert NOTICE in " ".join(cell.outputs[0]["data"]["text/plain"].split())


def test_tuned_replies_are_labels_that_the_training_file_taught(walked):
    """The stand-in answers with what it has learnt, for texts it has not seen."""
    known = {reference_of(record) for record in read_records(walked / "data" / "train.jsonl")}
    lines = (walked / "replies" / "tuned.jsonl").read_text().splitlines()
    said = [json.loads(line)["text"] for line in lines]
    assert sum(text in known for text in said) > 0.95 * len(said)


def test_executed_notebooks_hold_every_figure_and_no_error_or_warning(walked):
    """A learner's page is whole and clean."""
    for path in sorted((walked / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            outputs = cell.get("outputs", [])
            assert all(output.output_type != "error" for output in outputs), path.name
            told = "".join(o.text for o in outputs if o.get("name") == "stderr")
            assert "Warning" not in told, (path.name, told)
            if "plots.plot_" in cell.source and cell.cell_type == "code":
                (shown,) = [output for output in outputs if "data" in output]
                sentence, page = shown["data"]["text/plain"], shown["data"]["text/html"]
                alts = re.findall('<img [^>]*alt="([^"]*)"', page)
                assert {unescape(alt) for alt in alts} <= {sentence}, path.name
                assert sentence in unescape(page), path.name
                # Light and dark, also on another scale; of a single value there is no figure.
                wanted = (
                    4 if "switch=" in cell.source else 2 if "plot_turns" not in cell.source else 0
                )
                assert len(alts) == wanted, path.name


def test_executed_notebooks_when_opened_in_vs_code_then_no_output_is_cut_off(walked):
    """VS Code shows 30 lines of a plain text (notebook.output.textLineLimit), 500 outputs a cell.

    Source: microsoft/vscode, notebook.contribution.ts and codeCellViewModel.ts, read 2026-11-29.
    """
    for path in sorted((walked / "notebooks").glob("0[1-7]*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            outputs = cell.get("outputs", [])
            texts = [o.text for o in outputs if o.output_type == "stream"]
            data = [o.data for o in outputs if "data" in o and "text/html" not in o.data]
            texts += [one.get("text/plain", "") for one in data]
            assert all(len(text.splitlines()) <= 30 for text in texts), (path.name, cell.source)
            assert len(outputs) <= 500


def test_exercises_after_a_run_with_default_parameters_are_not_yet_solved(walked):
    """Each one is asked for by the last cells, and gives its first hint."""
    for path in sorted((walked / "notebooks").glob("*.ipynb")):
        cells = [c for c in nbformat.read(path, 4).cells if "exercises.check(" in c.source]
        assert len(cells) == 3, path.name
        for cell in cells:
            shown = cell.outputs[0]["data"]["text/plain"]
            number = cell.source.partition('check("')[2][:3]
            assert shown.split() == f"{number} not yet {EXERCISES[number]['hints'][0]}".split()


@pytest.mark.parametrize("number", range(1, 7))
def test_notebook_when_run_alone_and_again_doubles_nothing(
    number: int, walked, project, holdings: Holdings
):
    """Each notebook opened alone goes on from the record, and AWS holds what it held."""
    before, replies = holdings(), (walked / "replies" / "tuned.jsonl").read_bytes()
    assert project.run("--run", RUN, "--from", str(number), "--to", str(number)) == 0
    assert holdings() == before
    assert (walked / "replies" / "tuned.jsonl").read_bytes() == replies


def test_notebook_when_opened_with_another_region_stops_and_says_so(walked, project, capsys):
    """The record knows its world."""
    status = project.run("--run", RUN, "--region", "us-east-1", "--from", "3", "--to", "3")
    assert status == 1
    told = capsys.readouterr().err
    assert "us-west-2" in told
    assert "us-east-1" in told


def test_notebook_when_other_hyperparameters_are_asked_of_a_finished_run_stops(
    walked, project, holdings: Holdings, capsys
):
    """A second job, which would be paid for, is not started by accident."""
    before = holdings()
    arguments = ("--run", RUN, "--from", "3", "--to", "3", "-p", "epoch_count", "1")
    assert project.run(*arguments) == 1
    assert "new_job = True" in capsys.readouterr().err
    assert holdings() == before


def test_notebook_when_the_throughput_is_gone_names_the_one_that_makes_it(
    walked, project, holdings: Holdings, capsys
):
    """What the record names and AWS does not know is said, and made again."""
    record = project.record(RUN)
    project.client("bedrock").delete_provisioned_model_throughput(
        provisionedModelId=record.throughput_arn
    )
    assert project.run("--run", RUN, "--from", "6", "--to", "6") == 1
    assert "05_provision" in capsys.readouterr().err
    assert project.run("--run", RUN, "--from", "5", "--to", "5") == 0
    made = project.record(RUN)
    assert holdings()["throughputs"] == [made.throughput_arn]
    assert made.throughput_attempt == record.throughput_attempt + 1
    changed = {"throughput_arn": "", "throughput_attempt": 0}
    assert replace(made, **changed) == replace(record, **changed)


def test_notebook_when_the_throughput_is_another_asks_the_same_model_nothing_again(walked, project):
    """Replies are kept under the custom model, which is what answered."""
    path = walked / "replies" / "tuned.jsonl"
    replies = path.read_bytes()
    assert project.record(RUN).throughput_arn not in replies.decode()
    assert project.run("--run", RUN, "--from", "6", "--to", "6") == 0
    assert path.read_bytes() == replies


def test_clean_up_when_not_told_to_delete_only_lists(walked, project, holdings: Holdings):
    """Listing changes nothing."""
    before = holdings()
    assert project.run("--run", RUN, "--from", "7", "--no-clean-up") == 0
    assert holdings() == before


def test_clean_up_when_told_to_delete_leaves_nothing_and_can_be_repeated(
    walked, project, holdings: Holdings
):
    """The listing of each service is empty; the job's entry stays, as on AWS."""
    for _ in range(2):
        assert project.run("--run", RUN, "--from", "7") == 0
        held = holdings()
        assert len(held.pop("jobs")) == 1
        assert held == {name: [] for name in held}


def test_run_when_everything_is_gone_makes_it_again(walked, project, holdings: Holdings):
    """After a clean-up the same run can be walked again from the beginning, to the job."""
    assert project.run("--run", RUN, "--to", "3", "-p", "epoch_count", "1") == 0
    held = holdings()
    assert len(held["models"]) == len(held["buckets"]) == len(held["roles"]) == 1
