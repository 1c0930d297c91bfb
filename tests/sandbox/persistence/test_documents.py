"""Rows of the ledger: written when they change, in order, with the files that they name."""

import io
from pathlib import Path
from typing import Any

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import Change, Ledger
from haikuft.sandbox.persistence.documents import Rows, write_key
from haikuft.sandbox.persistence.object_files import ObjectFiles


class Counting(Ledger):
    """A ledger that notes what it is asked to change, and can be full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.changed: list[list[tuple[str, str]]] = []
        self.full = False

    def apply(self, changes: Any) -> None:
        """Note, then write."""
        if self.full:
            raise SandboxError("The disk is full.")
        given: list[Change] = list(changes)
        self.changed.append([(kind, key) for kind, key, _ in given])
        super().apply(given)


@pytest.fixture
def ledger(tmp_path: Path) -> Counting:
    """Open a new ledger."""
    return Counting(tmp_path / "ledger.sqlite")


@pytest.fixture
def files(tmp_path: Path) -> ObjectFiles:
    """Make an empty directory of files."""
    return ObjectFiles(tmp_path / "objects")


def test_rows_when_loaded_then_come_in_the_order_they_were_made(
    ledger: Counting, files: ObjectFiles
) -> None:
    """Keys are names of any letters; a row that changes keeps its place."""
    rows = Rows(ledger, files)
    for name in ("z", "ü/\n", "a"):
        rows.stage("thing", write_key("data", name), {"n": 1})
    rows.commit()
    rows.stage("thing", write_key("data", "z"), {"n": 2})
    rows.stage("thing", write_key("data", "b"), {"n": 3})
    rows.commit()
    loaded = Rows(ledger, files).load("thing")
    assert loaded == [
        (("data", "z"), {"n": 2}),
        (("data", "ü/\n"), {"n": 1}),
        (("data", "a"), {"n": 1}),
        (("data", "b"), {"n": 3}),
    ]


def test_rows_when_nothing_changes_then_nothing_is_written(
    ledger: Counting, files: ObjectFiles
) -> None:
    """The same document again, or a row to go that never was, is no change; also after a load."""
    rows = Rows(ledger, files)
    rows.stage("thing", write_key("a"), {"n": 1})
    rows.commit()
    again = Rows(ledger, files)
    again.load("thing")
    for known in (rows, again):
        known.stage("thing", write_key("a"), {"n": 1})
        known.stage("thing", write_key("never"), None)
        known.commit()
    assert ledger.changed == [[("thing", write_key("a"))]]


def test_files_when_no_row_names_them_any_more_then_are_deleted(
    ledger: Counting, files: ObjectFiles, tmp_path: Path
) -> None:
    """A file may move from one row to another; it goes with the last that named it."""
    stored = [files.write(io.BytesIO(b"x")) for _ in range(3)]
    names = [file.name or "" for file in stored]
    rows = Rows(ledger, files)
    rows.stage("thing", write_key("a"), [{"file": [name, 1]} for name in names])
    rows.commit()
    rows.stage("thing", write_key("a"), [{"file": [names[0], 1]}, f'{{"file":["{names[1]}"'])
    rows.stage("thing", write_key("b"), {"file": [names[2], 1]})
    rows.commit()
    assert {path.name for path in (tmp_path / "objects").iterdir()} == {names[0], names[2]}
    again = Rows(ledger, files)
    again.load("thing")
    assert set(again.files()) == {names[0], names[2]}
    for key in ("a", "b"):
        again.stage("thing", write_key(key), None)
    again.commit()
    assert list((tmp_path / "objects").iterdir()) == []


def test_rows_when_the_ledger_cannot_write_then_are_written_next_time(
    ledger: Counting, files: ObjectFiles
) -> None:
    """What failed is not taken for written, and its files stay."""
    stored = files.write(io.BytesIO(b"x"))
    rows = Rows(ledger, files)
    rows.stage("thing", write_key("a"), {"file": [stored.name, 1]})
    rows.commit()
    ledger.full = True
    rows.stage("thing", write_key("a"), None)
    with pytest.raises(SandboxError, match="full"):
        rows.commit()
    assert stored.read() == b"x"
    ledger.full = False
    rows.stage("thing", write_key("a"), None)
    rows.commit()
    assert ledger.read("thing") == {}
