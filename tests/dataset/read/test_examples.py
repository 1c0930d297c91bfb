"""Examples: the format of a real file is recognised, and each example is given with its line."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from haikuft.dataset import detect_format, first_example, read_raw, validate_file
from haikuft.errors import DataError

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILES = {
    "messages.jsonl": "messages",
    "openai_chat.jsonl": "openai_chat",
    "converse.jsonl": "converse",
    "sharegpt.json": "sharegpt",
    "alpaca.json": "alpaca",
    "prompt_completion.jsonl": "prompt_completion",
    "pairs.csv": "csv",
    "pairs.tsv": "tsv",
    "pairs.parquet": "parquet",
    "pairs.xlsx": "excel",
    "named.csv": "csv",
}


@pytest.mark.parametrize(("file", "name"), FILES.items())
def test_format_when_a_real_file_is_shown_then_it_is_named(file, name):
    """The first bytes are enough, whatever reader the content needs."""
    assert detect_format(FIXTURES / file) == name


@pytest.mark.parametrize(
    ("file", "keys"),
    [
        ("named.csv", ["ticket", "question", "answer"]),
        ("converse.jsonl", ["schemaVersion", "system", "messages"]),
        ("sharegpt.json", ["conversations"]),
    ],
)
def test_first_example_when_looked_at_then_it_is_as_the_file_has_it(file, keys):
    """One looks before one converts."""
    assert list(first_example(FIXTURES / file)) == keys


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[1]\n", "line 1: expected a JSON object"), (b"{\n", "line 1: column"), (b"", "is empty")],
)
def test_first_example_when_there_is_none_then_error_says_what_stands_there(content, words, write):
    """Not every file begins with an example."""
    with pytest.raises(DataError, match=words):
        first_example(write(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[\n{"prompt": "a", "completion": "b"},\n{"prompt": 1}\n]', "line 3"),
        (
            b'[\n{"prompt": "a", "completion": "b"},\n{"prompt"\n]',
            'line 4: column 1: not valid JSON, "]"',
        ),
        (b'[{"prompt": "a", "completion": "b"}] x', "line 1: the list cannot be read"),
        (b'[{"prompt": "a", "completion": "b"}\n{}]', "line 1: the list cannot be read"),
        (b'[\n{"prompt": "a\xff"}]', "line 2: a byte is not UTF-8"),
        (b'[\n{"prompt": "a\nb"}]', r"line 2: column 14: .* control character \(U\+000A\)"),
        (b'[{"prompt": NaN, "completion": "b"}]', "NaN is not allowed"),
    ],
)
def test_read_raw_when_a_json_list_has_a_fault_then_its_line_is_named(content, words, write):
    """A list is read as carefully as lines are."""
    with pytest.raises(DataError, match=words):
        read_raw(write(content, "raw.json"))


def test_read_raw_when_the_file_is_a_pipe_then_error_says_so(monkeypatch, write):
    """It is read twice, and a pipe would lose its beginning."""
    from haikuft.dataset.read import json_lines

    class Pipe(SimpleNamespace):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(json_lines, "open_unpacked", lambda path: Pipe(seekable=lambda: False))
    with pytest.raises(DataError, match="this is a pipe"):
        read_raw(write(b"{}"))


PAIR = {"prompt": "a", "completion": "b"}
RECORD = {
    "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
}


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (json.dumps(PAIR, indent=2), 1),
        (json.dumps(RECORD, indent=2), 1),
        (json.dumps([PAIR, RECORD], indent="\t"), 2),
        ("\ufeff\n" + json.dumps([PAIR] * 3, indent=1), 3),
        (f"{json.dumps(PAIR, indent=2)}\n{json.dumps(RECORD, indent=2)}\n", 2),
        (json.dumps(RECORD).replace(": ", ":\n"), 1),
        ('{"messages":\n[\n' + json.dumps(RECORD["messages"], indent=1)[1:] + "}", 1),
        (
            '{"contents":\n[{"role":\n"user", "parts":\n[{"text": "a"}]},\n'
            '{"role": "model", "parts": [{"text": "b"}]}]}',
            1,
        ),
        (
            '{"messages": [\n' + json.dumps(RECORD)[len('{"messages": [') :].replace("}, ", "},\n"),
            1,
        ),
    ],
)
def test_read_raw_when_json_is_written_over_many_lines_then_its_objects_are_read(
    content, number, write
):
    """An editor's or a program's pretty print is no other format."""
    assert read_raw(write(content.encode(), "raw.json")) == [RECORD] * number


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"data": [PAIR, PAIR], "version": 2}, '2 examples, in a list under "data"'),
        ({"a": PAIR, "b": PAIR, "c": PAIR}, "3 examples, each under a key of its own"),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_read_raw_when_one_object_holds_the_examples_then_error_says_where(
    value, words, indent, write
):
    """Which list is meant is for a person to say."""
    with pytest.raises(DataError, match=f"line 1: this is one object that holds {words}"):
        read_raw(write(json.dumps(value, indent=indent).encode(), "raw.json"))


def test_read_raw_when_an_object_over_many_lines_breaks_off_then_line_and_column_are_named(write):
    """Case 11 of the data faults: it was an error at each of 52 lines."""
    content = json.dumps(RECORD, indent=2).replace('"assistant"', "'assistant'")
    path = write(content.encode(), "conversation.json")
    with pytest.raises(DataError, match="json, line 8: column 15: not valid JSON, single quotes"):
        read_raw(path)
    (problem,) = validate_file(path, kind="test").problems
    assert problem.message == "this is JSON written over many lines, where JSON Lines are wanted"
    assert f"`haikuft convert {path} {path.with_suffix('.jsonl')}`" in problem.fix
