"""Bedrock's runtime: InvokeModel and Converse.

A tuned model answers with the stand-in that its job trained; a base model with the baseline. Every
reply says so: its `model` is "sandbox-stand-in/<custom model>" or "sandbox-stand-in/base".
"""

import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.base_models import BaseModel
from haikuft.sandbox.baseline import base_reply
from haikuft.sandbox.bedrock import Bedrock
from haikuft.sandbox.catalogue import INVALID_IDENTIFIER, require_living
from haikuft.sandbox.messages import Question, read_body, read_converse
from haikuft.sandbox.protocol import EXTRA_HEADERS, Call, Handler, ServiceError
from haikuft.sandbox.state import CustomModel, find, present
from haikuft.sandbox.throughputs import settle

if TYPE_CHECKING:
    from haikuft.sandbox.standin import StandIn

LABEL = "sandbox-stand-in"
KEPT_MODELS = 8
PROFILES = {"us": "us-", "eu": "eu-"}  # prefix of a profile's id -> of the Regions that have it
NOT_READY = (
    "The model specified in the request is not ready to serve inference requests. "
    "The AWS SDK will automatically retry the operation up to 5 times."
)
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


@dataclass(frozen=True, slots=True)
class Target:
    """Who answers.

    Attributes:
        base_model: The base model, or the one under the custom model.
        custom: The custom model; None when the base model itself answers.
    """

    base_model: BaseModel
    custom: CustomModel | None

    @property
    def label(self) -> str:
        """What the reply's `model` says."""
        return f"{LABEL}/{self.custom.name if self.custom else 'base'}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and what it took.

    Attributes:
        stop_reason: "end_turn", "max_tokens" or "stop_sequence".
        stop_sequence: The one that ended it; None for the other reasons.
        latency_ms: Time spent on answering, whole milliseconds; loading the model not counted.
    """

    text: str
    stop_reason: str
    stop_sequence: str | None
    input_tokens: int
    output_tokens: int
    latency_ms: int = 0


def load_stand_in(directory: Path) -> "StandIn":
    """Load a custom model's stand-in from its directory."""
    from haikuft.sandbox.standin import StandIn  # loads NumPy and SciPy: only when one is asked

    return StandIn.load(directory)


class Runtime:
    """Answers for the models of one Bedrock; the last few models asked stay loaded.

    Args:
        bedrock: Whose throughputs and models are asked.
        load: Loads a custom model from its directory.
        sleep: Waits so many seconds, for a sandbox that is set to answer slowly.
    """

    def __init__(
        self,
        bedrock: Bedrock,
        *,
        load: Callable[[Path], "StandIn"] = load_stand_in,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._plane = bedrock.plane
        self._sleep = sleep
        self._load = lru_cache(maxsize=KEPT_MODELS)(load)
        self._loading = threading.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """Operation name -> handler, for every operation of the runtime that is served."""
        return {"InvokeModel": self.invoke_model, "Converse": self.converse}

    def invoke_model(self, call: Call) -> dict[str, Any]:
        """InvokeModel with a Messages body."""
        target = self._resolve(call, call.parameters["modelId"])
        limit = target.base_model.limits.max_output_tokens
        body = call.parameters.get("body", b"")
        answer = self._answer(target, read_body(body, max_output_tokens=limit))
        return {
            "body": json.dumps(_message(target, answer), ensure_ascii=False).encode(),
            "contentType": "application/json",
            EXTRA_HEADERS: {
                "x-amzn-bedrock-input-token-count": str(answer.input_tokens),
                "x-amzn-bedrock-output-token-count": str(answer.output_tokens),
                "x-amzn-bedrock-invocation-latency": str(answer.latency_ms),
            },
        }

    def converse(self, call: Call) -> dict[str, Any]:
        """Converse; `additionalModelResponseFieldPaths` may ask for "/model"."""
        target = self._resolve(call, call.parameters["modelId"])
        limit = target.base_model.limits.max_output_tokens
        answer = self._answer(target, read_converse(call.parameters, max_output_tokens=limit))
        message = _message(target, answer)
        paths = call.parameters.get("additionalModelResponseFieldPaths", [])
        names = [path.removeprefix("/") for path in paths]
        further = {name: message[name] for name in names if message.get(name) is not None}
        return present(
            output={"message": {"role": "assistant", "content": [{"text": answer.text}]}},
            stopReason=answer.stop_reason,
            usage={
                "inputTokens": answer.input_tokens,
                "outputTokens": answer.output_tokens,
                "totalTokens": answer.input_tokens + answer.output_tokens,
            },
            metrics={"latencyMs": answer.latency_ms},
            additionalModelResponseFields=further or None,
        )

    def _resolve(self, call: Call, model_id: str) -> Target:
        """Who is meant: a provisioned model's ARN or name, a base model's id, profile or ARN."""
        if ":provisioned-model/" in model_id or "." not in model_id:
            return self._provisioned(call, model_id)
        if ":custom-model/" in model_id:
            raise _on_demand_refusal(model_id)
        offer = require_living(self._plane, call.region, _plain_id(call, model_id))
        if offer.tunable:
            raise _on_demand_refusal(model_id)
        return Target(offer.model, None)

    def _provisioned(self, call: Call, identifier: str) -> Target:
        state = self._plane.state
        with state.lock:
            found = find(state.throughputs, identifier, call.region)
            if found is None:
                if find(state.models, identifier, call.region) is not None:
                    raise _on_demand_refusal(identifier)
                raise ServiceError(
                    "ResourceNotFoundException", f"Could not find provisioned model {identifier}."
                )
            throughput = settle(found, self._plane.now())
            custom = state.models.get(throughput.model_arn)
        offer = require_living(self._plane, call.region, throughput.base_model_id)
        if throughput.status == "Creating":
            raise ServiceError("ModelNotReadyException", NOT_READY)
        return Target(offer.model, custom)

    def _answer(self, target: Target, question: Question) -> Answer:
        model = None
        if target.custom is not None:
            with self._loading:  # two at once must not load the same model twice
                model = self._load(target.custom.directory)
        began = time.perf_counter()
        answer = answer_base(question) if model is None else _answer_tuned(model, question)
        left = self._plane.settings().answer_seconds - (time.perf_counter() - began)
        if left > 0:
            self._sleep(left)
        return replace(answer, latency_ms=round(1000 * (time.perf_counter() - began)))


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
    given = [question.system or "", *(message["content"] for message in question.messages)]
    asked = sum(len(_PIECE.findall(part)) for part in given)
    return Answer("".join(pieces), reason, first, asked, len(pieces))


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


def _plain_id(call: Call, model_id: str) -> str:
    """Read a base model's id from its ARN, an inference profile's ARN or a profile's id."""
    if model_id.startswith("arn:"):
        own = (
            f"arn:aws:bedrock:{call.region}::foundation-model/",
            f"arn:aws:bedrock:{call.region}:{call.account_id}:inference-profile/",
        )
        if not model_id.startswith(own):
            raise ServiceError("ValidationException", INVALID_IDENTIFIER)
        model_id = model_id.partition("/")[2]
    prefix, _, rest = model_id.partition(".")
    if prefix not in PROFILES:
        return model_id
    if not call.region.startswith(PROFILES[prefix]):
        raise ServiceError("ValidationException", INVALID_IDENTIFIER)
    return rest


def _message(target: Target, answer: Answer) -> dict[str, Any]:
    """Write the reply as Anthropic's Messages API gives it."""
    return {
        "id": f"msg_bdrk_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": target.label,
        "content": [{"type": "text", "text": answer.text}],
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens},
    }


def _on_demand_refusal(model_id: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"Invocation of model ID {model_id} with on-demand throughput isn’t supported. Retry your "
        "request with the ID or ARN of an inference profile that contains this model.",
    )
