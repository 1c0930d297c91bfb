"""Ask one model many questions at once, and keep every reply that was paid for."""

import sys
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.client import TOO_MANY_REQUESTS
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Unpack

from botocore.exceptions import ClientError
from tqdm import tqdm

from haikuft.aws.errors import is_transient
from haikuft.aws.repeating import PATIENCE_SECONDS
from haikuft.dataset.records import prompt_of, record_id
from haikuft.errors import (
    AccessError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.files import JsonLinesFile
from haikuft.inference.asking import ask, check_api, now
from haikuft.inference.budget import Budget, most_input_tokens
from haikuft.inference.pacing import Pace
from haikuft.inference.replies import Reply, open_replies, read_replies
from haikuft.inference.requests import MAX_TOKENS, Sampling, name_settings
from haikuft.pricing.amounts import format_precise
from haikuft.pricing.table import TokenPrice

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

GIVE_UP_AFTER = 10  # failed questions in a row, with no reply between, end the asking
_MOST_FAULTS = 6  # of one question: the model failed at it, or others were answered meanwhile
_OF_THE_MODEL = (408, 424)  # the statuses of ModelTimeoutException and ModelErrorException

_SHAPE = "{desc} |{bar:10}| {n_fmt} of {total_fmt} [{elapsed}<{remaining}{postfix}]"
_PAUSE_SECONDS = 0.5  # between two updates of the bar; an executed notebook keeps them all

# After these every later question fails, too: log in, get permission, or buy throughput first.
_HOPELESS = (CredentialsError, AccessError, NotFoundError)


def ask_many(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    records: Sequence[dict[str, Any]],
    *,
    path: Path,
    answered_by: str = "",
    api: str = "converse",
    concurrency: int = 4,
    price: TokenPrice | None = None,
    budget: Budget | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
    bills: bool = True,
    progress: bool = True,
    tell: Callable[[str], None] = print,
    **sampling: Unpack[Sampling],
) -> dict[str, Reply]:
    """Ask one model for its reply to every record, with the record's own system prompt.

    Each reply is in the file before its worker sends the next request. Run again after any
    interruption, and only what is missing is asked: no reply is paid for twice. Only a process that
    is killed loses its open requests, `concurrency` at most. A question that failed keeps its error
    in the file, and is asked again next time.

    Args:
        runtime: A client that repeats nothing itself: `connection.client("bedrock-runtime",
            patience_seconds=0)`. What was throttled or lost is asked again here.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        records: Messages records; their last assistant turn is the reference and is not sent, all
            turns before it are.
        path: JSONL file of replies, one a line; made when there is none.
        answered_by: What `model_id` serves, from `identify_model`: replies are kept under it.
            "" for `model_id` itself.
        api: "converse", which every family takes, or "messages", InvokeModel with Claude's body.
        concurrency: Requests open at the same time.
        price: What the tokens cost, for the bar and the budget; None when it is not known.
        budget: What may be spent; questions that could pass it are not sent.
        patience_seconds: How long to go on where the service or the network answers nothing.
        bills: Whether the target bills, for the bar.
        progress: Whether to show a bar, under the file's name.
        tell: Called with a sentence on what was not asked, or what is waited for.
        sampling: max_tokens and temperature, as for `build_request`.

    Returns:
        Reply by record id, failed ones included; questions that did not fit into the budget
            are not in it.

    Raises:
        HaikuftError: every later question would fail, too (no login, no permission, no such
            model, a request that is refused), `GIVE_UP_AFTER` failed in a row, or nothing was
            answered for `patience_seconds`. What was answered is in the file.
        SettingsError: a number out of its range, or a budget with a ceiling and no price.
        ConflictError: another process is writing to the file.
        DataError: the file holds something other than replies, or cannot be written.
    """
    budget = Budget() if budget is None else budget
    check_api(api)
    _check_concurrency(runtime, concurrency)
    _check_price(model_id, price, budget)
    wanted = {record_id(record): record for record in records}
    settings, answered_by = name_settings(**sampling), answered_by or model_id
    failure = Reply("", model_id, "", "", 0, 0, 0.0, "", "", "", settings, answered_by, api)
    asking = _Asking(
        ask=partial(ask, runtime, model_id, api=api, **sampling),
        failure=failure,
        max_tokens=sampling.get("max_tokens", MAX_TOKENS),
        price=price,
        budget=budget,
        pace=Pace(patience_seconds),
    )
    with _open(path, concurrency, asking, tell) as (file, pool):
        replies = asking.pick_reusable(read_replies(path), wanted)
        missing = [key for key in wanted if key not in replies or replies[key].error]
        answered = len(wanted) - len(missing)
        asking.model_answers = answered > 0
        came = Counter[str]()
        # Standard output, because notebooks show standard error in red.
        with tqdm(
            desc=path.stem,
            total=len(wanted),
            initial=answered,
            disable=not progress,
            file=sys.stdout,
            mininterval=_PAUSE_SECONDS,
            bar_format=_SHAPE,
        ) as bar:
            futures = [pool.submit(asking.ask_one, key, wanted[key], file) for key in missing]
            try:
                for reply in _as_they_come(futures):
                    replies[reply.record_id] = reply
                    came.update(
                        replies=1,
                        errors=int(reply.error is not None),
                        read=reply.input_tokens,
                        written=reply.output_tokens,
                    )
                    bar.set_postfix_str(
                        _describe_progress(came, price if bills else None), refresh=False
                    )
                    bar.update()
            except HaikuftError as error:
                there = sum(not reply.error for reply in replies.values())
                again = " (notebook 5 serves the model again)" if _is_served(model_id) else ""
                raise type(error)(
                    f"{error} {there} of {len(wanted)} replies are in {path}. Once that is fixed"
                    f"{again}, run again; only the rest will be asked."
                ) from error
    if came["replies"] < len(missing):
        ceiling, spent = format_precise(budget.max_dollars), format_precise(budget.spent)
        tell(
            f"Stopped at the ceiling of {ceiling}: {len(missing) - came['replies']} of "
            f"{len(wanted)} records are left unasked, because the next could pass it "
            f"({spent} spent). Run again to spend as much once more, or set a "
            "higher max_dollars; only the rest will be asked."
        )
    return {key: replies[key] for key in wanted if key in replies}


@dataclass
class _Asking:
    """What the workers of one `ask_many` share.

    Attributes:
        ask: Sends the messages of one record to the model.
        failure: What a failed question leaves, without record, error and time. Its `answered_by`
            and `settings` are those of each reply; replies of others are not reused.
        max_tokens: Most tokens of a reply, for its largest cost.
        price, budget: As `ask_many` takes them.
        pace: When each may send.
        model_answers: At least one question has a reply, so the model can be asked.
        at_ceiling: A question did not fit into the budget.
        refused: Record ids of the questions that the service refused.
    """

    ask: Callable[..., Reply]
    failure: Reply
    max_tokens: int
    price: TokenPrice | None
    budget: Budget
    pace: Pace
    model_answers: bool = False
    at_ceiling: Event = field(default_factory=Event)
    refused: list[str] = field(default_factory=list)

    def ask_one(self, key: str, record: dict[str, Any], file: JsonLinesFile) -> Reply | None:
        """Ask until there is a reply and write it to the file; None where asking has stopped."""
        system, messages = prompt_of(record)
        largest = self._cost(most_input_tokens(system, messages), self.max_tokens)
        faults = 0
        try:
            for attempt in count(1):
                if not self._may_send(largest):
                    return None
                answers = self.pace.answers
                spent = largest  # where we are interrupted, the model may have answered
                try:
                    reply = self.ask(messages, system=system, record_id=key)
                    spent = self._cost(reply.input_tokens, reply.output_tokens)
                    retries = reply.retries + attempt - 1
                    reply = replace(reply, answered_by=self.failure.answered_by, retries=retries)
                    self.pace.answered()
                    self.model_answers = True
                except HaikuftError as error:
                    spent = largest if _may_be_billed(error) else 0.0
                    faults += self.pace.answers > answers or _status(error) in _OF_THE_MODEL
                    if self._is_repeated(error, attempt, faults):
                        continue
                    if self._fails_all(error, key):
                        raise
                    reply = replace(self.failure, record_id=key, error=str(error), asked_at=now())
                finally:
                    self.budget.settle(largest, spent)
                file.append(reply)
                return reply
        except BaseException:
            self.pace.stop()
            raise
        raise AssertionError  # counting has no end

    def _may_send(self, largest: float) -> bool:
        """Wait for a place to send at, and reserve the largest cost."""
        if not self.pace.wait() or self.at_ceiling.is_set():
            return False
        if not self.budget.reserve(largest):
            # A shorter question could fit, but then the sample would favour short questions.
            self.at_ceiling.set()
            return False
        if self.pace.stopped:  # while it waited for the budget
            self.budget.settle(largest, 0.0)
            return False
        return True

    def _is_repeated(self, error: HaikuftError, attempt: int, faults: int) -> bool:
        """Pause and tell whether to send the question again.

        Raises:
            HaikuftError: nothing was answered for as long as patience lasts.
        """
        if isinstance(error, ReplyError) or not is_transient(error.__cause__):
            return False
        throttled = _status(error) == TOO_MANY_REQUESTS
        if not throttled and faults >= _MOST_FAULTS:
            return False
        if not self.pace.pause(attempt, throttled=throttled):
            seconds = f"{self.pace.patience_seconds:.0f} s"
            raise HaikuftError(f"Nothing was answered for {seconds}. The last time: {error}")
        return True

    def pick_reusable(self, kept: Sequence[Reply], wanted: Container[str]) -> dict[str, Reply]:
        """Pick the replies that answer the same questions, by record id.

        The last one of a record counts, and a reply before an error.
        """
        models = (self.failure.answered_by, self.failure.model_id)
        replies: dict[str, Reply] = {}
        for reply in kept:
            model = reply.answered_by or reply.model_id
            if reply.record_id not in wanted or model not in models:
                continue
            if reply.settings != self.failure.settings:
                continue
            if not reply.error or reply.record_id not in replies:
                replies[reply.record_id] = reply
        return replies

    def _fails_all(self, error: HaikuftError, key: str) -> bool:
        """Whether every later question would fail likewise."""
        if not isinstance(error, SettingsError):
            return isinstance(error, _HOPELESS)
        self.refused.append(key)  # one may be too long; two with none answered point to the model
        return len(self.refused) > 1 and not self.model_answers

    def _cost(self, input_tokens: int, output_tokens: int) -> float:
        return 0.0 if self.price is None else self.price.cost(input_tokens, output_tokens)


def _describe_progress(came: Mapping[str, int], price: TokenPrice | None) -> str:
    """Write failures, tokens and cost of the replies that have come."""
    read, written = came["read"], came["written"]
    words = f"errors={came['errors']}, tokens={read:,} in + {written:,} out"
    cost = price.cost(read, written) if price else 0.0
    return f"{words}, {format_precise(cost)}" if cost else words


def _check_concurrency(runtime: "BedrockRuntimeClient", concurrency: int) -> None:
    if concurrency < 1:
        raise SettingsError(f"concurrency = {concurrency}: ask for at least 1 at once.")
    connections = runtime.meta.config.max_pool_connections  # type: ignore[attr-defined]
    if concurrency > connections:
        raise SettingsError(
            f"concurrency = {concurrency}: the client holds {connections} connections. Ask for "
            "fewer at once, or make a client with a larger max_pool_connections."
        )


def _check_price(model_id: str, price: TokenPrice | None, budget: Budget) -> None:
    if budget.max_dollars and price is None:
        raise SettingsError(
            f"max_dollars = {budget.max_dollars:,.10g}: the price of {model_id} is not known, so "
            "no ceiling can be kept. Give what its tokens cost, or max_dollars = 0."
        )


@contextmanager
def _open(
    path: Path, concurrency: int, asking: _Asking, tell: Callable[[str], None]
) -> Iterator[tuple[JsonLinesFile, ThreadPoolExecutor]]:
    """Open the file and start the workers. However the block ends, open questions are completed.

    The file is closed only after the last worker, even where waiting for it is interrupted.
    """
    file = open_replies(path)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="haikuft-ask")
    closed = Event()

    def close() -> None:
        try:
            pool.shutdown(wait=True, cancel_futures=True)
            file.close()
        finally:
            closed.set()

    closing = Thread(target=close, name="haikuft-ask-end")
    try:
        yield file, pool
    except KeyboardInterrupt:
        tell("Interrupted: running requests are completed and their replies kept.")
        raise
    finally:
        asking.pace.stop()
        closing.start()
        closed.wait()  # not join: in Python 3.11 an interrupted join takes the thread for ended


def _as_they_come(futures: Sequence[Future[Reply | None]]) -> Iterator[Reply]:
    """Yield replies as they come, without the questions that were not sent."""
    in_a_row = 0
    ended = SimpleQueue[Future[Reply | None]]()
    for future in futures:
        future.add_done_callback(ended.put)
    for _ in futures:
        reply = ended.get().result()
        if reply is None:
            continue
        in_a_row = in_a_row + 1 if reply.error else 0
        yield reply
        if in_a_row >= GIVE_UP_AFTER:
            raise ReplyError(f"{in_a_row} questions in a row failed, the last so: {reply.error}")


def _status(error: HaikuftError) -> int:
    """Give the HTTP status that AWS answered with; 0 where nothing was answered."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return 0
    return int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _may_be_billed(error: HaikuftError) -> bool:
    """Whether the model may have answered before this error, or answered unreadably."""
    if isinstance(error.__cause__, ClientError):  # AWS answered, and refused
        return False
    return isinstance(error, ReplyError) or is_transient(error.__cause__)


def _is_served(model_id: str) -> bool:
    return ":provisioned-model/" in model_id or ":custom-model-deployment/" in model_id
