"""Bedrock's runtime: InvokeModel and Converse, whole or as a stream, and CountTokens.

A tuned model answers with the stand-in that its job trained; a base model with the baseline. Every
reply says so: its `model` is "sandbox-stand-in/<custom model>" or "sandbox-stand-in/base". A reply
is written to its end before a stream of it begins: what can be refused is refused before HTTP 200,
and a stream takes no more time than a whole answer. A sandbox that is set to answer slowly lets a
whole answer wait, and spreads the events of a stream over the time.
"""

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.sandbox.bedrock.records import ControlPlane
from haikuft.sandbox.http.event_stream import Event
from haikuft.sandbox.http.routing import Call, Handler
from haikuft.sandbox.runtime import responses
from haikuft.sandbox.runtime.model_resolution import Target, find_counted, find_target
from haikuft.sandbox.runtime.requests import Question, check_invocation, read_body, read_converse
from haikuft.sandbox.runtime.responses import Answer
from haikuft.sandbox.standin.baseline import base_reply

if TYPE_CHECKING:
    from haikuft.sandbox.standin.model import StandIn

KEPT_MODELS = 4  # each takes some 150 MB
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


def load_stand_in(directory: Path) -> "StandIn":
    """Load a custom model's stand-in from its directory."""
    from haikuft.sandbox.standin.model import (
        StandIn,  # loads NumPy and SciPy: only when one is asked
    )

    return StandIn.load(directory)


class Runtime:
    """Answers for the models of one Bedrock; the last few models asked stay loaded.

    Args:
        plane: The records; its throughputs, deployments and models are asked.
        load: Loads a custom model from its directory.
        sleep: Waits so many seconds, for a sandbox that is set to answer slowly.
    """

    def __init__(
        self,
        plane: ControlPlane,
        *,
        load: Callable[[Path], "StandIn"] = load_stand_in,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._plane = plane
        self._sleep = sleep
        self._load = lru_cache(maxsize=KEPT_MODELS)(load)
        self._loading = threading.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation of the runtime that is served."""
        return {
            "InvokeModel": self.invoke_model,
            "InvokeModelWithResponseStream": self.stream_model,
            "Converse": self.converse,
            "ConverseStream": self.stream_conversation,
            "CountTokens": self.count_tokens,
        }

    def invoke_model(self, call: Call) -> dict[str, Any]:
        """InvokeModel with a Messages body."""
        label, answer = self._answer_body(call)
        self._wait(answer.wait_seconds)
        return responses.write_invocation(label, answer)

    def stream_model(self, call: Call) -> dict[str, Any]:
        """InvokeModelWithResponseStream: the same answer, event by event."""
        label, answer = self._answer_body(call)
        events = self._pace(responses.stream_invocation(label, answer), answer.wait_seconds)
        return {"body": events, "contentType": "application/json"}

    def converse(self, call: Call) -> dict[str, Any]:
        """Converse; `additionalModelResponseFieldPaths` may ask for "/model"."""
        label, answer = self._answer_turns(call)
        self._wait(answer.wait_seconds)
        return responses.write_conversation(label, answer, field_paths=_field_paths(call))

    def stream_conversation(self, call: Call) -> dict[str, Any]:
        """ConverseStream: the same answer, event by event."""
        label, answer = self._answer_turns(call)
        events = responses.stream_conversation(label, answer, field_paths=_field_paths(call))
        return {"stream": self._pace(events, answer.wait_seconds)}

    def count_tokens(self, call: Call) -> dict[str, Any]:
        """CountTokens: as many as a base model's answer to the same request reports as input."""
        limit = find_counted(self._plane, call).model.limits.max_output_tokens
        asked = call.parameters["input"]
        if "invokeModel" in asked:
            question = read_body(asked["invokeModel"]["body"], max_output_tokens=limit)
        else:
            question = read_converse(asked["converse"], max_output_tokens=limit)
        return {"inputTokens": count_input(question)}

    def _answer_body(self, call: Call) -> tuple[str, Answer]:
        target = find_target(self._plane, call)
        check_invocation(call.parameters)
        limit = target.base_model.limits.max_output_tokens
        question = read_body(call.parameters.get("body", b""), max_output_tokens=limit)
        return target.label, self._answer(target, question)

    def _answer_turns(self, call: Call) -> tuple[str, Answer]:
        target = find_target(self._plane, call)
        limit = target.base_model.limits.max_output_tokens
        question = read_converse(call.parameters, max_output_tokens=limit)
        return target.label, self._answer(target, question)

    def _answer(self, target: Target, question: Question) -> Answer:
        model = None
        if target.custom is not None:
            with self._loading:  # two at once must not load the same model twice
                model = self._load(target.custom.directory)
        began = time.perf_counter()
        answer = answer_base(question) if model is None else _answer_tuned(model, question)
        written = time.perf_counter() - began
        wait = max(0.0, self._plane.settings().answer_seconds - written)
        return replace(
            answer,
            first_byte_ms=round(1000 * written),
            latency_ms=round(1000 * (written + wait)),
            wait_seconds=wait,
        )

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _pace(self, events: Iterable[Event], seconds: float) -> Iterator[Event]:
        """Spread events over so many seconds; the first goes at once."""
        made = list(events)
        for number, event in enumerate(made):
            if number:
                self._wait(seconds / (len(made) - 1))
            yield event


def answer_base(question: Question) -> Answer:
    """Answer with the baseline, cut at the first stop sequence and at `max_tokens`.

    Tokens here are words and punctuation marks; the baseline needs no others.
    """
    text = base_reply(question.system, question.messages)
    stops = {stop: text.find(stop) for stop in question.stop_sequences if stop in text}
    first = min(stops, key=stops.__getitem__, default=None)
    text = text if first is None else text[: stops[first]]
    pieces = _PIECE.findall(text)
    if len(pieces) > question.max_tokens:
        pieces, reason, first = pieces[: question.max_tokens], "max_tokens", None
    else:
        reason = "end_turn" if first is None else "stop_sequence"
    return Answer("".join(pieces), reason, first, count_input(question), len(pieces))


def count_input(question: Question) -> int:
    """Count the baseline's tokens in a question: its system prompt and all turns."""
    given = [question.system or "", *(message["content"] for message in question.messages)]
    return sum(len(_PIECE.findall(part)) for part in given)


def _answer_tuned(model: "StandIn", question: Question) -> Answer:
    made = model.generate(
        question.system,
        question.messages,
        max_tokens=question.max_tokens,
        temperature=question.temperature,
        top_p=question.top_p,
        top_k=question.top_k,
        stop_sequences=question.stop_sequences,
        seed=secrets.randbits(32),
    )
    return Answer(
        made.text, made.stop_reason, made.stop_sequence, made.input_tokens, made.output_tokens
    )


def _field_paths(call: Call) -> list[str]:
    return list(call.parameters.get("additionalModelResponseFieldPaths", []))
