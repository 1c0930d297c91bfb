"""Validation: nothing bad gets through, nothing good is refused, any bytes are survived."""

import json
import os
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_2_LITE, NOVA_MICRO
from haikuft.dataset import estimate_total_tokens, validate_file, validate_files
from haikuft.dataset.formats import to_training
from haikuft.dataset.formats.converse import to_messages
from haikuft.dataset.read import json_lines
from haikuft.dataset.read.json_values import parse_line
from haikuft.dataset.tokens import count_bytes, estimate_record_tokens
from haikuft.dataset.validate import file_rules, file_state
from haikuft.dataset.validate.fast_path import build_fast_path
from haikuft.dataset.validate.record_rules import check_record, check_tokens

USER = {"role": "user", "content": "Hello?"}
ASSISTANT = {"role": "assistant", "content": "Good day."}
GOOD = {"messages": [USER, ASSISTANT]}


def turn(role="user", content="Hello?", **more):
    """Build one turn of a record."""
    return {"role": role, "content": content, **more}


def talk(*turns):
    """Build a record of these turns."""
    return {"messages": [*turns]}


def answered(content):
    """Build a record whose first turn has this content."""
    return talk(turn(content=content), ASSISTANT)


# Name -> a line, the code it must get, the place inside the record.
BAD_LINES = {
    "latin-1 letters": (b'{"messages": "caf\xe9"}', "not-utf8", ""),
    "a lone continuation byte": (b"\x80", "not-utf8", ""),
    "an encoded surrogate": (b'{"a": "\xed\xa0\x80"}', "not-utf8", ""),
    "an open bracket": (b'{"messages": [', "not-json", ""),
    "a comma too many in a list": (b'{"messages": [1,]}', "not-json", ""),
    "a comma too many in an object": (b'{"messages": 1,}', "not-json", ""),
    "single quotes": (b"{'messages': 1}", "not-json", ""),
    "Python's None": (b'{"system": None}', "not-json", ""),
    "NaN": (b'{"system": NaN}', "not-json", ""),
    "minus infinity": (b'{"system": -Infinity}', "not-json", ""),
    "two objects": (b'{"a": 1} {"a": 1}', "not-json", ""),
    "two objects after a carriage return": (b'{"a": 1}\r{"a": 1}', "not-json", ""),
    "a bare tab in a text": (b'{"system": "a\tb"}', "not-json", ""),
    "a bare NUL in a text": (b'{"system": "a\0b"}', "not-json", ""),
    "a wrong escape": (b'{"system": "C:\\dir"}', "not-json", ""),
    "an open text": (b'{"system": "abc', "not-json", ""),
    "plain words": (b"Hello there", "not-json", ""),
    "a byte order mark in the middle": (b'\xef\xbb\xbf{"a": 1}', "not-json", ""),
    "deep nesting": (b"[" * 100_000, "not-json", ""),
    "a number of 5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "not-json", ""),
    "a blank line": (b"", "blank-line", ""),
    "a line of spaces": (b" \t ", "blank-line", ""),
    "a list": ([GOOD], "not-object", ""),
    "a text": ("Hello", "not-object", ""),
    "null": (None, "not-object", ""),
    "prompt and completion": ({"prompt": "a", "completion": "b"}, "wrong-format", ""),
    "OpenAI chat": (talk(turn("system"), USER, ASSISTANT), "wrong-format", ""),
    "Converse blocks": (talk(turn(content=[{"text": "a"}]), turn("assistant", [{"text": "b"}])),
        "wrong-format", ""),
    "a Converse schema": ({"schemaVersion": "x", **GOOD}, "wrong-format", ""),
    "ShareGPT": ({"conversations": []}, "wrong-format", ""),
    "Alpaca": ({"instruction": "a", "output": "b"}, "wrong-format", ""),
    "no messages": ({"system": "Be brief."}, "missing-key", "messages"),
    "an empty object": ({}, "missing-key", "messages"),
    "messages that are text": ({"messages": "Hello"}, "wrong-type", "messages"),
    "messages that are null": ({"messages": None}, "wrong-type", "messages"),
    "messages that are an object": ({"messages": USER}, "wrong-type", "messages"),
    "an unknown key": ({**GOOD, "id": 7}, "unknown-key", "id"),
    "an unknown key with spaces": ({**GOOD, "my id": 7}, "unknown-key", '["my id"]'),
    "an unknown key in a turn": (talk(turn(name="Ann"), ASSISTANT),
        "unknown-key", "messages[0].name"),
    "a key in another case": (
        {"System": "Be brief.", **GOOD},
        "unknown-key",
        "System",
    ),
    "a key twice": (b'{"system": "a", "system": "b", ' + json.dumps(GOOD)[1:].encode(),
                    "double-key", "system"),
    "a turn's key twice": (
        json.dumps(GOOD).replace('"role": "user"', '"role": "user", "role": "user"').encode(),
        "double-key",
        "messages[0].role",
    ),
    "a number for a system prompt": ({"system": 1, **GOOD}, "wrong-type", "system"),
    "a list for a system prompt": ({"system": ["a"], **GOOD}, "wrong-type", "system"),
    "a blank system prompt": ({"system": " \n", **GOOD}, "invisible-text", "system"),
    "a turn that is text": (talk("Hello", ASSISTANT), "wrong-type", "messages[0]"),
    "a turn without a role": (talk({"content": "a"}, ASSISTANT), "missing-key", "messages[0].role"),
    "a turn without content": (talk({"role": "user"}, ASSISTANT),
        "missing-key", "messages[0].content"),
    "a role that is a number": (talk(turn(1), ASSISTANT), "wrong-type", "messages[0].role"),
    "a role in upper case": (talk(turn("User"), ASSISTANT), "wrong-role", "messages[0].role"),
    "a system turn in the middle": (talk(USER, turn("system"), USER, ASSISTANT),
        "wrong-role", "messages[1].role"),
    "content that is null": (answered(None), "wrong-type", "messages[0].content"),
    "content that is a number": (answered(3), "wrong-type", "messages[0].content"),
    "content in Anthropic's blocks": (
        answered([{"type": "text", "text": "a"}]),
        "wrong-format",
        "",
    ),
    "empty content": (answered(""), "empty-text", "messages[0].content"),
    "blank content": (answered(" \n\t"), "invisible-text", "messages[0].content"),
    "zero-width content": (answered("\u200b\ufeff"), "invisible-text", "messages[0].content"),
    "a Hangul filler": (answered("\u3164"), "invisible-text", "messages[0].content"),
    "no turns": (talk(), "too-few-messages", "messages"),
    "one turn": (talk(USER), "too-few-messages", "messages"),
    "the assistant first": (talk(ASSISTANT, USER, ASSISTANT), "first-not-user", "messages[0].role"),
    "two user turns in a row": (talk(USER, USER, ASSISTANT), "not-alternating", "messages[1].role"),
    "two answers in a row": (talk(USER, ASSISTANT, ASSISTANT),
        "not-alternating", "messages[2].role"),
    "the user last": (talk(USER, ASSISTANT, USER), "last-not-assistant", "messages[2].role"),
    "Human: on a line of its own": (
        answered("a\nHuman: b"),
        "reserved-string",
        "messages[0].content",
    ),
    "Assistant: in the system prompt": (
        {"system": "a\nAssistant: b", **GOOD},
        "reserved-string",
        "system",
    ),
    "an escaped NUL": (answered("a\0b"), "nul", "messages[0].content"),
    "half a surrogate pair": (answered("a\ud800b"), "lone-surrogate", "messages[0].content"),
    "a text beyond the token limit": (answered("a" * 250_000), "too-many-tokens", ""),
}  # fmt: skip

# Name -> a line that must get this warning and no error, and the place.
ODD_LINES = {
    "a null system prompt": ({"system": None, **GOOD}, "null-system", "system"),
    "an empty system prompt": ({"system": "", **GOOD}, "empty-system", "system"),
    "a null key": (talk(turn(name=None), ASSISTANT), "empty-key", "messages[0].name"),
    "a text near the token limit": (answered("a" * 100_000), "perhaps-too-many-tokens", ""),
    "a space before": (answered(" Hello?"), "outer-white-space", "messages[0].content"),
    "a line end after": (
        talk(USER, turn("assistant", "Yes.\n")),
        "outer-white-space",
        "messages[1].content",
    ),
    "an answer that repeats the question": (
        talk(USER, turn("assistant", "Hello?")),
        "answer-equals-prompt",
        "messages[1].content",
    ),
}

GOOD_LINES = {
    "a system prompt": {"system": "Be brief.", **GOOD},
    "four turns": talk(USER, ASSISTANT, USER, ASSISTANT),
    "Human: at the start of a text": answered("Human: hello"),
    "Human without a colon": answered("a\nHuman b"),
    "an emoji alone": answered("🙂"),
    "a whole surrogate pair, escaped": b'{"messages": [{"role": "user", "content": "\\ud83d'
    b'\\ude42"}, {"role": "assistant", "content": "Yes."}]}',
    "a line separator of Unicode": answered("a\u2028b"),
    "white space around the object": b"  " + json.dumps(GOOD).encode() + b" \t",
    "a text of a lone dot": answered("."),
    "keys in another order": b'{"messages": [{"content": "a", "role": "user"}, {"content": "b", '
    b'"role": "assistant"}], "system": "s"}',
}


def to_line(content):
    """Give a line's bytes, from bytes or a value."""
    return (content if isinstance(content, bytes) else json.dumps(content).encode()) + b"\n"


def found(report):
    """Give line, code and place of each problem."""
    return [(problem.line, problem.code, problem.place) for problem in report.problems]


@pytest.mark.parametrize("name", BAD_LINES)
def test_line_when_bad_among_good_ones_then_one_error_at_its_line_and_place(
    name, write, make_lines
):
    """One fault among good records is one problem, where it stands."""
    content, code, place = BAD_LINES[name]
    lines = make_lines(60)
    lines[16] = to_line(content)
    report = validate_file(write(lines))
    assert found(report) == [(17, code, place)]
    assert not report.ok


@pytest.mark.parametrize("name", ODD_LINES)
def test_line_when_odd_among_good_ones_then_one_warning_and_the_file_is_ok(name, write, make_lines):
    """What Bedrock accepts and a careful person would want to know."""
    content, code, place = ODD_LINES[name]
    lines = make_lines(60)
    lines[16] = to_line(content)
    report = validate_file(write(lines))
    assert found(report) == [(17, code, place)]
    assert report.ok


@pytest.mark.parametrize("name", GOOD_LINES)
def test_line_when_good_then_no_problem(name, write, make_lines):
    """Nothing good is refused."""
    lines = make_lines(60)
    lines[16] = to_line(GOOD_LINES[name])
    assert found(validate_file(write(lines))) == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b'{"a": [1, 2,]}', "column 12: not valid JSON, there is a comma before a closing bracket"),
        (b'{"a": 1, }', "column 8: not valid JSON, there is a comma before a closing bracket"),
        (b"{'a': 1}", "column 2: not valid JSON, single quotes"),
        (b'{"a": True}', "column 7: not valid JSON, True is Python, not JSON"),
        (b'{"a": 1', "column 8: not valid JSON, the line ends here"),
        (b'{"a": "\xc3\xa9', "column 7: not valid JSON, a text that starts here has no closing"),
        (b'{"\xc3\xa9": 1} 2', "column 10: not valid JSON, a second value follows the first"),
        (b'{"a": 1}\r{}', "column 10: not valid JSON, a second value follows, after a carriage"),
        (b'{"a": "\0"}', r"column 8: not valid JSON, a bare control character (U+0000)"),
        (b'{"a": "\\q"}', "column 8: not valid JSON, a backslash that escapes nothing"),
        (b"Hello", 'column 1: not valid JSON, "H" is not expected here'),
        (b'{"a": "NaN", "b": NaN}', "column 19: NaN is not allowed in JSON"),
        (b'{"\xc3\xa9": "\xe9"}', 'column 8: the byte 0xE9 is not UTF-8 (perhaps "é" in an old'),
        (b"\x90", "column 1: the byte 0x90 is not UTF-8"),
    ],
)
def test_json_when_broken_then_column_and_cause_are_the_same_on_every_python(line, words, write):
    """The message names column and cause in our words, not in those of one Python version."""
    problem = validate_file(write(line), kind="test").problems[0]
    assert problem.message.startswith(words)
    assert problem.fix


def test_problem_when_shown_then_file_line_place_message_and_fix(write, make_lines):
    """A person who reads only the message can fix the file."""
    lines = [*make_lines(60), to_line(talk(USER, ASSISTANT, ASSISTANT))]
    path = write(lines)
    assert str(validate_file(path).problems[0]) == (
        f'{path}, line 61, messages[2].role: two "assistant" turns in a row. '
        'Merge them, or put the "user" turn between them.'
    )


def test_rules_when_aws_disagrees_with_itself_then_the_stricter_one_says_so(write):
    """Where the basis is our own strictness on a disputed point, the message admits it."""
    report = validate_file(write(to_line({**answered(""), "id": 1})), kind="test")
    assert [problem.basis for problem in report.problems] == ["stricter", "stricter"]
    assert "AWS's validator lets it pass" in report.problems[0].message
    assert "AWS's rules do not say so" in report.problems[1].message


def test_record_when_it_has_several_faults_then_all_are_found_in_order(write):
    """All problems in one pass."""
    record = {"system": 1, "messages": [turn("User", ""), turn("assistant", None), turn("user")]}
    assert found(validate_file(write(to_line(record)), kind="test")) == [
        (1, "wrong-type", "system"),
        (1, "wrong-role", "messages[0].role"),
        (1, "empty-text", "messages[0].content"),
        (1, "wrong-type", "messages[1].content"),
        (1, "last-not-assistant", "messages[2].role"),
    ]


@pytest.mark.parametrize(
    ("kind", "records", "codes"),
    [
        ("training", 0, ["too-few-records"]),
        ("training", 31, ["too-few-records"]),
        ("training", 32, ["few-records"]),
        ("training", 49, ["few-records"]),
        ("training", 50, []),
        ("training", 101, ["too-many-records"]),
        ("validation", 31, ["too-few-records"]),
        ("validation", 32, []),
        ("validation", 60, []),
        ("validation", 61, ["too-many-records"]),
        ("test", 0, []),
        ("test", 101, []),
    ],
)
def test_file_when_number_of_records_is_counted_then_each_kind_has_its_own_limits(
    kind, records, codes, write, make_lines
):
    """The limits are those of the base model, here of one that takes 100 and 60."""
    limits = replace(CLAUDE_3_HAIKU.limits, max_training_records=100, max_validation_records=60)
    report = validate_file(
        write(make_lines(records)), replace(CLAUDE_3_HAIKU, limits=limits), kind=kind
    )
    assert [problem.code for problem in report.problems] == codes
    assert report.records == records


def test_file_when_lines_are_bad_then_they_count_as_records(write, make_lines):
    """A file of 32 lines with one bad one has one fault, not also too few records."""
    lines = make_lines(60)[:32]
    lines[3] = b"{\n"
    assert validate_file(write(lines), kind="validation").counts == {"not-json": 1}


@pytest.mark.parametrize("kind", ["training", "validation", "test"])
def test_file_when_larger_than_allowed_then_error_and_the_rest_is_not_read(kind, write, make_lines):
    """An endless input ends at the size limit of its kind."""
    limits = replace(CLAUDE_3_HAIKU.limits, max_training_bytes=2_000, max_validation_bytes=1_000)
    report = validate_file(
        write(make_lines(100)), replace(CLAUDE_3_HAIKU, limits=limits), kind=kind
    )
    assert report.counts == {"file-too-large": 1}
    assert report.files[0].bytes < 2_300
    assert f"{1_000 if kind == 'validation' else 2_000:,} bytes" in report.problems[0].message


def test_file_when_a_line_is_endless_then_it_is_one_error_and_is_not_held(
    write, make_lines, monkeypatch
):
    """A line over the limit is passed over in pieces, and what follows is checked."""
    monkeypatch.setattr(json_lines, "MAX_LINE_BYTES", 1_000)
    good = make_lines(60)
    content = [*good[:10], b'"' + b"a" * 3_000_000 + b'"\n', *good[10:], b"{\n"]
    assert found(validate_file(write(content))) == [
        (11, "line-too-long", ""),
        (62, "not-json", ""),
    ]


def test_file_when_it_cannot_be_opened_then_one_error_says_why(tmp_path):
    """A wrong path is a problem in the report, never a traceback."""
    for path, words in (
        (tmp_path / "none.jsonl", "there is no such file"),
        (tmp_path, "this is a folder"),
        ("a\0b", "it cannot be read"),
    ):
        report = validate_file(path)
        assert report.counts == {"cannot-read": 1}
        assert words in report.problems[0].message
        assert report.problems[0].fix


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08\x00", "compressed with gzip"),
        (b"PK\x03\x04", "a zip archive or an Excel workbook"),
        (b"PAR1", "a Parquet file"),
        ("{}".encode("utf-16"), "UTF-16 text"),
    ],
)
def test_file_when_it_is_another_kind_of_file_then_that_is_the_one_error(content, words, write):
    """A file that can't be JSON Lines is named for what it is, not blamed line by line."""
    report = validate_file(write(content))
    assert report.counts == {"not-text": 1}
    assert words in report.problems[0].message


def test_file_when_it_has_harmless_oddities_then_each_is_one_warning(write, make_lines):
    """Byte order mark, CR LF and blank last lines are said once each."""
    content = [b"\xef\xbb\xbf", *(line.replace(b"\n", b"\r\n") for line in make_lines(60))]
    report = validate_file(write([*content, b"\r\n", b"\n"]))
    assert found(report) == [
        (1, "byte-order-mark", ""),
        (61, "blank-last-line", ""),
        (None, "windows-line-ends", ""),
    ]
    assert report.ok
    assert "2 blank lines" in report.problems[1].message
    assert "61 lines" in report.problems[2].message


def test_file_when_its_last_line_has_no_line_end_then_no_problem(write, make_lines):
    """The last line end may be missing."""
    assert found(validate_file(write(b"".join(make_lines(60)).rstrip()))) == []


def test_line_when_a_carriage_return_stands_inside_good_json_then_stricter_error(write, make_lines):
    """Some readers would end the line there."""
    content = make_lines(60)
    content[5] = content[5].replace(b", ", b",\r", 1)
    assert found(validate_file(write(content))) == [(6, "carriage-return", "")]


def test_records_when_like_earlier_ones_then_warnings_name_the_first_line(
    write, make_record, make_lines
):
    """The same record twice, and the same prompt with another answer."""
    lines = [*make_lines(60), to_line(make_record(3)), to_line(make_record(4, answer="Five!"))]
    report = validate_file(write(lines))
    assert found(report) == [(61, "duplicate-record", ""), (62, "different-answers", "")]
    assert "line 4" in report.problems[0].message
    assert "line 5" in report.problems[1].message


def test_records_when_more_than_are_remembered_then_it_is_said_once(write, make_lines, monkeypatch):
    """Memory is bounded, and the report says from where on comparison is not complete."""
    monkeypatch.setattr(file_state, "MAX_REMEMBERED", 50)
    report = validate_file(write([*make_lines(60), *make_lines(1)]))
    assert found(report) == [(51, "not-all-compared", ""), (61, "duplicate-record", "")]


def test_problems_when_a_thousand_are_alike_then_twenty_are_kept_and_all_counted(write):
    """Like faults are summed up, blank lines among them."""
    report = validate_file(write(b"{\n" * 1000 + b"\n" * 500 + b"{\n"), kind="test")
    assert report.counts == {"not-json": 1001, "blank-line": 500}
    assert len(report.problems) == 40
    assert report.errors == 1501


def test_files_when_prompts_stand_in_two_of_them_then_overlap_names_both_lines(
    write, make_record, make_lines
):
    """What is tested must not have been trained on."""
    train = write(make_lines(60))
    validation = write([to_line(make_record(n)) for n in range(100, 140)], "validation.jsonl")
    test = write(
        [to_line(make_record(200)), to_line(make_record(7)), to_line(make_record(105))],
        "test.jsonl",
    )
    report = validate_files(train, validation=validation, test=test)
    assert report.ok
    assert [(problem.file, problem.line, problem.code) for problem in report.problems] == [
        (str(test), 2, "overlap"),
        (str(test), 3, "overlap"),
    ]
    assert f"{train}, line 8" in report.problems[0].message
    assert f"{validation}, line 6" in report.problems[1].message


def test_files_when_too_many_together_then_error_names_the_quota(write, make_record, make_lines):
    """Each file may be right and their sum too large."""
    limits = replace(CLAUDE_3_HAIKU.limits, max_total_records=90)
    model = replace(CLAUDE_3_HAIKU, limits=limits)
    train = write(make_lines(60))
    validation = write([to_line(make_record(n)) for n in range(100, 140)], "validation.jsonl")
    report = validate_files(train, validation=validation, base_model=model)
    assert report.counts == {"too-many-records-together": 1}
    assert "100 records together; a job takes 90" in report.problems[0].message
    assert "L-679179D2" in report.problems[0].fix
    assert validate_files(train, base_model=model).ok


def test_files_when_checked_together_then_summaries_of_each_and_sums_of_all(write, make_lines):
    """The report has a line for each file and adds them up."""
    train, test = write(make_lines(60)), write(make_lines(3), "test.jsonl")
    report = validate_files(train, test=test)
    assert [(file.kind, file.records) for file in report.files] == [("training", 60), ("test", 3)]
    assert report.records == 63
    assert [file.bytes for file in report.files] == [p.stat().st_size for p in (train, test)]


def test_tokens_when_some_records_are_bad_then_the_good_ones_count(write, make_lines):
    """An estimate is made of what can be trained on."""
    good = validate_file(write(make_lines(60)))
    mixed = validate_file(write([*make_lines(60), b"{\n"]))
    assert good.files[0].tokens == mixed.files[0].tokens
    assert good.files[0].tokens.low > 0


def test_tokens_when_records_are_of_another_format_then_those_of_the_converted_ones_count(write):
    """A file that must be converted first has tokens too, and a table is not read for them."""
    pair = to_line({"prompt": "Hello?", "completion": "Good day."})
    (other,) = validate_file(write(pair * 3), kind="test").files
    assert other.tokens == estimate_total_tokens([GOOD] * 3)
    assert "about 0 tokens" not in str(other)
    (table,) = validate_file(write(b"prompt,completion\na,b\n"), kind="test").files
    assert str(table).endswith("no tokens counted")


MODELS = st.sampled_from([CLAUDE_3_HAIKU, NOVA_MICRO])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["system", "messages", "role", "content", "text", "é\ud800"]), inner
        )
    ),
    max_leaves=8,
)
BLOCKS = st.lists(
    st.fixed_dictionaries({}, optional={"text": st.text() | JSON_VALUES, "image": JSON_VALUES}),
    max_size=2,
)
TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system"]) | JSON_VALUES},
    optional={"content": st.text() | BLOCKS | JSON_VALUES, "name": JSON_VALUES},
)
RECORDS = st.fixed_dictionaries(
    {"messages": st.lists(TURNS, max_size=4) | JSON_VALUES},
    optional={"system": st.text() | BLOCKS | JSON_VALUES, "schemaVersion": st.text()},
)
LINES = st.binary(max_size=40) | (RECORDS | JSON_VALUES).map(lambda v: json.dumps(v).encode())
FILES = st.binary() | st.lists(LINES).flatmap(
    lambda content: st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b" "]).map(
        lambda end: end.join(content)
    )
)


@given(
    content=FILES,
    kind=st.sampled_from(["training", "validation", "test"]),
    base_model=st.sampled_from([CLAUDE_3_HAIKU, NOVA_MICRO, NOVA_2_LITE]),
)
def test_any_bytes_when_validated_then_a_report_that_can_be_shown(
    content, kind, base_model, tmp_path_factory
):
    """Whatever a file holds, there is a report, and it prints, renders and serializes."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    report = validate_file(path, base_model, kind=kind)
    str(report).encode("utf-8")
    report._repr_html_().encode("utf-8")
    json.dumps(report.to_dict(), ensure_ascii=False).encode("utf-8")
    assert sum(report.counts.values()) >= len(report.problems)
    assert report.ok == (report.errors == 0)


@given(record=RECORDS, base_model=MODELS)
def test_record_when_accepted_then_it_serializes_to_a_line_that_is_accepted(
    record, base_model, tmp_path_factory
):
    """What validation lets pass once, it lets pass again."""
    path = tmp_path_factory.getbasetemp() / "once.jsonl"
    path.write_bytes(to_line(record))
    if validate_file(path, base_model, kind="test").ok:
        again = json.loads(path.read_bytes())
        path.write_bytes(json.dumps(again, ensure_ascii=False).encode("utf-8"))
        assert validate_file(path, base_model, kind="test").ok


def test_nesting_when_as_deep_as_the_parser_allows_then_no_traceback(write):
    """Just below the parser's limit the walk over the value must hold too."""
    depth = sys.getrecursionlimit() // 2
    content = b'{"a": ' * depth + b'{"b": 1, "b": 2}' + b"}" * depth
    assert not validate_file(write(content), kind="test").ok


TEXTS = st.text(max_size=12) | st.lists(
    st.sampled_from([*'a\\"\n\r\t :\u200bé🙂\ud83d\ude42\0', "\nHuman:", "User:", "<unk>"]),
    max_size=12,
).map("".join)
NEARLY_VALID = st.lists(TEXTS, min_size=1, max_size=4).flatmap(
    lambda texts: st.fixed_dictionaries(
        {
            "messages": st.just(
                [turn(("user", "assistant")[n % 2], text) for n, text in enumerate(texts)]
            )
        },
        optional={"system": TEXTS},
    )
)


@given(
    record=NEARLY_VALID,
    base_model=MODELS,
    ascii_only=st.booleans(),
    insertion=st.sampled_from(
        [
            *("", " ", "\r", '"role": "user", ', '"r\\u006fle": "user", '),
            *('"text": "a", ', '{"text": "a"}, ', '"schemaVersion": "", ', '"system": [], '),
            *('"messages": [], ', '"content": "a", ', '"content": [{"text": "a"}], '),
            *('"system": null, ', '"system": "a", ', '"schemaVersion": "a", '),
        ]
    ),
    place=st.sampled_from(['"role"', '"content"', '"messages"', '"text"', '{"text"']),
    quote=st.sampled_from(['\\"', "\\u0022"]),
)
def test_record_when_the_fast_path_accepts_it_then_the_full_check_finds_nothing(
    record, base_model, ascii_only, insertion, place, quote
):
    """What the fast path accepts is valid by the rules of the full check."""
    record = to_training(record, base_model)
    line = json.dumps(record, ensure_ascii=ascii_only).replace('\\"', quote)
    data = line.replace(place, insertion + place, 1).encode("utf-8", "surrogatepass")
    valid = build_fast_path(base_model)(data)
    if valid is None:
        return
    value, findings = parse_line(data)
    assert findings == []
    assert check_record(value, base_model) == []
    plain = to_messages(value)
    assert check_tokens(estimate_record_tokens(plain), base_model) == []
    assert b"\r" not in data
    contents = [turn["content"] for turn in plain["messages"]]
    assert (valid.system, valid.answer) == (plain.get("system", ""), contents[-1])
    assert valid.text == "\n".join(filter(None, [valid.system, *contents]))
    assert valid.bytes == sum(map(count_bytes, [valid.system, *contents]))


@given(
    contents=st.lists(
        st.text(alphabet='abc é🙂\n"\\\\', min_size=1).map(lambda t: f"<{t}>"),
        min_size=2,
        max_size=6,
        unique=True,
    ),
    base_model=MODELS,
)
def test_record_when_well_formed_then_the_fast_path_accepts_it(contents, base_model):
    """Otherwise the fast path would be correct and useless."""
    turns = [turn(("user", "assistant")[n % 2], text) for n, text in enumerate(contents)]
    record = {"system": "Be brief.", "messages": turns[: len(turns) // 2 * 2]}
    written = to_training(record, base_model)
    check = build_fast_path(base_model)
    for data in (json.dumps(written).encode(), json.dumps(written, ensure_ascii=False).encode()):
        valid = check(data)
        assert valid is not None
        contents = [turn["content"] for turn in record["messages"]]
        assert valid.text == "\n".join(["Be brief.", *contents])


def test_tokens_when_a_file_is_long_then_a_sample_stands_for_it(write, make_record):
    """The range of a file of two languages is near the one of all of its records."""
    answers = ("Das Paket ist unterwegs zu Ihnen. " * 9, "It is on its way to you. " * 9)
    records = [make_record(n, answer=f"{answers[n % 2]}{n}") for n in range(2_000)]
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    found, wanted = validate_file(write(lines)).files[0].tokens, estimate_total_tokens(records)
    assert (found.low, found.likely, found.high) == pytest.approx(
        (wanted.low, wanted.likely, wanted.high), rel=0.03
    )


def test_file_when_one_of_ten_thousand_records_is_bad_then_exactly_one_problem(write, make_lines):
    """At that line, and nothing else."""
    content = make_lines(10_000)
    content[7_776] = content[7_776].replace(b"assistant", b"Assistant")
    assert found(validate_file(write(content))) == [(7_777, "wrong-role", "messages[1].role")]


def test_file_when_wrong_lines_never_end_then_reading_ends(write, monkeypatch):
    """An endless input of short wrong lines, or blank ones, is given up long before its size."""
    monkeypatch.setattr(file_rules, "MAX_ERRORS", 100)
    for content, code in ((b"y\n" * 500, "not-json"), (b"\n" * 500, "blank-line")):
        report = validate_file(write(content), kind="test")
        assert report.counts == {code: 101, "gave-up": 1}
        assert report.problems[-1].line is None
        assert not report.ok


@pytest.mark.parametrize(
    ("name", "content", "command"),
    [
        ("a.jsonl", b'{"prompt": "a", "completion": "b"}\n',
         "haikuft convert {}.jsonl {}.messages.jsonl --from prompt-completion"),
        ("a.json", b'{"messages": [{"role": "system", "content": "a"}]}\n',
         "haikuft convert {}.json {}.jsonl --from openai-chat"),
        ("a.jsonl", b'{"schemaVersion": "bedrock-conversation-2024", "messages": []}\n',
         "haikuft convert {}.jsonl {}.messages.jsonl --from converse"),
        ("a.jsonl", b'{"conversations": []}\n',
         "haikuft convert {}.jsonl {}.messages.jsonl --from sharegpt"),
        ("a.jsonl", b'{"instruction": "a", "output": "b"}\n',
         "haikuft convert {}.jsonl {}.messages.jsonl --from alpaca"),
        ("a.csv", b"prompt,completion\na,b\n", "haikuft convert {}.csv {}.jsonl --from csv"),
        ("a.csv", b"Frage,Antwort\na,b\n", "haikuft convert {}.csv {}.jsonl --from csv "
         "--prompt-column Frage --completion-column Antwort"),
        ("a.tsv", b"prompt\tcompletion\na\tb\n", "haikuft convert {}.tsv {}.jsonl --from tsv"),
    ],
)  # fmt: skip
def test_format_when_wrong_then_the_fix_is_the_command_that_converts_it(
    name, content, command, write
):
    """To be copied into the shell as it stands."""
    path = write(content, name)
    (problem,) = validate_file(path, kind="test").problems
    assert problem.code == "wrong-format"
    assert f"`{command.replace('{}', str(path.with_suffix('')))}`" in problem.fix


CLAUDES = to_line(GOOD)
NOVAS = to_line(to_training(GOOD, NOVA_MICRO))


@pytest.mark.parametrize(
    ("line", "base_model", "message", "command"),
    [
        (
            CLAUDES,
            NOVA_MICRO,
            "in each of its 60 lines this is Messages (system, messages), and Amazon Nova Micro is "
            "trained on Converse (bedrock-conversation-2024)",
            "haikuft convert {}.jsonl {}.converse.jsonl --from messages --base-model "
            "amazon.nova-micro-v1:0:128k",
        ),
        (
            NOVAS,
            CLAUDE_3_HAIKU,
            "in each of its 60 lines this is Converse (bedrock-conversation-2024), and Claude 3 "
            "Haiku is trained on Messages (system, messages)",
            "haikuft convert {}.jsonl {}.messages.jsonl --from converse",
        ),
    ],
)
def test_file_when_it_is_another_familys_then_one_error_names_the_command_that_converts_it(
    line, base_model, message, command, write
):
    """One mistake, one message, and the way out of it."""
    path = write([line] * 60)
    (problem,) = validate_file(path, base_model).problems
    assert (problem.line, problem.code, problem.message) == (None, "wrong-format", message)
    assert f"`{command.replace('{}', str(path.with_suffix('')))}`" in problem.fix


def test_files_when_the_model_takes_no_validation_file_then_error_with_aws_reason(write):
    """The guide and the validator disagree, and the message says so."""
    train = write([to_line(to_training(answered(f"Is it {n}?"), NOVA_2_LITE)) for n in range(200)])
    held = write(
        [to_line(to_training(answered(f"Was it {n}?"), NOVA_2_LITE)) for n in range(40)], "v.jsonl"
    )
    report = validate_files(train, validation=held, test=None, base_model=NOVA_2_LITE)
    (problem,) = report.problems
    assert (problem.file, problem.code, problem.basis) == (
        str(held),
        "validation-not-taken",
        "stricter",
    )
    assert (
        "its newer validator refuses it; whether a job would is not documented" in problem.message
    )
    assert validate_files(train, test=held, base_model=NOVA_2_LITE).ok


def test_file_when_the_model_has_no_limit_of_bytes_then_none_is_checked(write, make_record):
    """Where no page names a limit, none is invented."""
    lines = [to_line(to_training(make_record(n), NOVA_MICRO)) for n in range(60)]
    assert found(validate_file(write(lines), NOVA_MICRO)) == []


def test_pipe_when_validated_then_as_a_file(make_lines):
    """Nothing needs to seek."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(b"".join(make_lines(60)) + b"{\n")
    try:
        assert found(validate_file(f"/dev/fd/{reading}")) == [(61, "not-json", "")]
    finally:
        os.close(reading)
