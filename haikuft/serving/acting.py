"""Find, start, wait for and end what serves a custom model, deployment or throughput alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from haikuft import deployments, throughput
from haikuft.base_models import Serving
from haikuft.deployments import Deployment
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
        commitment: "none", or for how long it cannot be ended: "1 month" or "6 months".
    """

    kind: Serving
    arn: str
    name: str
    status: str
    model_arn: str
    ready: bool
    commitment: str = "none"

    @classmethod
    def from_reading(cls, found: Deployment | Throughput) -> Self:
        """Take over a reading of either."""
        if isinstance(found, Deployment):
            ready = found.status == "Active"
            return cls("deployment", found.arn, found.name, found.status, found.model_arn, ready)
        return cls(
            "provisioned_throughput",
            found.arn,
            found.name,
            found.status,
            found.model_arn,
            found.status == "InService",
            found.commitment,
        )


def find_served(bedrock: "BedrockClient", kind: Serving, identifier: str) -> Served | None:
    """Read once what serves, by its ARN or its name; None where AWS knows no such thing."""
    found: Deployment | Throughput | None
    if kind == "deployment":
        found = deployments.find_deployment(bedrock, identifier)
    else:
        found = throughput.find_throughput(bedrock, identifier)
    return Served.from_reading(found) if found else None


def ensure_served(
    bedrock: "BedrockClient",
    kind: Serving,
    name: str,
    *,
    model_arn: str,
    model_units: int = 1,
    commitment: str = "none",
    tags: Mapping[str, str] | None = None,
) -> str:
    """Find what serves under that name, or start it. Returns its ARN. On AWS this costs money.

    Units and commitment are for Provisioned Throughput; a deployment has none.

    Raises:
        ConflictError: one of that name exists and is another.
        AccessError: a quota does not allow it.
        SettingsError: a name, a number of units or a commitment that cannot be.
    """
    if kind == "deployment":
        return deployments.ensure_deployment(bedrock, name, model_arn=model_arn, tags=tags)
    return throughput.ensure_throughput(
        bedrock,
        name,
        model_arn=model_arn,
        model_units=model_units,
        commitment=commitment,
        tags=tags,
    )


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
    if kind_of(arn) == "deployment":
        return Served.from_reading(deployments.wait_for_deployment(bedrock, arn, **waiting))
    return Served.from_reading(throughput.wait_for_throughput(bedrock, arn, **waiting))


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
