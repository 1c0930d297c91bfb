"""Conversations: what Amazon's own models are tuned on, carried over and back without loss."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO
from haikuft.dataset import convert_file, read_records, write_records
from haikuft.dataset.formats import to_training
from haikuft.dataset.formats.converse import to_messages
from haikuft.dataset.validate.reserved_strings import build_search
from haikuft.errors import DataError

MESSAGES = {
    "system": "Be brief.",
    "messages": [
        {"role": "user", "content": "Hello?"},
        {"role": "assistant", "content": "Good day."},
    ],
}
CONVERSATION = {
    "schemaVersion": "bedrock-conversation-2024",
    "system": [{"text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"text": "Hello?"}]},
        {"role": "assistant", "content": [{"text": "Good day."}]},
    ],
}
ASKED, SAID = CONVERSATION["messages"]

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
VALID_TEXTS = TEXTS.map(lambda text: f"<<{text.replace(chr(0), '')}>>").filter(
    lambda text: not any(build_search(model)(text) for model in BASE_MODELS.values())
)


def build(texts, system=""):
    """Build a Messages record whose turns say these texts in turn."""
    turns = [
        {"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)
    ]
    return {**({"system": system} if system else {}), "messages": turns}


RECORDS = st.builds(
    build,
    st.integers(1, 3).flatmap(lambda n: st.lists(TEXTS, min_size=2 * n, max_size=2 * n)),
    st.just("") | TEXTS,
)
VALID_RECORDS = st.builds(
    build,
    st.integers(1, 3).flatmap(
        lambda n: st.lists(VALID_TEXTS, min_size=2 * n, max_size=2 * n, unique=True)
    ),
    st.just("") | VALID_TEXTS,
)


def test_record_when_turned_into_each_models_form_then_as_its_guide_shows_it():
    """Claude's is what we work with; Nova's has a list of blocks for each text."""
    assert to_training(MESSAGES, CLAUDE_3_HAIKU) == MESSAGES
    assert to_training(MESSAGES, NOVA_MICRO) == CONVERSATION


@given(record=RECORDS)
def test_record_when_turned_into_any_models_form_and_back_then_the_same(record):
    """Nothing is lost, whatever the texts."""
    for base_model in BASE_MODELS.values():
        assert to_messages(to_training(record, base_model)) == record


@given(record=RECORDS, others=st.lists(RECORDS, max_size=3), lenient=st.booleans())
def test_file_when_its_lines_are_of_either_form_then_the_same_records_are_read(
    record, others, lenient, tmp_path_factory
):
    """Who reads a file need not know for which model it was written."""
    records = [record, *others]
    path = tmp_path_factory.getbasetemp() / "mixed.jsonl"
    write_records(path, [to_training(r, NOVA_MICRO) if n % 2 else r for n, r in enumerate(records)])
    assert read_records(path, lenient=lenient) == records


@given(records=st.lists(VALID_RECORDS, min_size=1, max_size=3))
def test_file_when_converted_from_claude_to_nova_and_back_then_the_same_bytes(
    records, tmp_path_factory
):
    """Both ways, through the files."""
    folder = tmp_path_factory.getbasetemp()
    claude, nova, again = (folder / f"{name}.jsonl" for name in ("claude", "nova", "again"))
    write_records(claude, records)
    there = convert_file(claude, nova, base_model=NOVA_MICRO)
    back = convert_file(nova, again, base_model=CLAUDE_3_HAIKU)
    assert (there.to_format, back.from_format, back.to_format) == (
        "converse",
        "converse",
        "messages",
    )
    assert again.read_bytes() == claude.read_bytes()
    once_more = convert_file(again, folder / "more.jsonl", base_model=NOVA_MICRO)
    assert once_more.target.read_bytes() == nova.read_bytes()


BESIDE_TEXT = [
    ({**CONVERSATION, "toolConfig": {}}, r"toolConfig: tools cannot be converted"),
    ({**CONVERSATION, "id": 7}, r'id: the key "id" has no place'),
    (
        {"messages": [{"role": "user", "content": [{"image": {}}]}, SAID]},
        r"messages\[0\]\.content\[0\]\.image: an image cannot be converted",
    ),
    (
        {"messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}, SAID]},
        r"messages\[0\]\.content: 2 texts cannot be converted",
    ),
    (
        {"messages": [ASKED, {"role": "assistant", "content": [{"reasoningContent": {}}]}]},
        r"messages\[1\]\.content\[0\]\.reasoningContent: reasoning",
    ),
]


@pytest.mark.parametrize(("record", "words"), BESIDE_TEXT)
def test_read_when_a_conversation_holds_more_than_texts_then_error_names_line_and_key(
    record, words, write
):
    """Nothing is dropped without a word."""
    path = write(json.dumps(CONVERSATION).encode() + b"\n" + json.dumps(record).encode() + b"\n")
    with pytest.raises(DataError, match=rf"train\.jsonl, line 2: {words}"):
        read_records(path)


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({**CONVERSATION, "id": 7}, MESSAGES),
        ({**CONVERSATION, "schemaVersion": "another"}, MESSAGES),
        ({**CONVERSATION, "messages": [{**ASKED, "id": 7}, SAID]}, MESSAGES),
        ({**CONVERSATION, "system": None}, build(["Hello?", "Good day."])),
        ({**CONVERSATION, "system": []}, build(["Hello?", "Good day."])),
        (
            {"messages": [{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}, SAID]},
            build(["a\nb", "Good day."]),
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}, SAID]},
            build(["a", "Good day."]),
        ),
    ],
)
def test_read_when_lenient_then_what_aws_passes_over_is_passed_over(record, wanted, write):
    """A job does not fail on such lines, so the sandbox must train on them."""
    assert read_records(write(json.dumps(record).encode()), lenient=True) == [wanted]


def test_read_when_lenient_then_an_image_is_still_an_error(write):
    """Leniency drops keys that say nothing, never content."""
    path = write(json.dumps(BESIDE_TEXT[2][0]).encode())
    with pytest.raises(DataError, match="an image cannot be converted"):
        read_records(path, lenient=True)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["system", "messages", "role", "content", "text", "image"]), inner
        )
    ),
    max_leaves=10,
)


@given(value=st.dictionaries(st.text() | st.just("messages"), JSON_VALUES), lenient=st.booleans())
def test_read_when_given_any_object_then_a_record_or_our_own_error(
    value, lenient, tmp_path_factory
):
    """No shape of JSON ends in a traceback."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(json.dumps(value).encode())
    try:
        assert len(read_records(path, lenient=lenient)) == 1
    except DataError:
        return
