"""Conversion: raw examples become valid records, or the error says which line cannot and why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.dataset import detect_format, read_raw, validate_file, write_records
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.convert.converter import convert_example
from haikuft.errors import DataError

PAIR = {"prompt": "Hello?", "completion": "Good day."}
RECORD = {
    "messages": [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Good day."},
    ]
}


def to_lines(*values):
    """Give the bytes of JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def test_convert_when_prompt_and_completion_then_a_record_of_two_turns():
    """The prompt is the user's turn, the completion the assistant's, word for word."""
    assert convert_example(PAIR).record == RECORD


def test_convert_when_a_messages_record_then_it_stays_as_it_is():
    """What is a record already needs no conversion."""
    assert convert_example({"system": "Be brief.", **RECORD}).record == {
        "system": "Be brief.",
        **RECORD,
    }


@pytest.mark.parametrize(
    "raw", [PAIR, RECORD, {"system": "Own.", **PAIR}, {"system": "x", **RECORD}]
)
def test_convert_when_system_prompt_is_given_then_it_stands_in_every_record(raw):
    """A given system prompt takes the place of the record's own."""
    assert convert_example(raw, system_prompt="Given.").record == {"system": "Given.", **RECORD}


def test_convert_when_the_example_brings_its_own_system_prompt_then_it_is_kept():
    """Without another one, what the example says counts."""
    assert convert_example({"system": "Own.", **PAIR}).record == {"system": "Own.", **RECORD}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**PAIR, "id": 7}, 'id: the key "id" has no place in a training record'),
        ({**PAIR, "completion": 7}, "completion: expected text, found a number"),
        ({"prompt": None, "completion": ""}, "prompt: expected text, found null"),
        ({"question": "a", "answer": "b"}, 'the example has "question", "answer"'),
        ({}, "the example has no keys"),
    ],
)
def test_convert_when_something_has_no_place_then_error_names_it(raw, words):
    """Nothing is dropped without a word."""
    with pytest.raises(UnsupportedContent, match=words):
        convert_example(raw)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (to_lines(RECORD), "messages"),
        (b"\xef\xbb\xbf\n" + to_lines(PAIR), "prompt_completion"),
        (to_lines({"messages": [{"role": "system", "content": "a"}]}), "openai_chat"),
        (to_lines({"system": [{"text": "a"}], "messages": []}), "converse"),
        (to_lines({"conversations": [{"from": "human", "value": "a"}]}), "sharegpt"),
        (to_lines({"instruction": "a", "input": "", "output": "b"}), "alpaca"),
        (b"prompt,completion\na,b\n", "csv"),
        (b"prompt\tcompletion\na\tb\n", "tsv"),
        (to_lines({"a": 1}), "unknown"),
        (to_lines([1]), "unknown"),
        (b"Hello\n", "unknown"),
    ],
)
def test_format_when_detected_then_named_by_the_first_record(content, name, write):
    """Each known shape has a name."""
    assert detect_format(write(content)) == name


def test_format_when_there_is_nothing_to_see_then_error(tmp_path, write):
    """An empty file and a missing one have no format."""
    with pytest.raises(DataError, match="the file is empty"):
        detect_format(write(b"\n\n"))
    with pytest.raises(DataError, match="there is no such file"):
        detect_format(tmp_path / "none.jsonl")


def test_read_raw_when_both_accepted_formats_stand_in_a_file_then_all_become_records(write):
    """Each line is converted by its own shape."""
    assert read_raw(write(to_lines(PAIR, RECORD))) == [RECORD, RECORD]


def test_read_raw_when_lines_are_bad_then_all_are_named_in_one_error(write):
    """Places are those of the raw file, so that one can find them there."""
    content = to_lines(PAIR, {**PAIR, "completion": " "}, {**PAIR, "id": 1}, [1], PAIR) + b"{\n"
    with pytest.raises(DataError) as refusal:
        read_raw(write(content, "raw.jsonl"))
    lines = str(refusal.value).splitlines()
    assert [line.partition("raw.jsonl, ")[2].partition(": ")[0] for line in lines] == [
        "line 2, completion",
        "line 3, id",
        "line 4",
        "line 6",
    ]


def test_read_raw_when_hundreds_of_lines_are_bad_then_twenty_are_shown_and_the_rest_counted(write):
    """A wall of like sentences helps nobody."""
    with pytest.raises(DataError, match="And 80 more like these") as refusal:
        read_raw(write(to_lines(*[{"a": 1}] * 100)))
    assert len(str(refusal.value).splitlines()) == 21


def test_read_raw_when_the_given_system_prompt_is_reserved_text_then_error(write):
    """What is put into every record is checked like the rest."""
    with pytest.raises(DataError, match="reserved"):
        read_raw(write(to_lines(PAIR)), system_prompt="a\nHuman: b")


@given(
    pairs=st.lists(
        st.fixed_dictionaries(
            {"prompt": st.text(), "completion": st.text()}, optional={"system": st.text()}
        ),
        min_size=1,
    )
)
def test_read_raw_when_it_gives_records_then_validation_finds_no_error_in_them(
    pairs, tmp_path_factory
):
    """Either all examples become valid records or the error says why not."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "pairs.jsonl").write_bytes(to_lines(*pairs))
    try:
        records = read_raw(folder / "pairs.jsonl")
    except DataError:
        return
    assert len(records) == len(pairs)
    path = write_records(folder / "records.jsonl", records)
    assert validate_file(path, kind="test").ok


@given(content=st.binary())
def test_read_raw_when_given_any_bytes_then_records_or_our_own_error(content, tmp_path_factory):
    """No traceback from any file."""
    path = tmp_path_factory.getbasetemp() / "raw.jsonl"
    path.write_bytes(content)
    try:
        records = read_raw(path)
    except DataError:
        return
    assert records
