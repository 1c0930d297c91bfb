"""What survives the server: entries written whole or not at all."""

import sqlite3
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import FORMAT, Database


def apply(database: Database, *entries: tuple[str, str, bytes | None]) -> None:
    """Write entries in one transaction."""
    with database.transaction() as write:
        for entry in entries:
            write(*entry)


def test_entries_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    """A new database on the same file reads what an earlier one wrote, in the order of the keys."""
    database = Database(tmp_path / "state" / "ledger.sqlite")
    apply(database, ("job", "b", b"2"), ("job", "a", b"1"), ("model", "a", b"\x00\xff"))
    database.close()
    again = Database(tmp_path / "state" / "ledger.sqlite")
    assert list(again.read("job").items()) == [("a", b"1"), ("b", b"2")]
    assert again.read("model") == {"a": b"\x00\xff"}
    assert again.read("throughput") == {}
    assert (again.keys("job"), again.keys("throughput")) == (["a", "b"], [])
    assert (again.find("job", "b"), again.find("job", "c")) == (b"2", None)


def test_a_second_value_takes_the_place_of_the_first_and_none_deletes(tmp_path: Path) -> None:
    """Changes count in the order given."""
    database = Database(tmp_path / "ledger.sqlite")
    apply(database, ("job", "a", b"1"), ("job", "a", b"2"), ("job", "b", b"3"), ("job", "b", None))
    apply(database, ("job", "never", None))
    assert database.read("job") == {"a": b"2"}


def test_changes_that_fail_half_way_leave_nothing(tmp_path: Path) -> None:
    """All changes of one transaction are written, or none of them."""
    database = Database(tmp_path / "ledger.sqlite")
    with pytest.raises(Exception, match=r"not supported|binding"):
        apply(database, ("job", "a", b"1"), ("job", "b", object()))  # type: ignore[list-item]
    assert database.read("job") == {}
    apply(database, ("job", "a", b"1"))
    assert database.read("job") == {"a": b"1"}


def test_what_was_written_outlives_a_killed_process(tmp_path: Path) -> None:
    """SIGKILL right after a transaction loses nothing."""
    path = tmp_path / "ledger.sqlite"
    script = (
        "import os, signal, sys; from pathlib import Path; "
        "from haikuft.sandbox.persistence.database import Database; "
        "database = Database(Path(sys.argv[1]))\n"
        "with database.transaction() as write: write('job', 'a', b'1')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    assert ended.returncode == -9
    assert Database(path).read("job") == {"a": b"1"}


def check_refusal(path: Path, words: str) -> None:
    """See that the database is refused with these words, its name and the fix, and left alone."""
    before = path.read_bytes()
    with pytest.raises(SandboxError, match=words) as caught:
        Database(path).read("job")
    assert str(path) in str(caught.value)
    assert f"haikuft sandbox reset --state {path.parent}" in str(caught.value)
    assert path.read_bytes() == before


def test_database_when_written_by_a_newer_version_then_is_left_alone(tmp_path: Path) -> None:
    """Its records may mean what this version does not know."""
    path = tmp_path / "ledger.sqlite"
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    check_refusal(path, "newer haikuft")


@pytest.mark.parametrize("content", [b"no database" * 100, b"SQLite format 3\x00" + bytes(200)])
def test_database_when_it_is_no_database_then_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """Another file under its name, or one cut short."""
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    check_refusal(path, "damaged: file is not a database")


def test_database_when_its_inside_is_damaged_then_is_left_alone(tmp_path: Path) -> None:
    """A page overwritten by something else is found when it is read."""
    path = tmp_path / "ledger.sqlite"
    database = Database(path)
    apply(database, *(("job", str(number), bytes(3000)) for number in range(100)))
    database.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    check_refusal(path, "damaged: database disk image is malformed")


def test_database_when_empty_files_are_left_of_a_reset_then_begins_anew(tmp_path: Path) -> None:
    """A reset that was cut short leaves at worst SQLite's side files."""
    path = tmp_path / "ledger.sqlite"
    database = Database(path)
    apply(database, ("job", "a", b"1"))
    path.unlink()
    assert (tmp_path / "ledger.sqlite-wal").stat().st_size
    assert Database(path).read("job") == {}


def test_database_when_its_place_cannot_be_used_then_says_where_it_belongs(tmp_path: Path) -> None:
    """Something in the way, or a disk that cannot be written."""
    (tmp_path / "file").touch()
    (tmp_path / "ledger.sqlite").mkdir()
    for path in (tmp_path / "ledger.sqlite", tmp_path / "file" / "ledger.sqlite"):
        with pytest.raises(SandboxError, match="belongs on a local disk with room") as caught:
            Database(path)
        assert str(path) in str(caught.value)


def test_transaction_when_the_disk_is_full_then_writes_nothing_until_there_is_room(
    tmp_path: Path,
) -> None:
    """What was there stays, and the next change finds the database in order."""
    database = Database(tmp_path / "ledger.sqlite")
    apply(database, ("job", "a", b"1"))
    (pages,) = database._connection.execute("PRAGMA page_count").fetchone()
    database._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SandboxError, match="database or disk is full"):
        apply(database, ("job", "a", b"2"), ("job", "b", bytes(100_000)))
    assert database.read("job") == {"a": b"1"}
    database._connection.execute("PRAGMA max_page_count = 1000")
    apply(database, ("job", "a", b"2"))
    assert database.read("job") == {"a": b"2"}


def test_transaction_when_another_thread_is_in_one_then_waits_for_its_end(tmp_path: Path) -> None:
    """What one thread writes is never part of what another gives up."""
    database = Database(tmp_path / "ledger.sqlite")
    with ThreadPoolExecutor(1) as pool:

        def fail() -> Future[None]:
            with database.transaction() as write:
                write("job", "a", b"1")
                other = pool.submit(apply, database, ("job", "b", b"2"))
                with pytest.raises(TimeoutError):
                    other.result(timeout=0.1)
                futures.append(other)
                raise LookupError

        futures: list[Future[None]] = []
        with pytest.raises(LookupError):
            fail()
        futures[0].result()
    assert database.read("job") == {"b": b"2"}
