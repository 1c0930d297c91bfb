"""One reply and many: asked over real HTTP, kept in a file, and never paid for twice."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

from haikuft import inference
from haikuft.base_models import DEFAULT
from haikuft.dataset.records import record_id
from haikuft.errors import (
    AccessError,
    CredentialsError,
    DataError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.inference import (
    GIVE_UP_AFTER,
    Reply,
    ask,
    ask_many,
    build_body,
    file_name,
    read_replies,
)

MODEL = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/abcdefghijkl"
HELLO = [{"role": "user", "content": "Hello"}]
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Model:
    """A scripted model behind HTTP, with a history.

    Attributes:
        asked: Each body it was sent, with the model's id, in order.
        answer: From a body to status, headers and body of the answer.
    """

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[dict[str, Any]], Answer] = lambda body: (200, {}, say(last_turn(body)))

    @property
    def questions(self) -> list[str]:
        """The last turn of each question, in order."""
        return [last_turn(body) for _, body in self.asked]


def last_turn(body: dict[str, Any]) -> str:
    """Read what a body asks."""
    return str(body["messages"][-1]["content"])


def say(text: str) -> dict[str, Any]:
    """Build a Messages reply with this text."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "sandbox-stand-in/test",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 3},
    }


def refuse(code: str, status: int = 400, message: str = "no") -> Answer:
    """Build an error as AWS answers it."""
    return status, {"x-amzn-ErrorType": code}, {"message": message}


@pytest.fixture
def model() -> Model:
    """Make the model that the fixture `runtime` talks to."""
    return Model()


@pytest.fixture
def runtime(model: Model) -> Iterator[BedrockRuntimeClient]:
    """Give a client of a loopback server that hands each request to `model`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append((unquote(self.path.split("/")[2]), body))
            status, headers, answer = model.answer(body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield boto3.client(
        "bedrock-runtime",
        region_name="us-west-2",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    server.shutdown()
    server.server_close()
    thread.join()


def record(text: str, system: str | None = None) -> dict[str, Any]:
    """Build a record that asks `text`."""
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "reference"}]
    return {"system": system, "messages": messages} if system else {"messages": messages}


RECORDS = [record(f"question {n}") for n in range(6)]
IDS = [record_id(r) for r in RECORDS]


def test_build_body_when_nothing_is_set_then_it_holds_the_version_and_temperature_zero() -> None:
    """Temperature 0 by default, so that a second run answers alike."""
    assert build_body(HELLO, max_tokens=5) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "temperature": 0.0,
        "messages": HELLO,
    }


def test_build_body_when_all_is_set_then_all_is_sent() -> None:
    """And None leaves the temperature to the model."""
    body = build_body(HELLO, system="Be brief", temperature=None, top_p=0.5, stop_sequences=["."])

    assert (body["system"], body["top_p"], body["stop_sequences"]) == ("Be brief", 0.5, ["."])
    assert "temperature" not in body


def test_build_body_when_max_tokens_is_zero_then_it_is_refused() -> None:
    """A reply of no tokens is a slip."""
    with pytest.raises(SettingsError, match="max_tokens"):
        build_body(HELLO, max_tokens=0)


def test_ask_when_the_model_answers_then_the_reply_holds_text_tokens_and_latency(
    runtime: BedrockRuntimeClient, model: Model
) -> None:
    """One call, everything worth keeping; the ARN arrives whole."""
    ticks = iter([10.0, 10.25])

    reply = ask(runtime, MODEL, HELLO, system="Be brief", clock=lambda: next(ticks))

    assert (reply.text, reply.stop_reason, reply.model) == (
        "Hello",
        "end_turn",
        "sandbox-stand-in/test",
    )
    assert (reply.input_tokens, reply.output_tokens, reply.latency_seconds) == (7, 3, 0.25)
    assert reply.error is None
    assert reply.asked_at.endswith("+00:00")
    assert model.asked == [(MODEL, build_body(HELLO, system="Be brief"))]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refuse("AccessDeniedException", 403), AccessError),
        (refuse("ResourceNotFoundException", 404), NotFoundError),
        (refuse("ExpiredTokenException", 403), CredentialsError),
        (refuse("ValidationException"), SettingsError),
        ((200, {}, b"<html>"), ReplyError),
        ((200, {}, {"completion": "old format"}), ReplyError),
    ],
)
def test_ask_when_the_call_fails_then_the_error_is_ours_and_names_the_model(
    runtime: BedrockRuntimeClient, model: Model, answer: Answer, error: type[Exception]
) -> None:
    """AWS's refusals and unreadable replies come with what was asked."""
    model.answer = lambda body: answer

    with pytest.raises(error, match="provisioned-model/abcdefghijkl"):
        ask(runtime, MODEL, HELLO)


def test_ask_many_when_all_answer_then_each_reply_is_in_the_result_and_in_the_file(
    runtime: BedrockRuntimeClient, tmp_path: Path
) -> None:
    """The result keeps the records' order, whatever order the replies came in."""
    path = tmp_path / "replies" / "tuned.jsonl"

    replies = ask_many(runtime, MODEL, RECORDS, path=path, concurrency=3, progress=False)

    assert list(replies) == IDS
    assert [r.text for r in replies.values()] == [f"question {n}" for n in range(6)]
    assert sorted(read_replies(path), key=lambda r: r.text) == list(replies.values())


def test_ask_many_when_records_have_history_and_system_then_both_are_sent_without_the_reference(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """The reference is what we hope for, so it stays at home."""
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "Why?"},
    ]
    one = {
        "system": "Be brief",
        "messages": [*turns, {"role": "assistant", "content": "Because."}],
    }

    ask_many(runtime, MODEL, [one], path=tmp_path / "r.jsonl", max_tokens=9, progress=False)

    assert model.asked == [(MODEL, build_body(turns, system="Be brief", max_tokens=9))]


def test_ask_many_when_run_twice_then_nothing_is_asked_again(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """The same record is never paid for twice, even if it stands twice in the file."""
    path = tmp_path / "r.jsonl"
    first = ask_many(runtime, MODEL, [*RECORDS, RECORDS[0]], path=path, progress=False)
    second = ask_many(runtime, MODEL, RECORDS, path=path, progress=False)

    assert first == second
    assert sorted(model.questions) == [f"question {n}" for n in range(6)]


def test_ask_many_when_max_records_grows_then_only_the_rest_is_asked(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """A first look at two records is no waste."""
    path = tmp_path / "r.jsonl"
    first = ask_many(runtime, MODEL, RECORDS, path=path, max_records=2, progress=False)
    assert list(first) == IDS[:2]
    model.asked.clear()

    ask_many(runtime, MODEL, RECORDS, path=path, progress=False)

    assert sorted(model.questions) == [f"question {n}" for n in range(2, 6)]


@pytest.mark.parametrize("change", [{"max_tokens": 5}, {"temperature": 1.0}, {"top_p": 0.5}])
def test_ask_many_when_the_sampling_changes_then_old_replies_do_not_stand_for_new_ones(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path, change: dict[str, Any]
) -> None:
    """A reply cut at five tokens is not the reply at a thousand."""
    path = tmp_path / "r.jsonl"
    ask_many(runtime, MODEL, RECORDS[:1], path=path, progress=False)
    ask_many(runtime, MODEL, RECORDS[:1], path=path, progress=False, **change)

    assert len(model.asked) == 2


def test_ask_many_when_another_model_is_asked_then_its_replies_are_its_own(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """Even in one file."""
    path = tmp_path / "r.jsonl"
    ask_many(runtime, MODEL, RECORDS[:1], path=path, progress=False)
    replies = ask_many(runtime, "other", RECORDS[:1], path=path, progress=False)

    assert [r.model_id for r in replies.values()] == ["other"]
    assert [name for name, _ in model.asked] == [MODEL, "other"]


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_ask_many_when_the_file_is_cut_in_a_line_then_it_is_mended_and_only_that_is_asked(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path, cut: int
) -> None:
    """A cut newline alone costs nothing; a cut reply is asked for again."""
    path = tmp_path / "r.jsonl"
    ask_many(runtime, MODEL, RECORDS, path=path, concurrency=1, progress=False)
    path.write_bytes(path.read_bytes()[:-cut])
    model.asked.clear()

    replies = ask_many(runtime, MODEL, RECORDS, path=path, progress=False)

    assert model.questions == ([] if cut == 1 else ["question 5"])
    assert list(replies) == IDS
    assert len(read_replies(path)) == 6


def test_ask_many_when_one_question_fails_then_it_is_kept_as_an_error_and_asked_next_time(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """The others are answered all the same."""
    path, good = tmp_path / "r.jsonl", model.answer
    model.answer = lambda body: (
        refuse("ValidationException", message="too long")
        if last_turn(body) == "question 2"
        else good(body)
    )
    replies = ask_many(runtime, MODEL, RECORDS, path=path, progress=False)
    assert [key for key, reply in replies.items() if reply.error] == [IDS[2]]
    assert "too long" in (replies[IDS[2]].error or "")
    model.answer = good
    model.asked.clear()

    again = ask_many(runtime, MODEL, RECORDS, path=path, progress=False)

    assert model.questions == ["question 2"]
    assert again[IDS[2]].text == "question 2"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ExpiredTokenException", CredentialsError),
        ("AccessDeniedException", AccessError),
        ("ResourceNotFoundException", NotFoundError),
    ],
)
def test_ask_many_when_no_later_question_can_fare_better_then_it_stops_and_goes_on_later(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path, code: str, error: type[Exception]
) -> None:
    """An expired login or a deleted throughput ends the asking, with what was answered kept."""
    path, good = tmp_path / "r.jsonl", model.answer
    model.answer = lambda body: refuse(code, 403) if len(model.asked) > 2 else good(body)
    with pytest.raises(error):
        ask_many(runtime, MODEL, RECORDS, path=path, concurrency=1, progress=False)
    assert len(model.asked) == 3
    assert [reply.error for reply in read_replies(path)] == [None, None]
    model.answer = good
    model.asked.clear()

    ask_many(runtime, MODEL, RECORDS, path=path, concurrency=1, progress=False)

    assert model.questions == [f"question {n}" for n in range(2, 6)]


def test_ask_many_when_everything_fails_then_it_gives_up_after_a_while(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """A wrong model id is not tried on ten thousand records."""
    model.answer = lambda body: refuse("ValidationException", message="on-demand not supported")
    many = [record(f"question {n}") for n in range(50)]

    with pytest.raises(ReplyError, match=f"{GIVE_UP_AFTER} questions in a row.*on-demand"):
        ask_many(runtime, MODEL, many, path=tmp_path / "r.jsonl", concurrency=1, progress=False)

    assert GIVE_UP_AFTER <= len(model.asked) <= GIVE_UP_AFTER + 2


def test_ask_many_when_interrupted_then_what_was_under_way_is_kept_and_the_rest_asked_later(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C loses no reply that was paid for, and asks for no further one."""
    path, good, asking = tmp_path / "r.jsonl", model.answer, threading.Event()

    def answer(body: dict[str, Any]) -> Answer:
        asking.set()
        return good(body)

    def interrupt(*args: object, **kwargs: object) -> None:
        assert asking.wait(5)
        raise KeyboardInterrupt

    model.answer = answer
    many = [record(f"question {n}") for n in range(40)]
    monkeypatch.setattr(inference, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask_many(runtime, MODEL, many, path=path, concurrency=1, progress=False)
    monkeypatch.undo()
    paid = len(model.asked)
    assert len(read_replies(path)) == paid
    assert 0 < paid < len(many)

    ask_many(runtime, MODEL, many, path=path, progress=False)

    assert len(model.asked) == len(set(model.questions)) == len(many)


def test_ask_many_when_concurrent_then_so_many_questions_are_under_way_at_once(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """Three workers meet at a barrier that only three at once can open."""
    barrier, good = threading.Barrier(3, timeout=5), model.answer

    def meet(body: dict[str, Any]) -> Answer:
        barrier.wait()
        return good(body)

    model.answer = meet

    replies = ask_many(
        runtime, MODEL, RECORDS, path=tmp_path / "r.jsonl", concurrency=3, progress=False
    )

    assert all(reply.error is None for reply in replies.values())


def test_ask_many_when_a_reply_has_odd_characters_then_the_file_keeps_them(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path
) -> None:
    """Line separators, other scripts and half a surrogate pair survive."""
    odd = "a\u2028b\x85c 数 \ud83d \r\n"
    model.answer = lambda body: (200, {}, say(odd))
    path = tmp_path / "r.jsonl"

    ask_many(runtime, MODEL, RECORDS[:2], path=path, progress=False)

    assert [reply.text for reply in read_replies(path)] == [odd, odd]


def test_ask_many_when_progress_is_wanted_then_a_bar_counts_replies_and_errors(
    runtime: BedrockRuntimeClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It starts where the file stands."""
    path = tmp_path / "r.jsonl"
    ask_many(runtime, MODEL, RECORDS[:2], path=path, progress=False)
    ask_many(runtime, MODEL, RECORDS, path=path)

    shown = capsys.readouterr().err
    assert "2/6" in shown
    assert "6/6" in shown
    assert "errors=0" in shown


@pytest.mark.parametrize("bad", [{"concurrency": 0}, {"max_records": -1}])
def test_ask_many_when_a_number_is_out_of_range_then_it_is_refused(
    runtime: BedrockRuntimeClient, model: Model, tmp_path: Path, bad: dict[str, Any]
) -> None:
    """Before anything is asked."""
    with pytest.raises(SettingsError, match="concurrency"):
        ask_many(runtime, MODEL, RECORDS, path=tmp_path / "r.jsonl", progress=False, **bad)

    assert model.asked == []


@pytest.mark.parametrize("line", [b"not json", b"[1]", b'{"record_id": "x"}', b"\xff\xfe"])
def test_read_replies_when_a_line_in_the_middle_is_no_reply_then_it_names_the_line(
    tmp_path: Path, line: bytes
) -> None:
    """What was paid for is never passed over in silence."""
    path = tmp_path / "r.jsonl"
    good = Reply("id", "m", "text", "end_turn", 1, 1, 0.1, "m", None, "2026-01-01", "{}")
    whole = json.dumps({name: getattr(good, name) for name in Reply.__dataclass_fields__}).encode()
    path.write_bytes(whole + b"\n" + line + b"\n" + whole + b"\n")

    with pytest.raises(DataError, match="line 2"):
        read_replies(path)


def test_read_replies_when_there_is_no_file_then_there_are_none(tmp_path: Path) -> None:
    """Nothing asked yet."""
    assert read_replies(tmp_path / "none.jsonl") == []


def test_file_name_when_the_model_is_a_word_then_it_is_that_word() -> None:
    """Easy to find for a reader."""
    assert file_name("tuned") == "tuned.jsonl"


def test_file_name_when_models_differ_only_in_signs_then_their_files_differ() -> None:
    """ARNs hold colons and slashes, which a file's name cannot."""
    names = {file_name(model) for model in (MODEL, MODEL.replace("/", ":"), "../x", "x", "..", "é")}

    assert len(names) == 6
    assert not any(set(name) & set("/:\\") or name.startswith(".") for name in names)


def test_ask_many_when_the_sandbox_is_asked_then_its_base_model_answers_and_says_what_it_is(
    sandbox_clients: Callable[..., Any], tmp_path: Path
) -> None:
    """The same call that AWS would get; the stand-in never passes for Claude."""
    records = [record(f"Is it {n}? It is. Labels: yes, no.") for n in range(3)]

    replies = ask_many(
        sandbox_clients("bedrock-runtime"),
        DEFAULT.inference_id,
        records,
        path=tmp_path / "base.jsonl",
        max_tokens=20,
        progress=False,
    )

    assert all(r.error is None and r.text and r.output_tokens > 0 for r in replies.values())
    assert {r.model for r in replies.values()} == {"sandbox-stand-in/base"}
