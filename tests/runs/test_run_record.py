"""The run's record: begun once, opened by every notebook, and only where it belongs."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from haikuft import aws
from haikuft.base_models import DEFAULT
from haikuft.errors import RecordError, SettingsError
from haikuft.runs.folders import choose_run, record_path
from haikuft.runs.record_file import read_record
from haikuft.runs.run_record import begin_run, open_run, resource_prefix, save

ACCOUNT = "123456789012"


@pytest.fixture
def project(go_to_project: Callable[[Path], Path], tmp_path: Path) -> Path:
    """Make an empty project and go there."""
    return go_to_project(tmp_path / "project")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for AWS and the sandbox: what `connect` finds, changeable by the test."""
    found: dict[str, Any] = {"account_id": ACCOUNT, "endpoint": "", "sandbox_state": "/sandbox"}

    def connect(target: str, *, region: str, resume: str = "") -> aws.Connection:
        on_aws = target == "aws"
        return aws.Connection(
            target=target,
            region=region,
            account_id=found["account_id"],
            caller_arn=f"arn:aws:iam::{ACCOUNT}:user/ann",
            endpoint=found["endpoint"],
            sandbox_state="" if on_aws else found["sandbox_state"],
            bills=on_aws,
            poll_seconds=0.0,
            session=boto3.Session(region_name=region),
        )

    monkeypatch.setattr("haikuft.aws.connect", connect)
    return found


def test_begin_run_when_new_then_writes_where_it_belongs(
    project: Path, world: dict[str, Any]
) -> None:
    """A new record holds target, account, Region and base model, and no more."""
    run = begin_run("first")
    written = json.loads((project / "runs/first/run.json").read_text())
    assert written["target"] == "sandbox"
    assert written["account_id"] == ACCOUNT
    assert written["region"] == "us-west-2"
    assert written["base_model_id"] == DEFAULT.id
    assert written["sandbox_state"] == "/sandbox"
    assert written["bucket"] == ""
    assert written["created"].endswith("+00:00")
    assert re.fullmatch("[0-9a-f]{16}", written["owner"])
    assert run.tags == {"haikuft:run": "first", "haikuft:owner": written["owner"]}


def test_begin_run_when_begun_before_then_keeps_what_is_recorded(
    project: Path, world: dict[str, Any]
) -> None:
    """Running notebook 1 twice loses nothing."""
    first = save(begin_run("first"), bucket="b")
    assert begin_run("first").record == first.record


def test_open_run_when_the_record_is_from_before_the_task_was_kept_then_it_opens(
    project: Path, world: dict[str, Any]
) -> None:
    """The task is then not known, and notebook 6 recognises it from all records of the run."""
    begin_run("first")
    old = json.loads(record_path("first").read_text())
    del old["task"]
    record_path("first").write_text(json.dumps(old))

    assert open_run("first").record.task == ""


def test_open_run_when_never_begun_then_names_notebook_1(
    project: Path, world: dict[str, Any]
) -> None:
    """Without a record there is nothing to continue."""
    with pytest.raises(RecordError, match=r'Run "first" has no record.*01_setup_iam'):
        open_run("first")


def test_open_run_when_region_and_model_are_empty_then_takes_the_record_s(
    project: Path, world: dict[str, Any]
) -> None:
    """Empty means: what the record says."""
    begin_run("first", region="us-east-1")
    run = open_run("first")
    assert run.connection.region == "us-east-1"
    assert run.base_model is DEFAULT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "aws"}, 'target is "sandbox" in the record and "aws" here'),
        ({"region": "eu-west-1"}, 'region is "us-west-2" in the record and "eu-west-1" here'),
    ],
)
def test_open_run_when_asked_for_another_place_then_says_which(
    change: dict[str, str], words: str, project: Path, world: dict[str, Any]
) -> None:
    """A run stays where it began."""
    begin_run("first")
    for opened in (open_run, begin_run):
        with pytest.raises(RecordError, match=words):
            opened("first", **change)


def test_open_run_when_target_differs_then_contacts_nobody(
    project: Path, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record alone decides that, before any call to AWS."""
    begin_run("first")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr("haikuft.aws.connect", refuse)
    with pytest.raises(RecordError):
        open_run("first", target="aws")


@pytest.mark.parametrize(
    ("target", "change", "name"),
    [
        ("sandbox", {"account_id": "999999999999"}, "account_id"),
        ("sandbox", {"sandbox_state": "/other"}, "sandbox_state"),
        ("aws", {"account_id": "999999999999"}, "account_id"),
        ("aws", {"endpoint": "http://127.0.0.1:1"}, "endpoint"),
    ],
)
def test_open_run_when_the_world_differs_then_says_how(
    target: str, change: dict[str, str], name: str, project: Path, world: dict[str, Any]
) -> None:
    """Another account, sandbox or endpoint is another world."""
    begin_run("first", target=target)
    world.update(change)
    with pytest.raises(RecordError, match=f"{name} is .* in the record and .* here"):
        open_run("first", target=target)


def test_open_run_when_sandbox_has_another_port_then_goes_on(
    project: Path, world: dict[str, Any]
) -> None:
    """A sandbox is known by its directory: its port may change."""
    begin_run("first")
    world["endpoint"] = "http://127.0.0.1:2"
    assert open_run("first").connection.endpoint == "http://127.0.0.1:2"


def test_save_when_another_kernel_wrote_then_keeps_both(
    project: Path, world: dict[str, Any]
) -> None:
    """Only what changes here is written over."""
    mine, theirs = begin_run("first"), open_run("first")
    save(theirs, job_arn="arn:job")
    mine = save(mine, bucket="b", subnet_ids=("subnet-1",))
    assert (mine.record.job_arn, mine.record.bucket) == ("arn:job", "b")
    assert read_record(record_path("first")) == mine.record


def test_save_when_writing_fails_then_leaves_the_record_whole(
    project: Path, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk does not cost the record."""
    run = begin_run("first")
    before = record_path("first").read_bytes()

    def fail(*_: Any) -> Path:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save(run, bucket="b")
    assert record_path("first").read_bytes() == before
    assert list(run.directory.iterdir()) == [record_path("first")]


def _without(*names: str) -> Callable[[dict[str, Any]], Any]:
    return lambda record: {k: v for k, v in record.items() if k not in names}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda record: [record], "Expected `object`, got `array`"),
        (lambda record: record | {"colour": "red"}, "colour unknown"),
        (lambda record: record | {"seed": "1"}, r"Expected `int`, got `str` - at `\$.seed`"),
        (
            lambda record: record | {"model_units": True},
            r"got `bool` - at `\$.model_units`",
        ),
        (
            lambda record: record | {"subnet_ids": [1]},
            r"got `int` - at `\$.subnet_ids",
        ),
        (_without("target"), "missing required field `target`"),
    ],
)
def test_read_record_when_damaged_then_says_what_and_how_to_fix(
    spoil: Callable[[dict[str, Any]], Any], words: str, project: Path, world: dict[str, Any]
) -> None:
    """A record edited by hand gives a sentence, not a traceback."""
    begin_run("first")
    path = record_path("first")
    path.write_text(json.dumps(spoil(json.loads(path.read_text()))))
    with pytest.raises(RecordError, match=f"{words}.*notebook 1 again"):
        open_run("first")


def test_read_record_when_not_json_then_says_so(project: Path, world: dict[str, Any]) -> None:
    """Half a file is a record error too."""
    begin_run("first")
    record_path("first").write_text('{"run": ')
    with pytest.raises(RecordError, match=r"run\.json cannot be read"):
        open_run("first")


def test_run_when_directories_are_used_then_they_exist(
    project: Path, world: dict[str, Any]
) -> None:
    """Folders come into being when something is to be put there."""
    run = begin_run("first")
    assert not (project / "runs/first/data").exists()
    assert run.data == project / "runs/first/data"
    assert all(folder.is_dir() for folder in (run.data, run.metrics, run.replies, run.figures))


def test_run_when_shown_then_hides_most_of_the_account(
    project: Path, world: dict[str, Any]
) -> None:
    """A shared screen or a committed output gives no account number away."""
    run = begin_run("first")
    for shown in (run._repr_html_(), str(run)):
        assert "…9012" in shown
        assert ACCOUNT not in shown
        assert DEFAULT.name in shown


def test_resource_prefix_when_given_a_run_then_begins_every_name() -> None:
    """Names of jobs and models begin with the run, so that lists can be searched."""
    assert resource_prefix("first") == "haikuft-first"


def test_begin_run_when_an_owner_id_is_given_then_takes_it_up(
    project: Path, world: dict[str, Any]
) -> None:
    """For a run whose record was lost; also after notebook 1 has begun a new record and stopped."""
    owner = "0123456789abcdef"
    assert begin_run("lost", owner=owner).record.owner == owner
    begin_run("again")
    assert begin_run("again", owner=owner).record.owner == owner
    save(begin_run("made"), bucket="b")
    with pytest.raises(RecordError, match="has made things under it"):
        begin_run("made", owner=owner)
    with pytest.raises(SettingsError, match="16 characters"):
        begin_run("made", owner="ann")


def test_begin_run_when_another_process_has_just_begun_it_then_its_record_stands(
    project: Path, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two who begin one run in one folder, each with a sandbox: the second is refused."""
    connect = aws.connect

    def connect_late(target: str, **options: Any) -> aws.Connection:
        monkeypatch.setattr("haikuft.aws.connect", connect)
        world["sandbox_state"] = "/another"
        begin_run("first")
        world["sandbox_state"] = "/sandbox"
        return connect(target, **options)

    monkeypatch.setattr("haikuft.aws.connect", connect_late)
    with pytest.raises(RecordError, match='sandbox_state is "/another" in the record'):
        begin_run("first")
    assert read_record(project / "runs/first/run.json").sandbox_state == "/another"


def test_open_run_when_the_record_is_from_before_owner_ids_then_it_is_given_one(
    project: Path, world: dict[str, Any]
) -> None:
    """Once."""
    path = project / "runs/first/run.json"
    begin_run("first")
    values = json.loads(path.read_text())
    for name in ("owner", "job_attempt", "deployment_attempt", "throughput_attempt"):
        del values[name]
    path.write_text(json.dumps(values))
    owner = open_run("first").record.owner
    assert re.fullmatch("[0-9a-f]{16}", owner)
    assert open_run("first").record.owner == json.loads(path.read_text())["owner"] == owner


def test_open_run_when_the_folder_is_a_copy_then_refuses(
    project: Path, world: dict[str, Any]
) -> None:
    """What the record names belongs to the original."""
    begin_run("first")
    copy = project / "runs/second"
    copy.mkdir()
    (copy / "run.json").write_bytes((project / "runs/first/run.json").read_bytes())
    for act in (open_run, begin_run):
        with pytest.raises(RecordError, match=r'record of run "first".*the folder is a copy'):
            act("second")


def test_choose_run_when_one_was_begun_on_aws_then_it_is_found_again(
    project: Path, world: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of an earlier version, which was called first; of several one must be named."""
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    begin_run("mine", target="aws")
    name = begin_run("", target="aws").record.run
    assert choose_run("", "aws") == open_run("", target="aws").record.run == name
    record_path(name).unlink()
    assert choose_run("", "aws", new=True) == name
    begin_run("first", target="aws")
    with pytest.raises(SettingsError, match=f"Several runs.*{name}"):
        choose_run("", "aws", new=True)
