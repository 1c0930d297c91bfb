"""The Messages body and Converse's parameters: what is taken, what is refused, in which words."""

import json

import pytest

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.runtime.converse import read_converse
from haikuft.sandbox.runtime.messages import (
    InferenceRequest,
    check_invocation,
    read_body,
)

TURN = {"role": "user", "content": "Where is my order?"}
BODY = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 10, "messages": [TURN]}
LIMIT = 4_096


def read(**changes):
    """Read a good body with changes; None takes a member away."""
    body = {key: value for key, value in {**BODY, **changes}.items() if value is not None}
    return read_body(json.dumps(body).encode(), max_output_tokens=LIMIT)


def refusal(read, *args, **kwargs):
    """Give the message of the ValidationException."""
    with pytest.raises(ServiceError) as caught:
        read(*args, **kwargs)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_body_when_least_takes_the_documented_defaults():
    """Temperature 1, top_p 0.999, top_k off, no stop sequences, no system prompt."""
    assert read() == InferenceRequest(None, [TURN], 10, 1.0, 0.999, None, ())


def test_body_when_full_is_taken_whole():
    """Every documented member reaches the model."""
    request = read(
        system="Be brief.", temperature=0, top_p=0.5, top_k=3, stop_sequences=["\n\nEND"]
    )
    assert request == InferenceRequest("Be brief.", [TURN], 10, 0.0, 0.5, 3, ("\n\nEND",))


def test_body_content_as_text_blocks_equals_plain_text():
    """AWS's guide writes content as blocks, its sample as a string; both are read."""
    blocks = [{"type": "text", "text": "Where is"}, {"type": "text", "text": "my order?"}]
    request = read(messages=[{"role": "user", "content": blocks}], system=blocks)
    assert request.messages == [{"role": "user", "content": "Where is\nmy order?"}]
    assert request.system == "Where is\nmy order?"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"max_tokens": None}, "#: required key [max_tokens] not found"),
        ({"messages": None}, "#: required key [messages] not found"),
        ({"anthropic_version": None}, "#: required key [anthropic_version] not found"),
        ({"prompt": "x"}, "#: extraneous key [prompt] is not permitted"),
        ({"max_tokens": "10"}, "#/max_tokens: expected type: Integer, found: String"),
        ({"max_tokens": True}, "#/max_tokens: expected type: Integer, found: Boolean"),
        ({"max_tokens": 0}, "#/max_tokens: 0 is not greater or equal to 1"),
        ({"temperature": 1.5}, "#/temperature: 1.5 is not less or equal to 1"),
        ({"temperature": float("nan")}, "#/temperature: nan is not greater or equal to 0"),
        ({"top_p": -1}, "#/top_p: -1 is not greater or equal to 0"),
        ({"top_k": 501}, "#/top_k: 501 is not less or equal to 500"),
        ({"stop_sequences": "END"}, "#/stop_sequences: expected type: JSONArray, found: String"),
        ({"stop_sequences": [1]}, "#/stop_sequences/0: expected type: String, found: Integer"),
        ({"stop_sequences": ["x"] * 8_192}, "#/stop_sequences: expected maximum item count: 8191"),
        ({"messages": ["hi"]}, "#/messages/0: expected type: JSONObject, found: String"),
        ({"messages": [{"role": "user"}]}, "#/messages/0: required key [content] not found"),
        ({"messages": [{**TURN, "name": "x"}]}, "#/messages/0: extraneous key [name]"),
        ({"messages": [{**TURN, "role": "system"}]}, "#/messages/0/role: system is not a valid"),
        ({"messages": [{**TURN, "content": 1}]}, "#/messages/0/content: expected type: JSONArray"),
        ({"system": 1}, "#/system: expected type: JSONArray, found: Integer"),
        ({"system": False}, "#/system: expected type: JSONArray, found: Boolean"),
    ],
)
def test_body_when_malformed_is_refused_in_aws_words(changes, fault):
    """The fault stands between AWS's two halves of the sentence."""
    message = refusal(read, **changes)
    assert message.startswith(f"Malformed input request: {fault}")
    assert message.endswith(", please reformat your input and try again.")


def test_body_when_several_keys_are_missing_names_them_all():
    """AWS strings the faults together."""
    message = refusal(read, max_tokens=None, anthropic_version=None)
    assert "[max_tokens] not found#: required key [anthropic_version] not found" in message


def test_body_when_several_turns_are_malformed_names_them_all():
    """Each with its place, after the errors of the body itself."""
    message = refusal(read, prompt="x", messages=["hi", {**TURN, "role": "system"}])
    assert message.startswith(
        "Malformed input request: #: extraneous key [prompt] is not permitted"
        "#/messages/0: expected type: JSONObject, found: String"
        "#/messages/1/role: system is not a valid enum value, please"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_body_when_no_json_object_is_refused(body):
    """Whatever the bytes are, the answer is a refusal."""
    assert refusal(read_body, body, max_output_tokens=LIMIT).startswith("Malformed input request")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"anthropic_version": "2023-06-01"}, "Invalid API version: 2023-06-01"),
        ({"max_tokens": 4_097}, "max_tokens: 4097 > 4096"),
        ({"messages": []}, "messages: at least one message is required"),
        (
            {"messages": [{"role": "assistant", "content": "x"}]},
            'messages: first message must use the "user" role',
        ),
        ({"messages": [TURN, TURN]}, 'found multiple "user" roles in a row'),
        ({"messages": [{**TURN, "content": " "}]}, "messages.0: text content blocks must"),
        (
            {"messages": [TURN, {"role": "assistant", "content": "It is "}]},
            "final assistant content cannot end with trailing whitespace",
        ),
        ({"messages": [{**TURN, "content": [{"type": "image"}]}]}, "reads text blocks only"),
        ({"tools": []}, "takes no tools"),
        ({"stop_sequences": ["\n"]}, "stop_sequences"),
    ],
)
def test_body_when_a_rule_is_broken_is_refused(changes, words):
    """Rules on turns, lengths and what the stand-in cannot do."""
    assert words in refusal(read, **changes)


def converse(**changes):
    """Read good Converse parameters with changes."""
    turn = {"role": "user", "content": [{"text": "Where is my order?"}]}
    return read_converse({"messages": [turn], **changes}, max_output_tokens=LIMIT)


def test_converse_when_least_takes_the_model_maximum():
    """Without maxTokens Converse takes all the model can give."""
    assert converse() == InferenceRequest(None, [TURN], LIMIT, 1.0, 0.999, None, ())


def test_converse_when_full_asks_the_same_question_as_the_body():
    """Both ways to ask end in the same question."""
    asked = converse(
        system=[{"text": "Be brief."}],
        inferenceConfig={
            "maxTokens": 10,
            "temperature": 0.25,
            "topP": 0.5,
            "stopSequences": ["END"],
        },
        additionalModelRequestFields={"top_k": 3},
    )
    assert asked == read(
        system="Be brief.", temperature=0.25, top_p=0.5, top_k=3, stop_sequences=["END"]
    )


def test_converse_when_asked_for_what_every_model_does_takes_it():
    """Standard latency, the default tier and metadata for logs change nothing."""
    plain = {"performanceConfig": {"latency": "standard"}, "serviceTier": {"type": "default"}}
    assert converse(**plain, requestMetadata={"team": "a"}) == converse()


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"contentType": "application/json; charset=utf-8", "accept": "*/*"},
        {"accept": "text/html, application/json;q=0.9", "serviceTier": "default"},
        {"performanceConfigLatency": "standard", "guardrailIdentifier": ""},
    ],
)
def test_invocation_when_json_is_meant_is_taken(parameters):
    """As clients write it."""
    check_invocation(parameters)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"messages": []}, "must start with a user message"),
        ({"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "must start with"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}] * 2}, "must alternate"),
        ({"messages": [{"role": "user", "content": [{"image": {}}]}]}, "text blocks only"),
        ({"messages": [{"role": "user", "content": []}]}, "non-whitespace"),
        ({"inferenceConfig": {"maxTokens": 5_000}}, "5000 > 4096"),
        (
            {"messages": [{"role": "user", "content": [{"text": "x"}, {"document": {}}]}]},
            "messages.0.content.1 is document",
        ),
        ({"system": [{"text": "x"}, {"cachePoint": {}}]}, "system.1 is cachePoint"),
        ({"toolConfig": {"tools": []}}, "toolConfig"),
        ({"guardrailConfig": {}}, "guardrailConfig"),
        ({"outputConfig": {}}, "outputConfig"),
        ({"promptVariables": {}}, "promptVariables"),
        ({"performanceConfig": {"latency": "optimized"}}, "no optimized latency"),
        ({"serviceTier": {"type": "priority"}}, "no priority tier"),
        ({"additionalModelRequestFields": {"thinking": {}}}, "top_k only"),
        ({"additionalModelRequestFields": {"top_k": 900}}, "top_k: 900"),
    ],
)
def test_converse_when_a_rule_is_broken_is_refused(changes, words):
    """Converse has its own words for turns."""
    assert words in refusal(converse, **changes)
