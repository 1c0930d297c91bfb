"""Calls to Bedrock: which operation a request means, and what a handler takes and returns.

The operations come from botocore's service models, read when they are first used. `rest_json`
parses requests and serializes results, `constraints` checks the constraints of the models.
"""

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

SERVICES = ("bedrock", "bedrock-runtime")
EXTRA_HEADERS = "$headers"  # key of a result: response headers that AWS's model does not list


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Bedrock, parsed and within AWS's constraints.

    Attributes:
        service: "bedrock" or "bedrock-runtime".
        operation: AWS's name, such as "CreateModelCustomizationJob".
        parameters: By botocore's member names; blobs are bytes, timestamps aware datetimes.
        region: From the request's signature.
        account_id: The account, twelve digits.
        request_id: Returned in the response's headers.
    """

    service: str
    operation: str
    parameters: dict[str, Any]
    region: str
    account_id: str
    request_id: str


Handler = Callable[[Call], dict[str, Any]]
"""Answers a call with a result by botocore's member names: timestamps aware, blobs bytes.

Further response headers stand under EXTRA_HEADERS; errors of AWS are raised as ServiceError.
"""


class ServiceError(Exception):
    """An error that AWS returns; `code` decides the HTTP status by AWS's model.

    Example: `raise ServiceError("ResourceNotFoundException", "Could not find the model.")`.
    Further members of AWS's error shape, such as resourceName, are keyword arguments.
    """

    def __init__(self, code: str, message: str, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.members = members


def validation_error(message: str) -> ServiceError:
    """Return the error for a request that breaks a rule of the operation."""
    return ServiceError("ValidationException", message)


def conflict_error(message: str) -> ServiceError:
    """Return the error for a request that the state of a resource does not allow."""
    return ServiceError("ConflictException", message)


def quota_error(message: str) -> ServiceError:
    """Return the error for a request that would exceed a quota."""
    return ServiceError("ServiceQuotaExceededException", message)


@dataclass(frozen=True, slots=True)
class Route:
    """Which operation a method and path mean, with the path's labels decoded."""

    service: str
    model: OperationModel
    labels: dict[str, str]


def report_failure(error: Exception) -> str:
    """Log an internal error of the sandbox; return the message for the client."""
    traceback.print_exception(error, file=sys.stderr)
    return f"The sandbox failed: {type(error).__name__}: {error}. Its log says more."


@cache
def load_service(service: str) -> ServiceModel:
    """Load botocore's model of a service, without those in ~/.aws/models."""
    loader = Loader(
        extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False
    )
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def find_operation(method: str, raw_path: str) -> Route:
    """Find the operation for a method and the path as it was sent, still percent-encoded.

    Decoded paths would break ARNs, whose slashes are encoded within one segment.
    Raises ServiceError (UnknownOperationException) when Bedrock has no such path.
    """
    segments = raw_path.rstrip("/").split("/")
    for service, model, template in _routes().get((method, len(segments)), ()):
        labels: dict[str, str] = {}
        for wanted, found in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                labels[wanted.strip("{}")] = unquote(found)
            elif wanted != found:
                break
        else:
            if all(labels.values()):
                return Route(service, model, labels)
    raise ServiceError("UnknownOperationException", f"Bedrock has no {method} {unquote(raw_path)}.")


@cache
def _routes() -> dict[tuple[str, int], list[tuple[str, OperationModel, Sequence[str]]]]:
    """Map (method, number of segments) to operations, those with the fewest labels first."""
    table: dict[tuple[str, int], list[tuple[str, OperationModel, Sequence[str]]]] = {}
    for service in SERVICES:
        models = load_service(service)
        for name in models.operation_names:
            model = models.operation_model(name)
            template = model.http["requestUri"].rstrip("/").split("/")
            key = (model.http["method"], len(template))
            table.setdefault(key, []).append((service, model, template))
    for routes in table.values():
        routes.sort(key=lambda route: sum(part.startswith("{") for part in route[2]))
    return table
