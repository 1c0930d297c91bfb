"""One reply, and many replies kept in a file. Source: Bedrock Runtime API, InvokeModel.

The body is Anthropic's Messages format (Bedrock User Guide, "Anthropic Claude Messages API").
A tuned model is asked by the ARN of its Provisioned Throughput, a base model by its id.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from tqdm.auto import tqdm

from haikuft.aws_errors import explaining
from haikuft.dataset.records import prompt_of, record_id
from haikuft.errors import (
    AccessError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.replies import Reply, append_reply, file_name, read_replies

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

__all__ = [
    "MAX_TOKENS",
    "Reply",
    "Sampling",
    "ask",
    "ask_many",
    "build_body",
    "file_name",
    "read_replies",
]

ANTHROPIC_VERSION = "bedrock-2023-05-31"  # the only value the service takes
MAX_TOKENS = 1024
GIVE_UP_AFTER = 10  # failures in a row, with no reply between, end the asking

# These say that no later question will fare better: log in, be allowed, or buy throughput first.
_HOPELESS = (CredentialsError, AccessError, NotFoundError)


class Sampling(TypedDict, total=False):
    """How a reply is drawn; `build_body` says what each means and what it is when left out."""

    max_tokens: int
    temperature: float | None
    top_p: float | None
    stop_sequences: Sequence[str]


def build_body(
    messages: Sequence[Mapping[str, str]],
    *,
    system: str | None = None,
    max_tokens: int = MAX_TOKENS,
    temperature: float | None = 0.0,
    top_p: float | None = None,
    stop_sequences: Sequence[str] = (),
) -> dict[str, Any]:
    """Build the Messages body for InvokeModel; what is None or empty is left out.

    Args:
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt.
        max_tokens: Most tokens the reply may have.
        temperature: 0 (the likeliest words) to 1. AWS advises to set this or top_p, not both.
        top_p: Share of the likeliest words to choose among, 0 to 1.
        stop_sequences: Texts that end the reply.

    Raises:
        SettingsError: max_tokens is below 1.
    """
    if max_tokens < 1:
        raise SettingsError(f"max_tokens: {max_tokens} is too few. Allow at least 1.")
    body: dict[str, Any] = {"anthropic_version": ANTHROPIC_VERSION, "max_tokens": max_tokens}
    if system:
        body["system"] = system
    if temperature is not None:
        body["temperature"] = temperature
    if top_p is not None:
        body["top_p"] = top_p
    if stop_sequences:
        body["stop_sequences"] = list(stop_sequences)
    return body | {"messages": [dict(message) for message in messages]}


def ask(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    messages: Sequence[Mapping[str, str]],
    *,
    system: str | None = None,
    record_id: str = "",
    clock: Callable[[], float] = time.perf_counter,
    **sampling: Unpack[Sampling],
) -> Reply:
    """Ask one model one thing and wait for the whole reply.

    Example: `ask(runtime, model_id, [{"role": "user", "content": "Hello"}], max_tokens=64)`.

    Args:
        runtime: A client; its own retry settings deal with throttling.
        model_id: A throughput's ARN, a model's id or an inference profile.
        messages: The conversation so far; the last turn is the user's.
        system: The system prompt; None for none.
        record_id: Kept in the reply.
        clock: Seconds, for the latency.
        sampling: max_tokens, temperature, top_p, stop_sequences, as for `build_body`.

    Raises:
        HaikuftError: the call failed; AWS's reason stands in the message, with a mend.
        ReplyError: the call succeeded and the reply cannot be read.
    """
    body = build_body(messages, system=system, **sampling)
    asked_at, started = _now(), clock()
    with explaining(f"asking {model_id}"):
        response = runtime.invoke_model(
            modelId=model_id,
            contentType="application/json",
            accept="application/json",
            body=json.dumps(body).encode(),
        )
        raw = response["body"].read()
    seconds = clock() - started
    try:
        answer = json.loads(raw)
        return Reply(
            record_id=record_id,
            model_id=model_id,
            text="".join(block["text"] for block in answer["content"] if block["type"] == "text"),
            stop_reason=answer["stop_reason"],
            input_tokens=int(answer["usage"]["input_tokens"]),
            output_tokens=int(answer["usage"]["output_tokens"]),
            latency_seconds=round(seconds, 6),
            model=answer["model"],
            error=None,
            asked_at=asked_at,
            settings=_name_settings(body),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ReplyError(
            f"{model_id} answered something that is no Messages reply ({error!r}): "
            f"{raw[:200]!r}. Check that the model speaks the Messages format."
        ) from error


def ask_many(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    records: Sequence[dict[str, Any]],
    *,
    path: Path,
    concurrency: int = 4,
    max_records: int = 0,
    progress: bool = True,
    **sampling: Unpack[Sampling],
) -> dict[str, Reply]:
    """Ask one model for its reply to every record, with the record's own system prompt.

    Each reply is in the file before its worker asks for the next. Run again after whatever ended
    it, and only what is missing is asked: no reply is paid for twice. A question that failed keeps
    its error in the file, and is asked again next time.

    Args:
        runtime: A client whose connection pool holds `concurrency` connections.
        model_id: A throughput's ARN, a model's id or an inference profile.
        records: Messages records; their last assistant turn is the reference and is not sent.
        path: JSONL file of replies, one a line; made when there is none.
        concurrency: Questions under way at the same time.
        max_records: Ask only the first so many records; 0 for all.
        progress: Whether to show a bar.
        sampling: max_tokens, temperature, top_p, stop_sequences, as for `build_body`.

    Returns:
        Reply by record id, failed ones included.

    Raises:
        HaikuftError: no later question would fare better (no login, no permission, no such
            model), or `GIVE_UP_AFTER` failed in a row. What was answered is in the file.
        DataError: the file holds something other than replies.
    """
    if concurrency < 1 or max_records < 0:
        raise SettingsError(
            f"concurrency = {concurrency}, max_records = {max_records}: give at least 1 and 0."
        )
    wanted = {record_id(r): r for r in (records[:max_records] if max_records else records)}
    settings = _name_settings(build_body((), **sampling))
    replies = {
        reply.record_id: reply
        for reply in read_replies(path)
        if (reply.model_id, reply.settings) == (model_id, settings) and reply.record_id in wanted
    }
    missing = [key for key in wanted if key not in replies or replies[key].error]
    stop, lock = Event(), Lock()

    def ask_one(key: str) -> Reply | None:
        if stop.is_set():
            return None
        system, messages = prompt_of(wanted[key])
        try:
            reply = ask(runtime, model_id, messages, system=system, record_id=key, **sampling)
        except _HOPELESS:
            stop.set()
            raise
        except HaikuftError as error:
            reply = Reply(key, model_id, "", "", 0, 0, 0.0, "", str(error), _now(), settings)
        with lock:
            append_reply(path, reply)
        return reply

    path.parent.mkdir(parents=True, exist_ok=True)
    done = len(wanted) - len(missing)
    with tqdm(total=len(wanted), initial=done, unit="reply", disable=not progress) as bar:
        for reply in _work(ask_one, missing, concurrency, stop):
            replies[reply.record_id] = reply
            bar.set_postfix(errors=sum(bool(r.error) for r in replies.values()), refresh=False)
            bar.update()
    return {key: replies[key] for key in wanted}


def _work(
    ask_one: Callable[[str], Reply | None], keys: Sequence[str], concurrency: int, stop: Event
) -> Iterator[Reply]:
    """Yield replies as they come. Whatever ends the caller, questions under way end in the file."""
    in_a_row = 0
    with ThreadPoolExecutor(concurrency, thread_name_prefix="haikuft-ask") as pool:
        pending: set[Future[Reply | None]] = {pool.submit(ask_one, key) for key in keys}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for reply in filter(None, (future.result() for future in done)):
                    in_a_row = in_a_row + 1 if reply.error else 0
                    yield reply
                    if in_a_row >= GIVE_UP_AFTER:
                        raise ReplyError(
                            f"{in_a_row} questions in a row failed, the last so: {reply.error} "
                            "Mend that and run again; only what is missing will be asked."
                        )
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _name_settings(body: Mapping[str, Any]) -> str:
    """Write down the part of a body that says how the reply is drawn, whoever is asked whatever."""
    shared = ("anthropic_version", "messages", "system")
    return json.dumps({name: body[name] for name in sorted(body) if name not in shared})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
