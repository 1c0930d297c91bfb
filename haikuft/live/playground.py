"""The playground: one prompt to several models side by side, as their replies come."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any

from haikuft.dataset.read.training_files import read_records
from haikuft.dataset.records import Record, prompt_of, record_id, reference_of
from haikuft.errors import HaikuftError, SettingsError
from haikuft.html import escape
from haikuft.inference.asking import identify_model
from haikuft.inference.asking import now as utc_text
from haikuft.inference.replies import Reply
from haikuft.inference.requests import build_request, name_settings
from haikuft.inference.streaming import stream
from haikuft.live.history import FILE_NAME, Exchange, append_exchange, read_exchanges
from haikuft.live.interactive import build_bundle, is_interactive
from haikuft.live.playground_form import PlaygroundForm
from haikuft.pricing import check_charges
from haikuft.runs.run_record import Run

if TYPE_CHECKING:
    from haikuft.evaluation.scorers.scorer import Scorer

MAX_TOKENS = 200
_PATIENCE_SECONDS = 10.0  # somebody sits there and waits
COMPARED = ("base", "tuned")  # the models whose replies to a record are compared
_UNANSWERED = Reply("", "", "", "", 0, 0, 0.0, "", "", "", "", api="converse")

OnText = Callable[[str, str], None]  # a model's name, and its text so far
Turns = Sequence[Mapping[str, str]]


class Playground:
    """Models to ask side by side, and what was asked of them so far in this run.

    The last line of a cell shows it: with boxes and buttons where a person runs the notebook, in a
    sentence always. `ask` asks from code.

    Args:
        run: Whose models; the history is kept in its folder.
        models: Name -> what is asked: a throughput's or deployment's ARN, or a model's id.
        records: Records to choose from, whose answers are the references.
        allow_charges: Whether it may ask where that costs money.
        interactive: Whether to show widgets; None: only where a person runs the cells.

    Attributes:
        path: The history, one exchange a line.
        form: The widgets; None in a headless run.

    Raises:
        SettingsError: there is no model to ask.
    """

    def __init__(
        self,
        run: Run,
        models: Mapping[str, str],
        *,
        records: Sequence[Record] = (),
        allow_charges: bool = False,
        interactive: bool | None = None,
    ) -> None:
        if not models or not all(models.values()):
            raise SettingsError(
                f"models = {dict(models)}: give each name what to ask, a throughput's or "
                "deployment's ARN or a model's id. Notebook 5 makes one for the tuned model."
            )
        self.run = run
        self.models = dict(models)
        self.records = list(records)
        self.path = run.directory / FILE_NAME
        self.form: PlaygroundForm | None = None
        self._allow_charges = allow_charges
        self._clients = {
            name: run.connection.client("bedrock-runtime", patience_seconds=_PATIENCE_SECONDS)
            for name in models
        }
        bedrock = run.connection.client("bedrock")
        self._identify = cache(lambda name: identify_model(bedrock, self.models[name]))
        if is_interactive() if interactive is None else interactive:
            self.form = PlaygroundForm(self, MAX_TOKENS)

    @property
    def system(self) -> str:
        """The system prompt of training, with which a tuned model should be asked."""
        return self.run.record.system_prompt

    @property
    def history(self) -> list[Exchange]:
        """What was asked so far, oldest first.

        Raises:
            DataError: a line of the file is no exchange.
        """
        return read_exchanges(self.path)

    @property
    def outcomes(self) -> dict[str, str]:
        """Record's id -> what tuning did to it, such as "fixed"; of those asked as they stand.

        The deciding scorer of the run's task scores the replies of "base" and "tuned".

        Raises:
            DataError: a line of the file is no exchange.
        """
        by_id = {record_id(record): record for record in self.records}
        history = {one.record_id: one for one in self.history if self._is_whole(one, by_id)}
        if not history:
            return {}
        from haikuft.evaluation.report.errors_table import name_outcome  # late: it loads pandas

        outcomes = {}
        for key, exchange in history.items():
            texts = [exchange.replies[name].text for name in COMPARED]
            before, after = (self._scorer(by_id[key], text) for text in texts)
            outcomes[key] = name_outcome(before, after, self._scorer)
        return outcomes

    def find(self, record: Record) -> Exchange | None:
        """Find the last time that a record was asked; None where it was not."""
        return next((e for e in reversed(self.history) if e.record_id == record_id(record)), None)

    @cached_property
    def _scorer(self) -> "Scorer":
        from haikuft.evaluation.scorers.scorer import choose_scorers, recognise_task

        known = [*read_records(self.run.data / "train.jsonl"), *self.records]
        return choose_scorers([], self.run.record.task or recognise_task(known), known)[0]

    def _is_whole(self, exchange: Exchange, records: Mapping[str, Record]) -> bool:
        """Whether both models have answered a record as it stands."""
        record = records.get(exchange.record_id)
        replies = [exchange.replies.get(name) for name in COMPARED]
        return (
            record is not None
            and exchange.prompt == prompt_of(record)[1][-1]["content"]
            and all(reply is not None and reply.error is None for reply in replies)
        )

    def ask(
        self,
        prompt: str = "",
        *,
        system: str | None = None,
        temperature: float = 0.0,
        max_tokens: int = MAX_TOKENS,
        record: Record | None = None,
        on_text: OnText = lambda name, text: None,
    ) -> Exchange:
        """Ask every model at once, and keep what came.

        A model that fails has its error in its reply's place; the others continue.

        Example: `playground.ask("The printer is jammed.")`.

        Args:
            prompt: What is asked; "" asks the record's own prompt.
            system: The system prompt; None for the record's, or else that of training.
            temperature: 0 (the likeliest words) to 1.
            max_tokens: Most tokens a reply may have.
            record: A test record; the turns before its last question are sent along.
            on_text: Is given each model's text as it grows, from a thread for each model.

        Raises:
            SettingsError: nothing to ask, or values that cannot be.
            ChargesRefusedError: it would cost money and that was not allowed.
            DataError: the history cannot be written; the replies are lost with it.
        """
        turns, chosen = _compose(prompt, system, record, self.system)
        if not 0 <= temperature <= 1:  # written so that nan is refused too
            raise SettingsError(f"temperature = {temperature}: take 0 (the likeliest words) to 1.")
        sampling = {"temperature": temperature, "max_tokens": max_tokens}
        build_request(turns, system=chosen, **sampling)  # type: ignore[arg-type]
        check_charges(
            self.run.connection.bills,
            self._allow_charges,
            doing=f"asking {' and '.join(self.models)}",
            estimate="each reply of a base model is billed by its tokens",
        )

        ask_one = partial(
            self._ask_one, turns=turns, system=chosen, sampling=sampling, on_text=on_text
        )
        asked_at = utc_text()
        with ThreadPoolExecutor(len(self.models)) as pool:
            replies = dict(zip(self.models, pool.map(ask_one, self.models), strict=True))
        exchange = Exchange(
            asked_at=asked_at,
            prompt=turns[-1]["content"],
            system=chosen or "",
            replies=replies,
            record_id=record_id(record) if record is not None else "",
            reference=reference_of(record) if record is not None else "",
        )
        append_exchange(self.path, exchange)
        return exchange

    def __repr__(self) -> str:
        try:
            asked = len(self.history)
            kept = (
                f"{asked} asked so far, kept in {self.path.name}" if asked else "nothing asked yet"
            )
        except HaikuftError as error:  # the next question can be asked all the same
            kept = f"whose past cannot be read: {error}"
        return (
            f'Playground of run "{self.run.record.run}": {" and ".join(self.models)}, {kept}. '
            'Without boxes and buttons, ask with playground.ask("…").'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        box = None
        if self.form is not None:
            self.form.refresh()
            box = self.form.box
        return build_bundle(repr(self), f"<p>{escape(repr(self))}</p>", box)

    def _ask_one(
        self, name: str, turns: Turns, system: str | None, sampling: Any, on_text: OnText
    ) -> Reply:
        client, model_id, began = self._clients[name], self.models[name], time.perf_counter()
        text, answered_by, first = "", "", None
        try:
            answered_by = self._identify(name)
            pieces = stream(
                client, model_id, turns, system=system, answered_by=answered_by, **sampling
            )
            for piece in pieces:
                if isinstance(piece, Reply):
                    return piece
                first = time.perf_counter() - began if first is None else first
                text += piece
                on_text(name, text)
        except HaikuftError as error:
            reason = str(error)
        return replace(
            _UNANSWERED,
            model_id=model_id,
            text=text,
            latency_seconds=round(time.perf_counter() - began, 6),
            error=reason,
            asked_at=utc_text(),
            settings=name_settings(**sampling),
            answered_by=answered_by,
            first_seconds=first,
        )


def _compose(
    prompt: str, system: str | None, record: Record | None, trained: str
) -> tuple[list[dict[str, str]], str | None]:
    """Build the turns to send, and the system prompt; None for none."""
    own, turns = prompt_of(record) if record is not None else (None, [])
    if prompt.strip():
        turns = [*turns[:-1], {"role": "user", "content": prompt}]
    if not turns:
        raise SettingsError("There is nothing to ask: write a prompt, or choose a test record.")
    return turns, (own or trained if system is None else system) or None
