"""Ask one model many things at once, and lose no reply that was paid for.

Throttling and lost connections are the client's: botocore's adaptive mode asks again, and slows
all threads that share the client for as long as the service is throttling.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Unpack

from botocore.exceptions import ClientError

from haikuft.aws_errors import is_transient
from haikuft.dataset.records import prompt_of, record_id
from haikuft.errors import (
    AccessError,
    CredentialsError,
    HaikuftError,
    NotFoundError,
    ReplyError,
    SettingsError,
)
from haikuft.inference.asking import ask, check_api, now
from haikuft.inference.budget import Budget, most_input_tokens
from haikuft.inference.progress import Progress
from haikuft.inference.requests import MAX_TOKENS, Sampling, name_settings
from haikuft.pricing import TokenPrice
from haikuft.replies import Reply, ReplyFile

if TYPE_CHECKING:
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

GIVE_UP_AFTER = 10  # failures in a row, with no reply between, end the asking

# These say that no later question will fare better: log in, be allowed, or buy throughput first.
_HOPELESS = (CredentialsError, AccessError, NotFoundError)

# whether a served custom model was asked -> how to go on
_GO_ON = {
    False: "Once that is mended, run again; only the rest will be asked.",
    True: "Once that is mended (notebook 5 makes anew what served it), run again; only the "
    "rest will be asked.",
}


def ask_many(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    records: Sequence[dict[str, Any]],
    *,
    path: Path,
    answered_by: str = "",
    system: str | None = None,
    api: str = "converse",
    concurrency: int = 4,
    max_records: int = 0,
    price: TokenPrice | None = None,
    budget: Budget | None = None,
    progress: bool = True,
    tell: Callable[[str], None] = print,
    **sampling: Unpack[Sampling],
) -> dict[str, Reply]:
    """Ask one model for its reply to every record, with the record's own system prompt.

    Each reply is in the file before its worker asks for the next. Run again after whatever ended
    it, and only what is missing is asked: no reply that came is paid for twice. Only a process
    that is killed loses what is under way at that moment, `concurrency` questions at most. A
    question that failed keeps its error in the file, and is asked again next time.

    Args:
        runtime: A client of its own, for throttling slows every model that is asked through it.
        model_id: A throughput's or deployment's ARN, a model's id or an inference profile.
        records: Messages records; their last assistant turn is the reference and is not sent, all
            turns before it are.
        path: JSONL file of replies, one a line; made when there is none.
        answered_by: What stands behind `model_id`, from `identify_model`: replies are kept under
            it. "" for `model_id` itself.
        system: A system prompt in place of the records' own; "" for none.
        api: "converse", which every family takes, or "messages", InvokeModel with Claude's body.
        concurrency: Questions under way at the same time.
        max_records: Ask only the first so many records; 0 for all.
        price: What the tokens cost, for the bar and the budget; None when it is not known.
        budget: What may be spent; what would pass it is left unasked.
        progress: Whether to show a bar, under the file's name.
        tell: Is given a sentence on what was left unasked, or is being waited for.
        sampling: max_tokens, temperature, top_p, stop_sequences, as for `build_request`.

    Returns:
        Reply by record id, failed ones included; what the budget left unasked is not in it.

    Raises:
        HaikuftError: no later question would fare better (no login, no permission, no such
            model, a request that is refused), or `GIVE_UP_AFTER` failed in a row. What was
            answered is in the file.
        SettingsError: a number out of its range, or a budget with a ceiling and no price.
        ConflictError: another asking is writing to the file.
        DataError: the file holds something other than replies, or cannot be written.
    """
    budget = Budget() if budget is None else budget
    _check(runtime, model_id, concurrency, max_records, api, price, budget)
    settings = name_settings(system, **sampling)
    wanted = {record_id(r): r for r in (records[:max_records] if max_records else records)}
    max_tokens = sampling.get("max_tokens", MAX_TOKENS)
    answered_by = answered_by or model_id
    stop, answered, at_ceiling = Event(), Event(), Event()
    refused: list[str] = []

    def is_hopeless(error: HaikuftError, key: str) -> bool:
        """Tell what fails one question from what fails them all."""
        if not isinstance(error, SettingsError):
            return isinstance(error, _HOPELESS)
        refused.append(key)  # it may be too long; two, and none answered, are no accident
        return len(refused) > 1 and not answered.is_set()

    def ask_one(key: str) -> Reply | None:
        own, messages = prompt_of(wanted[key])
        prompt = own if system is None else system or None
        largest = _cost(price, most_input_tokens(prompt, messages), max_tokens)
        spent = 0.0
        if stop.is_set() or at_ceiling.is_set():
            return None
        if not budget.reserve(largest):
            at_ceiling.set()  # a shorter one would fit, and would make what is asked no fair sample
            return None
        try:
            if stop.is_set():  # while it waited for the budget
                return None
            try:
                reply = ask(
                    runtime, model_id, messages, system=prompt, api=api, record_id=key, **sampling
                )
                answered.set()
                spent = _cost(price, reply.input_tokens, reply.output_tokens)
            except HaikuftError as error:
                if is_hopeless(error, key):
                    raise
                spent = largest if _may_be_billed(error) else 0.0
                reply = _failed(key, model_id, str(error), api)
            reply = replace(reply, answered_by=answered_by, settings=settings)
            file.append(reply)
        except BaseException:
            stop.set()
            raise
        finally:
            budget.settle(largest, spent)
        return reply

    with _holding(path, concurrency, stop, tell) as (file, pool):
        kept = _reusable(file.read(), (answered_by, model_id), settings)
        replies = {key: kept[key] for key in wanted if key in kept}
        missing = [key for key in wanted if key not in replies or replies[key].error]
        if len(missing) < len(wanted):
            answered.set()
        asked = 0
        done = len(wanted) - len(missing)
        with Progress(path.stem, len(wanted), done, price, shown=progress) as bar:
            try:
                for reply in _as_they_come([pool.submit(ask_one, key) for key in missing]):
                    replies[reply.record_id] = reply
                    asked += 1
                    bar.count(reply)
            except HaikuftError as error:
                there = sum(not reply.error for reply in replies.values())
                raise type(error)(
                    f"{error} {there} of {len(wanted)} replies are in {path}. "
                    f"{_GO_ON[_is_served(model_id)]}"
                ) from error
    if asked < len(missing):
        tell(
            f"Stopped at the ceiling of US${budget.max_dollars:,.10g}: {len(missing) - asked} of "
            f"{len(wanted)} records are left unasked, because the next could pass it "
            f"(US${budget.spent:,.6f} spent). Run again to spend as much once more, or set a "
            "higher max_dollars; only the rest will be asked."
        )
    return {key: replies[key] for key in wanted if key in replies}


def _check(
    runtime: "BedrockRuntimeClient",
    model_id: str,
    concurrency: int,
    max_records: int,
    api: str,
    price: TokenPrice | None,
    budget: Budget,
) -> None:
    check_api(api)
    if concurrency < 1 or max_records < 0:
        raise SettingsError(
            f"concurrency = {concurrency}, max_records = {max_records}: give at least 1 and 0."
        )
    connections = runtime.meta.config.max_pool_connections  # type: ignore[attr-defined]
    if concurrency > connections:
        raise SettingsError(
            f"concurrency = {concurrency}: the client holds {connections} connections. Ask for "
            "fewer at once, or make a client with a larger max_pool_connections."
        )
    if budget.max_dollars and price is None:
        raise SettingsError(
            f"max_dollars = {budget.max_dollars:,.10g}: the price of {model_id} is not known, so "
            "no ceiling can be kept. Give what its tokens cost, or max_dollars = 0."
        )


@contextmanager
def _holding(
    path: Path, concurrency: int, stop: Event, tell: Callable[[str], None]
) -> Iterator[tuple[ReplyFile, ThreadPoolExecutor]]:
    """Give file and workers. Whatever ends the block, questions under way end in the file.

    The file is let go of only after the last worker, even where waiting for it is interrupted.
    """
    file = ReplyFile(path)
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
        tell("Interrupted: the replies under way are waited for and kept.")
        raise
    finally:
        stop.set()
        closing.start()
        closed.wait()  # not join: in Python 3.11 an interrupted join takes the thread for ended


def _as_they_come(futures: Sequence[Future[Reply | None]]) -> Iterator[Reply]:
    """Yield replies as they come; None stands for what was left unasked."""
    in_a_row = 0
    for future in as_completed(futures):
        reply = future.result()
        if reply is None:
            continue
        in_a_row = in_a_row + 1 if reply.error else 0
        yield reply
        if in_a_row >= GIVE_UP_AFTER:
            raise ReplyError(f"{in_a_row} questions in a row failed, the last so: {reply.error}")


def _reusable(kept: Sequence[Reply], models: tuple[str, str], settings: str) -> dict[str, Reply]:
    """Pick by record what answers the same: the last one counts, and a reply before an error."""
    replies: dict[str, Reply] = {}
    for reply in kept:
        if (reply.answered_by or reply.model_id) not in models or reply.settings != settings:
            continue
        if not (reply.error and reply.record_id in replies):
            replies[reply.record_id] = reply
    return replies


def _failed(key: str, model_id: str, error: str, api: str) -> Reply:
    return Reply(key, model_id, "", "", 0, 0, 0.0, "", error, now(), "", api=api)


def _cost(price: TokenPrice | None, input_tokens: int, output_tokens: int) -> float:
    return 0.0 if price is None else price.cost(input_tokens, output_tokens)


def _may_be_billed(error: HaikuftError) -> bool:
    """Tell what broke while the model may have been answering, or whose reply was no good."""
    cause = error.__cause__
    if isinstance(cause, ClientError):  # AWS answered, and refused
        return False
    return isinstance(error, ReplyError) or (isinstance(cause, Exception) and is_transient(cause))


def _is_served(model_id: str) -> bool:
    return ":provisioned-model/" in model_id or ":custom-model-deployment/" in model_id
