"""A reply as it comes: whole at the end, and honest when it breaks off. On a real sandbox."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from fakes import Scripted

from haikuft.aws.errors import is_transient
from haikuft.errors import HaikuftError, NotFoundError, ReplyError, SettingsError
from haikuft.inference import ask, stream
from haikuft.inference.replies import Reply
from haikuft.sandbox.http.messages import Call, ServiceError

MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
LONG = [{"role": "user", "content": "The printer on the second floor is jammed again. Why?"}]


def read(runtime: Any, **options: Any) -> tuple[list[str], Reply]:
    """Stream one reply: its pieces, and what stands at the end."""
    *pieces, reply = stream(runtime, MODEL, LONG, **options)
    return pieces, reply


@pytest.fixture
def scripted(local_sandbox: Callable[..., Any]) -> Callable[..., Any]:
    """`scripted(*events)` is a client of a sandbox that streams these; an error is raised."""

    def client(*events: Any) -> Any:
        def converse(_: Call) -> dict[str, Any]:
            def given() -> Iterator[dict[str, Any]]:
                for event in events:
                    if isinstance(event, Exception):
                        raise event
                    yield event

            return {"stream": given()}

        return local_sandbox(handlers={"ConverseStream": converse}).client("bedrock-runtime")

    return client


def delta(text: str) -> dict[str, Any]:
    """One piece of text, as an event."""
    return {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}


START = {"messageStart": {"role": "assistant"}}
STOP = {"messageStop": {"stopReason": "end_turn"}}


def test_stream_when_read_to_its_end_then_the_reply_is_what_asking_gives(
    sandbox_clients: Callable[..., Any],
) -> None:
    """The same text, tokens and stop reason; only the times differ."""
    runtime = sandbox_clients("bedrock-runtime")

    pieces, reply = read(runtime, system="Be brief.", answered_by="a", max_tokens=30)
    whole = ask(runtime, MODEL, LONG, system="Be brief.", max_tokens=30)

    assert len(pieces) > 1
    assert "".join(pieces) == reply.text == whole.text
    for name in ("stop_reason", "input_tokens", "output_tokens", "model", "settings", "api"):
        assert getattr(reply, name) == getattr(whole, name)
    assert (reply.record_id, reply.answered_by, reply.error) == ("", "a", None)
    assert whole.first_seconds is None


def test_stream_when_pieces_come_then_the_first_and_the_last_moment_are_kept(
    sandbox_clients: Callable[..., Any],
) -> None:
    """Asked at 10, first piece at 10.5, whole at 12."""
    ticks = iter([10.0, 10.5, 12.0])

    _, reply = read(sandbox_clients("bedrock-runtime"), clock=lambda: next(ticks))

    assert (reply.first_seconds, reply.latency_seconds) == (0.5, 2.0)


def test_stream_when_nobody_reads_then_nothing_is_asked() -> None:
    """A generator costs nothing until it is wanted."""
    runtime: Any = None
    stream(runtime, MODEL, LONG)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ThrottlingException", "throttlingException: Too fast.*Ask for less at once"),
        ("ModelStreamErrorException", "Too fast"),
        ("InternalServerException", "The fault is AWS's. Try again"),
    ],
)
def test_stream_when_aws_fails_in_its_middle_then_the_pieces_stay_and_the_reason_is_told(
    scripted: Callable[..., Any], code: str, words: str
) -> None:
    """HTTP said 200 long before."""
    runtime = scripted(START, delta("Half a "), ServiceError(code, "Too fast."))
    reply = stream(runtime, MODEL, LONG)

    assert next(reply) == "Half a "
    with pytest.raises(HaikuftError, match=words):
        next(reply)


def test_stream_when_the_connection_is_cut_then_it_says_so(
    local_sandbox: Callable[..., Any],
) -> None:
    """The sandbox cuts after two events; one of them is text."""
    runtime = local_sandbox(handlers=None, drop_share=1.0).client("bedrock-runtime")
    pieces: list[Any] = []

    with pytest.raises(HaikuftError, match=f"asking {MODEL}: .*Check the network"):
        pieces.extend(stream(runtime, MODEL, LONG))

    assert len(pieces) <= 1
    assert not any(isinstance(piece, Reply) for piece in pieces)


def test_stream_when_a_frame_is_broken_then_it_is_told_as_a_lost_connection() -> None:
    """Botocore's error for a wrong checksum is of no kind that it has for a call."""

    def events() -> Iterator[dict[str, Any]]:
        yield from (START, delta("Half a "))
        raise ChecksumMismatch(1, 2)

    runtime: Any = Scripted({"stream": events(), "ResponseMetadata": {}})
    pieces: list[Any] = []
    with pytest.raises(HaikuftError, match=r"Checksum mismatch.*Check the network") as caught:
        pieces.extend(stream(runtime, MODEL, LONG))
    assert is_transient(caught.value.__cause__)


def test_stream_when_throttled_before_it_begins_then_there_is_no_piece(
    local_sandbox: Callable[..., Any],
) -> None:
    """The error of any call."""
    runtime = local_sandbox(handlers=None, throttle_share=1.0).client("bedrock-runtime")

    with pytest.raises(HaikuftError, match="Ask for less at once"):
        next(stream(runtime, MODEL, LONG))


@pytest.mark.parametrize("events", [[START, delta("Half a ")], [START, delta("a"), STOP]])
def test_stream_when_it_ends_without_its_end_then_it_is_no_reply(
    scripted: Callable[..., Any], events: list[Any]
) -> None:
    """Whoever closes politely in mid-sentence is not taken for finished."""
    with pytest.raises(ReplyError, match="ended its stream after"):
        list(stream(scripted(*events), MODEL, LONG))


def test_stream_when_left_early_then_the_connection_is_closed(
    scripted: Callable[..., Any],
) -> None:
    """A second question finds a way."""
    runtime = scripted(START, *[delta("word ")] * 50, STOP)
    reply = stream(runtime, MODEL, LONG)

    assert next(reply) == "word "
    reply.close()  # type: ignore[attr-defined]

    assert next(stream(runtime, MODEL, LONG)) == "word "


def test_stream_when_it_cannot_be_asked_then_the_reason_is_the_same_as_for_a_whole_reply(
    sandbox_clients: Callable[..., Any],
) -> None:
    """A value out of range, and a throughput that is not there."""
    runtime = sandbox_clients("bedrock-runtime")
    absent = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"

    with pytest.raises(SettingsError, match="Allow at least 1"):
        read(runtime, max_tokens=0)
    with pytest.raises(NotFoundError):
        next(stream(runtime, absent, LONG))
