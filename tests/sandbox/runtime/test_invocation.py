"""The runtime: who answers, how it is labelled, and who may not be asked.

Whole replies, streams of them, and counts of tokens.
"""

import json
from datetime import timedelta

import pytest
from botocore.exceptions import EventStreamError

from haikuft.sandbox.http.event_stream import break_off, encode_event
from haikuft.sandbox.http.messages import EXTRA_HEADERS, ServiceError
from haikuft.sandbox.http.rest_json import load_service
from haikuft.sandbox.runtime.invocation import answer_base, load_stand_in
from haikuft.sandbox.runtime.messages import InferenceRequest

PLAIN = "anthropic.claude-3-haiku-20240307-v1:0"
HAIKU = f"{PLAIN}:200k"


def invoke(desk, model_id, *, region="us-west-2", **changes):
    """Ask with a Messages body; (reply, headers)."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Where is it? It should be here."}],
        **changes,
    }
    reply = desk.ask("InvokeModel", modelId=model_id, body=json.dumps(body).encode(), region=region)
    return json.loads(reply["body"]), reply[EXTRA_HEADERS]


def converse(desk, model_id, **parameters):
    """Ask with Converse."""
    messages = [{"role": "user", "content": [{"text": "Where is it?"}]}]
    return desk.ask("Converse", modelId=model_id, messages=messages, **parameters)


@pytest.fixture
def tuned(desk):
    """Put a custom model in service; (desk, the throughput's ARN)."""
    model = desk.run_job()["outputModelArn"]
    arn = desk.provision(modelId=model)
    desk.pass_time(seconds=2)
    return desk, arn


@pytest.mark.parametrize(
    "model_id",
    [
        PLAIN,
        f"us.{PLAIN}",
        f"arn:aws:bedrock:us-west-2::foundation-model/{PLAIN}",
        f"arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.{PLAIN}",
    ],
)
def test_invoke_base_by_id_profile_or_arn_answers_as_base(desk, model_id):
    """All names of the base model lead to the baseline, and the reply says so."""
    reply, _ = invoke(desk, model_id)
    assert reply["model"] == "sandbox-stand-in/base"
    assert reply["content"][0]["text"]


def test_answer_when_set_to_be_slow_takes_its_time(desk):
    """A model that is set to take 200 ms for a reply takes them."""
    desk.change(answer_seconds=0.2)
    before = desk.time
    invoke(desk, PLAIN)
    assert timedelta(seconds=0.1) < desk.time - before <= timedelta(seconds=0.2)


def test_invoke_reply_has_the_shape_of_the_messages_api(tuned):
    """Role, content, stop reason and usage stand where Anthropic's clients look."""
    desk, arn = tuned
    reply, headers = invoke(desk, arn)
    (model,) = desk.models
    assert reply.pop("id").startswith("msg_bdrk_")
    assert reply == {
        "type": "message",
        "role": "assistant",
        "model": "sandbox-stand-in/model-of-job-1",
        "content": [{"type": "text", "text": f"I am {model.name}"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }
    assert headers["x-amzn-bedrock-input-token-count"] == "7"
    assert headers["x-amzn-bedrock-output-token-count"] == "3"
    assert int(headers["x-amzn-bedrock-invocation-latency"]) >= 0


def test_invoke_tuned_by_arn_or_name_asks_the_same_model(tuned):
    """A provisioned model is asked by ARN or name."""
    desk, arn = tuned
    assert invoke(desk, arn)[0]["content"] == invoke(desk, "pt-1")[0]["content"]


def test_load_stand_in_when_asked_again_then_the_model_is_still_loaded(tuned_run, tmp_path):
    """For any account of the sandbox, until the server gives its memory back."""
    tuned_run()
    (directory,) = (path for path in (tmp_path / "models").iterdir() if path.name[0] != ".")
    assert load_stand_in(directory) is (first := load_stand_in(directory))
    load_stand_in.cache_clear()
    assert load_stand_in(directory) is not first


def test_invoke_tuned_is_asked_what_the_body_says(tuned):
    """System prompt, turns and settings reach the model unchanged."""
    desk, arn = tuned
    invoke(desk, arn, system="Be brief.", temperature=0.0, top_k=5, stop_sequences=["END"])
    (asked,) = desk.models[0].asked
    assert asked.pop("seed") >= 0
    assert asked == {
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Where is it? It should be here."}],
        "max_tokens": 50,
        "temperature": 0.0,
        "top_p": 0.999,
        "top_k": 5,
        "stop_sequences": ("END",),
    }


def test_invoke_provisioned_base_model_answers_as_base(desk):
    """Throughput for a base model serves the base model."""
    arn = desk.provision()
    desk.pass_time(seconds=2)
    assert invoke(desk, arn)[0]["model"] == "sandbox-stand-in/base"


def test_invoke_while_creating_is_not_ready(desk):
    """Before InService the answer is a 429 that SDKs repeat by themselves."""
    arn = desk.provision()
    with pytest.raises(ServiceError) as caught:
        invoke(desk, arn)
    assert caught.value.code == "ModelNotReadyException"


def test_invoke_while_updating_goes_on_with_the_old_model(tuned):
    """An update does not interrupt serving."""
    desk, arn = tuned
    other = desk.run_job("job-2")["outputModelArn"]
    desk.ask("UpdateProvisionedModelThroughput", provisionedModelId=arn, desiredModelId=other)
    assert invoke(desk, arn)[0]["model"] == "sandbox-stand-in/model-of-job-1"
    desk.pass_time(seconds=2)
    assert invoke(desk, arn)[0]["model"] == "sandbox-stand-in/model-of-job-2"


def test_invoke_when_throughput_is_gone_is_not_found(tuned):
    """A deleted throughput answers no more, though its model is still there."""
    desk, arn = tuned
    desk.ask("DeleteProvisionedModelThroughput", provisionedModelId=arn)
    with pytest.raises(ServiceError) as caught:
        invoke(desk, arn)
    assert caught.value.code == "ResourceNotFoundException"


@pytest.mark.parametrize("by", ["suffixed id", "custom model ARN", "custom model name"])
def test_invoke_without_throughput_is_refused_in_aws_words(desk, by):
    """Suffixed ids and custom models need Provisioned Throughput."""
    job = desk.run_job()
    model_id = {
        "suffixed id": HAIKU,
        "custom model ARN": job["outputModelArn"],
        "custom model name": job["outputModelName"],
    }[by]
    with pytest.raises(ServiceError, match="with on-demand throughput isn’t supported") as caught:
        invoke(desk, model_id)
    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize(
    "model_id",
    [
        "anthropic.claude-9",
        f"eu.{PLAIN}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{PLAIN}",
        f"arn:aws:bedrock:us-west-2:999999999999:inference-profile/us.{PLAIN}",
        "arn:aws:bedrock:us-west-2:123456789012:application-inference-profile/abcdefghijkl",
        "arn:aws:bedrock:us-west-2:123456789012:prompt/ABCDEFGHIJ:1",
        "arn:aws:bedrock:us-west-2:123456789012:imported-model/abcdefghijkl",
        "arn:aws:sagemaker:us-west-2:123456789012:endpoint/name",
    ],
)
def test_invoke_unknown_model_is_invalid(desk, model_id):
    """Other models, other Regions' names and other accounts' profiles are refused."""
    with pytest.raises(ServiceError, match="The provided model identifier is invalid"):
        invoke(desk, model_id)


def test_invoke_when_lifecycle_is_today_is_refused_for_base_and_tuned(tuned):
    """Past the end of life every request fails, throughput or not."""
    desk, arn = tuned
    desk.change(lifecycle="today")
    for model_id in (PLAIN, f"us.{PLAIN}", arn):
        with pytest.raises(ServiceError, match="reached the end of its life") as caught:
            invoke(desk, model_id)
        assert caught.value.code == "ResourceNotFoundException"


def test_invoke_without_body_is_malformed(desk):
    """A missing body is a refusal like any other."""
    with pytest.raises(ServiceError, match="Malformed input request"):
        desk.ask("InvokeModel", modelId=PLAIN)


def test_converse_answers_as_invoke_does(tuned):
    """The same model gives the same text, with Converse's own members around it."""
    desk, arn = tuned
    reply = converse(desk, arn)
    text = invoke(desk, arn)[0]["content"][0]["text"]
    assert reply["output"] == {"message": {"role": "assistant", "content": [{"text": text}]}}
    assert reply["stopReason"] == "end_turn"
    assert reply["usage"] == {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10}
    assert reply["metrics"]["latencyMs"] >= 0
    assert "additionalModelResponseFields" not in reply


def test_converse_when_asked_for_the_model_field_says_it_is_a_stand_in(tuned):
    """Converse has no model member; a response field path brings it."""
    desk, arn = tuned
    reply = converse(desk, arn, additionalModelResponseFieldPaths=["/model", "/stop_sequence"])
    assert reply["additionalModelResponseFields"] == {"model": "sandbox-stand-in/model-of-job-1"}


def body_of(text):
    """Write a Messages body of one turn."""
    messages = [{"role": "user", "content": text}]
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": messages}
    return json.dumps(body).encode()


def open_stream(desk, operation, model_id, **parameters):
    """Ask for a stream; its events as AWS's model lets them be."""
    if operation == "ConverseStream":
        parameters["messages"] = [{"role": "user", "content": [{"text": "Where is it?"}]}]
    else:
        parameters["body"] = body_of("Where is it?")
    result = desk.ask(operation, modelId=model_id, **parameters)
    events = list(result["stream" if operation == "ConverseStream" else "body"])
    stream = load_service("bedrock-runtime").operation_model(operation).get_event_stream_output()
    assert all(encode_event(stream, event) for event in events)
    return events


def test_invoke_as_a_stream_says_what_the_whole_reply_says(tuned):
    """The same model, text, tokens and stop reason, in Anthropic's events."""
    desk, arn = tuned
    events = open_stream(desk, "InvokeModelWithResponseStream", arn)
    documents = [json.loads(event["chunk"]["bytes"]) for event in events]
    assert documents[0]["message"]["model"] == "sandbox-stand-in/model-of-job-1"
    text = "".join(document.get("delta", {}).get("text", "") for document in documents)
    whole, _ = invoke(desk, arn)
    assert text == whole["content"][0]["text"]
    metrics = documents[-1]["amazon-bedrock-invocationMetrics"]
    assert (metrics["inputTokenCount"], metrics["outputTokenCount"]) == (7, 3)


def test_converse_as_a_stream_says_what_the_whole_reply_says(tuned):
    """The same text, stop reason and usage; response fields at the stop."""
    desk, arn = tuned
    paths = ["/model"]
    events = open_stream(desk, "ConverseStream", arn, additionalModelResponseFieldPaths=paths)
    whole = converse(desk, arn, additionalModelResponseFieldPaths=paths)
    deltas = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
    assert [{"text": "".join(deltas)}] == whole["output"]["message"]["content"]
    assert events[-2]["messageStop"]["stopReason"] == whole["stopReason"]
    assert (
        events[-2]["messageStop"]["additionalModelResponseFields"]
        == whole["additionalModelResponseFields"]
    )
    assert events[-1]["metadata"]["usage"] == whole["usage"]


@pytest.mark.parametrize("operation", ["InvokeModelWithResponseStream", "ConverseStream"])
def test_stream_when_the_sandbox_is_slow_is_spread_over_the_time(desk, operation):
    """The first event goes at once, the last when the time is over."""
    desk.change(answer_seconds=20.0)
    before = desk.time
    times = []
    model_id = {"modelId": PLAIN}
    if operation == "ConverseStream":
        turns = [{"role": "user", "content": [{"text": "Where is it now?"}]}]
        events = desk.ask(operation, **model_id, messages=turns)["stream"]
    else:
        events = desk.ask(operation, **model_id, body=body_of("Where is it now?"))["body"]
    for event in events:
        times.append((desk.time - before).total_seconds())
        last = event
    assert times[0] == 0
    assert times == sorted(set(times))
    assert times[-1] == pytest.approx(20, abs=1)
    if operation == "ConverseStream":
        assert last["metadata"]["metrics"]["latencyMs"] == 20_000
    else:
        metrics = json.loads(last["chunk"]["bytes"])["amazon-bedrock-invocationMetrics"]
        assert metrics["invocationLatency"] == 20_000
        assert metrics["firstByteLatency"] < 10_000


@pytest.mark.parametrize("operation", ["InvokeModelWithResponseStream", "ConverseStream"])
def test_stream_that_is_refused_is_refused_before_it_begins(desk, operation):
    """An error that is known at the start has its own HTTP status."""
    arn = desk.provision()
    with pytest.raises(ServiceError) as caught:
        open_stream(desk, operation, arn)
    assert caught.value.code == "ModelNotReadyException"


def test_stream_when_boto3_reads_it_then_events_and_headers_are_aws_own(desk, local_sandbox):
    """Over HTTP, twice on one client, and with an error after HTTP 200."""
    breaks = []

    def converse_stream(call):
        result = desk.runtime.stream_conversation(call)
        if not breaks:
            return result
        return {**result, "stream": break_off(result["stream"], breaks.pop())}

    client = local_sandbox({**desk.runtime.handlers(), "ConverseStream": converse_stream}).client(
        "bedrock-runtime"
    )
    request = {
        "modelId": PLAIN,
        "messages": [{"role": "user", "content": [{"text": "Where is it?"}]}],
    }
    reply = client.converse_stream(**request)
    headers = reply["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    events = list(reply["stream"])
    assert events[0] == {"messageStart": {"role": "assistant"}}
    assert [next(iter(event)) for event in events[-3:]] == [
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    breaks.append(ServiceError("ThrottlingException", "Slow down."))
    broken = iter(client.converse_stream(**request)["stream"])
    assert [next(broken), next(broken)] == events[:2]
    with pytest.raises(EventStreamError, match=r"throttlingException.*Slow down"):
        next(broken)
    reply = client.invoke_model_with_response_stream(modelId=PLAIN, body=body_of("Where is it?"))
    assert reply["contentType"] == "application/json"
    kinds = [json.loads(event["chunk"]["bytes"])["type"] for event in reply["body"]]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")


TURNS = [
    {"role": "user", "content": "Where is it? It should be here."},
    {"role": "assistant", "content": "It left."},
    {"role": "user", "content": "When?"},
]


@pytest.mark.parametrize(
    "model_id", [PLAIN, f"arn:aws:bedrock:us-west-2::foundation-model/{PLAIN}"]
)
def test_count_tokens_is_what_the_same_request_reports_as_input(desk, model_id):
    """For both forms of input, and by id or ARN."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "system": "Be brief.",
        "messages": TURNS,
    }
    asked = {"invokeModel": {"body": json.dumps(body).encode()}}
    counted = desk.ask("CountTokens", modelId=model_id, input=asked)["inputTokens"]
    reply, _ = invoke(desk, model_id, system="Be brief.", messages=TURNS)
    assert counted == reply["usage"]["input_tokens"]
    turns = [{**turn, "content": [{"text": turn["content"]}]} for turn in TURNS]
    asked = {"converse": {"messages": turns, "system": [{"text": "Be brief."}]}}
    assert desk.ask("CountTokens", modelId=model_id, input=asked)["inputTokens"] == counted


def test_count_tokens_of_what_no_base_model_answers_is_refused(tuned):
    """Tuned models, profiles and suffixed ids are not counted; unknown ids are invalid."""
    desk, arn = tuned
    request = {"messages": [{"role": "user", "content": [{"text": "Where is it?"}]}]}
    refusals = {
        arn: "doesn't support counting tokens",
        f"us.{PLAIN}": "doesn't support counting tokens",
        HAIKU: "doesn't support counting tokens",
        "anthropic.claude-9": "identifier is invalid",
        "pt-1": "identifier is invalid",
    }
    for model_id, words in refusals.items():
        with pytest.raises(ServiceError, match=words) as caught:
            desk.ask("CountTokens", modelId=model_id, input={"converse": request})
        assert caught.value.code == "ValidationException"


def test_count_tokens_of_a_faulty_request_is_refused_as_the_request_would_be(desk):
    """A count is of a request that could be sent."""
    with pytest.raises(ServiceError, match="required key"):
        desk.ask("CountTokens", modelId=PLAIN, input={"invokeModel": {"body": b"{}"}})
    tools = {"tools": [{"toolSpec": {"name": "t", "inputSchema": {"json": {}}}}]}
    request = {"messages": [{"role": "user", "content": [{"text": "a"}]}], "toolConfig": tools}
    with pytest.raises(ServiceError, match="takes no toolConfig"):
        desk.ask("CountTokens", modelId=PLAIN, input={"converse": request})


def test_count_tokens_when_boto3_asks_counts_or_refuses(desk, local_sandbox):
    """A body crosses the wire as base64 within JSON."""
    client = local_sandbox(desk.runtime.handlers()).client("bedrock-runtime")
    turns = [{"role": "user", "content": [{"text": "Where is it?"}]}]
    reply = client.count_tokens(modelId=PLAIN, input={"converse": {"messages": turns}})
    assert reply["inputTokens"] == 4
    with pytest.raises(client.exceptions.ValidationException, match="Malformed input request"):
        client.count_tokens(modelId=PLAIN, input={"invokeModel": {"body": b"not JSON"}})


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ({"contentType": "text/plain"}, "contentType: text/plain"),
        ({"accept": "image/png"}, "accept: image/png"),
        ({"performanceConfigLatency": "optimized"}, "no optimized latency"),
        ({"serviceTier": "flex"}, "no flex tier"),
        ({"guardrailIdentifier": "abc"}, "takes no guardrailIdentifier"),
    ],
)
@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_invoke_with_what_no_stand_in_can_do_is_refused(desk, operation, header, word):
    """Nothing that would change an answer is passed over in silence."""
    body = json.dumps({"anthropic_version": "bedrock-2023-05-31"}).encode()
    with pytest.raises(ServiceError, match=word) as caught:
        desk.ask(operation, modelId=PLAIN, body=body, **header)
    assert caught.value.code == "ValidationException"


def ask_base(text, *, max_tokens=100, stop_sequences=()):
    """Ask the baseline a question of one turn."""
    messages = [{"role": "user", "content": text}]
    return answer_base(InferenceRequest(None, messages, max_tokens, 0.0, 1.0, None, stop_sequences))


def test_base_answer_when_longer_than_max_tokens_is_cut():
    """A word or a punctuation mark is a token of the baseline."""
    reply = ask_base("One two three, four.", max_tokens=3)
    assert (reply.text, reply.stop_reason) == ("One two three", "max_tokens")
    assert reply.output_tokens == 3
    assert reply.input_tokens == 6


def test_base_answer_ends_before_the_first_stop_sequence():
    """The sequence that ended the reply is named and not part of it."""
    reply = ask_base("One two three, four.", stop_sequences=("four", "three"))
    assert reply.text == "One two "
    assert (reply.stop_reason, reply.stop_sequence) == ("stop_sequence", "three")
