"""The files of objects' bytes: read like a buffer, named at random, and never anything else."""

import io
from pathlib import Path

import pytest

from haikuft.errors import SandboxError
from haikuft.sandbox.persistence.moto_s3 import ObjectFiles


@pytest.fixture
def files(tmp_path: Path) -> ObjectFiles:
    """Make an empty directory of files."""
    return ObjectFiles(tmp_path / "objects")


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
