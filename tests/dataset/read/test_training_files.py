"""Training files: what is written is read back, and the first line that is no record is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.dataset import read_records, write_records
from haikuft.errors import DataError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def test_read_when_keys_say_nothing_then_they_are_left_out_of_either_form(write):
    """A prompt that is sent to a model must not have them."""
    texts = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
    plain = {"messages": list(texts)}
    claudes = {"system": None, "messages": [{**turn, "name": None} for turn in texts]}
    novas = {
        "system": [],
        "messages": [{**t, "content": [{"text": t["content"]}], "name": None} for t in texts],
    }
    path = write(b"".join(json.dumps(one).encode() + b"\n" for one in (claudes, novas)))
    assert read_records(path) == [plain, plain]


@given(texts=st.lists(st.tuples(TEXTS, TEXTS)))
def test_records_when_written_then_read_back_the_same(texts, tmp_path_factory):
    """Any text survives, line separators of any script among them."""
    records = [
        {"messages": [{"role": "user", "content": a}, {"role": "assistant", "content": b}]}
        for a, b in texts
    ]
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    assert write_records(path, records) == path
    assert read_records(path) == records


def test_read_when_byte_order_mark_crlf_and_blank_lines_then_records_all_the_same(
    write, make_lines, make_record
):
    """What does no harm is passed over."""
    lines = make_lines(2)
    path = write([b"\xef\xbb\xbf", lines[0].replace(b"\n", b"\r\n"), b"\n", lines[1], b" \n"])
    assert read_records(path) == [make_record(0), make_record(1)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b'{"a": 1}\n{"a": 1\n',
            r"train\.jsonl, line 2: column 8: not valid JSON, the line ends here",
        ),
        (b"[1]\n", "line 1: expected a JSON object, found a list"),
        (b"\xff\n", "line 1: column 1: the byte 0xFF is not UTF-8"),
        (b'{"a": 1, "a": 2}\n', 'line 1: a: the key "a" occurs twice'),
        (b"\x1f\x8b\x08", "compressed with gzip"),
    ],
)
def test_read_when_a_line_is_no_object_then_error_names_file_line_and_fix(write, content, words):
    """Reading stops at the first bad line and says all there is to say about it."""
    with pytest.raises(DataError, match=words):
        read_records(write(content))


def test_read_when_file_is_missing_or_a_folder_then_error_says_which(tmp_path):
    """Two mistakes, two messages; an impossible name is one more."""
    with pytest.raises(DataError, match="there is no such file"):
        read_records(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="this is a folder"):
        read_records(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_records("a\0b")
