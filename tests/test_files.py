"""Files in one step, and JSON Lines files that are only added to."""

import errno
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from haikuft.errors import ConflictError, DataError
from haikuft.files import JsonLinesFile, read_json_lines, write_whole


@dataclass(frozen=True)
class Value:
    """A line of a file."""

    name: str
    number: int = 0


def read(path: Path) -> list[Value]:
    """Read the values of a file."""
    return read_json_lines(path, Value, what="a value")


def test_write_whole_when_the_folder_is_missing_then_both_are_made(tmp_path: Path) -> None:
    """Line feeds and halves of surrogate pairs do no harm."""
    path = write_whole(tmp_path / "a" / "b.txt", "é\n\ud800\n")

    assert path.read_bytes() == b"\xc3\xa9\n\\ud800\n"
    assert list(path.parent.iterdir()) == [path]


def test_write_whole_when_the_file_is_there_then_it_is_replaced_unless_it_was_to_be_new(
    tmp_path: Path,
) -> None:
    """No partial file is left either way."""
    path = write_whole(tmp_path / "b.txt", "one", new=True)
    write_whole(path, "two")

    with pytest.raises(FileExistsError):
        write_whole(path, "three", new=True)

    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_write_whole_when_the_disk_refuses_then_the_old_file_stays(tmp_path: Path) -> None:
    """Here a folder is where the file should be."""
    (tmp_path / "b.txt").mkdir()

    with pytest.raises(OSError, match=r"b\.txt"):
        write_whole(tmp_path / "b.txt", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_json_lines_when_added_to_in_two_sessions_then_all_are_read_in_order(
    tmp_path: Path,
) -> None:
    """An incomplete last line is cut off before the next one."""
    path = tmp_path / "a" / "values.jsonl"
    with JsonLinesFile(path) as file:
        file.append(Value("one"))
    with path.open("ab") as raw:
        raw.write(b'{"name": "tw')
    assert read(path) == [Value("one")]

    with JsonLinesFile(path) as file:
        file.append(Value("three", 3))

    assert read(path) == [Value("one"), Value("three", 3)]


def let_wait(file: JsonLinesFile, lines: int) -> None:
    """Let other threads go on until so many lines wait for the disk."""
    deadline = time.monotonic() + 30
    while len(file._waiting) < lines and time.monotonic() < deadline:
        time.sleep(0)


def test_json_lines_when_threads_wait_for_the_disk_then_their_lines_are_written_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread goes on only when its own line is in the file."""
    syncs = list[int]()
    path = tmp_path / "values.jsonl"
    with JsonLinesFile(path) as file, ThreadPoolExecutor(16) as pool:

        def sync(descriptor: int) -> None:
            syncs.append(descriptor)
            let_wait(file, 15 if len(syncs) == 1 else 0)

        def append(number: int) -> bool:
            file.append(Value("a", number))
            return Value("a", number) in read(path)

        monkeypatch.setattr(os, "fsync", sync)
        assert all(pool.map(append, range(16)))

    assert sorted(value.number for value in read(path)) == list(range(16))
    assert len(syncs) == 2  # the first line, and the fifteen that waited meanwhile


def test_json_lines_when_the_disk_refuses_then_all_that_wait_fail_and_the_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next line is written as ever."""
    path = tmp_path / "values.jsonl"
    tried = list[int]()
    with JsonLinesFile(path) as file:

        def refuse(descriptor: int) -> None:
            tried.append(descriptor)
            let_wait(file, 7 if len(tried) == 1 else 0)
            raise OSError(errno.ENOSPC, "No space left on device")

        file.append(Value("one"))
        with monkeypatch.context() as patch, ThreadPoolExecutor(8) as pool:
            patch.setattr(os, "fsync", refuse)
            refused = [pool.submit(file.append, Value("lost", number)) for number in range(8)]
            for future in refused:
                with pytest.raises(DataError, match=r"values\.jsonl cannot be written"):
                    future.result()
        assert len(tried) == 2
        assert read(path) == [Value("one")]
        file.append(Value("two"))

    assert read(path) == [Value("one"), Value("two")]


def test_json_lines_when_locked_then_only_a_second_lock_is_refused(tmp_path: Path) -> None:
    """And it is released at the end."""
    path = tmp_path / "values.jsonl"
    with JsonLinesFile(path, conflict="in use."):
        with pytest.raises(ConflictError, match=r"values\.jsonl: in use\."):
            JsonLinesFile(path, conflict="in use.")
        JsonLinesFile(path).close()

    JsonLinesFile(path, conflict="in use.").close()


def test_json_lines_when_a_line_is_something_else_then_the_error_names_it(tmp_path: Path) -> None:
    """File, line, and how to fix it."""
    path = tmp_path / "values.jsonl"
    path.write_text('{"name": "one"}\n{"name": 2}\n{"name": "three"}\n')

    with pytest.raises(DataError, match=r"values\.jsonl, line 2: not a value.*Delete the line\."):
        read(path)
