"""Every format: real files of each become the same records, and what has no place is named."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.dataset import (
    convert_record,
    detect_format,
    first_example,
    read_raw,
    read_records,
)
from haikuft.dataset.formats import find_format, option_name
from haikuft.errors import DataError, SettingsError

FIXTURES = Path(__file__).parents[1] / "fixtures"
CHATS = {
    "messages.jsonl": "messages",
    "openai_chat.jsonl": "openai_chat",
    "converse.jsonl": "converse",
    "sharegpt.json": "sharegpt",
    "alpaca.json": "alpaca",
}
PAIRS = {
    "prompt_completion.jsonl": "prompt_completion",
    "pairs.csv": "csv",
    "pairs.tsv": "tsv",
    "pairs.parquet": "parquet",
    "pairs.xlsx": "excel",
}
READERS = {"parquet": "pyarrow", "excel": "openpyxl"}


@pytest.fixture
def wanted() -> list[dict]:
    """Read the four records that every file holds, or the first three of them."""
    return read_records(FIXTURES / "messages.jsonl")


@pytest.mark.parametrize(("file", "name"), (CHATS | PAIRS | {"named.csv": "csv"}).items())
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
    [(b"[1]\n", "line 1: this is no object"), (b"{\n", "line 1: column"), (b"", "is empty")],
)
def test_first_example_when_there_is_none_then_error_says_what_stands_there(content, words, write):
    """Not every file begins with an example."""
    with pytest.raises(DataError, match=words):
        first_example(write(content))


@pytest.mark.parametrize("file", CHATS)
def test_read_raw_when_given_conversations_then_the_same_four_records(file, wanted):
    """System prompt, turns and texts arrive word for word, in each language."""
    assert read_raw(FIXTURES / file) == wanted


@pytest.mark.parametrize(("file", "name"), PAIRS.items())
def test_read_raw_when_given_pairs_then_the_same_three_records(file, name, wanted):
    """A table's row is an example; line breaks, quotes and separators inside texts survive."""
    if name in READERS:
        pytest.importorskip(READERS[name])
    assert read_raw(FIXTURES / file) == wanted[:3]


def test_read_raw_when_columns_are_named_then_they_are_prompt_and_completion(wanted):
    """Only a person knows which columns are meant; separators are seen by themselves."""
    records = read_raw(FIXTURES / "named.csv", prompt_column="question", completion_column="answer")
    assert [record["messages"] for record in records] == [r["messages"] for r in wanted[:3]]
    assert "system" not in records[0]


def test_read_raw_when_columns_are_not_named_then_one_error_lists_them():
    """All rows have the same columns, so it is said once."""
    with pytest.raises(DataError, match='line 2: the example has "ticket", "question"') as refusal:
        read_raw(FIXTURES / "named.csv")
    assert "--prompt-column" in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1


def test_read_raw_when_a_named_column_is_missing_then_error_lists_those_there():
    """A slip of the pen is seen at once."""
    with pytest.raises(
        DataError, match=r'there is no column "questoin"\. There are "ticket", "que'
    ):
        read_raw(FIXTURES / "named.csv", prompt_column="questoin", completion_column="answer")


@pytest.mark.parametrize(("name", "reader"), READERS.items())
def test_read_raw_when_the_reader_is_not_installed_then_error_names_the_extra(
    name, reader, monkeypatch
):
    """What is missing has a name to install it by."""
    monkeypatch.setitem(sys.modules, reader, None)
    suffix = {"parquet": "parquet", "excel": "xlsx"}[name]
    with pytest.raises(DataError, match=rf'pip install "haikuft\[{name}\]"'):
        read_raw(FIXTURES / f"pairs.{suffix}")


def test_read_raw_when_a_table_holds_nested_values_then_they_are_plain_ones(monkeypatch, write):
    """What pandas hands over as arrays and missing values, records have as lists and nothing."""
    import numpy as np
    import pandas as pd

    turns = [{"role": "user", "content": "a", "name": None}, {"role": "assistant", "content": "b"}]
    frame = pd.DataFrame({"system": [None], "messages": [np.array(turns, dtype=object)]})
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    assert read_raw(write(b"PAR1", "train.parquet")) == [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    ]


def test_read_raw_when_a_table_is_broken_then_error_holds_the_readers_words(monkeypatch, write):
    """No traceback of a library's own."""
    import pandas as pd

    def refuse(path):
        raise RuntimeError("no footer\nat all")

    monkeypatch.setattr(pd, "read_parquet", refuse)
    with pytest.raises(DataError, match=r"cannot be read as Parquet \(no footer\)"):
        read_raw(write(b"PAR1", "train.parquet"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"prompt,completion\na,b\nc\n", "line 3: the row has 1 cell and the table 2 columns"),
        (b'prompt,completion\n"a\nb",c\nd,e,f\n', "line 4: the row has 3 cells"),
        (b'prompt,completion\na,"b\n', "line 2: from this line on the table cannot be read"),
        (b"prompt,prompt\na,b\n", 'line 1: the column "prompt" stands twice'),
        (b"prompt,\na,b\n", "line 1: a column has no name"),
        (b"prompt,completion\na,\xe4\n", "line 2: the byte 0xE4 is not UTF-8"),
        (b"prompt,completion\na,\n", "line 2, completion: the text is empty"),
        (b"prompt,completion,mood\na,b,c\n", 'line 2, mood: the key "mood" has no place'),
        (b"prompt,completion\n", "there are no examples"),
        (b"prompt,completion\ra,b\r", "line 1: from this line on the table cannot be read"),
    ],
)
def test_read_raw_when_a_table_has_a_fault_then_its_line_is_named(content, words, write):
    """Lines are counted as an editor does, line breaks inside cells among them."""
    with pytest.raises(DataError, match=words):
        read_raw(write(content, "raw.csv"))


def test_read_raw_when_optional_cells_are_empty_then_there_is_nothing(write):
    """An empty cell of a system prompt or an input is no text."""
    content = b"instruction,input,output,system\na,,b,\nc,d,e,f\n"
    assert read_raw(write(content, "raw.csv")) == [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {
            "system": "f",
            "messages": [
                {"role": "user", "content": "c\n\nd"},
                {"role": "assistant", "content": "e"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[\n{"prompt": "a", "completion": "b"},\n{"prompt": 1}\n]', "line 3"),
        (b'[\n{"prompt": "a", "completion": "b"},\n{"prompt"\n]', "line 3: the list cannot be"),
        (b'[{"prompt": "a", "completion": "b"}] x', "line 1: the list cannot be read"),
        (b'[{"prompt": "a", "completion": "b"}\n{}]', "line 2: the list cannot be read"),
        (b'[\n{"prompt": "a\xff"}]', "line 2: a byte is not UTF-8"),
        (b'[{"prompt": NaN, "completion": "b"}]', "NaN is not allowed"),
    ],
)
def test_read_raw_when_a_json_list_has_a_fault_then_its_line_is_named(content, words, write):
    """A list is read as carefully as lines are."""
    with pytest.raises(DataError, match=words):
        read_raw(write(content, "raw.json"))


def turn(role, content, **more):
    """Write a turn in the words of OpenAI and Messages."""
    return {"role": role, "content": content, **more}


ASKED = turn("user", "a")
SAID = turn("assistant", "b")
SYSTEM = turn("system", "s")
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:"}}


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ({"messages": [SYSTEM, ASKED, turn("assistant", None, tool_calls=[CALL])]},
         r"messages\[2\]\.tool_calls: tool calls cannot be carried over"),
        ({"messages": [SYSTEM, ASKED, turn("tool", "42"), SAID]},
         r"messages\[2\]\.role: a tool's result"),
        ({"messages": [SYSTEM, turn("user", [IMAGE]), SAID]},
         r"messages\[1\]\.content\[0\]: an image"),
        ({"messages": [SYSTEM, ASKED, {**SAID, "weight": 0}]}, r"messages\[2\]\.weight: a weight"),
        ({"messages": [SYSTEM, {**ASKED, "name": "Ann"}, SAID]}, r"messages\[1\]\.name: the key"),
        ({"messages": [SYSTEM, SYSTEM, ASKED, SAID]}, r"messages\[1\]\.content: a second system"),
        ({"messages": [SYSTEM, ASKED, SAID], "tools": [CALL]}, "tools: tools cannot be carried"),
        ({"messages": [ASKED, turn("assistant", "b", tool_calls=[CALL])]},
         r"messages\[1\]\.tool_calls: tool calls"),
        ({"messages": [turn("user", [{"type": "image", "source": {}}]), SAID]},
         r"messages\[0\]\.content\[0\]: an image"),
        ({"messages": [turn("user", [{"type": "text", "text": "a"}] * 2), SAID]},
         r"messages\[0\]\.content: 2 texts cannot be carried over"),
        ({"schemaVersion": 2024, "messages": []}, "schemaVersion: this is not text"),
        ({"messages": [turn("user", [{"image": {}}]), turn("assistant", [{"text": "b"}])]},
         r"messages\[0\]\.content\[0\]\.image: an image"),
        ({"messages": [turn("user", [{"text": "a"}, {"text": "c"}])]}, "2 texts cannot"),
        ({"messages": [turn("assistant", [{"toolUse": {}}])]}, r"\.toolUse: a tool call"),
        ({"system": [{"text": "a"}], "messages": [], "toolConfig": {}}, "toolConfig: tools"),
        ({"conversations": [{"from": "function_call", "value": "{}"}]}, "from: a tool call"),
        ({"conversations": [{"from": "observation", "value": "{}"}]}, "from: a tool's result"),
        ({"conversations": [{"from": "narrator", "value": "a"}]}, '"narrator" is not a role'),
        ({"conversations": [{"value": "a"}]}, r'conversations\[0\]\.from: "from" is missing'),
        ({"conversations": ["a"]}, r"conversations\[0\]: this is not an object"),
        ({"conversations": [{"from": "human", "value": "a"}], "id": "x"}, "--repair"),
        ({"instruction": "a", "output": ["b", "c"]}, "output: 2 texts cannot be carried over.*one"),
        ({"instruction": "a", "output": "b", "text": "ab"}, 'text: the key "text" has no place'),
        ({"instruction": "a", "output": "b", "history": [["c"]]}, r"history\[0\]: this is not a"),
        ({"prompt": "a", "completion": ["b", "c"]}, "completion: 2 texts cannot be carried over"),
        ({"prompt": "a", "completion": "b", "rejected": "c"}, "rejected: one of several answers"),
        ({"prompt": "a", "completion": "b", "weight": 0.5}, "weight: a weight"),
    ],
)  # fmt: skip
def test_convert_when_something_cannot_be_carried_over_then_it_is_named(example, words):
    """Tool calls, images, weights, several answers: named with their key, never dropped."""
    with pytest.raises(DataError, match=words):
        convert_record(example)


def test_convert_when_optional_members_say_nothing_then_they_stay_behind():
    """OpenAI's own exports hold nulls that mean nothing."""
    said = turn("assistant", "b", tool_calls=None, refusal=None)
    assert convert_record({"messages": [turn("developer", "s"), ASKED, said]}) == {
        "system": "s",
        "messages": [ASKED, SAID],
    }


def test_convert_when_a_text_is_wrapped_in_one_part_then_it_is_unwrapped():
    """The Messages API takes both; a training record takes the plain text."""
    wrapped = turn("user", [{"type": "text", "text": "a"}])
    assert convert_record({"messages": [wrapped, SAID]}) == {"messages": [ASKED, SAID]}


def test_convert_when_the_format_is_named_then_it_is_taken_at_ones_word():
    """A chat without a system message can be OpenAI's all the same."""
    example = {"messages": [ASKED, {**SAID, "refusal": None}]}
    assert convert_record(example, format_name="openai_chat") == {"messages": [ASKED, SAID]}


def test_read_raw_when_a_converted_text_is_bad_then_its_place_is_that_of_the_raw_file(write):
    """One looks for the fault in the file one has."""
    path = write(
        b'{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": ""}]}'
    )
    with pytest.raises(DataError, match=r"line 1, conversations\[1\]\.value: the text is empty"):
        read_raw(path)


def test_read_raw_when_the_format_has_no_such_name_then_error_lists_the_names(write):
    """A word we do not know is a setting to mend, not a fault of the file."""
    with pytest.raises(SettingsError, match="Take one of messages, prompt-completion"):
        read_raw(write(b"{}"), format_name="xml")


def test_read_raw_when_the_file_is_a_pipe_then_error_says_so(monkeypatch, write):
    """It is read twice, and a pipe would lose its beginning."""
    from haikuft.dataset.read import examples

    class Pipe(SimpleNamespace):
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(examples, "open_file", lambda path: Pipe(seekable=lambda: False))
    with pytest.raises(DataError, match="this is a pipe"):
        read_raw(write(b"{}"))


@pytest.mark.parametrize(
    ("text", "name"),
    [("OpenAI-chat", "openai_chat"), ("bedrock-conversation-2024", "converse"), ("nonsense", "")],
)
def test_format_when_named_by_a_person_then_found_however_written(text, name):
    """Hyphens and capitals are nobody's fault."""
    assert find_format(text) == name
    assert find_format(option_name(name)) == name


def test_read_raw_when_a_tables_rows_are_named_then_the_table_is_read_all_the_same(write):
    """The name may be that of the rows' format or that of the file's."""
    path = write(b"instruction,output\na,b\n", "raw.csv")
    assert read_raw(path, format_name="alpaca") == read_raw(path, format_name="csv")


WORDS = st.sampled_from(
    [
        *("messages", "role", "content", "system", "user", "assistant", "tool_calls", "tools"),
        *("prompt", "completion", "conversations", "from", "value", "human", "gpt", "image"),
        *("instruction", "input", "output", "history", "schemaVersion", "text", "type"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner),
    max_leaves=12,
)


@given(
    example=st.dictionaries(WORDS | st.text(), VALUES),
    name=st.sampled_from(
        ["", "messages", "prompt_completion", "openai_chat", "converse", "sharegpt", "alpaca"]
    ),
)
def test_convert_when_given_any_object_as_any_format_then_a_record_or_our_own_error(example, name):
    """No shape of JSON ends in a traceback."""
    try:
        record = convert_record(example, format_name=name)
    except DataError:
        return
    assert "messages" in record or name == "messages"
