"""What says nothing stays behind, and `validate` and `convert` judge every record alike."""

import json
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haikuft.base_models import CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.dataset import convert_file, validate_file
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.convert.converter import convert_example
from haikuft.dataset.formats import MESSAGES, format_of, to_training
from haikuft.dataset.validate.record_rules import check_record, is_valid
from haikuft.errors import DataError

NO_CALLS = {"name": None, "tool_calls": None, "refusal": None, "weight": None, "audio": None}
NO_TOOLS = {"tools": "", "tool_calls": [], "functions": None, "parallel_tool_calls": False}
SYSTEM = {"role": "system", "content": "s", **NO_CALLS}
ASKED = {"role": "user", "content": "a", **NO_CALLS}
SAID = {"role": "assistant", "content": "b", **NO_CALLS}
PLAIN = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


def block(role, text):
    """Build a turn of Converse with keys that are null."""
    return {"role": role, "content": [{"text": text, "image": None}], **NO_CALLS}


def part(role, text):
    """Build a turn of Gemini with keys that are null."""
    return {"role": role, "parts": [{"text": text, "fileData": None}], **NO_CALLS}


# Shape -> an example with a system prompt that says nothing, and with other such keys.
SHAPES = {
    "messages": {"messages": [ASKED, SAID]},
    "openai_chat": {"messages": [{**SYSTEM, "content": ""}, ASKED, SAID], "system": None},
    "anthropic": {
        "messages": [{**ASKED, "content": [{"type": "text", "text": "a", "id": None}]}, SAID],
    },
    "converse": {"schemaVersion": None, "messages": [block("user", "a"), block("assistant", "b")]},
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "a", **NO_CALLS},
            {"from": "gpt", "value": "b", **NO_CALLS},
        ]
    },
    "gemini": {
        "contents": [part("user", "a"), part("model", "b")],
        "systemInstruction": None,
    },
    "alpaca": {"instruction": "a", "input": "", "output": "b", "history": []},
    "query_response": {"query": "a", "response": "b", "history": None},
    "prompt_completion": {"prompt": "a", "completion": "b"},
    "trl": {"prompt": [ASKED], "completion": [SAID]},
}


@pytest.mark.parametrize("system", [None, "", []])
@pytest.mark.parametrize("name", SHAPES)
def test_convert_when_keys_say_nothing_then_they_stay_behind_in_every_form(name, system):
    """An export of uneven turns has every key on every turn."""
    example = {**NO_TOOLS, "system": system, **SHAPES[name]}
    assert convert_example(example).record == {"messages": PLAIN}
    assert convert_example(example, format_name=name).record == {"messages": PLAIN}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    ("key", "value"),
    [("weight", 0), ("parallel_tool_calls", True), ("metadata", False), ("tools", [{}])],
)
def test_convert_when_a_key_says_something_then_it_is_refused_in_every_form(name, key, value):
    """Nought and false are values."""
    with pytest.raises(UnsupportedContent, match=rf"^{key}: "):
        convert_example({**SHAPES[name], key: value})


def test_export_when_written_by_hugging_face_then_validate_warns_and_convert_takes_it(tmp_path):
    """Case 6 of the data faults: without a system message, null keys were errors."""
    example = {
        "messages": [
            {"role": "user", "content": "Where is parcel 0?", "name": None, "tool_calls": None},
            {"role": "assistant", "content": "On its way.", "name": None, "tool_calls": None},
        ]
    }
    source, target = tmp_path / "export.jsonl", tmp_path / "new.jsonl"
    source.write_text(json.dumps(example) + "\n")
    report = validate_file(source, kind="test")
    assert (report.ok, report.counts) == (True, {"empty-key": 4})
    assert report.problems[0].where.endswith("line 1, messages[0].name")
    assert convert_file(source, target).records == 1
    assert not validate_file(target, kind="test").problems


def test_file_when_novas_system_prompts_are_empty_lists_then_validate_warns_and_convert_takes_it(
    tmp_path,
):
    """Every other record has none, as in a data set that AWS publishes."""
    lines = [
        {
            "system": [{"text": "Answer briefly."}] if n % 2 else [],
            "messages": [
                {"role": "user", "content": [{"text": f"What is {n} + 1?"}]},
                {"role": "assistant", "content": [{"text": str(n + 1)}]},
            ],
            "schemaVersion": "bedrock-conversation-2024",
        }
        for n in range(12)
    ]
    source = tmp_path / "nova.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    report = validate_file(source, NOVA_MICRO, kind="test")
    assert (report.ok, report.counts) == (True, {"empty-system": 6})
    assert report.problems[0].message == "the system prompt is [], which says nothing"
    assert report.files[0].tokens.high > 0
    convert_file(source, tmp_path / "new.jsonl", base_model=NOVA_MICRO)
    written = (tmp_path / "new.jsonl").read_text().splitlines()
    assert ["system" in json.loads(line) for line in written] == [False, True] * 6


def test_file_when_a_system_prompt_is_several_empty_texts_then_both_commands_take_it(tmp_path):
    """It says nothing, as one empty text does; beside a text that says something it is refused."""
    for texts, taken in ((["", ""], True), (["a", ""], False)):
        value = to_training({"messages": PLAIN}, NOVA_MICRO)
        value["system"] = [{"text": text} for text in texts]
        source = tmp_path / "nova.jsonl"
        source.write_text(json.dumps(value) + "\n")
        assert validate_file(source, NOVA_MICRO, kind="test").ok == taken
        with nullcontext() if taken else pytest.raises(DataError, match="2 texts"):
            convert_file(source, tmp_path / "new.jsonl", base_model=NOVA_MICRO)


KEYS = st.sampled_from(
    [
        *("system", "messages", "role", "content", "text", "type", "schemaVersion"),
        *("name", "weight", "tools", "tool_calls", "parallel_tool_calls", "image", "id"),
    ]
)
VALUES = st.sampled_from(
    [
        *(None, "", [], {}, False, 0, ["a"], [None], [{}], "a", " c", "\n", "User: d", "\nHuman:"),
        *([{"text": ""}], [{"text": "a"}], [{"type": "text", "text": "a"}]),
        *("user", "assistant", "system", "tool"),
    ]
)
CHANGES = st.lists(st.tuples(st.integers(0, 20), KEYS, VALUES, st.booleans()), max_size=3)


def list_containers(value):
    """List a JSON value and every object and list in it."""
    inside = value.values() if isinstance(value, dict) else value
    nested = [inner for inner in inside if isinstance(inner, dict | list)]
    return [value, *(found for inner in nested for found in list_containers(inner))]


def change(record, changes):
    """Change a copy: set a key of one of its objects, or repeat or drop an item of a list."""
    changed = deepcopy(record)
    for number, key, value, drop in changes:
        containers = list_containers(changed)
        container = containers[number % len(containers)]
        if isinstance(container, dict):
            container[key] = deepcopy(value)
        elif container and drop:
            container.pop()
        elif container:
            container.append(deepcopy(container[-1]))
    return changed


CASES = st.builds(
    lambda record, base_model, changes: (
        change(to_training(record, base_model), changes),
        base_model,
    ),
    st.sampled_from([{"messages": PLAIN}, {"system": "s", "messages": PLAIN}]),
    st.sampled_from([CLAUDE_3_HAIKU, NOVA_MICRO]),
    CHANGES,
)


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(case=CASES)
def test_record_when_of_the_models_form_then_validate_and_convert_judge_it_alike(case):
    """What validation takes, conversion takes, and what one refuses, both refuse."""
    value, base_model = case
    findings = check_record(value, base_model)
    if any(finding.code == "wrong-format" for finding in findings):
        return  # another form, which has its own reader
    try:
        record = convert_example(value, format_name=format_of(base_model)).record
        converted = is_valid(check_record(record, base_model, MESSAGES))
    except UnsupportedContent:
        converted = False
    assert converted == is_valid(findings)


ANY_CASES = CASES | st.builds(
    lambda shape, base_model, changes: (change(shape, changes), base_model),
    st.sampled_from(list(SHAPES.values())),
    st.sampled_from([CLAUDE_3_HAIKU, NOVA_MICRO]),
    CHANGES,
)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(case=ANY_CASES)
def test_file_when_of_any_shape_then_the_commands_agree_and_the_new_file_has_nothing_empty(
    case, tmp_path_factory
):
    """Validation takes no shape but the model's own, and all that conversion writes."""
    value, base_model = case
    folder = tmp_path_factory.getbasetemp()
    source, target = folder / "any.jsonl", folder / "converted.jsonl"
    source.write_text(json.dumps(value) + "\n")
    report = validate_file(source, base_model, kind="test")
    try:
        convert_file(source, Path(target), base_model=base_model)
    except DataError:
        assert not report.ok
        return
    assert report.ok or "wrong-format" in report.counts
    left = validate_file(target, base_model, kind="test")
    assert left.ok
    assert not {"empty-key", "empty-system", "null-system"} & set(left.counts)
