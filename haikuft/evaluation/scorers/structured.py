"""Scorers of JSON replies: validity, required keys, shape, and agreement of values.

The whole reply must be JSON; a code fence around it or a word before it counts as wrong, because a
program that reads the reply would fail.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from haikuft.dataset.records import Record, reference_of
from haikuft.errors import SettingsError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


def valid_json(record: Record, reply: str) -> float:
    """Score 1.0 when the whole reply is a JSON object or array.

    The record is not used; every scorer takes one.
    """
    return float(parse_json(reply) is not None)


def required_keys(record: Record, reply: str) -> float:
    """Score the share of the reference's top-level keys that the reply has.

    Where the reference has none, as an array, the reply scores 1.0 when it is of the same kind: an
    object for an object, an array for an array.
    """
    found, expected = parse_json(reply), parse_json(reference_of(record))
    wanted = list(expected) if isinstance(expected, dict) else []
    if wanted:
        return sum(key in found for key in wanted) / len(wanted) if isinstance(found, dict) else 0.0
    return float(found is not None and type(found) is type(expected))


def matches_schema(record: Record, reply: str, *, schema: str = "") -> float:
    """Score 1.0 when the reply is JSON that a JSON Schema allows, as the package jsonschema says.

    Args:
        record: Where no schema is given, its reference makes one: the same keys, at every depth,
            with values of the same types.
        reply: The whole reply.
        schema: A JSON Schema as text, of the draft that its "$schema" names.

    Raises:
        SettingsError: the text is not a JSON Schema.
    """
    found = parse_json(reply)
    if not schema:
        expected = parse_json(reference_of(record))
        if expected is None:
            return 0.0
        schema = json.dumps(build_schema(expected))
    validator = _make_validator(
        schema
    )  # first, so that a bad schema is an error whatever the reply
    try:
        return float(found is not None and validator.is_valid(found))
    except RecursionError:  # nested too deeply, under a schema that refers to itself
        return 0.0


def json_agreement(record: Record, reply: str) -> float:
    """Score the share of values that agree, of all that the reply or the reference holds.

    A value is a leaf of the JSON with its path. A reply that is not JSON scores 0.0.
    """
    expected, found = parse_json(reference_of(record)), parse_json(reply)
    if expected is None or found is None:
        return 0.0
    wanted, given = set(_leaves(expected)), set(_leaves(found))
    return len(wanted & given) / len(wanted | given)


def build_schema(value: Any) -> dict[str, Any]:
    """Build the JSON Schema of values shaped as this one.

    Example: `{"a": 1}` gives an object that has "a", a number. An array may hold any number of
    items, each shaped as one of those it was built from; an object may have further keys.
    """
    if isinstance(value, Mapping):
        properties = {key: build_schema(item) for key, item in value.items()}
        return {"type": "object", "required": list(value), "properties": properties}
    if isinstance(value, list):
        kinds = {json.dumps(kind): kind for kind in map(build_schema, value)}
        return (
            {"type": "array", "items": {"anyOf": [*kinds.values()]}} if kinds else {"type": "array"}
        )
    return {"type": _TYPES[type(value)]}


def parse_json(text: str) -> dict[str, Any] | list[Any] | None:
    """Read a text as a JSON object or array; None when it is anything else, a bare number too."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


@lru_cache(maxsize=64)
def _make_validator(schema: str) -> "Validator":
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for

    try:
        read = json.loads(schema)
        maker = validator_for(read)
        maker.check_schema(read)
    except (SchemaError, ValueError) as error:
        reason = getattr(error, "message", error)
        raise SettingsError(f"schema: this is not a JSON Schema ({reason}). Fix it.") from None
    return maker(read)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


def _leaves(root: Any) -> list[tuple[Any, ...]]:
    """List each leaf with its path from the root; empty objects and arrays are leaves too."""
    leaves = []
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), root)]
    while waiting:  # no recursion: a reply may be nested deeper than Python allows
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list) and value:
            waiting += [((*path, at), item) for at, item in enumerate(value)]
        else:
            leaves.append((path, json.dumps(value, sort_keys=True)))
    return leaves
