"""The constraints of AWS's service models: required members, enum, pattern, length and range.

botocore's service models contain them, but botocore itself checks only types, required members and
minimums before it sends a request. The error messages are AWS's.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel

from haikuft.sandbox.http.routing import validation_error

_Shape = Any  # botocore's shapes; which attributes one has depends on its type_name

Fault = tuple[str, str]  # where and with which value, what it must be


def validate(model: OperationModel, parameters: Mapping[str, Any]) -> None:
    """Check parameters against all constraints, and report every violation at once.

    Raises ServiceError (ValidationException) as AWS would: "1 validation error detected:
    Value 'a_b' at 'jobName' failed to satisfy constraint: Member must satisfy …".
    """
    if model.input_shape is None:
        return
    faults = [
        f"Value {value} failed to satisfy constraint: {rule}"
        for value, rule in _structure_faults(model.input_shape, parameters, "")
    ]
    if faults:
        noun = "error" if len(faults) == 1 else "errors"
        raise validation_error(
            f"{len(faults)} validation {noun} detected: {'; '.join(faults)}",
        )


def _structure_faults(shape: _Shape, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if name not in value:
            yield f"null at '{prefix}{name}'", "Member must not be null"
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{_show(value)} at '{path}'", "Exactly one member of the union must be set"
    for name, item in value.items():
        yield from _faults(shape.members[name], item, f"{prefix}{name}")


def _faults(shape: _Shape, value: Any, path: str) -> Iterator[Fault]:
    if getattr(shape, "is_document_type", False):
        return
    shown = "" if shape.metadata.get("sensitive") else f"{_show(value)} "
    for rule in _rules(shape, value):
        yield f"{shown}at '{path}'", rule
    if shape.type_name == "structure":
        yield from _structure_faults(shape, value, path)
    elif shape.type_name == "list" and shape.member.type_name in ("structure", "list", "map"):
        for number, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "list":
        yield from _joint_fault(shape.member, value, f"{shown}at '{path}'", "Member")
    elif shape.type_name == "map":
        yield from _joint_fault(shape.key, value, f"{shown}at '{path}'", "Map keys")
        if shape.value.type_name in ("structure", "list", "map"):
            for key, item in value.items():
                yield from _faults(shape.value, item, f"{path}.{key}.member")
        else:
            yield from _joint_fault(shape.value, value.values(), f"{shown}at '{path}'", "Map value")


def _joint_fault(shape: _Shape, values: Any, where: str, who: str) -> Iterator[Fault]:
    """Report one violation for all scalar members of a list or map together, as AWS does."""
    if any(_rules(shape, value) for value in values):
        yield where, f"{who} must satisfy constraint: [{', '.join(_all_rules(shape))}]"


def _rules(shape: _Shape, value: Any) -> list[str]:
    """List the rules that a value violates, in AWS's words."""
    return [rule for rule, kept in _tests(shape, value) if not kept]


def _all_rules(shape: _Shape) -> list[str]:
    return [rule for rule, _ in _tests(shape, None)]


def _tests(shape: _Shape, value: Any) -> Iterator[tuple[str, bool]]:
    """Yield each rule of a shape and whether the value satisfies it; None satisfies all."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    nothing = value is None
    if shape.type_name in ("string", "list", "map", "blob"):
        size = 0 if nothing else len(value)
        if high is not None:
            yield f"Member must have length less than or equal to {high}", nothing or size <= high
        if low is not None:
            yield f"Member must have length greater than or equal to {low}", nothing or size >= low
    elif shape.type_name in ("integer", "long", "float", "double"):
        if high is not None:
            yield f"Member must have value less than or equal to {high}", nothing or value <= high
        if low is not None:
            yield f"Member must have value greater than or equal to {low}", nothing or value >= low
    if shape.type_name != "string":
        return
    if enum := shape.metadata.get("enum"):
        yield f"Member must satisfy enum value set: [{', '.join(enum)}]", nothing or value in enum
    if pattern := shape.metadata.get("pattern"):
        # A text beyond its length is refused for that; its pattern need not be searched.
        kept = nothing or (high is not None and len(value) > high) or _fits(pattern, value)
        yield f"Member must satisfy regular expression pattern: {pattern}", kept


def _fits(pattern: str, text: str) -> bool:
    compiled = _compile(pattern)
    return compiled is None or compiled.fullmatch(text) is not None


@cache
def _compile(pattern: str) -> re.Pattern[str] | None:
    """Compile AWS's pattern; None for the few Java patterns that Python does not support."""
    # A job name's (-*[a-z\-])* can take each dash in two ways, and Python would try them all;
    # [a-z\-]* accepts the same names at once.
    plain = re.sub(r"\(-\*(\[[^\]]*\\-[^\]]*\])\)(\*|\{0,\d+\})", r"\1*", pattern)
    try:
        return re.compile(plain)
    except re.error:
        return None


def _show(value: Any) -> str:
    return f"'{_plain(value)}'"


def _plain(value: Any) -> str:
    """Write a value as AWS's messages do, at most 200 characters of it."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}={_plain(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(_plain(item) for item in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"
