"""What serves a custom model: one reading of it, and how Bedrock's API names its parts.

Sources: Bedrock API, GetCustomModelDeployment and GetProvisionedModelThroughput; their default
quotas, Bedrock's page in the AWS General Reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import msgspec

from haikuft.base_models import Serving
from haikuft.package_data import read_toml
from haikuft.runs.lookup import LISTINGS

COMMITMENTS = {"none": None, "1 month": "OneMonth", "6 months": "SixMonths"}  # ours -> AWS's
_TERMS = {aws: ours for ours, aws in COMMITMENTS.items()}


@dataclass(frozen=True, slots=True)
class Api:
    """How Bedrock's API names one way of serving a custom model.

    Attributes:
        noun: AWS's noun, as in sentences and in `lookup.LISTINGS`.
        operation: the end of boto3's method names, such as "custom_model_deployment" of
            create_, get_ and delete_custom_model_deployment.
        identifier: the parameter of Get and Delete that takes an ARN or a name.
        arn: the member with the ARN, in what Create and Get answer.
        name: the member with the name, in the request and in what Get answers.
        model: the parameter of Create that takes the custom model's ARN.
        created: the member with the time of creation.
        ready: AWS's status of one that answers requests.
        quota: what to do when a quota does not allow another one.
    """

    noun: str
    operation: str
    identifier: str
    arn: str
    name: str
    model: str
    created: str
    ready: str
    quota: str

    @property
    def field(self) -> str:
        """How its fields in the run's record begin, such as "throughput" of throughput_arn."""
        return LISTINGS[self.noun].field


APIS = msgspec.convert(read_toml(__package__, "apis.toml"), dict[Serving, Api])


@dataclass(frozen=True, slots=True)
class Served:
    """One reading of what serves a custom model.

    Attributes:
        arn: given to the runtime in place of a model's id.
        status: AWS's word: Creating, Failed; Active for a deployment; InService or Updating for
            throughput.
        model_arn: the custom model that answers now.
        created: when it was created, aware.
        update_status: of a deployment, AWS's word: Updating, UpdateCompleted or UpdateFailed; ""
            without an update.
        failure_message: AWS's reason; None unless it failed.
        model_units: of throughput, the model units bought; 0 for a deployment.
        commitment: "none", or the time for which it cannot be deleted: "1 month" or "6 months".
        expires: when the commitment ends, aware; None without one.
    """

    kind: Serving
    arn: str
    name: str
    status: str
    model_arn: str
    created: datetime
    update_status: str = ""
    failure_message: str | None = None
    model_units: int = 0
    commitment: str = "none"
    expires: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether it answers requests."""
        return self.status == APIS[self.kind].ready

    @property
    def changing(self) -> bool:
        """Whether it is being created, or updated; an update leaves a deployment Active."""
        return self.status in ("Creating", "Updating") or self.update_status == "Updating"

    @classmethod
    def from_response(cls, kind: Serving, answer: Mapping[str, Any]) -> Self:
        """Read what Get answers."""
        api, term = APIS[kind], answer.get("commitmentDuration")
        return cls(
            kind=kind,
            arn=answer[api.arn],
            name=answer[api.name],
            status=answer["status"],
            model_arn=answer["modelArn"],
            created=answer[api.created],
            update_status=answer.get("updateDetails", {}).get("updateStatus", ""),
            failure_message=answer.get("failureMessage"),
            model_units=answer.get("modelUnits", 0),
            commitment=_TERMS.get(term, str(term)),
            expires=answer.get("commitmentExpirationTime"),
        )


def kind_of(arn: str) -> Serving:
    """Tell from its ARN in which way a model is served."""
    return "deployment" if ":custom-model-deployment/" in arn else "provisioned_throughput"


def name_served(arn: str) -> dict[str, str]:
    """Return the change that writes this ARN into the run's record."""
    return {f"{APIS[kind_of(arn)].field}_arn": arn}
