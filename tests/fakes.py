"""Fakes that the tests share: AWS's refusals, a client that follows a script, a clock, a reply."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from haikuft.aws.waiting import Waiting
from haikuft.dataset.records import Record, record_id
from haikuft.inference.replies import Reply
from haikuft.runs.run_record import Run
from haikuft.serving.lifecycle import start_serving

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
PLAIN = Waiting()
SOON = Waiting(poll_seconds=0.02)  # for what the sandbox completes within a second


def refusal(code: str, message: str = "AWS's words.", status: int = 400) -> ClientError:
    """Build an error as botocore raises it."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Operation")


def answer(call: Callable[..., Any], **parameters: Any) -> Any:
    """Call an operation; return what it answers, a body read, or the code of its error."""
    try:
        answered = call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    answered.pop("ResponseMetadata")
    if "Body" in answered:
        answered["Body"] = answered["Body"].read()
    return answered


def start_in_processes(state: Path, count: int) -> set[int]:
    """Start a sandbox from so many processes at once; return the server's process ids they get."""
    code = "import sys, haikuft.sandbox as s; print(s.start(sys.argv[1]).pid)"
    command = [sys.executable, "-c", code, str(state)]
    with ThreadPoolExecutor(count) as pool:
        runs = [
            pool.submit(subprocess.run, command, capture_output=True, text=True)
            for _ in range(count)
        ]
        answers = [run.result() for run in runs]
    assert [one.stderr for one in answers] == [""] * count
    return {int(one.stdout) for one in answers}


class Scripted:
    """A boto3 client that answers, or raises, what the test has written down.

    Args:
        script: the answers of all operations that are not named, in turn; the last is repeated.
        named: operation -> its one answer.

    Attributes:
        calls: operation and parameters of each call, in order.
    """

    def __init__(self, *script: Any, **named: Any) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._script, self._named = list(script), named

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Give any operation."""

        def call(**parameters: Any) -> Any:
            self.calls.append((operation, parameters))
            if operation in self._named:
                answer = self._named[operation]
            else:
                answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Give the parameters of each call of one operation, in order."""
        return [parameters for name, parameters in self.calls if name == operation]


class Time:
    """A clock and a calendar that move when someone sleeps.

    Attributes:
        seconds: how much time has passed.
        sleeps: each pause, in seconds.
    """

    def __init__(self, began: datetime = NOON) -> None:
        self.began, self.seconds = began, 0.0
        self.sleeps: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.sleeps.append(seconds)
        self.seconds += seconds

    def clock(self) -> float:
        """Return the seconds that have passed."""
        return self.seconds

    def now(self) -> datetime:
        """Return the time."""
        return self.began + timedelta(seconds=self.seconds)

    def waiting(self, like: Waiting = PLAIN, **changes: Any) -> Waiting:
        """Give a way of waiting on this clock."""
        return replace(like, sleep=self.sleep, clock=self.clock, **changes)


def buy_throughput(run: Run, name: str, run_tag: str) -> str:
    """Start Provisioned Throughput that carries a run's name and no owner id; return its ARN."""
    return start_serving(
        run.connection.client("bedrock"),
        "provisioned_throughput",
        name,
        model_arn=run.base_model.id,
        tags={"haikuft:run": run_tag},
    )


@dataclass(frozen=True)
class ScriptedReply:
    """A model's reply that a test has written down."""

    text: str
    error: str | None = None


def build_record(prompt: str, answer: str) -> Record:
    """Build a record of one question and its answer."""
    turns = [("user", prompt), ("assistant", answer)]
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


def build_replies(records: Sequence[Record], texts: Sequence[str]) -> dict[str, Reply]:
    """Build a reply to each record, as `inference.ask_many` returns them."""
    return {
        record_id(record): Reply("", "m", text, "end_turn", 1, 1, 0.1, "m", None, "", "{}")
        for record, text in zip(records, texts, strict=True)
    }
