"""Many questions at once: kept in a file as they are answered, and never paid for twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

from haikuft.base_models import DEFAULT
from haikuft.dataset.records import record_id
from haikuft.errors import (
    AccessError,
    ConflictError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.evaluation.statistics.endings import count_endings
from haikuft.inference import Budget, ask_many
from haikuft.inference.many import GIVE_UP_AFTER
from haikuft.inference.replies import open_replies, read_replies
from haikuft.inference.requests import build_body, build_request
from haikuft.pricing.table import TokenPrice
from haikuft.runs.run_record import Run

ARN = "arn:aws:bedrock:us-west-2:123456789012:provisioned-model/"
MODEL, ANEW = f"{ARN}abcdefghijkl", f"{ARN}mnopqrstuvwx"
CUSTOM = "arn:aws:bedrock:us-west-2:123456789012:custom-model/anthropic.x/abcdefghijkl"
A_DOLLAR_A_TOKEN = TokenPrice(0.0, 1000.0, "made up")  # written; the model writes three a reply

Runtime = BedrockRuntimeClient
Records = list[dict[str, Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the file of replies."""
    return tmp_path / "replies" / "r.jsonl"


@pytest.fixture
def ask_all(runtime: Runtime, records: Records, path: Path) -> Callable[..., Any]:
    """`ask_all(concurrency=1)` asks the six records; what it tells goes to `ask_all.told`."""
    told: list[str] = []

    def asking(model_id: str = MODEL, asked: Records = records, **options: Any) -> Any:
        options = {"path": path, "progress": False, "tell": told.append, **options}
        return ask_many(runtime, model_id, asked, **options)

    asking.told = told  # type: ignore[attr-defined]
    return asking


def numbers(questions: list[str]) -> list[int]:
    """Give the numbers of the questions, sorted."""
    return sorted(int(question.split()[-1]) for question in questions)


def test_ask_many_when_all_answer_then_each_reply_is_in_the_result_and_in_the_file(
    ask_all: Any, records: Records, path: Path
) -> None:
    """The result keeps the records' order, whatever order the replies came in."""
    replies = ask_all(concurrency=3)

    assert list(replies) == [record_id(record) for record in records]
    assert [reply.text for reply in replies.values()] == [f"question {n}" for n in range(6)]
    assert sorted(read_replies(path), key=lambda reply: reply.text) == list(replies.values())


def test_ask_many_when_single_replies_are_stopped_or_unreadable_then_the_others_are_all_had(
    ask_all: Any, model: Any, path: Path
) -> None:
    """A stopped one is a reply with its reason; an unreadable one fails its record alone."""
    stopped = {
        "stopReason": "guardrail_intervened",
        "usage": {"inputTokens": 7, "outputTokens": 0, "totalTokens": 7},
        "metrics": {"latencyMs": 1},
    }
    html = {"content-type": "text/html"}
    odd = {
        "question 0": (200, {}, stopped),
        "question 1": (200, html, b"<!DOCTYPE html><html>Log in</html>"),
        "question 2": (200, {}, {**stopped, "stopReason": None}),
        "question 3": (200, {}, {**stopped, "output": {}}),  # which botocore does not read
    }
    model.answer = lambda question: odd.get(question, question)

    replies = list(ask_all(concurrency=2).values())
    assert [reply.error is None for reply in replies] == [True, False, False, False, True, True]
    assert (replies[0].stop_reason, replies[0].text) == ("guardrail_intervened", "")
    assert count_endings(replies) == {"guardrail_intervened": 1}
    assert len(read_replies(path)) == 6

    model.asked.clear()
    model.answer = lambda question: question
    assert not any(reply.error for reply in ask_all().values())
    assert numbers(model.questions) == [1, 2, 3]


@pytest.mark.parametrize(("api", "build"), [("converse", build_request), ("messages", build_body)])
def test_ask_many_when_records_have_history_and_system_then_both_are_sent_without_the_reference(
    ask_all: Any, model: Any, api: str, build: Callable[..., dict[str, Any]]
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

    ask_all(asked=[one], api=api, max_tokens=9)

    assert model.asked == [(MODEL, api, build(turns, system="Be brief", max_tokens=9))]


def test_ask_many_when_run_twice_then_nothing_is_asked_again(
    ask_all: Any, model: Any, records: Records
) -> None:
    """The same record is never paid for twice, even if it stands twice in the data."""
    first = ask_all(asked=[*records, records[0]])
    second = ask_all()

    assert first == second
    assert numbers(model.questions) == list(range(6))


def test_ask_many_when_more_records_are_given_then_only_the_rest_is_asked(
    ask_all: Any, model: Any, records: Records
) -> None:
    """A first look at two records is no waste."""
    assert len(ask_all(asked=records[:2])) == 2
    model.asked.clear()

    ask_all()

    assert numbers(model.questions) == [2, 3, 4, 5]


@pytest.mark.parametrize("change", [{"max_tokens": 5}, {"temperature": 1.0}])
def test_ask_many_when_a_setting_changes_then_old_replies_do_not_stand_for_new_ones(
    ask_all: Any, model: Any, records: Records, change: dict[str, Any]
) -> None:
    """A reply cut at five tokens is not the reply at a thousand."""
    ask_all(asked=records[:1])
    ask_all(asked=records[:1], **change)

    assert len(model.asked) == 2


def test_ask_many_when_only_the_api_changes_then_replies_are_kept(ask_all: Any, model: Any) -> None:
    """Both put the same question to the same model."""
    ask_all(api="messages")
    ask_all(api="converse")

    assert len(model.asked) == 6


def test_ask_many_when_another_model_is_asked_then_its_replies_are_its_own(
    ask_all: Any, model: Any, records: Records
) -> None:
    """Even in one file."""
    ask_all(asked=records[:1])
    replies = ask_all("other", asked=records[:1])

    assert [reply.model_id for reply in replies.values()] == ["other"]
    assert [name for name, _, _ in model.asked] == [MODEL, "other"]


def test_ask_many_when_the_same_model_has_new_throughput_then_nothing_is_asked_again(
    ask_all: Any, model: Any
) -> None:
    """The ARN is new, what answers is not."""
    first = ask_all(MODEL, answered_by=CUSTOM)
    second = ask_all(ANEW, answered_by=CUSTOM)

    assert first == second
    assert len(model.asked) == 6


def test_ask_many_when_the_same_throughput_has_a_new_model_then_all_is_asked_anew(
    ask_all: Any, model: Any
) -> None:
    """A throughput can be turned to another model."""
    ask_all(MODEL, answered_by=CUSTOM)
    replies = ask_all(MODEL, answered_by=CUSTOM.replace("abc", "xyz"))

    assert len(model.asked) == 12
    assert {reply.answered_by for reply in replies.values()} == {CUSTOM.replace("abc", "xyz")}


def test_ask_many_when_old_replies_do_not_say_what_answered_then_the_asked_id_counts(
    ask_all: Any, model: Any, path: Path
) -> None:
    """Files of earlier versions keep their worth."""
    ask_all()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "answered_by": ""}) + "\n" for line in lines))

    ask_all(answered_by=CUSTOM)

    assert len(model.asked) == 6


@pytest.mark.parametrize(("cut", "asked"), [(1, []), (2, [5]), (40, [5])])
def test_ask_many_when_the_file_is_cut_in_a_line_then_it_is_mended_and_only_that_is_asked(
    ask_all: Any, model: Any, path: Path, cut: int, asked: list[int]
) -> None:
    """A cut newline alone costs nothing; a cut reply is asked for again."""
    ask_all(concurrency=1)
    path.write_bytes(path.read_bytes()[:-cut])
    model.asked.clear()

    assert len(ask_all()) == 6
    assert numbers(model.questions) == asked
    assert len(read_replies(path)) == 6


def test_ask_many_when_the_process_is_killed_then_the_next_asks_only_what_it_left(
    ask_all: Any, model: Any, model_url: str, path: Path, record: Any
) -> None:
    """What had come is on disk; what was under way at that moment, and no more, is lost."""
    many, answered, at_work, killed = 20, 5, 2, threading.Event()
    all_under_way = threading.Event()

    def answer(question: str) -> str | None:
        if len(model.asked) == answered + at_work:
            all_under_way.set()  # each worker asks for the next only after it has written
        if len(model.asked) > answered and not killed.is_set():
            killed.wait(30)
            return None
        return question

    model.answer = answer
    records = [record(f"question {n}") for n in range(many)]
    code = (
        "import sys, json, boto3\n"
        "from pathlib import Path\n"
        "from haikuft.inference import ask_many\n"
        "runtime = boto3.client('bedrock-runtime', 'us-west-2', endpoint_url=sys.argv[1],\n"
        "    aws_access_key_id='testing', aws_secret_access_key='testing')\n"
        "ask_many(runtime, sys.argv[2], json.load(sys.stdin), path=Path(sys.argv[3]),\n"
        f"    concurrency={at_work})\n"
    )
    command = [sys.executable, "-c", code, model_url, MODEL, str(path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert child.stdin is not None
    child.stdin.write(json.dumps(records))
    child.stdin.close()
    assert all_under_way.wait(60)
    child.send_signal(signal.SIGKILL)
    child.wait()
    killed.set()
    kept = {reply.text for reply in read_replies(path)}
    model.asked.clear()

    replies = ask_all(asked=records)

    assert len(kept) == answered
    assert len(replies) == many
    assert sorted([*kept, *model.questions]) == sorted(f"question {n}" for n in range(many))


def test_ask_many_when_another_asking_holds_the_file_then_nothing_is_asked(
    ask_all: Any, model: Any, path: Path
) -> None:
    """Two kernels that run the same cell would pay for everything twice."""
    with open_replies(path), pytest.raises(ConflictError, match="another process"):
        ask_all()

    assert model.asked == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ValidationException", "Operation not allowed"),
        ("ResourceNotFoundException", "This model version has reached the end of its life."),
        ("ResourceNotFoundException", "This Model is marked by provider as Legacy"),
    ],
)
def test_ask_many_when_account_or_model_is_held_back_then_one_refusal_is_enough(
    ask_all: Any, model: Any, code: str, words: str
) -> None:
    """No later question fares better, even after replies. Case operation_not_allowed."""
    refused = model.refuse(code, message=words)
    model.answer = lambda question: refused if question == "question 1" else question
    with pytest.raises(AccessError, match=r"1 of 6 replies are in"):
        ask_all(concurrency=1)
    assert numbers(model.questions) == [0, 1]


def test_ask_many_when_one_question_is_refused_then_it_is_kept_as_an_error_and_asked_next_time(
    ask_all: Any, model: Any, records: Records
) -> None:
    """It may be too long; the others are answered all the same, even where it is the first."""
    model.answer = lambda question: (
        model.refuse("ValidationException", message="too long")
        if question == "question 0"
        else question
    )
    replies = ask_all(concurrency=1)
    (failed,) = [reply for reply in replies.values() if reply.error]
    assert (failed.record_id, failed.text) == (record_id(records[0]), "")
    assert "too long" in str(failed.error)
    model.answer = lambda question: question
    model.asked.clear()

    again = ask_all()

    assert model.questions == ["question 0"]
    assert again[failed.record_id].text == "question 0"


def test_ask_many_when_all_are_refused_then_it_stops_after_two_with_the_reason(
    ask_all: Any, model: Any, record: Any
) -> None:
    """A wrong model id is not tried on ten thousand records."""
    model.answer = lambda question: model.refuse("ValidationException", message="on-demand isn't")
    many = [record(f"question {n}") for n in range(50)]

    with pytest.raises(SettingsError, match=r"on-demand isn't.*0 of 50 replies"):
        ask_all(asked=many, concurrency=1)

    assert len(model.asked) == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ExpiredTokenException", CredentialsError),
        ("AccessDeniedException", AccessError),
        ("ResourceNotFoundException", NotFoundError),
    ],
)
def test_ask_many_when_no_later_question_can_fare_better_then_it_stops_and_goes_on_later(
    ask_all: Any, model: Any, path: Path, code: str, error: type[Exception]
) -> None:
    """An expired login or a deleted throughput ends the asking, with what was answered kept."""
    model.answer = lambda question: model.refuse(code, 403) if len(model.asked) > 2 else question
    with pytest.raises(error, match=r"2 of 6 replies.*notebook 5.*only the rest will be asked"):
        ask_all(concurrency=1)
    assert len(model.asked) == 3
    assert [reply.error for reply in read_replies(path)] == [None, None]
    model.answer = lambda question: question
    model.asked.clear()

    ask_all(concurrency=1)

    assert numbers(model.questions) == [2, 3, 4, 5]


def test_ask_many_when_one_worker_fails_then_the_replies_under_way_are_kept(
    ask_all: Any, model: Any, path: Path
) -> None:
    """They were paid for."""
    refused = threading.Event()

    def answer(question: str) -> Any:
        if question == "question 0":
            assert refused.wait(5)
            return question
        refused.set()
        return model.refuse("AccessDeniedException", 403)

    model.answer = answer

    with pytest.raises(AccessError):
        ask_all(concurrency=2)

    assert [reply.text for reply in read_replies(path)] == ["question 0"]


def test_ask_many_when_many_fail_in_a_row_then_it_gives_up(
    ask_all: Any, model: Any, record: Any, path: Path
) -> None:
    """What no reply can be read from is not asked ten thousand times; each failure can be read."""
    model.answer = lambda question: (200, {}, {"output": {}})
    many = [record(f"question {n}") for n in range(50)]

    with pytest.raises(ReplyError, match=f"{GIVE_UP_AFTER} questions in a row.*empty part"):
        ask_all(asked=many, concurrency=1)

    assert GIVE_UP_AFTER <= len(model.asked) <= GIVE_UP_AFTER + 2
    assert len(read_replies(path)) == len(model.asked)
    assert all("empty part" in str(reply.error) for reply in read_replies(path))


@pytest.mark.parametrize(
    "refusal", [("InternalServerException", 500), ("ThrottlingException", 429)]
)
def test_ask_many_when_nothing_is_answered_for_as_long_as_patience_lasts_then_it_ends(
    ask_all: Any, model: Any, record: Any, path: Path, refusal: tuple[str, int]
) -> None:
    """No question has failed by itself: all of them are asked next time."""
    model.answer = lambda question: model.refuse(*refusal)
    many = [record(f"question {n}") for n in range(50)]

    with pytest.raises(HaikuftError, match=f"Nothing was answered for 0 s.*{refusal[0]}.*0 of 50"):
        ask_all(asked=many, concurrency=3, patience_seconds=0)

    assert len(model.asked) <= 3
    assert read_replies(path) == []


def test_ask_many_when_the_service_is_gone_for_a_while_then_all_replies_come(
    ask_all: Any, model: Any, path: Path
) -> None:
    """Connections are cut, then AWS has a fault, then all is well."""
    gone = iter([*[None] * 2, *[model.refuse("ServiceUnavailableException", 503)] * 2])
    model.answer = lambda question: next(gone, question)

    replies = ask_all(concurrency=3)

    assert [reply.text for reply in replies.values()] == [f"question {n}" for n in range(6)]
    assert len(model.asked) == 6 + 4
    assert sum(reply.retries for reply in replies.values()) == 4
    assert len(read_replies(path)) == 6


@pytest.mark.parametrize("concurrency", [1, 2])
def test_ask_many_when_the_model_fails_at_one_question_then_it_alone_is_an_error(
    ask_all: Any, model: Any, concurrency: int
) -> None:
    """It was asked some times more, and nobody waits two minutes for it."""
    model.answer = lambda question: (
        model.refuse("ModelErrorException", 424) if question == "question 3" else question
    )

    replies = ask_all(concurrency=concurrency)

    assert [bool(reply.error) for reply in replies.values()] == [False] * 3 + [True] + [False] * 2
    assert "ModelErrorException" in str(list(replies.values())[3].error)
    assert 1 < model.questions.count("question 3") < 10


@pytest.fixture
def keyboard() -> Iterator[None]:
    """Let Ctrl-C interrupt, also where a shell started the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("keyboard")
def test_ask_many_when_interrupted_then_what_was_under_way_is_kept_and_the_rest_asked_later(
    ask_all: Any, model: Any, record: Any, path: Path
) -> None:
    """Ctrl-C loses no reply that was paid for, and asks for no further one."""
    told = threading.Event()

    def answer(question: str) -> str:
        if len(model.asked) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            assert told.wait(5)
        return question

    model.answer = answer
    many = [record(f"question {n}") for n in range(40)]
    with pytest.raises(KeyboardInterrupt):
        ask_all(asked=many, concurrency=1, tell=lambda sentence: told.set())
    paid = len(model.asked)
    assert len(read_replies(path)) == paid
    assert 3 <= paid < len(many)

    ask_all(asked=many)

    assert numbers(model.questions) == list(range(40))


@pytest.mark.usefixtures("keyboard")
def test_ask_many_when_interrupted_again_then_it_ends_at_once_and_the_reply_is_still_kept(
    ask_all: Any, model: Any, path: Path
) -> None:
    """Nobody waits against their will; the file is let go of after the last reply."""
    asking, released = threading.Event(), threading.Event()

    def find_end() -> threading.Thread | None:
        return next((t for t in threading.enumerate() if t.name == "haikuft-ask-end"), None)

    def answer(question: str) -> str:
        asking.set()
        assert released.wait(10)
        return question

    def interrupt_twice() -> None:
        assert asking.wait(5)
        os.kill(os.getpid(), signal.SIGINT)
        while (end := find_end()) is None or end.ident is None:  # listed before it has started
            released.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    model.answer = answer
    threading.Thread(target=interrupt_twice, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        ask_all(concurrency=1)
    assert read_replies(path) == []
    with pytest.raises(ConflictError):
        ask_all()

    end = find_end()
    released.set()
    assert end is not None
    end.join(10)

    assert [reply.text for reply in read_replies(path)] == ["question 0"]
    ask_all()
    assert numbers(model.questions) == list(range(6))


def test_ask_many_when_concurrent_then_so_many_questions_are_under_way_at_once(
    ask_all: Any, model: Any
) -> None:
    """Three workers meet at a barrier that only three at once can open."""
    barrier = threading.Barrier(3, timeout=5)

    def meet(question: str) -> str:
        barrier.wait()
        return question

    model.answer = meet

    assert all(reply.error is None for reply in ask_all(concurrency=3).values())


@pytest.mark.parametrize("concurrency", [1, 3])
def test_ask_many_when_the_next_could_pass_the_ceiling_then_it_stops_and_says_what_is_left(
    ask_all: Any, model: Any, concurrency: int
) -> None:
    """Each costs 3 dollars and could cost 5: three fit under 12, a fourth could come to 14."""
    options = {"price": A_DOLLAR_A_TOKEN, "max_tokens": 5, "concurrency": concurrency}
    budget = Budget(12.0)

    replies = ask_all(budget=budget, **options)

    assert len(replies) == len(model.asked) == 3
    assert budget.spent == 9.0
    (sentence,) = ask_all.told
    assert "US$12.00: 3 of 6 records are left unasked" in sentence
    assert len(ask_all(budget=Budget(12.0), **options)) == 6
    assert numbers(model.questions) == list(range(6))


def test_ask_many_when_models_share_a_budget_then_the_second_has_what_the_first_left(
    ask_all: Any,
) -> None:
    """One ceiling over all that a notebook asks."""
    options = {"price": A_DOLLAR_A_TOKEN, "max_tokens": 5, "budget": Budget(24.0)}

    assert len(ask_all("one", **options)) == 6
    assert len(ask_all("two", **options)) == 1


def test_ask_many_when_a_connection_breaks_then_the_question_counts_as_its_dearest(
    ask_all: Any, model: Any, records: Records
) -> None:
    """The model may have answered; throttling costs nothing. Asked again, each costs 3 dollars."""
    first: Any = {"question 0": None, "question 1": model.refuse("ThrottlingException", 429)}
    model.answer = lambda question: first.pop(question) if question in first else question
    budget = Budget()

    options = {"budget": budget, "price": A_DOLLAR_A_TOKEN, "max_tokens": 5, "concurrency": 1}
    ask_all(asked=records[:2], **options)

    assert budget.spent == 5.0 + 3.0 + 3.0


def test_ask_many_when_there_is_a_ceiling_and_no_price_then_it_is_refused(
    ask_all: Any, model: Any
) -> None:
    """No ceiling can be kept over unknown costs, and no price is made up."""
    with pytest.raises(SettingsError, match=r"price of .*abcdefghijkl is not known"):
        ask_all(budget=Budget(1.0))

    assert model.asked == []


@pytest.mark.parametrize(
    "bad",
    [{"concurrency": 0}, {"concurrency": 11}, {"api": "chat"}],
)
def test_ask_many_when_a_setting_is_out_of_range_then_it_is_refused(
    ask_all: Any, model: Any, bad: dict[str, Any]
) -> None:
    """Before anything is asked; botocore's clients hold ten connections unless told otherwise."""
    with pytest.raises(SettingsError, match=f"{next(iter(bad))} = "):
        ask_all(**bad)

    assert model.asked == []


def test_ask_many_when_progress_is_wanted_then_a_bar_counts_replies_errors_tokens_and_money(
    ask_all: Any, model: Any, records: Records, capsys: pytest.CaptureFixture[str]
) -> None:
    """It starts where the file stands, in plain text."""
    ask_all(asked=records[:2])
    model.answer = lambda question: (
        model.refuse("ValidationException") if question == "question 5" else question
    )
    ask_all(progress=True, price=TokenPrice(1.0, 2.0, "made up"))

    shown = capsys.readouterr().out
    assert "2 of 6" in shown
    assert "6 of 6" in shown
    assert "errors=1, tokens=21 in + 9 out, US$0.039" in shown
    ask_all(progress=True, price=TokenPrice(1.0, 2.0, "made up"), bills=False)
    assert "US$" not in capsys.readouterr().out


def test_ask_many_when_the_sandbox_is_asked_then_its_base_model_answers_and_says_what_it_is(
    sandbox_clients: Callable[..., Any], record: Any, tmp_path: Path
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


def test_ask_many_when_calls_are_throttled_and_connections_cut_then_each_reply_is_there_once(
    new_run: Callable[..., Run], record: Any, path: Path
) -> None:
    """They are asked again, until all has come."""
    run = new_run(throttle_share=0.1, drop_share=0.1, error_share=0.1, fault_seed=3)
    runtime = run.connection.client("bedrock-runtime", patience_seconds=0)
    records = [record(f"Is it {n}? It is.") for n in range(12)]

    replies = ask_many(
        runtime, DEFAULT.inference_id, records, path=path, concurrency=8, progress=False
    )

    assert [reply.error for reply in replies.values()] == [None] * 12
    assert len(read_replies(path)) == 12
    assert sum(reply.retries for reply in replies.values()) > 0
