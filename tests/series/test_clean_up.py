"""Cleaning up after a run whose record is lost: list, ask, delete what carries its tags."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.cli import main
from haikuft.runs.record_file import RunRecord, write_record
from haikuft.runs.run_record import Run, begin_run
from haikuft.series.ending import billing_lines
from haikuft.serving.lifecycle import start_serving

OWNER = "0123456789abcdef"


def buy(bedrock: Any, name: str, tags: Any) -> str:
    """Buy throughput with these tags."""
    return start_serving(bedrock, "provisioned_throughput", name, model_arn=HAIKU.id, tags=tags)


@pytest.fixture
def serving(new_run: Callable[..., Run], reach_as_aws: Callable[[Run], None]) -> Any:
    """An account with one throughput of a run that has no record here; gives Bedrock's client."""
    run = new_run(model_units_quota=9)
    reach_as_aws(run)
    bedrock = run.connection.client("bedrock")
    buy(bedrock, run.resource_name, run.tags)
    return bedrock


def held(bedrock: Any) -> list[str]:
    """List the names of all throughput."""
    pages = bedrock.list_provisioned_model_throughputs()
    return sorted(one["provisionedModelName"] for one in pages["provisionedModelSummaries"])


CLEAN_UP = ["clean-up", "--run", "first", "--target", "aws", "--region", "us-west-2"]


def test_clean_up_when_the_record_is_lost_then_lists_and_asks_before_it_deletes(
    project: Path, serving: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody to ask, or no, leaves everything; yes deletes and reads back."""
    assert main([*CLEAN_UP, "--yes"]) == 1  # whose it is was not said
    out = capsys.readouterr().out
    assert "There is no terminal to ask on" in out
    end = f"haikuft clean-up --run first --target aws --yes --region us-west-2 --owner {OWNER}"
    assert f"To end it, if it is yours: {end}" in out
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert main(CLEAN_UP) == 1
    out = capsys.readouterr().out
    assert f'Run "first", owner id {OWNER}' in out
    named = f"Provisioned Throughput haikuft-first-012345 (owner id {OWNER}, us-west-2)"
    assert f"Billing now:\n  {named}: 1 model unit" in out
    assert "In all: not known, because the price is not known of Provisioned" in out
    assert held(serving) == ["haikuft-first-012345"]
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(CLEAN_UP) == 0
    assert capsys.readouterr().out.endswith("Billing now: nothing of this run.\n")
    assert held(serving) == []
    assert main(CLEAN_UP) == 0
    assert capsys.readouterr().out == "Nothing was deleted.\nBilling now: nothing of this run.\n"


def test_clean_up_when_several_runs_have_the_name_then_the_owner_id_chooses(
    project: Path, serving: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what carries none is left alone, whatever is chosen."""
    for name, tags in {
        "haikuft-first-ffffff": {"haikuft:run": "first", "haikuft:owner": "f" * 16},
        "haikuft-first": {},
        "haikuft-first-old": {"haikuft:run": "first"},
    }.items():
        buy(serving, name, tags)
    assert main([*CLEAN_UP, "--yes"]) == 1
    assert "--owner ID" in capsys.readouterr().out
    assert main([*CLEAN_UP, "--yes", "--owner", "f" * 16]) == 1
    out = capsys.readouterr().out
    assert "Billing now: not known, and something may bill." in out
    assert "not known: Provisioned Throughput haikuft-first: it carries no owner id" in out
    assert held(serving) == ["haikuft-first", "haikuft-first-012345", "haikuft-first-old"]


@pytest.mark.parametrize("state", ["lost", "cut", "copied"])
def test_billing_lines_when_the_record_cannot_be_used_then_the_account_is_searched(
    project: Path, serving: Any, state: str
) -> None:
    """What bills is said, with the owner id and the command that ends it, in one block."""
    directory = project / "runs" / "first"
    if state != "lost":
        directory.mkdir(parents=True)
        text = '{"run": "origi' if state == "cut" else '{"run": "original", "target": "aws"}'
        (directory / "run.json").write_text(text)
    lines = billing_lines("first", command="haikuft clean-up --run first")
    said = "\n".join(lines)
    assert f"haikuft-first-012345 (owner id {OWNER}, us-west-2): 1 model unit" in said
    assert f"clean-up --run first --region us-west-2 --owner {OWNER}" in said
    assert said.count("Billing now") == 1


def test_clean_up_when_no_target_is_told_then_says_that_it_is_needed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing else tells where a run without a record was; perhaps its name was mistyped."""
    for name in ("tuesday", "first"):
        path = project / "runs" / name / "run.json"
        write_record(path, RunRecord(run=name, target="aws"))

    assert main(["clean-up", "--run", "tusday"]) == 2

    told = capsys.readouterr().err
    assert 'Run "tusday" has no record in this project' in told
    assert "Runs in this project: first, tuesday." in told
    assert "by tags without a record, say where they are: --target aws or sandbox" in told


def test_billing_lines_when_a_new_record_finds_its_name_taken_then_all_of_the_name_is_said(
    project: Path, serving: Any
) -> None:
    """As when notebook 1 was run again after the record was lost, and has stopped."""
    begin_run("first", target="aws")
    lines = billing_lines("first", command="haikuft clean-up")
    said = "\n".join(lines)
    assert "This record names nothing yet" in said
    assert f"haikuft-first-012345 (owner id {OWNER}, us-west-2): 1 model unit" in said
    assert f"To end it, if it is yours: haikuft clean-up --region us-west-2 --owner {OWNER}" in said


@pytest.mark.parametrize("state", ["cut", "new"])
def test_clean_up_when_an_unfit_record_is_there_then_it_hinders_nothing(
    project: Path, serving: Any, state: str
) -> None:
    """Cut in the middle, or begun anew by a notebook 1 that then stopped."""
    begin_run("first", target="aws")
    path = project / "runs" / "first" / "run.json"
    if state == "cut":
        path.write_text(path.read_text()[:99])
    before = path.read_text()
    assert main([*CLEAN_UP, "--owner", OWNER, "--yes"]) == 0
    assert held(serving) == []
    assert path.read_text() == before
