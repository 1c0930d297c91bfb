"""Model invocation logs: Bedrock's own record of what was asked and answered."""

import gzip
import json

import pytest

from haikuft.cli import main
from haikuft.dataset import convert_file, detect_format, find_dataset, first_example, read_raw
from haikuft.dataset.content import UnsupportedContent
from haikuft.dataset.convert.converter import convert_example
from haikuft.errors import DataError

ASKED, SAID = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
RECORD = {"system": "s", "messages": [ASKED, SAID]}


def block(role, text):
    """Build a turn as Converse has it."""
    return {"role": role, "content": [{"text": text}]}


def log(request, reply, **more):
    """Build an entry as the User Guide shows it."""
    return {
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
        "timestamp": "2026-11-28T10:00:00Z",
        "accountId": "111122223333",
        "region": "us-west-2",
        "requestId": "8a4c1e0f",
        "operation": "Converse",
        "modelId": "amazon.nova-micro-v1:0",
        "input": {
            "inputContentType": "application/json",
            "inputBodyJson": request,
            "inputTokenCount": 4,
        },
        "output": {
            "outputContentType": "application/json",
            "outputBodyJson": reply,
            "outputTokenCount": 2,
        },
        **more,
    }


CONVERSE = {
    "system": [{"text": "s"}],
    "messages": [block("user", "a")],
    "inferenceConfig": {"maxTokens": 9},
    "additionalModelRequestFields": {},
}
CONVERSED = {
    "output": {"message": block("assistant", "b")},
    "stopReason": "end_turn",
    "metrics": {"latencyMs": 302},
    "usage": {"inputTokens": 4, "outputTokens": 2, "totalTokens": 6},
}
CLAUDE = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 9,
    "system": "s",
    "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}],
}
CLAUDES = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-haiku-20240307",
    "content": [{"type": "text", "text": "b"}],
    "stop_reason": "stop_sequence",
    "stop_sequence": "###",
    "usage": {"input_tokens": 4, "output_tokens": 2},
}
CLAUDES_EVENTS = [
    {"type": "message_start", "message": {"role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}},
    {"type": "message_stop"},
]
NOVA = {"schemaVersion": "messages-v1", **CONVERSE}
NOVAS_EVENTS = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "b"}, "contentBlockIndex": 0}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "end_turn"}},
    {"metadata": {"usage": {}}},
]
BODIES = {
    "Converse": (CONVERSE, CONVERSED),
    "InvokeModel of Claude": (CLAUDE, CLAUDES),
    "InvokeModelWithResponseStream of Claude": (CLAUDE, CLAUDES_EVENTS),
    "InvokeModel of Nova": (NOVA, CONVERSED),
    "InvokeModelWithResponseStream of Nova": (NOVA, NOVAS_EVENTS),
}


@pytest.mark.parametrize("name", BODIES)
def test_log_when_an_invocation_was_answered_then_request_and_reply_are_a_record(name):
    """Settings and figures stay behind, texts do not."""
    assert convert_example(log(*BODIES[name])).record == RECORD


LONG = {"inputBodyS3Path": "s3://logs/data/1_input.json.gz"}
BAD = [
    (log(CONVERSE, CONVERSED, errorCode="ThrottlingException"),
     r"errorCode: the invocation failed \(ThrottlingException\)"),
    (log(CONVERSE, CONVERSED, input=LONG), r"the body is in S3 \(s3://logs/data/1_input\.json\.gz"),
    (log(CONVERSE, CONVERSED, output={}), "output.outputBodyJson: the body is not in the log"),
    (log({"inputText": "a"}, {"embedding": [0.5]}), 'the request has no "messages"'),
    (log(CONVERSE, {**CONVERSED, "stopReason": "max_tokens"}), r"did not end .*\(max_tokens\)"),
    (log(CLAUDE, CLAUDES_EVENTS[:4]), r"did not end its reply \(None\)"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "words"), BAD)
def test_log_when_there_is_no_reply_to_learn_then_named_and_left_out_by_a_repair(
    entry, words, write, tmp_path
):
    """Failed calls, large bodies in S3, embeddings, replies that were cut off."""
    with pytest.raises(UnsupportedContent, match=words):
        convert_example(entry)
    source = write([json.dumps(one).encode() + b"\n" for one in (entry, log(CLAUDE, CLAUDES))])
    target = tmp_path / "new.jsonl"
    with pytest.raises(DataError, match=r"line 1, .* with --repair"):
        convert_file(source, target)
    done = convert_file(source, target, repair=True)
    assert (done.records, done.repair_counts) == (1, {"no-reply": 1})
    assert "repaired: line 1, " in str(done)


TOOL_USE = {"role": "assistant", "content": [{"toolUse": {}}]}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (log({**CONVERSE, "toolConfig": {"tools": [1]}}, CONVERSED),
         r"^input\.inputBodyJson\.toolConfig: tools"),
        (log({**CLAUDE, "mood": "glad"}, CLAUDES), r"^input\.inputBodyJson\.mood: the key"),
        (log(CLAUDE, {**CLAUDES, "content": [{"type": "thinking"}]}),
         r"^output\.outputBodyJson\.content\[0\]: reasoning"),
        (log(CONVERSE, {**CONVERSED, "output": {"message": TOOL_USE}}),
         r"^output\.outputBodyJson\.output\.message\.content\[0\]\.toolUse: a tool call"),
        (log(CLAUDE, [{"delta": {"type": "input_json_delta", "partial_json": "{"}}]),
         r"^output\.outputBodyJson\[0\]\.partial_json: the key"),
        (log({"messages": [{"role": "user", "content": [{"image": {}}]}]}, CONVERSED),
         r"^input\.inputBodyJson\.messages\[0\]\.content\[0\]\.image: an image"),
        (log(CLAUDE, "b"), r"^output\.outputBodyJson: the model did not end its reply \(None\)"),
    ],
)  # fmt: skip
def test_log_when_a_body_holds_more_than_texts_then_its_place_in_the_log_is_named(entry, words):
    """Tool calls, images and reasoning are refused as everywhere, and no repair drops them."""
    with pytest.raises(UnsupportedContent, match=words):
        convert_example(entry)


@pytest.fixture
def logs(tmp_path):
    """Write logs of two hours as Bedrock delivers them to a bucket, copied to a folder."""
    root = tmp_path / "data" / "logs"
    region = root / "AWSLogs" / "111122223333" / "BedrockModelInvocationLogs" / "us-west-2"
    for hour, bodies in (("10", (CONVERSE, CLAUDE)), ("11", (NOVA, CLAUDE))):
        folder = region / "2026" / "11" / "28" / hour
        (folder / "data").mkdir(parents=True)
        lines = []
        for request in bodies:
            reply = CLAUDES if request is CLAUDE else CONVERSED
            said = {**reply, "stopReason": "end_turn"}
            lines.append(json.dumps(log(request, said)) + "\n")
        (folder / "20261128T1000_1.json.gz").write_bytes(gzip.compress("".join(lines).encode()))
        (folder / "data" / "1_input.json.gz").write_bytes(gzip.compress(b'{"messages": []}'))
    (root / "amazon-bedrock-logs-permission-check").write_bytes(b"")
    return root


def test_folder_when_it_holds_logs_below_a_prefix_then_all_are_read_in_order(
    logs, tmp_path, capsys
):
    """Of the prefix, of a Region or of one day: gzip is unpacked, large bodies are no logs."""
    assert detect_format(logs) == "invocation_log"
    assert first_example(logs)["schemaType"] == "ModelInvocationLog"
    assert read_raw(logs) == [RECORD] * 4
    source = find_dataset("logs", root=tmp_path)
    assert read_raw(source.raw) == [RECORD] * 4
    (day,) = logs.glob("AWSLogs/*/*/*/2026/11/28")
    target = tmp_path / "new.jsonl"
    assert main(["convert", str(day), str(target), "--repair"]) == 0
    shown = capsys.readouterr().out
    assert "1 record, Messages" in shown
    assert f"{day}/11/20261128T1000_1.json.gz, line 1: the same as line 1 of " in shown
    (file, _) = sorted(day.rglob("2026*.json.gz"))
    assert read_raw(file) == [RECORD] * 2


def test_folder_when_an_entry_cannot_be_used_then_its_file_and_line_are_named(logs):
    """In one of many files the line alone would not be found."""
    (file,) = logs.rglob("11/2026*.json.gz")
    file.write_bytes(file.read_bytes() + gzip.compress(json.dumps(BAD[0][0]).encode()))
    with pytest.raises(DataError, match=r"11/20261128T1000_1\.json\.gz, line 3, errorCode: the"):
        read_raw(logs)


def test_folder_when_it_holds_no_logs_then_error_says_what_was_looked_for(tmp_path):
    """A folder of other files is no data set."""
    with pytest.raises(DataError, match=r"a folder without model invocation logs \(\*\.json\.gz\)"):
        read_raw(tmp_path)


@pytest.mark.parametrize("cut", [3, 20, -4])
def test_file_when_gzip_cannot_unpack_it_then_error_names_it(cut, logs):
    """A copy that broke off is no shorter log."""
    (file,) = logs.rglob("11/2026*.json.gz")
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DataError, match=r"11/20261128T1000_1\.json\.gz: it cannot be read \("):
        read_raw(logs)
