"""Starting, finding, setting, stopping and emptying a sandbox, with real processes."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from fakes import start_in_processes

import haikuft.sandbox as sandbox_package
from haikuft import __version__
from haikuft.errors import SandboxError, SettingsError
from haikuft.sandbox import Endpoint, SandboxSettings
from haikuft.sandbox.directory import read_port, write_endpoint
from haikuft.sandbox.persistence.database import DATABASE_FILE


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Name a state directory; what was started there is stopped."""
    yield tmp_path / "state"
    sandbox_package.stop(tmp_path / "state")


def test_import_when_only_the_package_is_loaded_then_no_third_party_comes_with_it() -> None:
    """Finding a sandbox must not cost the import of moto."""
    code = "import sys, haikuft.sandbox; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ["moto", "boto3", "botocore", "werkzeug", "sklearn", "numpy", "pandas"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_start_when_repeated_then_finds_the_same_server(state: Path) -> None:
    """A second start, and a start from another process, find what runs."""
    first = sandbox_package.start(state, settings={"stage_seconds": 0})
    assert sandbox_package.start(state) == first
    assert start_in_processes(state, 1) == {first.pid}
    assert sandbox_package.read_settings(first).stage_seconds == 0


def test_start_when_another_version_has_started_it_then_starts_this_one_on_the_same_state(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update: the old server would start its training from modules that have moved."""
    before = sandbox_package.start(state, settings={"stage_seconds": 7})
    monkeypatch.setattr("haikuft.sandbox.process.__version__", "another")
    after = sandbox_package.start(state)
    assert after.pid != before.pid
    assert sandbox_package.read_settings(after).stage_seconds == 7


def test_start_when_two_processes_do_it_at_once_then_they_get_one_server(state: Path) -> None:
    """Two kernels that open their first cell together share a sandbox."""
    assert start_in_processes(state, 3) == {sandbox_package.status(state).pid}


def test_start_when_it_runs_then_it_is_found_without_the_lock(state: Path) -> None:
    """People who may only read the endpoint share a sandbox that another user has started."""
    endpoint = sandbox_package.start(state)
    (state / "start.lock").unlink()
    (state / "start.lock").mkdir()  # which nobody can open to write
    assert sandbox_package.start(state) == endpoint


def test_start_when_its_starter_ends_then_the_server_lives_on_in_its_own_session(
    state: Path,
) -> None:
    """A kernel that ends does not end the sandbox, and nothing waits for its pipe."""
    (pid,) = start_in_processes(state, 1)
    assert sandbox_package.status(state).pid == pid
    assert os.getsid(pid) == pid


def test_start_when_the_environment_is_strange_then_comes_up_all_the_same(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Profiles, proxies and tokens around it neither stop the sandbox nor reach it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    endpoint = sandbox_package.start(state)
    assert sandbox_package.status(state) == sandbox_package.Status(
        True, endpoint.url, endpoint.pid, str(state), __version__
    )


def test_start_when_settings_are_wrong_then_nothing_is_started(state: Path) -> None:
    """The mistake is said before a process is made."""
    with pytest.raises(SettingsError, match="lifecycle"):
        sandbox_package.start(state, settings={"lifecycle": "eternal"})
    assert not state.exists()


def test_start_when_directory_cannot_be_made_then_says_how_to_name_another(tmp_path: Path) -> None:
    """A file in the way is the user's to move."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="--state or HAIKUFT_SANDBOX_STATE"):
        sandbox_package.start(tmp_path / "file" / "state")


def test_start_when_server_dies_at_once_then_shows_the_end_of_its_log(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever keeps it from coming up stands in the message."""
    state.mkdir()
    broken = state.parent / "broken"
    (broken / "moto").mkdir(parents=True)
    (broken / "moto" / "__init__.py").write_text("raise ImportError('moto is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    with pytest.raises(SandboxError, match="moto is broken here"):
        sandbox_package.start(state)


@pytest.mark.parametrize(
    ("version", "content", "words"),
    [(None, b"no database" * 400, "is damaged"), (2, b"", "was written by a newer haikuft")],
)
def test_start_when_the_database_cannot_be_read_then_says_so_and_touches_nothing(
    state: Path, version: int | None, content: bytes, words: str
) -> None:
    """The message is the server's own: the file, and the command that makes a new sandbox."""
    (state / "models" / "abcdefghijkl").mkdir(parents=True)
    database = state / DATABASE_FILE
    database.write_bytes(content)
    if version:
        sqlite3.connect(database).execute(f"PRAGMA user_version = {version}").connection.close()
        content = database.read_bytes()
    with pytest.raises(SandboxError) as caught:
        sandbox_package.start(state)
    said = f"The sandbox did not start. The sandbox's database {database} {words}"
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith(f"haikuft sandbox reset --state {state}")
    assert database.read_bytes() == content
    assert (state / "models" / "abcdefghijkl").exists()
    sandbox_package.reset(state)
    assert sandbox_package.start(state).state == str(state)


def test_start_when_another_account_is_wanted_then_says_that_it_is_fixed(state: Path) -> None:
    """The number stands in every ARN that was made."""
    sandbox_package.start(state, settings={"account_id": "210987654321"})
    sandbox_package.stop(state)
    with pytest.raises(SandboxError, match="account_id is 210987654321 since"):
        sandbox_package.start(state, settings={"account_id": "123456789012"})
    endpoint = sandbox_package.start(state)
    assert sandbox_package.read_settings(endpoint).account_id == "210987654321"


def test_start_when_another_program_has_the_port_then_takes_another(
    state: Path, sandbox: Endpoint
) -> None:
    """A stale endpoint file names what is now someone else's: here another sandbox's port."""
    state.mkdir()
    write_endpoint(state, int(sandbox.url.rpartition(":")[2]))
    endpoint = sandbox_package.start(state)
    assert endpoint.url != sandbox.url
    assert sandbox_package.status(sandbox.state).pid == sandbox.pid


def test_state_directory_when_moved_while_its_server_runs_then_is_said_with_the_process(
    state: Path,
) -> None:
    """By the next start at once, and by the server to whoever writes; moved back, all is well."""
    endpoint = sandbox_package.start(state)
    place = {"LocationConstraint": "us-west-2"}
    s3 = boto3.Session("k", "k").client(
        "s3", "us-west-2", endpoint_url=endpoint.url, config=Config(retries={"mode": "standard"})
    )
    s3.create_bucket(Bucket="data", CreateBucketConfiguration=place)
    moved = state.rename(state.with_name("moved"))
    words = f"while process {endpoint.pid} serves it"
    with pytest.raises(SandboxError, match=words):
        sandbox_package.start(moved)
    with pytest.raises(ClientError, match=words):
        s3.put_object(Bucket="data", Key="k", Body=b"text")
    moved.rename(state)
    s3.put_object(Bucket="data", Key="k", Body=b"text")


def test_stop_when_it_runs_then_is_gone_and_the_next_start_takes_the_same_port(
    state: Path,
) -> None:
    """A notebook left open finds the sandbox again under its old address."""
    first = sandbox_package.start(state)
    assert sandbox_package.stop(state) is True
    stopped = sandbox_package.Status(False, None, None, str(state))
    assert sandbox_package.status(state) == stopped
    assert sandbox_package.stop(state) is False
    second = sandbox_package.start(state)
    assert second.url == first.url
    assert second.pid != first.pid


def test_reset_when_it_ran_then_nothing_of_it_is_left(state: Path) -> None:
    """Models and log go; what is not the sandbox's stays."""
    sandbox_package.start(state)
    (state / "models").mkdir(exist_ok=True)
    (state / "models" / "weights").write_text("1")
    (state / "mine.txt").write_text("mine")
    sandbox_package.reset(state)
    assert not sandbox_package.status(state).running
    left = {path.name for path in state.iterdir()}
    assert left == {"mine.txt", "server.lock", "start.lock"}
    sandbox_package.reset(state / "never-there")


def test_status_when_another_program_has_the_port_then_does_not_run(
    tmp_path: Path, sandbox: Endpoint
) -> None:
    """A stale file that points to someone else's sandbox is not ours running."""
    port = int(sandbox.url.rpartition(":")[2])
    write_endpoint(tmp_path, port)
    assert read_port(tmp_path) == port
    assert not sandbox_package.status(tmp_path).running
    assert sandbox_package.stop(tmp_path) is False
    assert sandbox_package.status(sandbox.state).running


def test_status_when_endpoint_file_is_damaged_then_does_not_run(tmp_path: Path) -> None:
    """A damaged file does no harm."""
    (tmp_path / "endpoint.json").write_text('{"port": 4')
    assert not sandbox_package.status(tmp_path).running


def test_configure_when_sandbox_runs_then_settings_change(sandbox: Endpoint) -> None:
    """Settings can be changed by endpoint or by its URL."""
    changed = sandbox_package.configure(sandbox, model_units_quota=0)
    assert changed == SandboxSettings(stage_seconds=0, model_units_quota=0)
    assert sandbox_package.read_settings(sandbox.url) == changed
    sandbox_package.configure(sandbox.url, model_units_quota=2)
    with pytest.raises(SettingsError, match="model_units_quota"):
        sandbox_package.configure(sandbox, model_units_quota=-1)


@pytest.mark.parametrize("url", ["https://bedrock.us-west-2.amazonaws.com", "http://127.0.0.1"])
def test_configure_when_url_is_no_sandbox_then_refuses(url: str) -> None:
    """Nothing but a port on loopback is ever asked."""
    with pytest.raises(SandboxError, match="no sandbox"):
        sandbox_package.configure(url, stage_seconds=0)


def test_configure_when_nobody_answers_then_says_how_to_start() -> None:
    """Port 9 discards, where anyone listens at all."""
    with pytest.raises(SandboxError, match="haikuft sandbox start"):
        sandbox_package.read_settings("http://127.0.0.1:9")
