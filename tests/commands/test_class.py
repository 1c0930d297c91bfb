"""`haikuft class`: runs that carry a class id; who is where, and deleting a class and no more."""

import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haikuft import iam, s3
from haikuft.base_models import CLAUDE_3_HAIKU as HAIKU
from haikuft.cli import main
from haikuft.errors import RecordError
from haikuft.runs.record_file import read_record
from haikuft.runs.run_record import Run, begin_run, save
from haikuft.sandbox import Endpoint
from haikuft.sandbox.process import list_accounts
from haikuft.serving.lifecycle import start_serving

RED, BLUE = "0a1b2c3d", "4e5f6a7b"


@pytest.fixture
def project(go_to_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """Make an empty project and go there."""
    return go_to_project(tmp_path / "project")


def make_up(run: Run, name: str, owner: str, class_id: str = "", *, serves: bool = True) -> None:
    """Make what a run of that name has: bucket, role and, where it serves, throughput."""
    run = replace(run, record=replace(run.record, run=name, owner=owner, class_id=class_id))
    account, region = run.record.account_id, run.record.region
    bucket = s3.default_bucket_name(name, account_id=account, region=region)
    s3.ensure_bucket(run.connection.client("s3"), bucket, region=region, tags=run.tags)
    iam.ensure_role(
        run.connection.client("iam"),
        iam.default_role_name(name),
        trust_policy=iam.build_trust_policy(account, region),
        role_policy=iam.build_role_policy(bucket, region=region, account_id=account),
        tags=run.tags,
    )
    if serves:
        bedrock, kind = run.connection.client("bedrock"), "provisioned_throughput"
        start_serving(bedrock, kind, run.resource_name, model_arn=HAIKU.id, tags=run.tags)


def held(run: Run) -> set[str]:
    """Name all that the account holds."""
    client = run.connection.client
    served = client("bedrock").list_provisioned_model_throughputs()["provisionedModelSummaries"]
    return {
        *(one["Name"] for one in client("s3").list_buckets()["Buckets"]),
        *(one["RoleName"] for one in client("iam").list_roles()["Roles"]),
        *(one["provisionedModelName"] for one in served),
    }


@pytest.fixture
def account(new_run: Callable[..., Run], project: Path, reach_as_aws: Callable[[Run], None]) -> Run:
    """An account with two classes and a stranger's run; the run given only connects to it."""
    run = new_run(model_units_quota=9)
    reach_as_aws(run)
    make_up(run, "ann", "a" * 16, RED)
    make_up(run, "ben", "b" * 16, RED, serves=False)
    make_up(run, "eve", "e" * 16, BLUE)
    make_up(run, "annex", "f" * 16)  # a stranger's, whose name begins like ann's
    return run


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have this typed at the next question."""
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_class_start_when_asked_then_draws_another_id_each_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And says how a run carries it."""
    ids = set()
    for _ in range(2):
        assert main(["class", "start"]) == 0
        out = capsys.readouterr().out
        ids |= set(re.findall(r"haikuft lab --class ([0-9a-f]{8})\n", out))
    assert len(ids) == 2


def test_run_when_a_class_is_named_then_its_kernels_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the environment, for as long as the command runs."""
    told = []
    monkeypatch.setattr(
        "haikuft.commands.run.walk", lambda request: told.append(os.environ["HAIKUFT_CLASS"])
    )
    main(["run", "--class", RED])
    assert told == [RED]
    assert "HAIKUFT_CLASS" not in os.environ


def test_class_show_when_runs_stand_at_several_places_then_says_of_each_what_bills_since_when(
    account: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of that class alone, from tags alone: there is no record here."""
    assert main(["class", "show", RED, "--target", "aws", "--region", "us-west-2"]) == 0
    out = capsys.readouterr().out
    ann, ben = (next(line for line in out.splitlines() if f"{o * 16}" in line) for o in "ab")
    assert re.search(r"Provisioned Throughput, InService +2\d{3}-\d\d-\d\d \d\d:\d\d", ann)
    assert re.search(r"Provisioned Throughput since 2\d{3}-\d\d-\d\d \d\d:\d\d", ann)
    assert re.search(r"S3 bucket, exists +not known$", ben)
    assert not {"eve", "annex"} & set(out.split())
    assert "Billing now:\n  Provisioned Throughput haikuft-ann-aaaaaa" in out
    assert f"To end it: haikuft clean-up --class {RED} --target aws\n" in out


def test_clean_up_when_a_class_is_named_then_deletes_it_once_its_id_is_typed_and_no_more(
    account: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the other class nor the stranger loses anything; without the id nobody does."""
    before = held(account)
    mine = {name for name in before if re.search(r"-(ann|ben)(-|$)", name)}
    assert len(mine) == 5
    command = ["clean-up", "--class", RED, "--target", "aws", "--region", "us-west-2"]
    for typed in ("", "y\n", f"{BLUE}\n"):
        type_in(monkeypatch, typed)
        assert main(command) == 1
        assert "Nothing was deleted." in capsys.readouterr().out
        assert held(account) == before
    type_in(monkeypatch, f"{RED}\n")
    assert main(command) == 0
    out = capsys.readouterr().out
    for owner in "ab":
        assert f"owner id {owner * 16}, account {account.record.account_id}, us-west-2:" in out
    assert re.search(r"Provisioned Throughput .* \d+:\d\d:\d\d .* 1 model unit by the hour", out)
    assert out.endswith("Billing now: nothing of this class.\n")
    assert held(account) == before - mine


@pytest.mark.parametrize("tag", ["haikuft:class", "haikuft:owner"])
def test_clean_up_when_one_thing_of_a_class_run_lacks_a_tag_then_it_is_left_alone(
    account: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tag: str
) -> None:
    """What does not say that it is the class's may be anybody's."""
    bedrock: Any = account.connection.client("bedrock")
    pages = bedrock.list_provisioned_model_throughputs(nameContains="haikuft-ann-")
    (found,) = pages["provisionedModelSummaries"]
    bedrock.untag_resource(resourceARN=found["provisionedModelArn"], tagKeys=[tag])
    type_in(monkeypatch, f"{RED}\n")
    main(["clean-up", "--class", RED, "--target", "aws", "--region", "us-west-2"])
    assert "haikuft-ann-aaaaaa" in held(account)
    assert not any(name.startswith("AmazonBedrock-haikuft-ben") for name in held(account))


def test_clean_up_when_a_class_and_a_run_are_named_then_says_that_one_must_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor can a class be deleted without its id being typed."""
    for words in (["--run", "ann"], ["--owner", "a" * 16], ["--yes"]):
        assert main(["clean-up", "--class", RED, *words]) == 2
        assert "the class id is typed" in capsys.readouterr().err


def test_class_when_each_has_an_account_of_the_sandbox_then_shows_and_deletes_in_all(
    project: Path,
    sandbox: Endpoint,
    sandbox_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Under one name for all; the record and the tags name the class that was begun."""
    monkeypatch.setenv("HAIKUFT_SANDBOX_STATE", str(sandbox_state))
    monkeypatch.setenv("HAIKUFT_CLASS", RED)
    runs = []
    for account in ("111111111111", "222222222222"):
        monkeypatch.setenv("HAIKUFT_SANDBOX_ACCESS_KEY", account)
        monkeypatch.setenv("HAIKUFT_HOME", str(project))
        run = begin_run("first")
        assert read_record(project / "runs/first/run.json").class_id == RED
        assert run.tags["haikuft:class"] == RED
        make_up(run, "first", run.record.owner, RED, serves=False)
        (project / "runs/first/run.json").unlink()
        runs.append(run)
    monkeypatch.delenv("HAIKUFT_SANDBOX_ACCESS_KEY")
    assert main(["class", "show", RED]) == 0
    out = capsys.readouterr().out
    assert all(run.record.owner in out and run.record.account_id in out for run in runs)
    type_in(monkeypatch, f"{RED}\n")
    assert main(["clean-up", "--class", RED]) == 0
    assert [held(run) for run in runs] == [set(), set()]
    assert len(list_accounts(sandbox)) == 3


def test_begin_run_when_a_class_is_named_then_only_a_run_that_has_made_nothing_takes_it(
    project: Path, sandbox_state: Path, sandbox: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made before would carry no such tag."""
    monkeypatch.setenv("HAIKUFT_SANDBOX_STATE", str(sandbox_state))
    run = begin_run("late")
    assert "haikuft:class" not in run.tags
    monkeypatch.setenv("HAIKUFT_CLASS", RED)
    run = begin_run("late")
    assert run.tags["haikuft:class"] == RED
    save(run, bucket="b")
    monkeypatch.setenv("HAIKUFT_CLASS", BLUE)
    with pytest.raises(RecordError, match="HAIKUFT_CLASS empty, or take another name"):
        begin_run("late")
