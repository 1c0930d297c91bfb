"""A scripted model behind real HTTP, and records to ask it about."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

Answer = tuple[int, dict[str, str], Any]  # status, headers, body


@dataclass
class Model:
    """A model that answers as told, with a history.

    Attributes:
        asked: The id, API and body of each question, in order.
        answer: From a question's last turn to what is answered; None cuts the connection.
    """

    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[str], str | Answer | None] = lambda question: question

    @property
    def questions(self) -> list[str]:
        """The last turn of each question, in order."""
        return [last_turn(body) for _, _, body in self.asked]

    @staticmethod
    def refuse(code: str, status: int = 400, message: str = "no") -> Answer:
        """Build an error as AWS answers it."""
        return status, {"x-amzn-ErrorType": code}, {"message": message}


def last_turn(body: dict[str, Any]) -> str:
    """Read what a body asks, in either shape."""
    content = body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


def say(text: str, api: str) -> Answer:
    """Build a reply of seven tokens read and three written, in either shape."""
    if api == "converse":
        return (
            200,
            {},
            {
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 7, "outputTokens": 3, "totalTokens": 10},
                "metrics": {"latencyMs": 1},
                "additionalModelResponseFields": {"model": "sandbox-stand-in/test"},
            },
        )
    return (
        200,
        {},
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "sandbox-stand-in/test",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 7, "output_tokens": 3},
        },
    )


@pytest.fixture
def model() -> Model:
    """Make the model that the fixture `runtime` talks to."""
    return Model()


@pytest.fixture
def model_url(model: Model) -> Iterator[str]:
    """Serve `model` on the loopback address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _, _, model_id, operation = self.path.split("/")
            api = {"converse": "converse", "invoke": "messages"}[operation]
            model.asked.append((unquote(model_id), api, body))
            told = model.answer(last_turn(body))
            if told is None:
                self.close_connection = True
                return
            status, headers, answer = say(told, api) if isinstance(told, str) else told
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
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def make_runtime(model_url: str) -> Callable[..., BedrockRuntimeClient]:
    """`make_runtime(retries=…)` makes a client of the scripted model."""

    def make(**retries: Any) -> BedrockRuntimeClient:
        return boto3.client(
            "bedrock-runtime",
            region_name="us-west-2",
            endpoint_url=model_url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries=retries or {"total_max_attempts": 1}, proxies={}),  # type: ignore[arg-type]
        )

    return make


@pytest.fixture
def runtime(make_runtime: Callable[..., BedrockRuntimeClient]) -> BedrockRuntimeClient:
    """Give a client of the scripted model that asks only once."""
    return make_runtime()


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """`record("Why?", "Be brief")` builds a record that asks this, with a system prompt."""

    def build(text: str, system: str | None = None) -> dict[str, Any]:
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "reference"}]
        return {"system": system, "messages": turns} if system else {"messages": turns}

    return build


@pytest.fixture
def records(record: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    """Build six records, "question 0" to "question 5"."""
    return [record(f"question {number}") for number in range(6)]
