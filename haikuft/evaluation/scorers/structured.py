"""Scorers of JSON replies: validity, required keys, shape, and agreement of values.

The whole reply must be JSON; a code fence around it or a word before it counts as wrong, because a
program that reads the reply would fail.
"""

import json
import unicodedata
from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import referencing.exceptions
import referencing.jsonschema
from jsonschema_specifications import REGISTRY

from haikuft.dataset.records import Record, reference_of
from haikuft.errors import SettingsError

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_TYPES = {str: "string", bool: "boolean", type(None): "null"}  # all else are numbers
# jsonschema checks them only where a further package is installed.
NOT_CHECKED = frozenset({"iri", "iri-reference"})
_MOST_DIGITS = 6_000  # of a number that is compared exactly


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

    Numbers are decimal, so that 19.99 is a multiple of 0.01. Formats are checked, but for
    `NOT_CHECKED` and those that jsonschema does not know. Nothing is loaded from the network.

    Args:
        record: Where no schema is given, its reference makes one: the same keys, at every depth,
            with values of the same types.
        reply: The whole reply.
        schema: A JSON Schema as text, of the draft that its "$schema" names.

    Raises:
        SettingsError: the text is not a JSON Schema, or refers to something outside of it.
    """
    found = parse_json(reply)
    if not schema:
        expected = parse_json(reference_of(record))
        if expected is None:
            return 0.0
        schema = json.dumps(build_schema(expected))
    # Made first, so that a bad schema is an error whatever the reply.
    validator = _make_validator(schema)
    try:
        with localcontext(Context(prec=_MOST_DIGITS)):
            return float(found is not None and validator.is_valid(found))
    # Nested too deeply under a schema that refers to itself, or a number of too many digits.
    except (RecursionError, ArithmeticError):
        return 0.0
    except referencing.exceptions.Unresolvable as error:
        raise _refuse_reference(error.ref) from None


def json_agreement(record: Record, reply: str) -> float:
    """Score the share of values that agree, of all that the reply or the reference holds.

    A value is a leaf of the JSON with its path; 10 and 10.0 are one number. A reply that is not
    JSON scores 0.0.
    """
    expected, found = parse_json(reference_of(record)), parse_json(reply)
    return 0.0 if expected is None or found is None else agreement(expected, found)


def agreement(expected: Any, found: Any) -> float:
    """Give the share of leaves that agree, of all that either value of JSON holds."""
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
    return {"type": _TYPES.get(type(value), "number")}


def parse_json(text: str) -> dict[str, Any] | list[Any] | None:
    """Read a text as a JSON object or array; None when it is anything else, a bare number too."""
    try:
        value = _load(unicodedata.normalize("NFC", text))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) else None


def list_formats(schema: str) -> tuple[list[str], list[str]]:
    """List the formats that a JSON Schema names: those that are checked, and the others.

    Raises:
        SettingsError: the text is not a JSON Schema.
    """
    checkers = _make_validator(schema).format_checker.checkers
    leaves = _leaves(_load(schema))
    named = sorted(
        {name for path, kind, name in leaves if path[-1:] == ("format",) and kind == "str"}
    )
    return [n for n in named if n in checkers], [n for n in named if n not in checkers]


@lru_cache(maxsize=64)
def _make_validator(schema: str) -> "Validator":
    from jsonschema import FormatChecker, SchemaError
    from jsonschema.validators import validator_for

    try:
        read = _load(schema)
        if not isinstance(read, dict | bool):
            raise ValueError("it is neither an object nor true or false")
        maker = validator_for(read)
        maker.check_schema(read)
    except (SchemaError, ValueError, RecursionError) as error:
        reason = getattr(error, "message", error)
        raise SettingsError(f"schema: this is not a JSON Schema ({reason}). Fix it.") from None
    formats = FormatChecker(())
    formats.checkers = {
        name: check
        for name, check in maker.FORMAT_CHECKER.checkers.items()
        if name not in NOT_CHECKED
    }
    _check_references(read, maker)
    return maker(read, format_checker=formats, registry=REGISTRY)


def _check_references(schema: Any, maker: Any) -> None:
    """Look up every reference of a schema.

    Raises:
        SettingsError: one leads to nothing in the schema and the drafts of JSON Schema.
    """
    dialect = referencing.jsonschema.specification_with(maker.META_SCHEMA["$schema"])
    root = dialect.create_resource(schema)
    waiting = [(root, REGISTRY.resolver_with_root(root))]
    while waiting:
        resource, resolver = waiting.pop()
        if isinstance(resource.contents, dict):
            for name in ("$ref", "$dynamicRef", "$recursiveRef"):
                reference = resource.contents.get(name, "#")
                try:
                    resolver.lookup(reference)
                except referencing.exceptions.Unresolvable:
                    raise _refuse_reference(reference) from None
        waiting += [(sub, resolver.in_subresource(sub)) for sub in resource.subresources()]


def _refuse_reference(reference: str) -> SettingsError:
    return SettingsError(
        f'schema: the reference "{reference}" leads to nothing in the schema. '
        'References to other documents are not loaded; copy what they name into "$defs".'
    )


def _load(text: str) -> Any:
    return json.loads(text, parse_float=_read_number, parse_constant=_refuse_constant)


def _read_number(text: str) -> int | Decimal:
    """Read a number with a point or an exponent exactly; a whole one as an integer."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise ValueError("the exponent is too large") from None
    whole = number == number.to_integral_value() and number.adjusted() < _MOST_DIGITS
    return int(number) if whole else number


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
            kind = type(value).__name__ if type(value) in _TYPES else "number"
            leaves.append((path, kind, str(value) if isinstance(value, dict | list) else value))
    return leaves
