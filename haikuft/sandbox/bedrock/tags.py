"""Tags on jobs of both kinds, custom models, throughputs and deployments.

Rules: at most 50 for each resource, no key twice, and no key that begins with "aws:".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from haikuft.sandbox.bedrock.records import ControlPlane, State, region_of
from haikuft.sandbox.bedrock.resources import KINDS
from haikuft.sandbox.http.routing import Call, ServiceError, validation_error

MAX_TAGS = 50


def read_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Check a request's tags and turn them into key -> value.

    Raises:
        ServiceError: a key occurs twice or begins with "aws:", or there are more than 50.
    """
    keys = [tag["key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise validation_error("Duplicate tag keys found in the request.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise validation_error('Tag keys starting with "aws:" are reserved.')
    _check_count(len(keys), "the new resource")
    return {tag["key"]: tag["value"] for tag in tags}


def tag_resource(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """TagResource: adds, and replaces the values of keys already there."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
        merged = tags | read_tags(call.parameters["tags"])
        _check_count(len(merged), call.parameters["resourceARN"])
        plane.state.tags[call.parameters["resourceARN"]] = merged
    return {}


def untag_resource(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """UntagResource: keys that are not there are no error."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
        gone = set(call.parameters["tagKeys"])
        plane.state.tags[call.parameters["resourceARN"]] = {
            key: value for key, value in tags.items() if key not in gone
        }
    return {}


def list_tags(plane: ControlPlane, call: Call) -> dict[str, Any]:
    """ListTagsForResource."""
    with plane.state.lock:
        tags = _tags_of(plane.state, call)
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _tags_of(state: State, call: Call) -> dict[str, str]:
    arn = call.parameters["resourceARN"]
    known = any(arn in kind.table(state) for kind in KINDS)
    if not known or region_of(arn) != call.region:
        raise ServiceError("ResourceNotFoundException", f"Resource {arn} not found.")
    return state.tags.get(arn, {})


def _check_count(count: int, resource: str) -> None:
    if count > MAX_TAGS:
        raise ServiceError(
            "TooManyTagsException",
            f"The request would give the resource {count} tags; {MAX_TAGS} are allowed.",
            resourceName=resource,
        )
