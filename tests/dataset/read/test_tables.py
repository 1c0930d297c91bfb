"""Tables: each row is an example, and what cannot be read is named with its line."""

import csv
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from haikuft.cli import main
from haikuft.dataset import read_raw
from haikuft.errors import DataError, SettingsError

FIXTURES = Path(__file__).parents[1] / "fixtures"
PAIRS = {
    "prompt_completion.jsonl": "prompt_completion",
    "pairs.csv": "csv",
    "pairs.tsv": "tsv",
    "pairs.parquet": "parquet",
    "pairs.xlsx": "excel",
}
READERS = {"parquet": "pyarrow", "excel": "openpyxl"}


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
        (b"prompt,prompt\na,b\n", 'line 1: there are two columns "prompt"'),
        (b"prompt,\na,b\n", 'line 1: column 2 has no name here; the row says "prompt"'),
        (b"Tickets,,\nprompt,completion,\n", 'column 2 has no name here; the row says "Tickets"'),
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


def test_read_raw_when_a_tables_rows_are_named_then_the_table_is_read_all_the_same(write):
    """The name may be that of the rows' format or that of the file's."""
    path = write(b"instruction,output\na,b\n", "raw.csv")
    assert read_raw(path, format_name="alpaca") == read_raw(path, format_name="csv")


def test_read_raw_when_the_first_line_is_excels_hint_then_the_separator_is_taken_from_it(write):
    """Excel reads `sep=;` and exporters write it; the names of the columns are on line 2."""
    lines = "".join(f"What is {n} + 1?;{n + 1}\r\n" for n in range(40))
    content = f"\ufeffsep=;\r\nprompt;completion\r\n{lines}"
    records = read_raw(write(content.encode(), "table.csv"))
    assert len(records) == 40
    assert records[-1]["messages"][0]["content"] == "What is 39 + 1?"
    assert read_raw(write(b"sep=^\nprompt^completion\na;,b^c\n", "table.csv")) == [
        {"messages": [{"role": "user", "content": "a;,b"}, {"role": "assistant", "content": "c"}]}
    ]
    with pytest.raises(DataError, match="line 4: the row has 1 cell"):
        read_raw(write(b"sep=;\nprompt;completion\na;b\nc\n", "table.csv"))


def test_read_raw_when_a_name_in_quotes_holds_commas_then_they_part_no_columns(write):
    """The semicolon between the names does, though there are fewer."""
    content = b'"prompt, as asked, in full";"completion"\n"a, b";"c"\n'
    columns = {"prompt_column": "prompt, as asked, in full", "completion_column": "completion"}
    assert read_raw(write(content, "table.csv"), **columns) == [
        {"messages": [{"role": "user", "content": "a, b"}, {"role": "assistant", "content": "c"}]}
    ]


def test_read_raw_when_the_header_holds_other_separators_then_the_named_one_counts(write):
    """What a header has most of is a guess; the error says so, and the option corrects it."""
    path = write(b"question text;answer, short;remark, internal, optional\na;b;c\n", "raw.csv")
    columns = {"prompt_column": "question text", "completion_column": "answer, short"}
    with pytest.raises(DataError, match=r"table 4 columns, with ',' between them.*--separator"):
        read_raw(path, **columns)
    assert read_raw(path, **columns, separator=";") == [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    ]


@given(
    separator=st.characters(exclude_categories=["Cs"], exclude_characters='"\r\n\0'),
    texts=st.lists(st.tuples(*[st.text('ab ;,|\t\n"', min_size=1)] * 2), min_size=1, max_size=5),
)
def test_read_raw_when_any_character_separates_then_every_text_is_as_written(
    separator, texts, tmp_path_factory
):
    r"""Named as it is, or by Excel's line; a tab also as \t or tab, for shells."""
    assume(all(text.strip() for row in texts for text in row))
    path = tmp_path_factory.mktemp("table") / "raw.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerows([("prompt", "completion"), *texts])
    assume(not {separator} & set("promtcelin "))
    for named in {separator, *(("tab", "\\t") if separator == "\t" else ())}:
        records = read_raw(path, separator=named)
        found = [tuple(turn["content"] for turn in record["messages"]) for record in records]
        assert found == texts


@pytest.mark.parametrize("separator", ["||", '"', "\n"])
def test_read_raw_when_the_separator_is_no_character_then_refused(separator, write):
    """One character stands between two columns, and a quote has another meaning."""
    with pytest.raises(SettingsError, match="take one character"):
        read_raw(write(b"prompt,completion\na,b\n", "raw.csv"), separator=separator)
    with pytest.raises(SettingsError, match="take one character"):
        read_raw(write(b"sep=||\nprompt||completion\n", "raw.csv"))


def test_convert_when_a_separator_is_given_then_the_command_takes_it(write, tmp_path):
    """`--separator` and `--sheet` reach the reader."""
    path, target = write(b"prompt^completion\na^b\n", "raw.csv"), tmp_path / "out.jsonl"
    assert main(["convert", str(path), str(target), "--separator", "^"]) == 0
    assert main(["convert", str(path), str(target), "--sheet", "Data"]) == 2
