"""Every format: real files of each become the same records, and what has no place is named."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.cli import main
from haikuft.dataset import convert_file, detect_format, formats, read_raw, validate_file
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.convert.converter import convert_example
from haikuft.dataset.formats import find_format, option_names
from haikuft.errors import DataError, SettingsError

FIXTURES = Path(__file__).parents[1] / "fixtures"
CHATS = ("messages.jsonl", "openai_chat.jsonl", "converse.jsonl", "sharegpt.json", "alpaca.json")
QUESTION_ANSWER = """
from haikuft.dataset.content import Text, build_record, check_keys, take_member, take_text
from haikuft.dataset.format import Format


def read(example):
    check_keys(example, "", ("question", "answer"))
    pairs = (("user", "question"), ("assistant", "answer"))
    return build_record([Text(role, *take_text(take_member(example, k), k)) for role, k in pairs])


FORMAT = Format(recognise=lambda example: "question" in example, read=read)
"""


@pytest.fixture
def new_format(tmp_path, monkeypatch):
    """Add a format as a contributor does: one file beside the others, one line in `FORMATS`."""
    (tmp_path / "question_answer.py").write_text(QUESTION_ANSWER)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.setitem(formats.FORMATS, "question_answer", "question/answer")
    yield "question_answer"
    sys.modules.pop("haikuft.dataset.formats.question_answer", None)


def test_format_when_it_is_added_then_it_is_recognised_read_converted_and_named_in_the_help(
    new_format, write, tmp_path, capsys
):
    """Nothing else has to be touched."""
    source = write(b'{"question": "a", "answer": "b"}\n')
    assert detect_format(source) == new_format
    assert read_raw(source) == [{"messages": [ASKED, SAID]}]
    with pytest.raises(UnsupportedContent, match="answer: expected text, found a number"):
        convert_example({"question": "a", "answer": 1})
    (problem,) = validate_file(source, kind="test").problems
    assert "this is question/answer" in problem.message
    assert "--from question-answer" in problem.fix
    done = convert_file(source, tmp_path / "new.jsonl", from_format="question-answer")
    assert (done.from_format, done.records) == (new_format, 1)
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    assert "question-answer" in "".join(capsys.readouterr().out.split())


def test_format_when_loaded_then_it_can_be_written_if_it_is_named_as_such():
    """The list for the command line and the modules agree."""
    writable = [name for name in formats.FORMATS if formats.load_format(name).write]
    assert sorted(writable) == sorted(formats.WRITABLE)


RECORD = {
    "system": "s",
    "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d"},
    ],
}


def say(role_key, text_key, roles, wrap=lambda text: text):
    """Write the four turns of the record in the words of a format."""
    return [{role_key: roles[n % 2], text_key: wrap(text)} for n, text in enumerate("abcd")]


PART = [{"text": "s"}]
TURNS = say("role", "content", ("user", "assistant"))
PARTS = say("role", "parts", ("user", "model"), lambda text: [{"text": text}])
BLOCKS = say("role", "content", ("user", "assistant"), lambda t: [{"type": "text", "text": t}])
# Name -> examples as they are exported, each of which is the record above.
EXPORTS = {
    "gemini": [
        {"systemInstruction": {"role": "system", "parts": PART}, "contents": PARTS},
        {"systemInstruction": {"parts": PART}, "contents": PARTS},
    ],
    "trl": [
        {"prompt": [{"role": "system", "content": "s"}, *TURNS[:3]], "completion": TURNS[3:]},
        {"prompt": [{"role": "system", "content": "s"}], "completion": TURNS},
    ],
    "query_response": [
        {"system": "s", "query": "c", "response": "d", "history": [["a", "b"]]},
    ],
    "anthropic": [
        {"system": "s", "messages": BLOCKS},
        {"system": [{"type": "text", "text": "s"}], "messages": [*BLOCKS[:3], TURNS[3]]},
    ],
}


@pytest.mark.parametrize(
    ("name", "example"), [(name, example) for name, found in EXPORTS.items() for example in found]
)
def test_export_when_real_people_have_it_then_recognised_read_and_taken_by_name(
    name, example, write, tmp_path
):
    """Each form by itself, by its name, in a file, and in the command that validate prints."""
    source = write(json.dumps(example).encode() + b"\n", "raw.json")
    assert detect_format(source) == name
    assert read_raw(source) == read_raw(source, format_name=name) == [RECORD]
    (problem,) = validate_file(source, kind="test").problems
    assert problem.code == "wrong-format"
    target = tmp_path / "new.jsonl"
    option = ["--from", option_names([name])]
    assert " ".join(option) in problem.fix
    assert main(["convert", str(source), str(target), *option]) == 0
    assert json.loads(target.read_text()) == RECORD


@pytest.mark.parametrize("file", CHATS)
def test_read_raw_when_given_conversations_then_the_same_four_records(file, wanted):
    """System prompt, turns and texts arrive word for word, in each language."""
    assert read_raw(FIXTURES / file) == wanted


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
         r"messages\[2\]\.tool_calls: tool calls cannot be converted"),
        ({"messages": [SYSTEM, ASKED, turn("tool", "42"), SAID]},
         r"messages\[2\]\.role: a tool's result"),
        ({"messages": [SYSTEM, turn("user", [IMAGE]), SAID]},
         r"messages\[1\]\.content\[0\]: an image"),
        ({"messages": [SYSTEM, ASKED, {**SAID, "weight": 0}]}, r"messages\[2\]\.weight: a weight"),
        ({"messages": [SYSTEM, {**ASKED, "name": "Ann"}, SAID]}, r"messages\[1\]\.name: the key"),
        ({"messages": [SYSTEM, SYSTEM, ASKED, SAID]}, r"messages\[1\]\.content: a second system"),
        ({"messages": [SYSTEM, ASKED, SAID], "tools": [CALL]}, "tools: tools cannot be converted"),
        ({"messages": [ASKED, turn("assistant", "b", tool_calls=[CALL])]},
         r"messages\[1\]\.tool_calls: tool calls"),
        ({"messages": [turn("user", [{"type": "image", "source": {}}]), SAID]},
         r"messages\[0\]\.content\[0\]: an image"),
        ({"messages": [turn("user", [{"type": "text", "text": "a"}] * 2), SAID]},
         r"messages\[0\]\.content: 2 texts cannot be converted"),
        ({"schemaVersion": 2024, "messages": []}, "schemaVersion: expected text, found a number"),
        ({"messages": [turn("user", [{"image": {}}]), turn("assistant", [{"text": "b"}])]},
         r"messages\[0\]\.content\[0\]\.image: an image"),
        ({"messages": [turn("user", [{"text": "a"}, {"text": "c"}])]}, "2 texts cannot"),
        ({"messages": [turn("assistant", [{"toolUse": {}}])]}, r"\.toolUse: a tool call"),
        ({"system": [{"text": "a"}], "messages": [], "toolConfig": {}}, "toolConfig: tools"),
        ({"conversations": [{"from": "function_call", "value": "{}"}]}, "from: a tool call"),
        ({"conversations": [{"from": "observation", "value": "{}"}]}, "from: a tool's result"),
        ({"conversations": [{"from": "narrator", "value": "a"}]}, '"narrator" is not a role'),
        ({"conversations": [{"value": "a"}]}, r'conversations\[0\]\.from: the turn has no "from"'),
        ({"conversations": ["a"]}, r"conversations\[0\]: expected an object, found text"),
        ({"conversations": [{"from": "human", "value": "a"}], "id": "x"}, "--repair"),
        ({"instruction": "a", "output": ["b", "c"]}, "output: 2 texts cannot be converted.*one"),
        ({"instruction": "a", "output": "b", "text": "ab"}, 'text: the key "text" has no place'),
        ({"instruction": "a", "output": "b", "history": [["c"]]}, r"history\[0\]: expected a pair"),
        ({"prompt": "a", "completion": ["b", "c"]}, "completion: 2 texts cannot be converted"),
        ({"prompt": "a", "completion": "b", "rejected": "c"}, "rejected: one of several answers"),
        ({"prompt": "a", "completion": "b", "weight": 0.5}, "weight: a weight"),
        ({"prompt": [ASKED], "completion": "b"}, "completion: expected a list of turns"),
        ({"prompt": [ASKED], "completion": [SAID], "chosen": 1}, "chosen: one of several answers"),
        ({"prompt": [ASKED], "completion": [{**SAID, "weight": 1}]},
         r"completion\[0\]\.weight: a weight"),
        ({"query": "a", "response": "b", "rejected_response": "c"}, "rejected_response: one of"),
        ({"query": "a", "response": "b", "history": [["c"]]}, r"history\[0\]: expected a pair"),
        ({"contents": [{"role": "model", "parts": [{"functionCall": {}}]}]},
         r"contents\[0\]\.parts\[0\]\.functionCall: a tool call"),
        ({"contents": [{"role": "assistant", "parts": []}]}, "Write one of user, model"),
        ({"contents": [], "systemInstruction": "s"}, r"systemInstruction: expected \{\"parts\""),
        ({"contents": [], "systemInstruction": {"parts": [{"text": "s"}], "mood": 1}},
         r"systemInstruction\.mood: the key"),
        ({"contents": [], "generationConfig": {"topK": 1}}, "generationConfig: the key"),
        ({"messages": [turn("user", [{"type": "text", "text": "a"}])], "id": 7}, "id: the key"),
    ],
)  # fmt: skip
def test_convert_when_something_cannot_be_carried_over_then_it_is_named(example, words):
    """Tool calls, images, weights, several answers: named with their key, never dropped."""
    with pytest.raises(UnsupportedContent, match=words):
        convert_example(example)


def test_convert_when_optional_members_say_nothing_then_they_stay_behind():
    """OpenAI's own exports hold nulls that mean nothing."""
    said = turn("assistant", "b", tool_calls=None, refusal=None)
    assert convert_example({"messages": [turn("developer", "s"), ASKED, said]}).record == {
        "system": "s",
        "messages": [ASKED, SAID],
    }


def test_convert_when_a_text_is_wrapped_in_one_part_then_it_is_unwrapped():
    """The Messages API takes both; a training record takes the plain text."""
    wrapped = turn("user", [{"type": "text", "text": "a"}])
    assert convert_example({"messages": [wrapped, SAID]}).record == {"messages": [ASKED, SAID]}


def test_convert_when_the_format_is_named_then_it_is_taken_at_ones_word():
    """A chat without a system message can be OpenAI's all the same."""
    example = {"messages": [ASKED, {**SAID, "refusal": None}]}
    assert convert_example(example, format_name="openai_chat").record == {"messages": [ASKED, SAID]}


def test_read_raw_when_a_converted_text_is_bad_then_its_place_is_that_of_the_raw_file(write):
    """One looks for the fault in the file one has."""
    path = write(
        b'{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": ""}]}'
    )
    with pytest.raises(DataError, match=r"line 1, conversations\[1\]\.value: the text is empty"):
        read_raw(path)


def test_read_raw_when_the_format_has_no_such_name_then_error_lists_the_names(write):
    """A word we do not know is a setting to fix, not a fault of the file."""
    with pytest.raises(SettingsError, match="Take one of converse, openai-chat"):
        read_raw(write(b"{}"), format_name="xml")


@pytest.mark.parametrize(
    ("text", "name"),
    [("OpenAI-chat", "openai_chat"), ("bedrock-conversation-2024", "converse"), ("nonsense", "")],
)
def test_format_when_named_by_a_person_then_found_however_written(text, name):
    """Hyphens and capitals are nobody's fault."""
    assert find_format(text) == name
    assert not name or find_format(option_names([name])) == name


WORDS = st.sampled_from(
    [
        *("messages", "role", "content", "system", "user", "assistant", "tool_calls", "tools"),
        *("prompt", "completion", "conversations", "from", "value", "human", "gpt", "image"),
        *("instruction", "input", "output", "history", "schemaVersion", "text", "type"),
        *("query", "response", "contents", "parts", "systemInstruction", "model", "delta"),
        *("inputBodyJson", "outputBodyJson", "stop_reason", "end_turn", "message", "assistant"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner),
    max_leaves=12,
)


@given(
    example=st.dictionaries(WORDS | st.text(), VALUES),
    name=st.sampled_from(["", *formats.FORMATS]),
)
def test_convert_when_given_any_object_as_any_format_then_a_record_or_our_own_error(example, name):
    """No shape of JSON ends in a traceback."""
    try:
        record = convert_example(example, format_name=name).record
    except UnsupportedContent:
        return
    assert "messages" in record or name == "messages"
