"""Tables whose changes are kept: whole, at once, and for the next server."""

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikuft.errors import SandboxError
from haikuft.sandbox.bedrock.records import Table, Tables
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database


@dataclass(frozen=True, slots=True)
class Thing:
    """A record with all that records have."""

    name: str
    made: datetime
    directory: Path
    parts: Mapping[str, tuple[int, float | None]]
    request: Mapping[str, Any]
    ended: datetime | None = None


THING = Thing(
    name="tisch",
    made=datetime(2026, 11, 21, 12, 30, 0, 123000, UTC),
    directory=Path("models/abc"),
    parts={"leg": (4, 0.1), "top": (1, None)},
    request={"units": 3, "share": 1.5, "names": ["a", "ü"], "deep": {"yes": True, "no": None}},
)


class CountingDatabase(Database):
    """Counts what is written, and fails when a test says so."""

    committed = 0
    full = False

    def _commit(self) -> None:
        """Count, and commit unless the disk is full."""
        if self.full:
            raise SandboxError("full")
        self.committed += 1
        super()._commit()


def open_tables(state: Path) -> tuple[CountingDatabase, Tables, Table[Thing], Table[str]]:
    """Open two tables in a directory."""
    database = CountingDatabase(state / DATABASE_FILE)
    tables = Tables(database, state)
    return database, tables, Table(tables, "things", Thing), Table(tables, "words", str)


def test_values_when_opened_again_then_equal_what_was_put(tmp_path: Path) -> None:
    """Moments in UTC, numbers, texts, None and what stands in a request come back as they were."""
    _, tables, things, words = open_tables(tmp_path)
    thing = replace(THING, directory=tmp_path / "models" / "abc")
    with tables:
        things["a"] = thing
        words["b"] = "wort"
        words["c"] = "weg"
        del words["c"]
    _, _, things, words = open_tables(tmp_path)
    assert dict(things) == {"a": thing}
    assert dict(words) == {"b": "wort"}


def test_numbers_when_not_finite_then_come_back_as_they_were(tmp_path: Path) -> None:
    """A reckless learning rate gives such losses."""
    database = Database(tmp_path / DATABASE_FILE)
    tables = Tables(database, tmp_path)
    losses = Table(tables, "losses", float)
    with tables:
        losses["a"], losses["b"] = math.nan, math.inf
    losses = Table(Tables(database, tmp_path), "losses", float)
    assert math.isnan(losses["a"])
    assert losses["b"] == math.inf


def test_paths_when_the_directory_has_moved_then_go_with_it(tmp_path: Path) -> None:
    """A state directory may be moved while no server runs."""
    _, tables, things, _ = open_tables(tmp_path / "old")
    with tables:
        things["a"] = replace(THING, directory=tmp_path / "old" / "models" / "abc")
    (tmp_path / "old").rename(tmp_path / "new")
    _, _, things, _ = open_tables(tmp_path / "new")
    assert things["a"].directory == tmp_path / "new" / "models" / "abc"


def test_changes_when_the_lock_is_taken_twice_then_are_written_once_at_the_end(
    tmp_path: Path,
) -> None:
    """One operation is one write; a look writes nothing."""
    database, tables, _, words = open_tables(tmp_path)
    with tables:
        words["a"] = "1"
        with tables:
            words["b"] = "2"
        assert database.committed == 0
        words["a"] = "3"
    assert database.committed == 1
    with tables:
        assert (words["a"], words["b"]) == ("3", "2")
    assert database.committed == 1


def test_changes_when_the_block_raises_then_are_undone(tmp_path: Path) -> None:
    """A refused operation has changed nothing, here or in the database."""
    database, tables, _, words = open_tables(tmp_path)
    with tables:
        words["a"] = "1"
        words["b"] = "2"

    def fail() -> None:
        with tables:
            words["a"] = "changed"
            words["c"] = "new"
            del words["b"]
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert dict(words) == {"a": "1", "b": "2"}
    assert database.committed == 1


def test_changes_when_the_database_cannot_be_written_then_are_undone_and_can_be_tried_again(
    tmp_path: Path,
) -> None:
    """A change that was not written cannot be read."""
    database, tables, _, words = open_tables(tmp_path)
    database.full = True
    with pytest.raises(SandboxError, match="full"), tables:
        words["a"] = "1"
    assert dict(words) == {}
    database.full = False
    with tables:
        words["a"] = "1"
    assert dict(open_tables(tmp_path)[3]) == {"a": "1"}


def test_changes_when_the_lock_is_not_held_then_are_refused(tmp_path: Path) -> None:
    """Without it nothing would be kept, and another thread's lock is not ours."""
    _, tables, _, words = open_tables(tmp_path)
    with pytest.raises(RuntimeError, match="without the lock"):
        words["a"] = "1"
    with tables, ThreadPoolExecutor(1) as pool:
        other = pool.submit(words.__setitem__, "a", "1")
        with pytest.raises(RuntimeError, match="without the lock"):
            other.result()
    assert dict(words) == {}


def test_delete_when_there_is_nothing_then_says_so(tmp_path: Path) -> None:
    """As a dict does; `pop` may have a default."""
    _, tables, _, words = open_tables(tmp_path)
    with tables:
        with pytest.raises(KeyError):
            del words["a"]
        assert words.pop("a", "nothing") == "nothing"


@pytest.mark.parametrize("value", [b"\xff\x00", b"", b"\x01", b"\xa3abc"])
def test_table_when_an_entry_is_damaged_then_names_file_entry_and_mend(
    tmp_path: Path, value: bytes
) -> None:
    """Rather no start than a start without a record."""
    database = Database(tmp_path / DATABASE_FILE)
    with database.transaction() as write:
        write("things", "a-thing", value)
    with pytest.raises(SandboxError) as caught:
        Table(Tables(database, tmp_path), "things", Thing)
    for words in (str(database.path), "a-thing among things", "haikuft sandbox reset --state"):
        assert words in str(caught.value)
    assert database.read("things") == {"a-thing": value}


CHANGES = st.lists(
    st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.text())), min_size=1, max_size=6
)
BLOCKS = st.lists(st.tuples(CHANGES, st.booleans()), max_size=8)


@settings(max_examples=40)
@given(BLOCKS)
def test_tables_when_changed_in_any_way_then_database_and_memory_agree(
    blocks: list[tuple[list[tuple[str, str | None]], bool]],
) -> None:
    """Whatever is put, deleted, and given up: the next server reads what this one knows."""
    with TemporaryDirectory() as directory:
        database, tables, _, words = open_tables(Path(directory))
        expected: dict[str, str] = {}
        for changes, well in blocks:
            before = dict(expected)
            try:
                with tables:
                    for key, value in changes:
                        if value is None:
                            assert words.pop(key, None) == expected.pop(key, None)
                        else:
                            words[key] = expected[key] = value
                    if not well:
                        raise LookupError
            except LookupError:
                expected = before
            assert dict(words) == expected
        assert dict(Table(Tables(database, Path(directory)), "words", str)) == expected
        database.close()


def test_values_when_read_then_are_the_tables_own(tmp_path: Path) -> None:
    """Length, membership and values are those of a dict."""
    _, tables, things, words = open_tables(tmp_path)
    with tables:
        words.update({"a": "1", "b": "2"})
        moved = replace(THING, directory=tmp_path, made=THING.made + timedelta(days=1))
        things["t"] = moved
    assert (len(words), "a" in words, "z" in words) == (2, True, False)
    assert list(words.values()) == ["1", "2"]
    assert list(things.values()) == [moved]


def test_unknown_kinds_of_values_when_put_then_are_refused(tmp_path: Path) -> None:
    """A record that cannot be kept must not seem to be."""
    _, tables, things, _ = open_tables(tmp_path)
    with pytest.raises(NotImplementedError, match="object"), tables:
        things["a"] = replace(THING, directory=tmp_path, request={"x": object()})
    assert dict(things) == {}
