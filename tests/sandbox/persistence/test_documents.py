"""Documents in the database: written when they change, in order, with the files that they name."""

import io
from pathlib import Path

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.database import Database
from haikuft.sandbox.persistence.documents import Documents, ObjectFiles, write_key


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
    documents = Documents(database, files)
    with documents.transaction():
        for name in ("z", "ü/\n", "a"):
            documents.put("thing", write_key("data", name), {"n": 1})
    with documents.transaction():
        documents.put("thing", write_key("data", "z"), {"n": 2})
        documents.put("thing", write_key("data", "b"), {"n": 3})
    assert Documents(database, files).load("thing") == [
        (("data", "z"), {"n": 2}),
        (("data", "ü/\n"), {"n": 1}),
        (("data", "a"), {"n": 1}),
        (("data", "b"), {"n": 3}),
    ]


def test_documents_when_nothing_changes_then_nothing_is_written(
    database: Counting, files: ObjectFiles
) -> None:
    """The same document again, or one to go that never was, is no change; also after a load."""
    documents = Documents(database, files)
    with documents.transaction():
        documents.put("thing", write_key("a"), {"n": 1})
    again = Documents(database, files)
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
    documents = Documents(database, files)
    with documents.transaction():
        documents.put("thing", write_key("a"), [{"file": [name, 1]} for name in names])
    with documents.transaction():
        named = [{"file": [names[0], 1]}, f'{{"file":["{names[1]}"']
        documents.put("thing", write_key("a"), named)
        documents.put("thing", write_key("b"), {"file": [names[2], 1]})
    assert {path.name for path in (tmp_path / "objects").iterdir()} == {names[0], names[2]}
    again = Documents(database, files)
    again.load("thing")
    files.write(io.BytesIO(b"of a change that was never written"))
    again.delete_unnamed_files()
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
    documents = Documents(database, files)
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
    documents = Documents(database, files)
    with documents.transaction():
        pass
    with pytest.raises(RuntimeError, match="outside a transaction"):
        documents.put("thing", write_key("a"), {"n": 1})


DATA = bytes(range(256)) * 9000  # more than is copied at a time


def test_stored_bytes_when_read_then_are_those_of_the_buffer(files: ObjectFiles) -> None:
    """All, or some from a place, and on from there, as a buffer reads."""
    buffer = io.BytesIO(DATA)
    buffer.seek(7)
    stored = files.write(buffer)
    assert stored.size == len(DATA)
    assert stored.read() == DATA
    assert stored.read() == b""
    stored.seek(300)
    assert stored.read(10) + stored.read(10) == DATA[300:320]
    again = files.open(stored.name or "", stored.size)
    assert again.read() == DATA


def test_stored_bytes_when_closed_then_reading_is_a_value_error(files: ObjectFiles) -> None:
    """By it moto tells that an object was deleted; the file is deleted elsewhere."""
    stored = files.write(io.BytesIO(DATA))
    name = stored.name or ""
    stored.close()
    assert stored.name is None
    with pytest.raises(ValueError, match="closed"):
        stored.seek(0)
    with pytest.raises(ValueError, match="closed"):
        stored.read()
    assert files.open(name, len(DATA)).read() == DATA


def test_file_when_gone_or_cut_then_reading_names_it(files: ObjectFiles, tmp_path: Path) -> None:
    """A file that someone deleted or changed is not taken for the object."""
    stored = files.write(io.BytesIO(DATA))
    path = tmp_path / "objects" / (stored.name or "")
    path.write_bytes(b"cut")
    with pytest.raises(SandboxError, match=f"{path} should hold 2,304,000 bytes"):
        stored.read()
    path.unlink()
    with pytest.raises(SandboxError, match="upload the object again"):
        stored.read()


@pytest.mark.parametrize("name", ["../ledger.sqlite", "/etc/passwd", "", "a" * 33, "A" * 32])
def test_open_when_name_is_not_of_the_directory_then_refuses(files: ObjectFiles, name: str) -> None:
    """A changed database does not lead anywhere else."""
    with pytest.raises(SandboxError, match="no name of a file"):
        files.open(name, 1)


def test_sweep_when_files_are_not_named_then_deletes_just_those(
    files: ObjectFiles, tmp_path: Path
) -> None:
    """Files that were written and never named go; what is not its own stays."""
    kept, left = files.write(io.BytesIO(b"kept")), files.write(io.BytesIO(b"left"))
    (tmp_path / "objects" / "README").write_text("not a file of ours")
    files.delete_others({kept.name or ""})
    assert kept.read() == b"kept"
    found = {path.name for path in (tmp_path / "objects").iterdir()}
    assert found == {"README", kept.name}
    files.remove([left.name or ""])
