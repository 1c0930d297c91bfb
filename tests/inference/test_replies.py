"""The file of replies: mended where it was cut, held by one, and clear about other damage."""

import json
import resource
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikuft.errors import ConflictError, DataError
from haikuft.inference.replies import Reply, file_name, open_replies, read_replies

GOOD = Reply("id", "m", "text", "end_turn", 1, 1, 0.1, "m", None, "2026-01-01", "{}", "m")
ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"


def write(path: Path, *replies: Reply) -> bytes:
    """Write replies through the front door; return the file's bytes."""
    with open_replies(path) as file:
        for reply in replies:
            file.append(reply)
    return path.read_bytes()


def test_read_replies_when_there_is_no_file_then_there_are_none(tmp_path: Path) -> None:
    """Nothing asked yet."""
    assert read_replies(tmp_path / "none.jsonl") == []


def test_read_replies_when_written_then_they_come_back_in_order(tmp_path: Path) -> None:
    """A file begun earlier is gone on with; its folder is made."""
    path = tmp_path / "replies" / "r.jsonl"
    other = Reply("x", "m", "", "", 0, 0, 0.0, "", "no", "2026-01-02", "{}", "m", "converse", 2)
    write(path, GOOD)
    write(path, other)

    assert read_replies(path) == [GOOD, other]


@settings(max_examples=50)  # each example waits for the disk
@given(text=st.text(st.characters(exclude_categories=())))
def test_read_replies_when_a_text_is_odd_then_it_comes_back(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Line separators, other scripts and half a surrogate pair survive."""
    path = tmp_path_factory.mktemp("odd") / "r.jsonl"
    odd = Reply("id", "m", text, "end_turn", 1, 1, 0.1, "m", None, "", "{}")
    content = write(path, odd)

    assert read_replies(path) == [odd]
    assert content.count(b"\n") == 1


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[1]",
        b'{"record_id": "x"}',
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({**asdict(GOOD), "input_tokens": "many"}).encode(),
    ],
)
def test_read_replies_when_a_line_in_the_middle_is_no_reply_then_it_names_file_and_line(
    tmp_path: Path, line: bytes
) -> None:
    """What was paid for is never passed over in silence."""
    path = tmp_path / "r.jsonl"
    whole = json.dumps(asdict(GOOD)).encode()
    path.write_bytes(whole + b"\n" + line + b"\n" + whole + b"\n")

    with pytest.raises(DataError, match=r"r\.jsonl, line 2: not a reply.*Delete the line"):
        read_replies(path)


def test_read_replies_when_lines_were_deleted_by_hand_then_empty_ones_do_no_harm(
    tmp_path: Path,
) -> None:
    """An editor leaves such lines behind."""
    path = tmp_path / "r.jsonl"
    whole = json.dumps(asdict(GOOD)).encode()
    path.write_bytes(whole + b"\r\n\n" + whole + b"\n\n")

    assert read_replies(path) == [GOOD, GOOD]


def test_read_replies_when_written_before_newer_fields_then_they_have_their_defaults(
    tmp_path: Path,
) -> None:
    """An older file is still worth its money; so is one of a newer version."""
    path = tmp_path / "r.jsonl"
    fields = asdict(GOOD) | {"newer": 1}
    for name in ("answered_by", "api", "retries"):
        del fields[name]
    path.write_text(json.dumps(fields) + "\n")

    (reply,) = read_replies(path)

    assert (reply.answered_by, reply.api, reply.retries) == ("", "messages", 0)


@settings(max_examples=50)
@given(cut=st.integers(1, 400))
def test_reply_file_when_cut_anywhere_then_whole_replies_stay_and_the_next_is_readable(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    """A cut newline alone costs nothing; reading alone changes nothing."""
    path = tmp_path_factory.mktemp("cut") / "r.jsonl"
    one = len(write(path, GOOD))
    content = write(path, GOOD)[:-cut]
    path.write_bytes(content)
    whole = (len(content) + 1) // one

    assert read_replies(path) == [GOOD] * whole
    assert path.read_bytes() == content
    write(path, GOOD)
    assert read_replies(path) == [GOOD] * (whole + 1)


def test_reply_file_when_another_holds_it_then_it_says_so_until_that_one_ends(
    tmp_path: Path,
) -> None:
    """Two at once would pay twice."""
    path = tmp_path / "r.jsonl"
    with open_replies(path), pytest.raises(ConflictError, match="another process"):
        open_replies(path)

    open_replies(path).close()


def test_reply_file_when_it_cannot_be_opened_then_the_error_names_it(tmp_path: Path) -> None:
    """A folder in its place, for one."""
    with pytest.raises(DataError, match=f"{tmp_path} cannot be opened"):
        open_replies(tmp_path)


def test_append_when_the_disk_takes_no_more_then_it_says_so_and_the_file_is_as_before(
    tmp_path: Path,
) -> None:
    """Part of a line had been written; none of it stays."""
    path = tmp_path / "r.jsonl"
    size = len(write(path, GOOD))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with open_replies(path) as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
        try:
            with pytest.raises(DataError, match=r"r\.jsonl.*room on the disk"):
                file.append(GOOD)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.stat().st_size == size
        file.append(GOOD)

    assert read_replies(path) == [GOOD, GOOD]


def test_file_name_when_the_model_is_a_word_then_it_is_that_word() -> None:
    """Easy to find for a reader."""
    assert file_name("tuned") == "tuned.jsonl"


def test_file_name_when_models_differ_only_in_signs_then_their_files_differ() -> None:
    """ARNs hold colons and slashes, which a file's name cannot."""
    names = {file_name(model) for model in (ARN, ARN.replace("/", ":"), "../x", "x", "..", "é")}

    assert len(names) == 6
    assert not any(set(name) & set("/:\\") or name.startswith(".") for name in names)
