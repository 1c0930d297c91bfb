"""`haikuft run` from what was asked to the last line, with notebooks that run in no time."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from papermill.exceptions import PapermillExecutionError

from haikuft.cli import main
from haikuft.dataset.splitting import Split, check_split
from haikuft.errors import CredentialsError, DataError, RunFailedError
from haikuft.inventory.resources import Resource
from haikuft.runs.folders import record_path
from haikuft.runs.lookup import DEPLOYMENT, THROUGHPUT
from haikuft.runs.record_file import RunRecord, read_record, write_record
from haikuft.series import ending, walk
from haikuft.series.planning import Step
from haikuft.serving.served import Served

Behaviour = Callable[[Step], None]
NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def seven(write_notebook: Callable[..., Path]) -> None:
    """Write a series of seven with the parameters that matter here."""
    own = {
        1: ("setup_iam", 'bucket: str = ""  # name'),
        2: ("prepare_data", 'dataset: str = "tickets"  # folder'),
        3: ("fine_tune", "new_job: bool = False  # another\nepoch_count: int = 5  # passes"),
        4: ("analyse_metrics", ""),
        5: ("provision", "model_units: int = 1  # units"),
        6: ("evaluate", "max_records: int = 0  # most"),
        7: ("clean_up", "delete: bool = False  # True deletes"),
    }
    for number, (name, parameters) in own.items():
        write_notebook(f"{number:02}_{name}", parameters, ["1"])


@pytest.fixture
def record(project: Path) -> Path:
    """Give the run `first` a record with everything in it; return where it lies."""
    path = project / "runs" / "first" / "run.json"
    made = RunRecord(
        run="first",
        target="aws",
        bucket="haikuft-first",
        role_name="AmazonBedrock-haikuft-first",
        job_name="haikuft-first-1",
        job_arn="arn:job-1",
        custom_model_name="haikuft-first-1",
        throughput_name="haikuft-first",
        throughput_arn="arn:throughput",
    )
    write_record(path, made)
    return path


class Account:
    """An AWS account in which one thing serves a model; it notes what is done to it."""

    def __init__(self) -> None:
        self.kind = THROUGHPUT
        self.commitment = "none"
        self.served = True
        self.deleted: list[str] = []
        self.unreachable = False

    def open_run(self, run: str, *, target: str) -> "Account":
        """Open a run that has a record, unless nobody can be reached."""
        read_record(record_path(run))
        return self.connect(target)

    def connect(self, target: str, **_: str) -> "Account":
        """Connect, unless nobody can be reached."""
        if self.unreachable:
            raise CredentialsError("the login has run out")
        return self

    @property
    def connection(self) -> "Account":
        """Be one's own connection."""
        return self

    account_id, region = "123456789012", "us-west-2"

    def client(self, service: str) -> str:
        """Make a client; its name will do."""
        return service

    def find(self, bedrock: str, arn: str) -> Served:
        """Read what serves."""
        term = self.commitment
        return Served("provisioned_throughput", arn, "n", "InService", "", NOW, commitment=term)

    def delete(self, run: object, resource: Resource) -> None:
        """Delete what serves."""
        self.deleted.append(resource.arn)
        self.served = False

    def list_kind(self, run: object, kind: str) -> list[Resource]:
        """List what serves while it is there, if it is of this kind."""
        return self.list_resources(run) if kind == self.kind else []

    def list_resources(self, run: object) -> list[Resource]:
        """List what serves while it is there."""
        bills = "bills until it is deleted"
        served = Resource(self.kind, "haikuft-first", "arn:1", "InService", bills, 22.5)
        return [served] if self.served else []


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """Put an account where AWS would be."""
    account = Account()
    monkeypatch.setattr(ending, "open_run", account.open_run)
    monkeypatch.setattr(ending, "find_served", account.find)
    monkeypatch.setattr(ending, "delete_resource", account.delete)
    monkeypatch.setattr(ending, "list_kind", account.list_kind)
    monkeypatch.setattr(ending.inventory, "list_resources", account.list_resources)
    monkeypatch.setattr(ending, "search_account", lambda *_, **__: ([], []))
    return account


@pytest.fixture
def behave(
    monkeypatch: pytest.MonkeyPatch, seven: None
) -> Callable[[dict[int, Behaviour]], list[int]]:
    """Replace the execution: each notebook is done at once, or does what is told here."""

    def install(behaviours: dict[int, Behaviour]) -> list[int]:
        seen: list[int] = []

        def execute(steps: Sequence[Step], folder: Path) -> Iterator[Step]:
            for step in steps:
                seen.append(step.notebook.number)
                behaviours.get(step.notebook.number, lambda step: None)(step)
                yield step

        monkeypatch.setattr(walk.planning, "execute", execute)
        monkeypatch.setattr(ending, "_score_lines", lambda directory: [])
        return seen

    return install


def fail(step: Step) -> None:
    """Fail as a notebook does."""
    raise RunFailedError(f"Notebook {step.notebook.name} stopped in cell In [7]: job.wait()")


def interrupt(step: Step) -> None:
    """Press Ctrl-C."""
    raise KeyboardInterrupt


def test_run_when_all_is_well_then_the_summary_says_what_was_made_and_where_it_lies(
    three_notebooks: None, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way, with real kernels."""
    assert main(["run", "--run", "007", "-p", "seed", "3"]) == 0

    out, err = capsys.readouterr()
    assert 'Done: 3 notebooks of run "007"' in out
    assert f"Notebooks  {Path('runs/007/notebooks')}" in out
    assert f"Report     {Path('runs/007/report.html')}" in out
    assert [line.split(":")[0] for line in err.splitlines()] == [
        "01_begin (1 of 3)",
        "03_middle (2 of 3)",
        "07_clean_up (3 of 3)",
    ]
    executed = sorted((project / "runs" / "007" / "notebooks").iterdir())
    assert [path.stem for path in executed] == ["01_begin", "03_middle", "07_clean_up"]
    assert (project / "runs" / "007" / "report.html").exists()


def test_run_when_a_notebook_fails_then_cell_error_and_command_to_resume_are_told(
    three_notebooks: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a real kernel; the command says again only what the rest takes."""
    assert main(["run", "-p", "seed", "13", "-p", "bucket", "b", "--no-clean-up"]) == 1

    out, err = capsys.readouterr()
    assert "Notebook 03_middle stopped in cell In [4]" in err
    assert "    if seed == 13:" in err
    assert "ValueError: unlucky" in err
    assert "run --run first -p seed 13 --from 3 --no-clean-up\n" in err
    assert "Traceback" not in err
    assert out == ""


def test_run_when_choices_are_in_a_file_then_each_notebook_takes_its_own_and_flags_go_first(
    behave: Callable[..., list[int]], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that --write-config makes changes nothing until a line is no comment."""
    assert main(["run", "--write-config", "choices.yaml"]) == 0
    assert main(["run", "--write-config", "choices.yaml"]) == 2
    assert "choices.yaml cannot be written: File exists. Name" in capsys.readouterr().err
    written = (project / "choices.yaml").read_text()
    assert "# epoch_count: 5  # passes\n" in written
    (project / "runs" / "first").mkdir(parents=True)
    held = written.replace("# epoch_count: 5", "epoch_count: 7").replace("# model_u", "model_u")
    (project / "choices.yaml").write_text(held + "dataset: mine\n")
    values: dict[str, object] = {}
    behave({3: lambda step: values.update(step.values)})

    for more in ([], ["-p", "epoch_count", "2"]):
        assert main(["run", "-f", "choices.yaml", "--from", "3", "--to", "3", *more]) == 0
        assert values == {"run": "first", "epoch_count": 2 if more else 7}
    assert main(["run", "-f", "choices.yaml", "--from", "3", "-p", "bucket", "b"]) == 2
    assert '"bucket" belongs to 01_setup_iam' in capsys.readouterr().err


def test_run_when_a_split_is_refused_then_the_command_has_the_share_that_fits(
    behave: Callable[..., list[int]],
    write_notebook: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the share that was refused it would stop again; nothing else is read from an error."""
    shares = "validation_share: float = -1.0  # part\ntest_share: float = 0.2  # part"
    write_notebook("02_prepare_data", f"{shares}\nseed: int = 1  # any", ["1"])
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    split = Split(*([{"messages": turns}] * size for size in (6_502, 1_501, 2_000)))

    def refuse(step: Step) -> None:
        try:
            check_split(split)
        except DataError as error:
            raise RunFailedError(f"-p seed 2 -p delete True: {error}") from error

    behave({2: refuse})
    assert main(["run", "-p", "validation_share", "0.15", "-p", "seed", "1"]) == 1
    command = "run --run first -p validation_share 0.1 -p seed 1 --from 2\n"
    assert command in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "NotFoundError: AWS does not know the role. Run notebook 01_setup_iam with this name.",
            "Continue from there: haikuft run --run first --from 1",
        ),
        ("DataError: line 3: fix it", "Once that is done, continue with: haikuft run"),
        ("WaitTimeoutError: it continues", "Continue from there: haikuft run --run first --from 3"),
    ],
)
def test_run_when_a_notebook_fails_then_the_command_will_work_or_says_after_what(
    behave: Callable[..., list[int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: str,
    told: str,
) -> None:
    """What is gone is made again; a fault in the data comes again until it is fixed."""
    monkeypatch.setattr("haikuft.commands.run._program", lambda: "haikuft")
    kind, _, value = error.partition(": ")

    def stop(step: Step) -> None:
        cause = PapermillExecutionError(1, 1, "code", kind, value, [])
        raise RunFailedError(error) from cause

    behave({3: stop})
    assert main(["run"]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "sed", "1"], 'No notebook has a parameter "sed". Did you mean "seed"?'),
        (["-p", "seed", "x"], "seed in 03_middle takes a whole number, not 'x'"),
        (["--run", "../up"], 'run = "../up": take 1 to 32'),
        (["--run", "a", "-p", "run", "b"], "\"run\" is given twice ('a', 'b')"),
        (["--from", "4"], "--from 4: there is no such notebook"),
        (["--run", "never", "--from", "3"], 'Run "never" was not begun in this project'),
    ],
)
def test_run_when_misused_then_one_line_says_so_and_nothing_runs(
    three_notebooks: None,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    """No traceback, exit status 2, and no folder."""
    assert main(["run", *arguments]) == 2

    out, err = capsys.readouterr()
    assert words in err
    assert len(err.splitlines()) == 1
    assert out == ""
    assert not (project / "runs").exists()


def test_run_when_a_value_is_out_of_range_then_nothing_is_made(
    seven: None, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What notebook 3 would refuse is refused before notebook 1 makes a bucket."""
    assert main(["run", "-p", "epoch_count", "99"]) == 2

    told = capsys.readouterr().err
    assert "Nothing was made. epoch_count = 99 is out of range" in told
    assert not (project / "runs").exists()


def test_run_when_outside_a_project_then_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAIKUFT_HOME", raising=False)

    assert main(["run"]) == 1
    assert "Go to the project's folder, or set HAIKUFT_HOME to it." in capsys.readouterr().err


def test_run_when_from_anywhere_then_the_same_project_and_state_reach_the_kernels(
    behave: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The surroundings hold them, as whole paths, and are put back afterwards."""
    found: dict[str, str] = {}
    behave({1: lambda step: found.update(os.environ)})
    monkeypatch.chdir(project.parent)
    monkeypatch.setenv("HAIKUFT_HOME", project.name)
    before = dict(os.environ)

    assert main(["run", "--to", "1", "--state", "here"]) == 0

    assert found["HAIKUFT_HOME"] == str(project)
    assert found["HAIKUFT_SANDBOX_STATE"] == str(project.parent / "here")
    assert dict(os.environ) == before


def test_run_when_cleaned_up_then_what_was_made_is_still_told(
    behave: Any, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even if the last notebook empties the record."""
    behave({7: lambda step: write_record(record, RunRecord(run="first", target="sandbox"))})

    assert main(["run"]) == 0

    out = capsys.readouterr().out
    assert "Made; whether it is gone was not read back" in out
    assert "  S3 bucket haikuft-first\n" in out
    assert "  custom model haikuft-first-1\n" in out
    assert "Billing" not in out


def test_run_when_on_aws_then_the_throughput_goes_after_the_evaluation_and_nothing_bills(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """And notebook 7, which would delete the rest, is left out."""
    seen = behave({})

    assert main(["run", "--target", "aws"]) == 0

    assert seen == [1, 2, 3, 4, 5, 6]
    assert account.deleted == ["arn:1"]
    out = capsys.readouterr().out
    assert "Provisioned Throughput haikuft-first is deleted" in out
    assert out.endswith("Billing now: nothing of this run.\n")


def test_run_when_told_to_keep_serving_then_the_last_lines_say_what_bills_and_what_ends_it(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """How much an hour, and one command."""
    behave({})

    assert main(["run", "--target", "aws", "--keep-serving"]) == 0

    assert account.deleted == []
    *_, heading, line, total, command = capsys.readouterr().out.splitlines()
    assert heading == "Billing now:"
    assert line == (
        "  Provisioned Throughput haikuft-first: US$22.50 an hour; bills until it is deleted"
    )
    assert total == "  In all: US$22.50 an hour."
    assert command.startswith("To end it: ")
    assert command.endswith("haikuft clean-up --run first --target aws")


@pytest.mark.parametrize(
    ("number", "behaviour", "status", "deleted", "again"),
    [
        (3, fail, 1, [], 3),
        (5, fail, 1, ["arn:1"], 5),
        (6, fail, 1, ["arn:1"], 5),
        (3, interrupt, 130, [], 3),
        (6, interrupt, 130, ["arn:1"], 5),
    ],
)
def test_run_when_stopped_on_aws_then_serving_ends_and_the_last_lines_tell_what_bills(
    behave: Any,
    record: Path,
    account: Account,
    capsys: pytest.CaptureFixture[str],
    number: int,
    behaviour: Behaviour,
    status: int,
    deleted: list[str],
    again: int,
) -> None:
    """A failure before serving leaves what serves; one after it must be resumed by serving anew."""
    behave({number: behaviour})

    assert main(["run", "--target", "aws"]) == status

    assert account.deleted == deleted
    out, err = capsys.readouterr()
    assert f"run --run first --target aws --from {again}\n" in err
    if deleted:
        assert out == "\nBilling now: nothing of this run.\n"
    else:
        assert out.splitlines()[-1].endswith("haikuft clean-up --run first --target aws")


def test_run_when_stopped_and_told_to_keep_serving_then_the_throughput_stays(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the command to resume keeps it, too."""
    behave({6: fail})

    assert main(["run", "--target", "aws", "--keep-serving"]) == 1

    assert account.deleted == []
    assert "--from 6 --keep-serving\n" in capsys.readouterr().err


def test_run_when_the_throughput_is_committed_then_it_is_left_and_said(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could not be deleted before its term."""
    account.commitment = "1 month"
    behave({})

    assert main(["run", "--target", "aws"]) == 0

    assert account.deleted == []
    assert "is committed for 1 month and continues to bill" in capsys.readouterr().out


@pytest.mark.parametrize(("behaviour", "status"), [(None, 0), (fail, 1)])
def test_run_when_a_deployment_serves_then_it_stays_and_is_said_to_bill_nothing_idle(
    behave: Any,
    record: Path,
    account: Account,
    capsys: pytest.CaptureFixture[str],
    behaviour: Behaviour | None,
    status: int,
) -> None:
    """There is no hour to save; whoever wants it gone cleans up."""
    write_record(record, replace(read_record(record), deployment_name="haikuft-first"))
    account.kind = DEPLOYMENT
    behave({6: behaviour} if behaviour else {})

    assert main(["run", "--target", "aws"]) == status

    assert account.deleted == []
    told = "".join(capsys.readouterr())
    assert "Custom model deployment haikuft-first stays: it bills its tokens when asked" in told


def test_run_when_aws_cannot_be_asked_at_the_end_then_it_says_that_something_may_bill(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """Expired credentials stop neither the last lines nor the exit status."""
    account.unreachable = True
    behave({6: fail})

    assert main(["run", "--target", "aws"]) == 1

    out, err = capsys.readouterr()
    assert "could not be ended; if there is any, it continues to bill: the login has run out" in err
    assert "AWS could not be asked what bills now: the login has run out" in out
    assert "Billing now: not known, and something may bill." in out
    assert out.splitlines()[-1].endswith("haikuft clean-up --run first --target aws")


def test_run_when_nothing_was_made_on_aws_then_it_says_that_nothing_bills(
    behave: Any, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first notebook failed before the record began, so the account is searched."""
    behave({1: fail})

    assert main(["run", "--target", "aws"]) == 1
    out = capsys.readouterr().out
    assert "The account was searched by name and tags." in out
    assert out.endswith("Billing now: nothing of this run.\n")


def test_run_when_a_new_job_had_been_started_then_the_command_does_not_ask_for_another(
    behave: Any, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resuming finds the job in the record; a second one would be paid for again."""

    def start_and_fail(step: Step) -> None:
        write_record(record, replace(read_record(record), job_arn="arn:job-2"))
        fail(step)

    behave({3: start_and_fail})
    asked = ["run", "--no-clean-up", "-p", "new_job", "True", "-p", "epoch_count", "3"]

    assert main(asked) == 1
    assert "--run first -p epoch_count 3 --from 3 --no-clean-up\n" in capsys.readouterr().err


def test_run_when_no_new_job_had_been_started_then_the_command_asks_for_it_again(
    behave: Any, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise the old job would quietly take its place."""
    behave({3: fail})

    assert main(["run", "-p", "new_job", "True"]) == 1
    assert "-p new_job True --from 3\n" in capsys.readouterr().err


def test_run_when_killed_politely_then_it_ends_as_by_ctrl_c(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scheduler's SIGTERM must not leave a throughput behind."""
    behave({6: lambda step: signal.raise_signal(signal.SIGTERM)})
    before = signal.getsignal(signal.SIGTERM)

    assert main(["run", "--target", "aws"]) == 130

    assert account.deleted == ["arn:1"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_clean_up_when_called_then_notebook_7_deletes_where_the_record_says(
    behave: Any, record: Path, account: Account
) -> None:
    """One command ends everything; nobody has to say again where it was."""
    asked: list[Step] = []
    seen = behave({7: asked.append})
    account.served = False

    assert main(["clean-up"]) == 0  # the run's name is `first` unless said, as everywhere

    assert seen == [7]
    assert dict(asked[0].values) == {"delete": True, "run": "first", "target": "aws"}


def test_clean_up_when_it_fails_then_the_same_command_is_named(
    behave: Any, record: Path, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be repeated."""
    behave({7: fail})

    assert main(["clean-up", "--run", "first"]) == 1
    assert "haikuft clean-up --run first --target aws\n" in capsys.readouterr().err


def test_clean_up_when_the_run_is_unknown_then_it_says_so(
    seven: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no record to say where it was."""
    assert main(["clean-up", "--run", "nobody"]) == 2
    told = capsys.readouterr().err
    assert 'Run "nobody" has no record' in told
    assert "--target aws or sandbox" in told
