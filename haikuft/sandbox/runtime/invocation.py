"""Bedrock's runtime: InvokeModel and Converse, whole or as a stream, and CountTokens.

A request's model id means a base model, or a custom model that is served. A custom model answers
with the stand-in that its job trained, a base model with the baseline. The `model` of a reply says
so: "sandbox-stand-in/<custom model>" or "sandbox-stand-in/base". A reply is complete before its
stream begins, so that every error is reported before HTTP 200, and a stream takes no more time than
a single response. With the setting `answer_seconds` a single response is delayed, and the events of
a stream are spread over that time.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haikuft.base_models import BaseModel
from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.foundation_models import INVALID_IDENTIFIER, Offer, require_available
from haikuft.sandbox.bedrock.records import ControlPlane, CustomModel
from haikuft.sandbox.bedrock.resources import DEPLOYMENTS, THROUGHPUTS, Kind
from haikuft.sandbox.http.event_stream import Event
from haikuft.sandbox.http.messages import Call, Handler, ServiceError, validation_error
from haikuft.sandbox.runtime import converse, messages, nova
from haikuft.sandbox.runtime.messages import InferenceRequest, Reply
from haikuft.sandbox.standin.baseline import base_reply

if TYPE_CHECKING:
    from haikuft.sandbox.standin.model import StandIn

LABEL = "sandbox-stand-in"
PROFILES = {"us": "us-", "eu": "eu-"}  # prefix of a profile's id -> of the Regions that have it
NOT_READY = (
    "The model specified in the request is not ready to serve inference requests. "
    "The AWS SDK will automatically retry the operation up to 5 times."
)
UNCOUNTED = "The provided model doesn't support counting tokens."


# The shape of a family's training records -> the module with the format of its bodies: `read_body`,
# `read_further` (of Converse's additionalModelRequestFields), `write_reply` and `events`.
_FORMATS: Mapping[str, Any] = {"messages": messages, "bedrock-conversation-2024": nova}


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The model that answers a request.

    Attributes:
        base_model: The base model, or that of the custom model.
        custom: The custom model; None when the base model itself answers.
    """

    base_model: BaseModel
    custom: CustomModel | None

    @property
    def format(self) -> Any:
        """The module with the format of its bodies."""
        return _FORMATS[self.base_model.record_format]

    @property
    def label(self) -> str:
        """The `model` of the reply."""
        return f"{LABEL}/{self.custom.name if self.custom else 'base'}"


def resolve_model(plane: ControlPlane, call: Call) -> ResolvedModel:
    """Find the model that answers.

    A provisioned model is named by ARN or name, a deployment by ARN, a base model by id, profile
    or ARN.

    Raises:
        ServiceError: no model has that id, or it cannot answer now.
    """
    model_id, state = call.parameters["modelId"], plane.state
    if ":custom-model-deployment/" in model_id:
        return _find_served(plane, call, DEPLOYMENTS)
    with state.lock:
        served = resources.find(state.throughputs, model_id, call.region)
        custom = resources.find(state.models, model_id, call.region)
    if ":custom-model/" in model_id or (custom and not served):
        raise _on_demand_refusal(model_id)
    if ":provisioned-model/" in model_id or not ("." in model_id or model_id[:4] == "arn:"):
        return _find_served(plane, call, THROUGHPUTS)
    plain = _plain_id(call, model_id)
    offer = require_available(plane, call.region, plain)
    profile_alone = offer.model.inference_id != offer.model.foundation_id
    if offer.tunable or (profile_alone and model_id.rpartition("/")[2] == plain):
        raise _on_demand_refusal(model_id)
    return ResolvedModel(offer.model, None)


def resolve_counted_model(plane: ControlPlane, call: Call) -> Offer:
    """Find the base model for CountTokens: by its plain id or that id's ARN, nothing else.

    Raises:
        ServiceError: no such base model, or none whose tokens are counted.
    """
    model_id = call.parameters["modelId"]
    own = f"arn:aws:bedrock:{call.region}::foundation-model/"
    plain = model_id.removeprefix(own)
    if plain.startswith("arn:") or plain.partition(".")[0] in PROFILES:
        raise validation_error(UNCOUNTED)
    offer = require_available(plane, call.region, plain)
    if offer.tunable or offer.model.record_format != "messages":  # the cards of Nova say so
        raise validation_error(UNCOUNTED)
    return offer


def _find_served(plane: ControlPlane, call: Call, kind: Kind[Any]) -> ResolvedModel:
    """Find the model of the throughput or deployment that a request names."""
    with plane.state.lock:
        server = resources.require(plane, call, kind, call.parameters["modelId"])
        custom = plane.state.models.get(server.model_arn)
    if kind is DEPLOYMENTS and server.failure_message:
        raise ServiceError("ModelErrorException", server.failure_message)
    base_model_id = custom.base_model_id if custom else server.base_model_id
    offer = require_available(plane, call.region, base_model_id)
    if server.status == "Creating":
        raise ServiceError("ModelNotReadyException", NOT_READY)
    return ResolvedModel(offer.model, custom)


def _plain_id(call: Call, model_id: str) -> str:
    """Read a base model's id from its ARN, an inference profile's ARN or a profile's id."""
    if model_id.startswith("arn:"):
        own = (
            f"arn:aws:bedrock:{call.region}::foundation-model/",
            f"arn:aws:bedrock:{call.region}:{call.account_id}:inference-profile/",
        )
        if not model_id.startswith(own):
            raise validation_error(INVALID_IDENTIFIER)
        model_id = model_id.partition("/")[2]
    prefix, _, rest = model_id.partition(".")
    if prefix not in PROFILES:
        return model_id
    if not call.region.startswith(PROFILES[prefix]):
        raise validation_error(INVALID_IDENTIFIER)
    return rest


def _on_demand_refusal(model_id: str) -> ServiceError:
    return validation_error(
        f"Invocation of model ID {model_id} with on-demand throughput isn’t supported. Retry your "
        "request with the ID or ARN of an inference profile that contains this model.",
    )


LOADED_MODELS = 4  # each takes some 150 MB
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


@lru_cache(maxsize=LOADED_MODELS)
def load_stand_in(directory: Path) -> "StandIn":
    """Load a custom model's stand-in from its directory; the last few stay loaded."""
    # NumPy and SciPy are loaded with it, so only when a custom model is invoked.
    from haikuft.sandbox.standin.model import StandIn

    return StandIn.load(directory)


class Runtime:
    """Answers requests to models.

    Args:
        plane: The records; its throughputs, deployments and models are read.
        load: Loads a custom model from its directory.
        sleep: Waits some seconds, for the setting `answer_seconds`.
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
        self._load = load
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
        """InvokeModel with a body in the format of the model's family."""
        resolved, reply = self._answer_body(call)
        self._wait(reply.wait_seconds)
        document = resolved.format.write_reply(resolved.label, reply)
        return messages.write_invocation(document, reply)

    def stream_model(self, call: Call) -> dict[str, Any]:
        """InvokeModelWithResponseStream: the same reply, event by event."""
        resolved, reply = self._answer_body(call)
        chunks = messages.stream_invocation(resolved.format.events(resolved.label, reply))
        events = self._pace(chunks, reply.wait_seconds)
        return {"body": events, "contentType": "application/json"}

    def converse(self, call: Call) -> dict[str, Any]:
        """Converse; `additionalModelResponseFieldPaths` may ask for "/model"."""
        label, reply = self._answer_turns(call)
        self._wait(reply.wait_seconds)
        return converse.write_conversation(label, reply, field_paths=_field_paths(call))

    def stream_conversation(self, call: Call) -> dict[str, Any]:
        """ConverseStream: the same reply, event by event."""
        label, reply = self._answer_turns(call)
        events = converse.stream_conversation(label, reply, field_paths=_field_paths(call))
        return {"stream": self._pace(events, reply.wait_seconds)}

    def count_tokens(self, call: Call) -> dict[str, Any]:
        """CountTokens: the input tokens that a base model's reply to the request reports."""
        limit = resolve_counted_model(self._plane, call).model.limits.max_output_tokens
        asked = call.parameters["input"]
        if "invokeModel" in asked:
            request = messages.read_body(asked["invokeModel"]["body"], max_output_tokens=limit)
        else:
            request = converse.read_converse(asked["converse"], max_output_tokens=limit)
        return {"inputTokens": count_input(request)}

    def _answer_body(self, call: Call) -> tuple[ResolvedModel, Reply]:
        resolved = resolve_model(self._plane, call)
        messages.check_invocation(call.parameters)
        limit = resolved.base_model.limits.max_output_tokens
        body = call.parameters.get("body", b"")
        request = resolved.format.read_body(body, max_output_tokens=limit)
        return resolved, self._answer(resolved, request)

    def _answer_turns(self, call: Call) -> tuple[str, Reply]:
        resolved = resolve_model(self._plane, call)
        limit = resolved.base_model.limits.max_output_tokens
        request = converse.read_converse(
            call.parameters, max_output_tokens=limit, read_further=resolved.format.read_further
        )
        return resolved.label, self._answer(resolved, request)

    def _answer(self, resolved: ResolvedModel, request: InferenceRequest) -> Reply:
        model = None
        if resolved.custom is not None:
            with self._loading:  # two at once must not load the same model twice
                model = self._load(resolved.custom.directory)
        began = time.perf_counter()
        if model is None:
            reply = answer_base(request)
        else:
            asked = {member.name: getattr(request, member.name) for member in fields(request)}
            reply = Reply(*model.generate(**asked, seed=random.getrandbits(32)))
        written = time.perf_counter() - began
        wait = max(0.0, self._plane.settings().answer_seconds - written)
        first_ms, all_ms = round(1000 * written), round(1000 * (written + wait))
        return replace(reply, first_byte_ms=first_ms, latency_ms=all_ms, wait_seconds=wait)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)

    def _pace(self, events: Iterable[Event], seconds: float) -> Iterator[Event]:
        """Spread events over some seconds; the first is sent at once."""
        made = list(events)
        for number, event in enumerate(made):
            if number:
                self._wait(seconds / (len(made) - 1))
            yield event


def answer_base(request: InferenceRequest) -> Reply:
    """Answer with the baseline, cut at the first stop sequence and at `max_tokens`.

    Tokens here are words and punctuation marks; the baseline has no others.
    """
    text = base_reply(request.system, request.messages)
    stops = {stop: text.find(stop) for stop in request.stop_sequences if stop in text}
    first = min(stops, key=stops.__getitem__, default=None)
    text = text if first is None else text[: stops[first]]
    pieces = _PIECE.findall(text)
    if len(pieces) > request.max_tokens:
        pieces, reason, first = pieces[: request.max_tokens], "max_tokens", None
    else:
        reason = "end_turn" if first is None else "stop_sequence"
    return Reply("".join(pieces), reason, first, count_input(request), len(pieces))


def count_input(request: InferenceRequest) -> int:
    """Count the baseline's tokens in a request: its system prompt and all turns."""
    given = [request.system or "", *(message["content"] for message in request.messages)]
    return sum(len(_PIECE.findall(part)) for part in given)


def _field_paths(call: Call) -> list[str]:
    return list(call.parameters.get("additionalModelResponseFieldPaths", []))
