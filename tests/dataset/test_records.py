"""Records: what is written is read back, and a record can be taken apart and named."""

import json

import pytest

from haikuft.dataset import prompt_of, read_records, record_id, write_records
from haikuft.dataset.records import prompt_key, reference_of
from haikuft.errors import DataError


def test_write_when_done_then_file_is_utf8_with_line_feeds_and_nothing_else_is_left(
    tmp_path, make_record
):
    """The safest form: no byte order mark, no CR, no escapes for letters, no stray files."""
    path = write_records(tmp_path / "new" / "a.jsonl", [make_record(answer="Grüße 你好")] * 2)
    content = path.read_bytes()
    assert content.count(b"\n") == 2
    assert content.endswith(b"}\n")
    assert "Grüße 你好".encode() in content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("bad", [{"x": "\ud800"}, {"x": float("nan")}, {"x": object()}])
def test_write_when_a_record_cannot_be_written_then_the_old_file_stays_whole(
    tmp_path, make_record, bad
):
    """A fault in the middle leaves what was there before, and names the record."""
    path = write_records(tmp_path / "a.jsonl", [make_record(1)])
    with pytest.raises(DataError, match=r"Record 2 cannot be written .* nothing was written"):
        write_records(path, [make_record(2), bad])
    assert read_records(path) == [make_record(1)]
    assert list(tmp_path.iterdir()) == [path]


def test_write_when_folder_cannot_be_made_then_error_says_so(tmp_path):
    """A file where a folder should be is a mistake one can fix."""
    (tmp_path / "a").write_text("")
    with pytest.raises(DataError, match="could not be written"):
        write_records(tmp_path / "a" / "b.jsonl", [])


def test_record_when_taken_apart_then_prompt_and_reference(make_record):
    """The last turn is the answer, all before it is the question."""
    record = make_record(1, system="Be brief.")
    assert prompt_of(record) == (
        "Be brief.",
        [{"role": "user", "content": "What is 1 plus one?"}],
    )
    assert reference_of(record) == "It is 2."
    assert prompt_of(make_record())[0] is None


def test_record_when_it_does_not_end_with_an_answer_then_error():
    """There is no reference without an assistant's last turn."""
    with pytest.raises(DataError, match="does not end with the assistant's answer"):
        reference_of({"messages": [{"role": "user", "content": "Hello?"}]})


def test_record_id_when_computed_anywhere_then_the_same(make_record):
    """Names of records outlive the process: this one was written down."""
    assert record_id(make_record()) == "eb18aceb7a2f"
    assert record_id(json.loads(json.dumps(make_record()))) == record_id(make_record())


def test_record_id_when_only_the_answer_differs_then_another_id_and_the_same_prompt_key(
    make_record,
):
    """The id names the record, the key its prompt."""
    one, other = make_record(answer="Yes."), make_record(answer="No.")
    assert record_id(one) != record_id(other)
    assert prompt_key(one) == prompt_key(other)


def test_prompt_key_when_texts_are_divided_otherwise_then_another_key(make_record):
    """Moving words from the system prompt to the question makes another prompt."""
    one, other = make_record(system="a"), make_record(system="a")
    other["system"] = "aW"
    other["messages"][0]["content"] = other["messages"][0]["content"][1:]
    assert prompt_key(one) != prompt_key(other)
