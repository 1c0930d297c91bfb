"""Find, wait for and end what serves a custom model, deployment or throughput alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from haikuft import deployments, throughput
from haikuft.base_models import Serving
from haikuft.deployments import Deployment
from haikuft.errors import NotFoundError
from haikuft.throughput import Throughput

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient


@dataclass(frozen=True, slots=True)
class Served:
    """One reading of what serves a custom model.

    Attributes:
        arn: what is asked in place of a model's id.
        status: AWS's word.
        model_arn: the custom model that answers.
        ready: whether it can be asked.
        created: when it was made, aware.
        commitment: "none", or for how long it cannot be ended: "1 month" or "6 months".
    """

    kind: Serving
    arn: str
    name: str
    status: str
    model_arn: str
    ready: bool
    created: datetime
    commitment: str = "none"

    @classmethod
    def from_reading(cls, found: Deployment | Throughput) -> Self:
        """Take over a reading of either."""
        deployed = isinstance(found, Deployment)
        return cls(
            kind="deployment" if deployed else "provisioned_throughput",
            arn=found.arn,
            name=found.name,
            status=found.status,
            model_arn=found.model_arn,
            ready=found.status == ("Active" if deployed else "InService"),
            created=found.created,
            commitment=getattr(found, "commitment", "none"),
        )


def find_served(bedrock: "BedrockClient", kind: Serving, identifier: str) -> Served | None:
    """Read once what serves, by its ARN or its name; None where AWS knows no such thing."""
    found: Deployment | Throughput | None
    if kind == "deployment":
        found = deployments.find_deployment(bedrock, identifier)
    else:
        found = throughput.find_throughput(bedrock, identifier)
    return Served.from_reading(found) if found else None


def wait_for_served(
    bedrock: "BedrockClient",
    arn: str,
    *,
    poll_seconds: float = 60.0,
    deadline_seconds: float = 2 * 3600.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    on_change: Callable[[Served], None] | None = None,
    resume: str = "",
) -> Served:
    """Wait until it can be asked. Its arguments are those of `wait_for_job`.

    Raises:
        JobFailedError: it failed; says AWS's reason.
        NotFoundError: it was deleted meanwhile, or before: AWS ignores a repeated request.
        WaitTimeoutError: the deadline has passed; it goes on.
    """

    def show(reading: Deployment | Throughput) -> None:
        if on_change is not None:
            on_change(Served.from_reading(reading))

    waiting: dict[str, Any] = {
        "poll_seconds": poll_seconds,
        "deadline_seconds": deadline_seconds,
        "sleep": sleep,
        "clock": clock,
        "on_change": show,
        "resume": resume,
    }
    deployed = kind_of(arn) == "deployment"
    wait: Any = deployments.wait_for_deployment if deployed else throughput.wait_for_throughput
    try:
        return Served.from_reading(wait(bedrock, arn, **waiting))
    except NotFoundError as error:
        raise NotFoundError(
            f"{arn} is gone: it was deleted meanwhile, or AWS took the request for a repeat of an "
            "earlier one. Run this notebook again from its beginning: it starts another."
        ) from error


def stop_serving(bedrock: "BedrockClient", arn: str, **waiting: Any) -> bool:
    """Delete what serves and wait until it is gone. Returns False where it was gone already.

    The custom model stays. `waiting` is that of `delete_deployment` and `delete_throughput`.

    Raises:
        ConflictError: a commitment holds it; says until when.
        WaitTimeoutError: it is still there after the deadline.
    """
    if kind_of(arn) == "deployment":
        return deployments.delete_deployment(bedrock, arn, **waiting)
    return throughput.delete_throughput(bedrock, arn, **waiting)


def name_served(arn: str) -> dict[str, str]:
    """Say under which name the run's record keeps what is asked."""
    return {"deployment_arn" if kind_of(arn) == "deployment" else "throughput_arn": arn}


def kind_of(arn: str) -> Serving:
    """Tell from its ARN in which way a model is served."""
    return "deployment" if ":custom-model-deployment/" in arn else "provisioned_throughput"
