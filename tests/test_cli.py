"""The command line: what is understood, and the sandbox's commands. Runs: tests/series."""

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haikuft import __version__, sandbox
from haikuft.cli import main
from haikuft.errors import SandboxError
from haikuft.runs.record_file import RunRecord, write_record


class FakeSandbox:
    """Stands where the sandbox's functions are; remembers what was asked of it."""

    def __init__(self) -> None:
        self.running = False
        self.calls: list[tuple[str, Any]] = []
        self.settings = sandbox.SandboxSettings()

    def start(
        self, state: Path | None = None, *, settings: Mapping[str, Any] | None = None
    ) -> sandbox.Endpoint:
        """Start, or find it running."""
        self.calls.append(("start", state))
        self.running = True
        self.settings = replace(self.settings, **(settings or {}))
        return sandbox.Endpoint("http://127.0.0.1:4000", str(self.state_directory(state)), 7)

    def status(self, state: Path | None = None) -> sandbox.Status:
        """Say how it is."""
        where = str(self.state_directory(state))
        if self.running:
            return sandbox.Status(True, "http://127.0.0.1:4000", 7, where)
        return sandbox.Status(False, None, None, where)

    def stop(self, state: Path | None = None) -> bool:
        """Stop it."""
        self.calls.append(("stop", state))
        return True

    def reset(self, state: Path | None = None) -> None:
        """Empty it."""
        self.calls.append(("reset", state))

    def read_settings(self, endpoint: sandbox.Endpoint) -> sandbox.SandboxSettings:
        """Say how it is set."""
        return self.settings

    def state_directory(self, state: Path | None = None) -> Path:
        """Say where it keeps its state."""
        return state or Path("/state")


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSandbox:
    """Put the fake in place."""
    fake = FakeSandbox()
    for name in ("start", "status", "stop", "reset", "read_settings", "state_directory"):
        monkeypatch.setattr(sandbox, name, getattr(fake, name))
    return fake


def test_version_when_asked_then_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever reports a fault."""
    with pytest.raises(SystemExit) as done:
        main(["--version"])

    assert done.value.code == 0
    assert capsys.readouterr().out == f"haikuft {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["run", "--target", "moon"],
        ["run", "--from", "three"],
        ["run", "-p", "seed"],
        ["run", "--fro", "3"],
        ["clean-up", "--target", "moon"],
        ["sandbox"],
        ["sandbox", "status", "--format", "xml"],
    ],
)
def test_main_when_misused_then_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the usage, and without a traceback."""
    with pytest.raises(SystemExit) as done:
        main(arguments)

    assert done.value.code == 2
    assert "usage: haikuft" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["models"], 141), (["sandbox", "status"], 141), (["validate", "train.jsonl"], 1)],
)
def test_output_when_nobody_reads_it_then_the_program_ends_quietly(
    arguments: list[str], status: int, tmp_path: Path
) -> None:
    """As in `haikuft models | head -1`: no traceback; that of `validate` says what it found."""
    (tmp_path / "train.jsonl").write_text("{}\n" * 3)
    script = "import sys; from haikuft.cli import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, "HAIKUFT_SANDBOX_STATE": str(tmp_path / "state")},
        text=True,
        check=False,
    )
    os.close(writer)

    assert done.returncode == status
    assert done.stderr == ""


def test_output_when_the_streams_are_closed_then_commands_and_kernels_find_something_there() -> (
    None
):
    """A service manager may start a program so; what is opened in their place goes nowhere."""
    script = (
        "import os, sys; [os.close(n) for n in (0, 1, 2)]\n"
        "sys.stdin = sys.stdout = sys.stderr = None\n"
        "from haikuft.cli import main; status = main(['models'])\n"
        "sys.exit(status or [s.fileno() for s in (sys.stdin, sys.stdout, sys.stderr)] != [0, 1, 2])"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_main_when_the_disk_refuses_then_the_file_and_the_fix_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever command met it; any other error of the system is a fault of ours, and is raised."""

    def refuse(code: int) -> Any:
        raise OSError(code, os.strerror(code), "runs/first/run.json")

    monkeypatch.setattr("haikuft.cli.load_command", lambda _: lambda _: refuse(errno.EACCES))
    assert main(["models"]) == 1
    said = "haikuft: runs/first/run.json: Permission denied. See that you may write there"
    assert capsys.readouterr().err.startswith(said)
    monkeypatch.setattr("haikuft.cli.load_command", lambda _: lambda _: refuse(errno.ENOENT))
    with pytest.raises(FileNotFoundError):
        main(["models"])


def test_start_when_called_then_it_says_how_to_reach_the_sandbox(
    fake: FakeSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any client can be pointed at it."""
    assert main(["sandbox", "start"]) == 0

    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4000" in capsys.readouterr().out
    assert fake.calls == [("start", None)]


def test_state_when_relative_then_it_is_read_from_the_working_directory(
    fake: FakeSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As any path in a shell is."""
    monkeypatch.chdir(tmp_path)

    main(["sandbox", "start", "--state", "here"])

    assert fake.calls == [("start", tmp_path / "here")]


def test_status_when_stopped_then_json_holds_nulls_and_the_exit_status_is_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A script asks; being stopped is an answer."""
    assert main(["sandbox", "status", "--format", "json"]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "running": False,
        "endpoint": None,
        "pid": None,
        "state": "/state",
        "version": None,
    }


def test_status_when_running_then_it_says_where(
    fake: FakeSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words and as JSON."""
    fake.running = True

    assert main(["sandbox", "status"]) == 0
    assert main(["sandbox", "status", "--format", "json"]) == 0

    words, hint, data = capsys.readouterr().out.splitlines()
    assert words == "running at http://127.0.0.1:4000 (process 7, state in /state)"
    assert "requestHandler: new NodeHttpHandler()" in hint
    assert json.loads(data)["endpoint"] == "http://127.0.0.1:4000"


def test_set_when_values_are_given_then_they_hold_and_all_are_shown(
    fake: FakeSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each value is read as its setting's type; the list shows what was set just now."""
    assert main(["sandbox", "set", "throttle_share=0.1", "model_units_quota=0"]) == 0

    assert fake.settings == sandbox.SandboxSettings(throttle_share=0.1, model_units_quota=0)
    lines = capsys.readouterr().out.splitlines()
    assert "throttle_share=0.1  (set)" in lines
    assert "stage_seconds=0.5" in lines


def test_set_when_a_text_has_control_characters_then_they_are_shown_as_escapes(
    fake: FakeSandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """None of them reaches the terminal."""
    assert main(["sandbox", "set", "fail_message=\x1b[31mred"]) == 0

    assert r"fail_message=\x1b[31mred  (set)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("throttle_share", "sets nothing"),
        ("throttle=1", "no setting throttle"),
        ("throttle_share=often", "takes a share from 0 to 1"),
    ],
)
def test_set_when_a_word_cannot_be_read_then_it_says_so_and_starts_nothing(
    fake: FakeSandbox, capsys: pytest.CaptureFixture[str], word: str, fault: str
) -> None:
    """A misspelt setting is never swallowed."""
    assert main(["sandbox", "set", word]) == 2

    assert fault in capsys.readouterr().err
    assert fake.calls == []


def test_stop_when_called_then_the_sandbox_is_stopped(fake: FakeSandbox) -> None:
    """Whether it ran or not."""
    assert main(["sandbox", "stop"]) == 0
    assert fake.calls == [("stop", None)]


def test_sandbox_when_it_fails_then_one_line_says_so(
    fake: FakeSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit status 1: it was asked rightly and could not."""

    def refuse(state: Path | None = None) -> bool:
        raise SandboxError("it still runs. End its process: kill 7.")

    monkeypatch.setattr(sandbox, "stop", refuse)

    assert main(["sandbox", "stop"]) == 1
    assert capsys.readouterr().err == "haikuft: it still runs. End its process: kill 7.\n"


class Keyboard(io.StringIO):
    """A person who types this."""

    def isatty(self) -> bool:
        """Be a person."""
        return True


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a project with a run in this sandbox and one elsewhere, and go there."""
    for name in ("notebooks", "haikuft"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").touch()
    for run, state in (("first", "/state"), ("second", "/elsewhere")):
        record = RunRecord(run=run, target="sandbox", sandbox_state=state)
        write_record(tmp_path / "runs" / run / "run.json", record)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("typed", "calls"), [("y\n", [("reset", None)]), ("yes\n", [("reset", None)]), ("\n", [])]
)
def test_reset_when_asked_then_the_answer_counts_and_the_orphans_are_named(
    fake: FakeSandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    calls: list[tuple[str, Any]],
) -> None:
    """Who empties it must know whose things go."""
    monkeypatch.setattr("sys.stdin", Keyboard(typed))

    assert main(["sandbox", "reset"]) == 0

    assert fake.calls == calls
    out = capsys.readouterr().out
    assert "will be gone: first.\n" in out
    assert "second" not in out


@pytest.mark.usefixtures("project")
def test_reset_when_told_yes_then_nobody_is_asked(fake: FakeSandbox) -> None:
    """For scripts."""
    assert main(["sandbox", "reset", "--yes"]) == 0
    assert fake.calls == [("reset", None)]


def test_reset_when_nobody_is_there_then_it_asks_for_yes(
    fake: FakeSandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It neither hangs nor guesses."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    assert main(["sandbox", "reset"]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert fake.calls == []
