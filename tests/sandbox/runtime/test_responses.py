"""Replies in the shapes of InvokeModel and Converse: whole ones and streams say the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.runtime import messages
from haikuft.sandbox.runtime.converse import stream_conversation, write_conversation
from haikuft.sandbox.runtime.messages import (
    LONGEST_PIECE,
    Reply,
    split_reply,
    stream_invocation,
    write_invocation,
)

ANSWER = Reply("It left today.", "stop_sequence", "END", 7, 4, first_byte_ms=9, latency_ms=12)


@given(st.text())
def test_split_reply_when_joined_is_the_reply(text):
    """No piece is empty or long, and none is lost, whatever the text."""
    pieces = split_reply(text)
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= LONGEST_PIECE + 1 for piece in pieces)


def test_split_reply_cuts_at_words():
    """A space goes with the word after it."""
    assert split_reply("Where is  it?\n") == ["Where", " is", "  ", "it?", "\n"]
    assert split_reply("") == []


def test_stream_invocation_gives_anthropics_events_in_order_with_bedrocks_metrics():
    """Each chunk's bytes are one JSON document."""
    chunks = stream_invocation(messages.events("sandbox/x", ANSWER))
    events = [json.loads(chunk["chunk"]["bytes"]) for chunk in chunks]
    assert (
        events[0].pop("message").items()
        >= {
            "role": "assistant",
            "model": "sandbox/x",
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 7, "output_tokens": 0},
        }.items()
    )
    assert events == [
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": text},
            }
            for text in ("It", " left", " today.")
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "stop_sequence", "stop_sequence": "END"},
            "usage": {"output_tokens": 4},
        },
        {
            "type": "message_stop",
            "amazon-bedrock-invocationMetrics": {
                "inputTokenCount": 7,
                "outputTokenCount": 4,
                "invocationLatency": 12,
                "firstByteLatency": 9,
            },
        },
    ]


def test_stream_invocation_says_what_the_whole_reply_says():
    """The deltas together are the text of InvokeModel's body."""
    chunks = stream_invocation(messages.events("x", ANSWER))
    events = [json.loads(chunk["chunk"]["bytes"]) for chunk in chunks]
    said = "".join(event["delta"].get("text", "") for event in events if "delta" in event)
    whole = json.loads(write_invocation(messages.write_reply("x", ANSWER), ANSWER)["body"])
    assert [{"type": "text", "text": said}] == whole["content"]


def test_stream_conversation_gives_converses_events_in_order():
    """A block of text has no contentBlockStart; usage and latency come last."""
    events = list(stream_conversation("x", ANSWER, field_paths=["/stop_sequence"]))
    assert events == [
        {"messageStart": {"role": "assistant"}},
        *(
            {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}
            for text in ("It", " left", " today.")
        ),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {
            "messageStop": {
                "stopReason": "stop_sequence",
                "additionalModelResponseFields": {"stop_sequence": "END"},
            }
        },
        {
            "metadata": {
                "usage": {"inputTokens": 7, "outputTokens": 4, "totalTokens": 11},
                "metrics": {"latencyMs": 12},
            }
        },
    ]


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        (["/stop_sequence"], {"stop_sequence": "END"}),
        (["/usage/input_tokens", "/model"], {"usage": {"input_tokens": 7}, "model": "x"}),
        (["/nothing", "/usage/nothing", "/model/deeper"], None),
        (["/usage", "/usage/output_tokens"], {"usage": {"input_tokens": 7, "output_tokens": 4}}),
        ([], None),
    ],
)
def test_field_paths_choose_from_the_models_own_reply(paths, fields):
    """Those that lead to nothing are passed over, as the service says."""
    reply = write_conversation("x", ANSWER, field_paths=paths)
    assert reply.get("additionalModelResponseFields") == fields


@pytest.mark.parametrize("path", ["stop_sequence", "", "/a~2", "#/model"])
@pytest.mark.parametrize("write", [write_conversation, stream_conversation])
def test_field_path_that_is_no_json_pointer_is_refused_at_once(path, write):
    """Also for a stream: before its first event, while the HTTP status can still be an error."""
    with pytest.raises(ServiceError, match="is not a JSON Pointer") as caught:
        write("x", ANSWER, field_paths=[path])
    assert caught.value.code == "ValidationException"
