"""Amazon Nova's body for InvokeModel: what is taken, what is refused, and what is answered."""

import json

import pytest

from haikuft.base_models import NOVA_MICRO
from haikuft.sandbox.http.event_stream import encode_event
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.http.rest_json import load_service
from haikuft.sandbox.runtime.messages import InferenceRequest
from haikuft.sandbox.runtime.nova import read_body

EAST = "us-east-1"
TURN = {"role": "user", "content": [{"text": "Where is it?"}]}
BODY = {
    "schemaVersion": "messages-v1",
    "messages": [TURN],
    "inferenceConfig": {"maxTokens": 50},
}
CLAUDES_BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Where is it?"}],
}


def conversations(count):
    """Write so many different records."""
    for n in range(count):
        answer = {"role": "assistant", "content": [{"text": "delivery"}]}
        asked = {"role": "user", "content": [{"text": f"{n}: Where is it?"}]}
        yield json.dumps({"messages": [asked, answer]}) + "\n"


@pytest.fixture
def nova(desk):
    """Offer Nova Micro, with a custom model of it in service: (desk, the deployment's ARN)."""
    desk.base_models[NOVA_MICRO.id] = NOVA_MICRO
    desk.change(stage_seconds=0.0)
    desk.store.regions["data"] = EAST
    for name in ("training/train", "validation/validation"):
        desk.store.objects["data", f"{name}.jsonl"] = "".join(conversations(8)).encode()
    job = desk.create_job(region=EAST, baseModelIdentifier=NOVA_MICRO.id)
    desk.bedrock.runner.join(job)
    model = desk.ask("GetModelCustomizationJob", region=EAST, jobIdentifier=job)["outputModelArn"]
    return desk, desk.deploy(model, region=EAST)


def invoke(desk, model_id, body):
    """Give the document that InvokeModel answers with."""
    data = json.dumps(body).encode()
    answer = desk.ask("InvokeModel", region=EAST, modelId=model_id, body=data)
    return json.loads(answer["body"])


def read(**changes):
    """Read a good body with changes; None takes a member away."""
    body = {key: value for key, value in {**BODY, **changes}.items() if value is not None}
    return read_body(json.dumps(body).encode(), max_output_tokens=5_000)


@pytest.mark.parametrize("kind", ["base", "tuned"])
def test_invoke_answers_in_novas_own_document_whole_and_streamed(nova, kind):
    """The stream has Converse's events, and Bedrock's metrics in the last."""
    desk, tuned = nova
    model_id = tuned if kind == "tuned" else NOVA_MICRO.inference_id
    whole = invoke(desk, model_id, BODY)
    (block,) = whole["output"]["message"]["content"]
    assert block["text"]
    assert whole == {
        "output": {"message": {"role": "assistant", "content": [block]}},
        "stopReason": "end_turn",
        "usage": whole["usage"],
    }
    answer = desk.ask(
        "InvokeModelWithResponseStream",
        region=EAST,
        modelId=model_id,
        body=json.dumps(BODY).encode(),
    )
    chunks = list(answer["body"])
    operation = load_service("bedrock-runtime").operation_model("InvokeModelWithResponseStream")
    assert all(encode_event(operation.get_event_stream_output(), chunk) for chunk in chunks)
    events = [json.loads(chunk["chunk"]["bytes"]) for chunk in chunks]
    assert events[0] == {"messageStart": {"role": "assistant"}}
    deltas = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
    assert "".join(deltas) == block["text"]
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    metrics = events[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["outputTokenCount"] == whole["usage"]["outputTokens"]


@pytest.mark.parametrize("kind", ["base", "tuned"])
def test_invoke_refuses_claudes_body(nova, kind):
    """The two families' bodies do not stand for each other."""
    desk, tuned = nova
    with pytest.raises(ServiceError, match=r"extraneous key \[anthropic_version\]") as caught:
        invoke(desk, tuned if kind == "tuned" else NOVA_MICRO.inference_id, CLAUDES_BODY)
    assert caught.value.code == "ValidationException"
    data = json.dumps(BODY).encode()
    with pytest.raises(ServiceError, match=r"required key \[anthropic_version\] not found"):
        desk.ask("InvokeModel", modelId="anthropic.claude-3-haiku-20240307-v1:0", body=data)


def test_converse_takes_novas_top_k_and_refuses_claudes(nova):
    """`additionalModelRequestFields` has the members of the model's own body."""
    desk, tuned = nova
    asked = {"region": EAST, "modelId": tuned, "messages": [TURN]}
    desk.ask("Converse", **asked, additionalModelRequestFields={"inferenceConfig": {"topK": 7}})
    assert desk.models[-1].asked[-1]["top_k"] == 7
    with pytest.raises(ServiceError, match=r"extraneous key \[top_k\] is not permitted"):
        desk.ask("Converse", **asked, additionalModelRequestFields={"top_k": 7})
    for config, words in [
        ({"topK": 129}, "inferenceConfig/topK: 129 is not less or equal to 128"),
        ({"temperature": 0}, r"takes inferenceConfig\.topK only"),
    ]:
        with pytest.raises(ServiceError, match=words):
            desk.ask("Converse", **asked, additionalModelRequestFields={"inferenceConfig": config})


def test_count_tokens_is_not_had_by_nova(nova):
    """The cards of Nova's models say so."""
    desk, _ = nova
    asked = {"invokeModel": {"body": json.dumps(BODY).encode()}}
    with pytest.raises(ServiceError, match="doesn't support counting tokens"):
        desk.ask("CountTokens", region=EAST, modelId=NOVA_MICRO.inference_id, input=asked)


def test_body_when_least_takes_the_documented_defaults():
    """Temperature 0.7 and topP 0.9; schemaVersion and inferenceConfig may be left out."""
    turns = [{"role": "user", "content": "Where is it?"}]
    wanted = InferenceRequest(None, turns, 5_000, 0.7, 0.9, None, ())
    assert read(schemaVersion=None, inferenceConfig=None) == wanted


@pytest.mark.parametrize(
    "names", [("maxTokens", "topP", "topK"), ("max_new_tokens", "top_p", "top_k")]
)
def test_body_when_full_is_taken_whole_also_by_the_older_names(names):
    """AWS's first samples have other names for three of the parameters."""
    config = dict(zip(names, (9, 0.5, 3), strict=True))
    request = read(
        system=[{"text": "Be"}, {"text": "brief."}],
        inferenceConfig={**config, "temperature": 0, "stopSequences": ["END"]},
    )
    turns = [{"role": "user", "content": "Where is it?"}]
    assert request == InferenceRequest("Be\nbrief.", turns, 9, 0.0, 0.5, 3, ("END",))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"messages": None}, "#: required key [messages] not found"),
        ({"prompt": "x"}, "#: extraneous key [prompt] is not permitted"),
        ({"schemaVersion": "messages-v9"}, "#/schemaVersion: messages-v9 is not a valid enum"),
        ({"messages": "x"}, "#/messages: expected type: JSONArray, found: String"),
        ({"messages": [1]}, "#/messages/0: expected type: JSONObject, found: Integer"),
        (
            {"messages": [{"role": "user", "content": "x"}]},
            "#/messages/0/content: expected type: JSONArray, found: String",
        ),
        (
            {"messages": [{"role": "user", "content": ["x"]}]},
            "#/messages/0/content/0: expected type: JSONObject, found: String",
        ),
        (
            {"messages": [{"role": "user", "content": [{"text": 1}]}]},
            "#/messages/0/content/0/text: expected type: String, found: Integer",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
            "#/messages/0/content/0: extraneous key [type] is not permitted",
        ),
        ({"system": "x"}, "#/system: expected type: JSONArray, found: String"),
        ({"inferenceConfig": 1}, "#/inferenceConfig: expected type: JSONObject, found: Integer"),
        ({"inferenceConfig": {"max_tokens": 1}}, "#/inferenceConfig: extraneous key [max_tokens]"),
        ({"inferenceConfig": {"maxTokens": 0}}, "#/inferenceConfig/maxTokens: 0 is not greater"),
        ({"inferenceConfig": {"topP": 2}}, "#/inferenceConfig/topP: 2 is not less or equal to 1"),
    ],
)
def test_body_when_malformed_is_refused_in_aws_words(changes, fault):
    """The error names the place as a JSON Pointer."""
    with pytest.raises(ServiceError) as caught:
        read(**changes)
    assert caught.value.code == "ValidationException"
    assert caught.value.message.startswith(f"Malformed input request: {fault}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"toolConfig": {}}, "takes no toolConfig"),
        ({"reasoningConfig": {}}, "takes no reasoningConfig"),
        ({"inferenceConfig": {"maxTokens": 5_001}}, "5001 > 5000"),
        ({"messages": [{"role": "user", "content": [{"image": {}}]}]}, "is image"),
        ({"messages": []}, "at least one message"),
    ],
)
def test_body_when_a_rule_is_broken_is_refused(changes, words):
    """Rules on lengths and turns, and what the stand-in cannot do."""
    with pytest.raises(ServiceError, match=words):
        read(**changes)
