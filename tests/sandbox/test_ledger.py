"""What survives the server: entries written whole or not at all."""

import subprocess
import sys
from pathlib import Path

import pytest

from haikuft.sandbox.ledger import Ledger


def test_entries_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """A new ledger on the same file reads what an earlier one wrote, in the order of the keys."""
    ledger = Ledger(tmp_path / "state" / "ledger.sqlite")
    ledger.apply([("job", "b", b"2"), ("job", "a", b"1"), ("model", "a", b"\x00\xff")])
    ledger.close()
    again = Ledger(tmp_path / "state" / "ledger.sqlite")
    assert list(again.read("job").items()) == [("a", b"1"), ("b", b"2")]
    assert again.read("model") == {"a": b"\x00\xff"}
    assert again.read("throughput") == {}


def test_a_second_value_takes_the_place_of_the_first_and_none_deletes(tmp_path: Path) -> None:
    """Changes count in the order given."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.apply([("job", "a", b"1"), ("job", "a", b"2"), ("job", "b", b"3"), ("job", "b", None)])
    ledger.apply([("job", "never", None)])
    assert ledger.read("job") == {"a": b"2"}


def test_changes_that_fail_half_way_leave_nothing(tmp_path: Path) -> None:
    """All changes of one call are written, or none of them."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with pytest.raises(Exception, match=r"not supported|binding"):
        ledger.apply([("job", "a", b"1"), ("job", "b", object())])  # type: ignore[list-item]
    assert ledger.read("job") == {}
    ledger.apply([("job", "a", b"1")])
    assert ledger.read("job") == {"a": b"1"}


def test_what_was_applied_outlives_a_killed_process(tmp_path: Path) -> None:
    """SIGKILL right after `apply` loses nothing."""
    path = tmp_path / "ledger.sqlite"
    script = (
        "import os, signal, sys; from pathlib import Path; from haikuft.sandbox.ledger import "
        "Ledger; Ledger(Path(sys.argv[1])).apply([('job', 'a', b'1')]); "
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert ended.returncode == -9
    assert Ledger(path).read("job") == {"a": b"1"}
