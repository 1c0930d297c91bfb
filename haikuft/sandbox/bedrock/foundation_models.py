"""Foundation models: which the sandbox offers in a Region, and which can be customized there.

Each base model is offered under two ids, as on AWS: the plain id for on-demand inference, and the
id with a context suffix for customization and Provisioned Throughput, in the Regions that support
customization. With the setting `lifecycle` "active" all models are Active; with "today" their state
follows their documented dates. After its end of life a model is in no list, and every request for
it fails with 404. AWS documents that such requests fail, but not whether lists show the model.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from typing import Any

from haikuft.base_models import BaseModel, lifecycle_state
from haikuft.sandbox.bedrock.records import ControlPlane, base_model_arn
from haikuft.sandbox.bedrock.resources import MEMBERS, describe
from haikuft.sandbox.http.messages import Call, ServiceError, validation_error

_MEMBERS = MEMBERS["foundation-model"]
INVALID_IDENTIFIER = "The provided model identifier is invalid."
END_OF_LIFE = (
    "This model version has reached the end of its life. "
    "Please refer to the AWS documentation for more details."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One id under which a foundation model is offered in a Region.

    Attributes:
        model: The base model behind it.
        model_id: The plain id, or the one with the context suffix.
        region: The Region of the offer.
        status: "ACTIVE", "LEGACY", or "" past the end of life, when it is no longer offered.
        dated: All lifecycle dates are shown, not only the launch.
    """

    model: BaseModel
    model_id: str
    region: str
    status: str
    dated: bool

    @property
    def arn(self) -> str:
        """The ARN of this id; its account field is empty."""
        return base_model_arn(self.model_id, self.region)

    @property
    def tunable(self) -> bool:
        """It is the id for customization and Provisioned Throughput."""
        return self.model_id == self.model.id

    @property
    def customizations(self) -> list[str]:
        """AWS's customizationsSupported."""
        return ["FINE_TUNING"] if self.tunable else []

    @property
    def inference_types(self) -> list[str]:
        """AWS's inferenceTypesSupported; none for a model that is invoked only through profiles."""
        if self.tunable:
            return ["PROVISIONED"] if "provisioned_throughput" in self.model.serving else []
        return ["ON_DEMAND"] if self.model.inference_id == self.model_id else []

    @property
    def lifecycle(self) -> dict[str, Any]:
        """AWS's modelLifecycle."""
        days = asdict(self.model.lifecycle)
        times = {
            member: datetime.combine(days[name], time(), tzinfo=UTC)
            for member, name in _MEMBERS["times"].items()
            if days[name] is not None and (self.dated or name == "launched")
        }
        return {"status": self.status, **times}


def list_foundation_models(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListFoundationModels: one response without pages."""
    asked = call.parameters
    provider = asked.get("byProvider", "").lower()
    summaries = [
        describe(offer, _MEMBERS["get"])
        for offer in _offers(plane, call.region)
        if offer.status and provider in ("", offer.model.provider.lower())
    ]
    for name, member in _MEMBERS["filters"].items():
        if name in asked:
            summaries = [one for one in summaries if asked[name] in one[member]]
    return {"modelSummaries": summaries}


def get_foundation_model(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetFoundationModel: by id or ARN."""
    offer = _require(plane, call, call.parameters["modelIdentifier"])
    return {"modelDetails": describe(offer, _MEMBERS["get"])}


def get_foundation_model_availability(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """GetFoundationModelAvailability: every account has accepted every agreement."""
    offer = _require(plane, call, call.parameters["modelId"])
    return describe(offer, _MEMBERS["availability"])


def require_customizable(plane: ControlPlane, call: Call, identifier: str) -> BaseModel:
    """Find the base model for a new job or throughput by its suffixed id or that id's ARN.

    Raises:
        ServiceError: no such model in this Region, no suffix, Legacy, or past its end of life.
    """
    offer = _require(plane, call, identifier)
    if not offer.tunable:
        raise validation_error(INVALID_IDENTIFIER)
    if offer.status == "LEGACY":
        raise validation_error(
            f"{offer.model_id} is in Legacy state: no new customization job and no new Provisioned "
            "Throughput can be created for it.",
        )
    return offer.model


def require_available(plane: ControlPlane, region: str, model_id: str) -> Offer:
    """Find the offer of an id, plain or suffixed.

    Raises:
        ServiceError: ValidationException for an unknown id, ResourceNotFoundException past the end.
    """
    offer = next((o for o in _offers(plane, region) if o.model_id == model_id), None)
    if offer is None:
        raise validation_error(INVALID_IDENTIFIER)
    if not offer.status:
        raise ServiceError("ResourceNotFoundException", END_OF_LIFE)
    return offer


def _require(plane: ControlPlane, call: Call, identifier: str) -> Offer:
    head, arn, model_id = identifier.rpartition(":foundation-model/")
    if arn and head != f"arn:aws:bedrock:{call.region}:":
        raise validation_error(INVALID_IDENTIFIER)
    return require_available(plane, call.region, model_id)


def _offers(plane: ControlPlane, region: str) -> Iterator[Offer]:
    dated = plane.settings().lifecycle == "today"
    for model in plane.base_models.values():
        state = lifecycle_state(model, plane.now().date()) if dated else "active"
        status = {"active": "ACTIVE", "ended": ""}.get(state, "LEGACY")
        yield Offer(model, model.foundation_id, region, status, dated)
        if region in model.regions:
            yield Offer(model, model.id, region, status, dated)
