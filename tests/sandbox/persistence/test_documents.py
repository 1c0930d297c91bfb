"""Documents in the database: written when they change, in order, with the files that they name."""

import io
from pathlib import Path

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import Database, Documents, write_key
from haikuft.sandbox.persistence.moto_s3 import ObjectFiles


class Counting(Database):
    """A database that notes what it is asked to change, and can be full."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.changed: list[tuple[str, str]] = []
        self.full = False

    def _write(self, kind: str, key: str, value: bytes | None) -> None:
        """Note, then write."""
        if self.full:
            raise SandboxError("The disk is full.")
        self.changed.append((kind, key))
        super()._write(kind, key, value)


@pytest.fixture
def database(tmp_path: Path) -> Counting:
    """Open a new database."""
    return Counting(tmp_path / "ledger.sqlite")


@pytest.fixture
def files(tmp_path: Path) -> ObjectFiles:
    """Make an empty directory of files."""
    return ObjectFiles(tmp_path / "objects")


def test_documents_when_loaded_then_come_in_the_order_they_were_made(
    database: Counting, files: ObjectFiles
) -> None:
    """Keys are names of any letters; a document that changes keeps its place."""
    documents = Documents(database, files.remove)
    with documents.transaction():
        for name in ("z", "ü/\n", "a"):
            documents.put("thing", write_key("data", name), {"n": 1})
    with documents.transaction():
        documents.put("thing", write_key("data", "z"), {"n": 2})
        documents.put("thing", write_key("data", "b"), {"n": 3})
    assert Documents(database, files.remove).load("thing") == [
        (("data", "z"), {"n": 2}),
        (("data", "ü/\n"), {"n": 1}),
        (("data", "a"), {"n": 1}),
        (("data", "b"), {"n": 3}),
    ]


def test_documents_when_nothing_changes_then_nothing_is_written(
    database: Counting, files: ObjectFiles
) -> None:
    """The same document again, or one to go that never was, is no change; also after a load."""
    documents = Documents(database, files.remove)
    with documents.transaction():
        documents.put("thing", write_key("a"), {"n": 1})
    again = Documents(database, files.remove)
    again.load("thing")
    for known in (documents, again):
        with known.transaction():
            known.put("thing", write_key("a"), {"n": 1})
            known.put("thing", write_key("never"), None)
    assert database.changed == [("thing", write_key("a"))]


def test_files_when_no_document_names_them_any_more_then_are_deleted(
    database: Counting, files: ObjectFiles, tmp_path: Path
) -> None:
    """A file may move from one document to another; it goes with the last that named it."""
    stored = [files.write(io.BytesIO(b"x")) for _ in range(3)]
    names = [file.name or "" for file in stored]
    documents = Documents(database, files.remove)
    with documents.transaction():
        documents.put("thing", write_key("a"), [{"file": [name, 1]} for name in names])
    with documents.transaction():
        named = [{"file": [names[0], 1]}, f'{{"file":["{names[1]}"']
        documents.put("thing", write_key("a"), named)
        documents.put("thing", write_key("b"), {"file": [names[2], 1]})
    assert {path.name for path in (tmp_path / "objects").iterdir()} == {names[0], names[2]}
    again = Documents(database, files.remove)
    again.load("thing")
    files.write(io.BytesIO(b"of a change that was never written"))
    files.delete_others(again.loaded_files)
    assert {path.name for path in (tmp_path / "objects").iterdir()} == {names[0], names[2]}
    with again.transaction():
        for key in ("a", "b"):
            again.put("thing", write_key(key), None)
    assert list((tmp_path / "objects").iterdir()) == []


def test_documents_when_the_database_cannot_write_then_are_written_next_time(
    database: Counting, files: ObjectFiles
) -> None:
    """What failed is not taken for written, and its files stay."""
    stored = files.write(io.BytesIO(b"x"))
    documents = Documents(database, files.remove)
    with documents.transaction():
        documents.put("thing", write_key("a"), {"file": [stored.name, 1]})
    database.full = True
    with pytest.raises(SandboxError, match="full"), documents.transaction():
        documents.put("thing", write_key("a"), None)
    assert stored.read() == b"x"
    database.full = False
    with documents.transaction():
        documents.put("thing", write_key("a"), None)
    assert database.read("thing") == {}


def test_document_when_put_outside_a_transaction_then_is_refused(
    database: Counting, files: ObjectFiles
) -> None:
    """Nothing would keep it; also after a transaction has ended."""
    documents = Documents(database, files.remove)
    with documents.transaction():
        pass
    with pytest.raises(RuntimeError, match="outside a transaction"):
        documents.put("thing", write_key("a"), {"n": 1})
