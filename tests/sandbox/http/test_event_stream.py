"""Event streams: what the encoder writes, botocore's own decoder and parser read."""

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer, EventStreamMessage
from botocore.parsers import EventStreamJSONParser
from hypothesis import given
from hypothesis import strategies as st

from haikuft.sandbox.http.event_stream import (
    break_off,
    encode_event,
    encode_events,
    serialize_stream,
)
from haikuft.sandbox.http.messages import ServiceError
from haikuft.sandbox.http.rest_json import load_service

INVOKE = load_service("bedrock-runtime").operation_model("InvokeModelWithResponseStream")
CONVERSE = load_service("bedrock-runtime").operation_model("ConverseStream")
STREAMS = {model.name: model.get_event_stream_output() for model in (INVOKE, CONVERSE)}


def decode(data: bytes, cuts: Iterable[int] = ()) -> list[EventStreamMessage]:
    """Let botocore read frames that arrive in pieces."""
    buffer, found = EventStreamBuffer(), []
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        buffer.add_data(data[start:end])
        found += list(buffer)
    return found


def parse(stream: Any, frames: Iterable[bytes]) -> list[dict[str, Any]]:
    """Let botocore parse frames by AWS's model."""
    parser = EventStreamJSONParser()
    messages = decode(b"".join(frames))
    return [parser.parse(message.to_response_dict(), stream) for message in messages]


@given(st.lists(st.text(max_size=2000), max_size=4), st.lists(st.integers(0, 10_000), max_size=6))
def test_frames_when_botocore_decodes_them_then_the_events_come_back(
    texts: list[str], cuts: list[int]
) -> None:
    """Whatever they say, and wherever the bytes are cut on their way."""
    deltas = [{"delta": {"text": text}, "contentBlockIndex": 0} for text in texts]
    events = [{"contentBlockDelta": delta} for delta in deltas]
    stream = STREAMS["ConverseStream"]
    data = b"".join(encode_event(stream, event) for event in events)
    found = decode(data, cuts)
    assert [json.loads(message.payload)["delta"]["text"] for message in found] == texts
    assert parse(stream, [data]) == events


@pytest.mark.parametrize("stream", STREAMS.values(), ids=STREAMS)
def test_events_of_bedrock_when_read_in_the_model_then_have_only_json_members(stream: Any) -> None:
    """A member in a header, or one that is the whole payload, would need more of the encoder."""
    for name, event in stream.members.items():
        for member in event.members.values():
            placed = {"eventheader", "eventpayload"} & member.serialization.keys()
            assert not placed, f"{name} has a member that encode_event does not know: {placed}"


def test_event_when_the_model_has_no_header_or_payload_then_its_members_are_json() -> None:
    """As Bedrock's events are: a blob is base64 within a JSON object."""
    stream = INVOKE.get_event_stream_output()
    event = {"chunk": {"bytes": b'{"type":"message_stop"}'}}
    frame = encode_event(stream, event)
    [message] = decode(frame)
    assert message.headers == {
        ":event-type": "chunk",
        ":content-type": "application/json",
        ":message-type": "event",
    }
    assert parse(stream, [frame]) == [event]


@pytest.mark.parametrize(
    ("event", "word"),
    [
        ({"chunks": {}}, "no event chunks"),
        ({"throttlingException": {"message": "m"}}, "no event throttlingException"),
        ({"chunk": {"bytes": 1}}, "does not fit"),
    ],
)
def test_event_when_the_model_has_none_such_then_is_a_mistake(
    event: dict[str, Any], word: str
) -> None:
    """A handler's mistake does not reach a client as an odd event."""
    with pytest.raises(ValueError, match=word):
        encode_event(INVOKE.get_event_stream_output(), event)


def test_error_when_the_stream_models_it_then_is_an_exception_with_its_members() -> None:
    """AWS's exceptions keep their names, begun with a small letter, and their further members."""

    def events() -> Any:
        yield {"chunk": {"bytes": b"{}"}}
        raise ServiceError("ModelStreamErrorException", "It broke.", originalStatusCode=500)

    stream = INVOKE.get_event_stream_output()
    frames = list(encode_events(stream, events()))
    last = decode(frames[1])[0]
    assert last.headers == {
        ":exception-type": "modelStreamErrorException",
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    assert last.payload == b'{"message":"It broke.","originalStatusCode":500}'
    error = {"Code": "modelStreamErrorException", "Message": "It broke."}
    assert [found.get("Error") for found in parse(stream, frames)] == [None, error]


def test_error_when_the_stream_has_no_such_exception_then_its_code_is_in_the_headers() -> None:
    """ConverseStream's model has no ModelTimeoutException; botocore reads the code all the same."""

    def events() -> Any:
        raise ServiceError("ModelTimeoutException", "Too long: " + "ü" * 40_000)
        yield {}

    stream = CONVERSE.get_event_stream_output()
    [found] = parse(stream, encode_events(stream, events()))
    assert found["Error"]["Code"] == "ModelTimeoutException"
    assert found["Error"]["Message"].startswith("Too long: üü")


def test_error_when_it_is_a_mistake_of_ours_then_is_internal_and_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After HTTP 200 a failure can only be reported in the stream."""

    def events() -> Any:
        yield {"messageStart": {"role": "assistant"}}
        raise RuntimeError("a mistake")

    stream = CONVERSE.get_event_stream_output()
    _, last = parse(stream, encode_events(stream, events()))
    assert last["Error"]["Code"] == "internalServerException"
    assert "RuntimeError: a mistake" in last["Error"]["Message"]
    assert "Traceback" in capsys.readouterr().err


RESULT = {"stream": [{"contentBlockStop": {"contentBlockIndex": n}} for n in range(3)]}


def test_break_off_when_given_an_error_then_it_follows_so_many_events() -> None:
    """The events before it go out unchanged."""
    error = ServiceError("ThrottlingException", "Slow down.")
    broken = {"stream": break_off(RESULT["stream"], error)}
    stream = CONVERSE.get_event_stream_output()
    answer = serialize_stream(CONVERSE, broken, "request-1")
    assert answer.headers["Content-Type"] == "application/vnd.amazon.eventstream"
    found = parse(stream, answer.frames or [])
    assert found[:2] == RESULT["stream"][:2]
    assert found[2]["Error"] == {"Code": "throttlingException", "Message": "Slow down."}
    assert len(found) == 3


def test_break_off_when_the_connection_is_to_be_cut_then_no_frame_tells_of_it() -> None:
    """Whoever serves the frames sees the error and closes the connection."""
    events = break_off(RESULT["stream"], ConnectionResetError())
    frames = encode_events(CONVERSE.get_event_stream_output(), events)
    assert next(frames)
    assert next(frames)
    with pytest.raises(ConnectionResetError):
        next(frames)
