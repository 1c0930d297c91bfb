"""A sandbox's state directory: where it is, its locks, its endpoint file, and emptying it."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from haikuft.sandbox.directory import (
    SERVER_LOCK,
    empty,
    hold_lock,
    is_locked,
    read_port,
    state_directory,
    write_endpoint,
)


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"HAIKUFT_SANDBOX_STATE": "/named"}, "/named"),
        ("linux", {"XDG_STATE_HOME": "/states"}, "/states/haikuft/sandbox"),
        ("linux", {"XDG_STATE_HOME": "relative"}, "/home/me/.local/state/haikuft/sandbox"),
        ("linux", {}, "/home/me/.local/state/haikuft/sandbox"),
        ("darwin", {}, "/home/me/Library/Application Support/haikuft/sandbox"),
    ],
)
def test_state_directory_when_none_is_given_then_the_environment_decides(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], expected: str
) -> None:
    """Our own variable first, then what the platform has for such things."""
    for name in ("HAIKUFT_SANDBOX_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/home/me"} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert state_directory() == Path(expected)
    assert state_directory("/given") == Path("/given")


def test_hold_lock_when_another_holds_it_then_does_not_wait_unless_told(tmp_path: Path) -> None:
    """The server's lock says that a server lives, whether it answers or not."""
    path = tmp_path / SERVER_LOCK
    with hold_lock(path), pytest.raises(BlockingIOError), hold_lock(path, wait=False):
        pass
    with hold_lock(path, wait=False):
        pass


def test_endpoint_file_when_written_then_holds_port_and_address(tmp_path: Path) -> None:
    """Anyone may read where the sandbox is."""
    write_endpoint(tmp_path, 40123)
    found: dict[str, Any] = json.loads((tmp_path / "endpoint.json").read_text())
    assert found == {"port": 40123, "endpoint": "http://127.0.0.1:40123"}


def test_is_locked_when_another_holds_it_then_says_so(tmp_path: Path) -> None:
    """And leaves it as it is."""
    path = tmp_path / SERVER_LOCK
    assert not is_locked(path)
    with hold_lock(path):
        assert is_locked(path)
    assert not is_locked(path)


@pytest.mark.parametrize("text", ["", "[]", '{"port": "x"}', '{"port": 1}', "{}", '{"port": 4'])
def test_read_port_when_the_file_is_damaged_then_there_is_none(tmp_path: Path, text: str) -> None:
    """A file cut short, or written by someone else."""
    (tmp_path / "endpoint.json").write_text(text)
    assert read_port(tmp_path) == 0


@pytest.mark.parametrize("name", [".endpoint.json.0123abcd", "endpoint.json.part"])
def test_endpoint_file_when_a_killed_writer_left_half_of_one_then_it_does_no_harm(
    tmp_path: Path, name: str
) -> None:
    """The next one is written in its place, and `empty` deletes the half, also version 0.1.0's."""
    (tmp_path / name).write_text('{"po')
    assert read_port(tmp_path) == 0
    write_endpoint(tmp_path, 40123)
    assert read_port(tmp_path) == 40123
    empty(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_empty_when_there_is_everything_then_leaves_the_locks_and_what_is_not_ours(
    tmp_path: Path,
) -> None:
    """Database with its side files, models, objects, log and port go."""
    for name in ("models", "objects"):
        (tmp_path / name / "deeper").mkdir(parents=True)
    database = [f"ledger.sqlite{end}" for end in ("", "-wal", "-shm")]
    for name in (*database, "log", "endpoint.json", "server.lock", "start.lock", "mine.txt"):
        (tmp_path / name).touch()
    empty(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"server.lock", "start.lock", "mine.txt"}
