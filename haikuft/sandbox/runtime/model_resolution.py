"""Resolve a request's model id to a base model, or to a custom model that is served."""

from dataclasses import dataclass

from haikuft.base_models import BaseModel
from haikuft.sandbox.bedrock import resources
from haikuft.sandbox.bedrock.foundation_models import INVALID_IDENTIFIER, Offer, require_available
from haikuft.sandbox.bedrock.records import ControlPlane, CustomModel, find
from haikuft.sandbox.bedrock.resources import DEPLOYMENTS, THROUGHPUTS
from haikuft.sandbox.http.routing import Call, ServiceError, validation_error

LABEL = "sandbox-stand-in"
PROFILES = {"us": "us-", "eu": "eu-"}  # prefix of a profile's id -> of the Regions that have it
NOT_READY = (
    "The model specified in the request is not ready to serve inference requests. "
    "The AWS SDK will automatically retry the operation up to 5 times."
)
UNCOUNTED = "The provided model doesn't support counting tokens."


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
    model_id = call.parameters["modelId"]
    if ":custom-model-deployment/" in model_id:
        return _deployed(plane, call, model_id)
    if ":provisioned-model/" in model_id or "." not in model_id:
        return _provisioned(plane, call, model_id)
    if ":custom-model/" in model_id:
        raise _on_demand_refusal(model_id)
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
    if model_id.startswith("arn:") and not model_id.startswith(own):
        raise validation_error(UNCOUNTED)
    plain = model_id.removeprefix(own)
    if plain.partition(".")[0] in PROFILES:
        raise validation_error(UNCOUNTED)
    offer = require_available(plane, call.region, plain)
    if offer.tunable:
        raise validation_error(UNCOUNTED)
    return offer


def _deployed(plane: ControlPlane, call: Call, arn: str) -> ResolvedModel:
    with plane.state.lock:
        deployment = resources.require(plane, call, DEPLOYMENTS, arn)
        custom = plane.state.models[deployment.model_arn]
    if deployment.failure_message:
        raise ServiceError("ModelErrorException", deployment.failure_message)
    return _ready(plane, call, custom.base_model_id, deployment.status, custom)


def _provisioned(plane: ControlPlane, call: Call, identifier: str) -> ResolvedModel:
    state = plane.state
    with state.lock:
        unserved = find(state.throughputs, identifier, call.region) is None
        if unserved and find(state.models, identifier, call.region) is not None:
            raise _on_demand_refusal(identifier)
        throughput = resources.require(plane, call, THROUGHPUTS, identifier)
        custom = state.models.get(throughput.model_arn)
    return _ready(plane, call, throughput.base_model_id, throughput.status, custom)


def _ready(
    plane: ControlPlane, call: Call, base_model_id: str, status: str, custom: CustomModel | None
) -> ResolvedModel:
    offer = require_available(plane, call.region, base_model_id)
    if status == "Creating":
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
